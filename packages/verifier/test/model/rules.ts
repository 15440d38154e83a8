// What is refused before anything runs, on every device: `open()` looks at all that a manifest says (decisions 6, 10 to 12 of the specification
// page). Where several things are wrong, the order in which they are found is nobody's promise, so these are sets.

import * as E from "../../src/spec/errors.generated.js";
import { type Command, commandsOf, DIRECTIVES, type Manifest, sequencesOf, valuesOf } from "./manifest.js";

function* wrongIn(c: Command, m: Manifest): Generator<number> {
  const outside = (i: number) => i >= m.components.length;
  if (c.do === "wrong") yield c.refused;
  if (c.do === "index" && c.to !== true && [c.to].flat().some(outside)) yield E.INDEX_RANGE;
  // none at all, or one twice, which could only make a command run twice
  if (c.do === "index" && Array.isArray(c.to) && new Set(c.to).size !== Math.max(c.to.length, 1)) yield E.COMMAND_ARGUMENT;
  if (c.do === "override" && c.set.source !== undefined && outside(c.set.source)) yield E.INDEX_RANGE;
  if (c.do === "override" && Object.keys(c.set).length === 0) yield E.COMMAND_ARGUMENT;
  // SUIT_Directive_Try_Each_Argument: two sequences at least, then perhaps nil
  if (c.do === "try" && c.of.length < 2) yield E.COMMAND_ARGUMENT;
  if (c.do === "try" && c.of.some((s) => s.length === 0)) yield E.COMMAND_ARGUMENT;
  if (c.do === "run" && c.of.length === 0) yield E.COMMAND_ARGUMENT;
}

/** Every refusal that `open()` may give; none: it gives a manifest. `floor`: the lowest number that is accepted; its equal is (decision 2). */
export function refusals(m: Manifest, floor: bigint): Set<number> {
  const out = new Set<number>();
  if (m.sequence < floor) out.add(E.ROLLBACK);
  for (const s of sequencesOf(m)) {
    if (s.length === 0) out.add(E.COMMAND_ARGUMENT);
    for (const c of commandsOf(s)) for (const code of wrongIn(c, m)) out.add(code);
  }
  for (const c of commandsOf(m.shared ?? [])) if (DIRECTIVES.includes(c.do)) out.add(E.SHARED_COMMAND);
  if (m.severed.some((key) => m.sections[key] && !m.absent.includes(key))) {
    if (m.fault === "exchanged") out.add(E.DIGEST_SEVERED);
    if (m.fault === "redundant") out.add(E.SEVERED_REDUNDANT);
    if (m.fault === "uncovered") out.add(E.SEVERED_UNCOVERED);
  }
  // a payload that no available command names is authenticated by nobody
  const named = valuesOf(m, "uri");
  if (Object.keys(m.payloads).some((uri) => !named.includes(uri))) out.add(E.PAYLOAD_UNREFERENCED);
  return out;
}
