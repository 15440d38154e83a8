// What sign, verify, lint, explain, report and release say that a kind of device does, against devices that do it: the
// same refusal in the same phase, the same floor, and the announced images. A failure is made small, and has its seed.

import { anchor, boot, type Device, type Effect, install, type Manifest, open } from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import { COND_CHECK_CONTENT, DIR_SWAP, isChange } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAC_KEY } from "../../../test-vectors/src/pieces/assemble.js";
import { type Interpreter, isComparison } from "../../behaviour/src/explain/device-rules.js";
import { coursesOf, type DeviceKind, kindRefusal } from "../../behaviour/src/explain/device-run.js";
import { hostFor } from "../../simulator/src/host.js";
import { toHex } from "../../test-support/src/bytes.js";
import { ALL, LONG } from "../../test-support/src/environment/effort.js";
import { encoded, hashOf } from "../../verifier/test/model/encode.js";
import { anything, nearly } from "../../verifier/test/model/generate.js";
import { type Manifest as Said, valuesOf } from "../../verifier/test/model/manifest.js";
import { refusalNumber } from "../../verifier/test/model/play.js";
import { deviceKinds, withAllIdentities } from "../src/verify/manifest-facts.js";
import { triedInterpreter } from "../src/verify/payload-check.js";

const given = process.env["FIRMSEAL_CASES"];
/** FIRMSEAL_LONG=1 tries 300. The default is the first 40 of them. */
const CASES = Number(given ?? (ALL ? 20_000 : LONG ? 300 : 40));
const runs = { numRuns: CASES, ...(given === undefined && !ALL && { seed: 5 }) };

const TRUST = { anchors: [anchor("hmac256", Uint8Array.from(MAC_KEY))] };
const host = hostFor(0);
/** Sizes above it have a rule of their own on each device, which tools do not know. */
const CAPACITY = 2 ** 12;
/** What no digest and no content in these manifests matches. */
const JUNK = "5a".repeat(7);

const octets = (text: string) => [...Buffer.from(text, "hex")];

/** What is asked of the content of a component, or of a payload. */
interface Asked {
  digest?: string;
  size?: number;
  content?: string;
}

/** The preimages of the digests in a manifest, by digest. */
const preimages = (m: Said) => new Map(valuesOf(m, "digest").map((d) => [hashOf(d.alg, d.of), d.of]));

/** A content that is all of what is asked. Undefined: there is none, or none is known. */
function contentFor(all: readonly Asked[], known: ReadonlyMap<string, string>, free = JUNK): string | undefined {
  const wanted = all.flatMap(({ digest, content }) => content ?? (digest === undefined ? [] : [known.get(digest) ?? "?"]));
  const [first = free] = wanted;
  const fits = wanted.every((one) => one === first) && all.every(({ size }) => size === undefined || size === first.length / 2);
  // without a size, nothing is not an image of 0 bytes
  const isNothing = first === "" && all.some(({ digest, size }) => digest !== undefined && size === undefined);
  return fits && first !== "?" && !isNothing ? first : undefined;
}

const askedBy = ({ op, digest, size, content }: Effect): Asked =>
  op === COND_CHECK_CONTENT
    ? { content: toHex(content as Uint8Array) }
    : { ...(digest && { digest: toHex(digest.bytes) }), ...(size !== undefined && { size }) };

const NOT_KNOWN = Symbol("no device answers so");
type NotKnown = typeof NOT_KNOWN;

/** An effect that the tools looked at, and what they took for its outcome. */
interface Step {
  e: Effect;
  ok: boolean | undefined;
}

/** An interpreter that keeps the steps of each of its runs. */
function recording(): { by: Interpreter; runs: { sections: string; steps: Step[] }[] } {
  const { start, step, identityChecked } = triedInterpreter();
  const runs: { sections: string; steps: Step[] }[] = [];
  const by: Interpreter = {
    start(m, sections, identity) {
      runs.push({ sections: sections.join(), steps: [] });
      return start(m, sections, identity);
    },
    step(run, outcome) {
      const steps = runs.at(-1)?.steps as Step[];
      const last = steps.at(-1);
      if (last && outcome !== undefined) last.ok = outcome;
      const e = step(run, outcome);
      if (e) steps.push({ e, ok: undefined });
      return e;
    },
    identityChecked,
  };
  return { by, runs };
}

/** What is asked of one content: what it is, and what it is not. */
interface Demand {
  is: Asked[];
  isNot: Asked[];
}

/**
 * Where contents come from, and what the tools suppose of each. "c0": what component 0 had before; "u#a": the payload of
 * this URI. Contents that the manifest writes come from nowhere: the tools know them.
 */
class Supposed {
  readonly demands = new Map<string, Demand>();
  private readonly origins = new Map<number, string>();

  origin(component: number): string {
    return this.origins.get(component) ?? `c${component}`;
  }

  private demand(origin: string): Demand {
    const known = this.demands.get(origin) ?? { is: [], isNot: [] };
    this.demands.set(origin, known);
    return known;
  }

  /** Takes in a step. `start`: what a component has had since before, a start asks for under a name of its own. */
  take({ e, ok }: Step, start: boolean): void {
    const name = (i: number) => (start && !this.origins.has(i) ? `s${i}` : this.origin(i));
    const { uri, source, component } = e;
    // refused before a device does it
    if (ok === undefined) return;
    if (isComparison(e)) {
      this.demand(name(component))[ok ? "is" : "isNot"].push(askedBy(e));
      return;
    }
    if (!isChange(e)) return;
    const here = name(component);
    if (source !== undefined) {
      const there = name(source);
      this.demand(there).is.push(askedBy(e));
      if (e.op === DIR_SWAP) {
        const other = {
          ...(e.sourceDigest && { digest: toHex(e.sourceDigest.bytes) }),
          ...(e.sourceSize !== undefined && { size: e.sourceSize }),
        };
        this.demand(here).is.push(other);
        this.origins.set(source, here);
      }
      this.origins.set(component, there);
    } else if (uri !== undefined) {
      this.demand(`u${uri}`).is.push(askedBy(e));
      this.origins.set(component, `u${uri}`);
    } else this.origins.set(component, "nowhere");
  }
}

/** A content for each origin. Undefined if one can have none. */
function contentsFor({ demands }: Supposed, known: ReadonlyMap<string, string>): Map<string, string> | undefined {
  const out = new Map<string, string>();
  for (const [origin, { is, isNot }] of demands) {
    const content = contentFor(is, known);
    if (content === undefined) return undefined;
    if (isNot.some((one) => Object.keys(one).length > 0 && contentFor([{ content }, one], known) !== undefined)) return undefined;
    out.set(origin, content);
  }
  return out;
}

/** A device of a kind, before the release. */
function deviceOf(m: Manifest, { identity, slot }: DeviceKind, floor: number): MemoryDevice {
  const device = memoryDevice(identity, m.components, CAPACITY);
  for (const part of device.parts) {
    part.current = 1 - slot;
    part.slots[part.current] = octets(JUNK);
  }
  device.sequence = [0, floor];
  return device;
}

/** Puts contents into the current slots. */
function hold(device: MemoryDevice, contents: ReadonlyMap<string, string>, prefix: "c" | "s"): void {
  for (const [i, part] of device.parts.entries()) {
    const content = contents.get(`${prefix}${i}`);
    if (content !== undefined) part.slots[part.current] = octets(content);
  }
}

const drive = (device: Device, of: typeof install | typeof boot, envelope: Uint8Array) =>
  refusalNumber(() => {
    const progress = of(envelope, TRUST, device, host);
    if (progress.next()) progress.next(false);
  });

interface Ended {
  during: "install" | "start" | "never";
  code: number;
}

/** How the release ends on a real device of this kind, which has and gets what the tools suppose. */
function real(m: Manifest, said: Said, envelope: Uint8Array, kind: DeviceKind): Ended | NotKnown {
  const { by, runs } = recording();
  coursesOf(by, m, kind);
  const supposed = new Supposed();
  // the last of the runs of a phase is the one that was not a rehearsal
  const last = runs.filter(({ sections }, i) => runs[i + 1]?.sections !== sections);
  for (const [i, { steps }] of last.entries()) for (const step of steps) supposed.take(step, i > 0);
  const contents = contentsFor(supposed, preimages(said));
  if (!contents) return NOT_KNOWN;
  const device = deviceOf(m, kind, 0);
  hold(device, contents, "c");
  for (const uri of valuesOf(said, "uri")) device.payloads[uri] = Uint8Array.from(octets(contents.get(`u${uri}`) ?? JUNK));
  const code = drive(device, install, envelope);
  expect(device.sequence).toEqual(code === 0 ? m.sequence : [0, 0]);
  if (code !== 0) return { during: "install", code };
  // what it has not written, a start finds as the tools suppose
  hold(device, contents, "s");
  const started = drive(device, boot, envelope);
  return started === 0 ? { during: "never", code: 0 } : { during: "start", code: started };
}

const said = { compared: 0, taken: 0, refused: new Set<number>() };

async function agree(one: Said): Promise<void> {
  const envelope = await encoded({ ...one, payloads: {} });
  let m: Manifest;
  try {
    m = open(envelope, TRUST, host);
  } catch {
    return;
  }
  for (const kind of [...deviceKinds(m), ...withAllIdentities(m)]) {
    // a component has two slots
    if (kind.slot > 1) continue;
    const refusal = kindRefusal(triedInterpreter(), m, kind);
    const ended = real(m, one, envelope, kind);
    if (ended === NOT_KNOWN) continue;
    said.compared++;
    if (refusal) said.refused.add(refusal.code);
    else said.taken++;
    const told: Ended = refusal ? { during: refusal.during, code: refusal.code } : { during: "never", code: 0 };
    expect(ended, JSON.stringify({ slot: kind.slot, there: kind.there, classes: kind.identity.class.length })).toEqual(told);
  }
}

describe("what tools say about a kind of device", () => {
  it(
    "is what a device of this kind does",
    async () => {
      const fits = (m: Said) => valuesOf(m, "size").every((n) => n <= CAPACITY);
      const manifests = fc.oneof({ weight: 1, arbitrary: anything }, { weight: 6, arbitrary: nearly }).filter(fits);
      await fc.assert(fc.asyncProperty(manifests, agree), runs);
      expect(said.compared).toBeGreaterThan(CASES);
      expect(said.taken).toBeGreaterThan(CASES / 4);
      expect(said.refused.size).toBeGreaterThan(8);
      if (ALL) console.log(`${said.compared} kinds, ${said.taken} take it, ${said.refused.size} refusals`);
    },
    60_000 + 100 * CASES,
  );
});
