// Whether a vector comes out as it must. conformance/player.js is the same for every engine.

import { isDeepStrictEqual } from "node:util";
import * as errors from "../../packages/verifier/src/spec/errors.generated.js";
import type { EffectSpec, Expect, Vector } from "../index.mjs";
import { deviceOf, type Form, play } from "./play.js";

const names = new Map<number, string>(Object.entries(errors).map(([name, code]) => [code, name]));

/** The refusal, or any other error: that is a fault whatever the vector expects. */
function refusalOf(e: unknown, length: number): { code: number; at: number } {
  const { code, at } = e as { code?: unknown; at?: unknown };
  if (typeof code !== "number" || !names.has(code)) throw e;
  // an offset in the envelope, or -1
  if (!Number.isInteger(at) || (at as number) < -1 || (at as number) > length) throw new Error(`refusal ${code} at ${at} of ${length}`);
  return { code, at: at as number };
}

/** What a device does with a vector. The offset of a refusal is included if the vector expects one. */
export function outcome(v: Vector, device = deviceOf(v.device ?? {}), form?: Form): Expect {
  const effects: EffectSpec[] = [];
  try {
    return play(v, effects, device, form);
  } catch (e) {
    const { code, at } = refusalOf(e, (v.envelope ?? "").length / 2);
    return { code, ...("at" in v.expect && { at }), ...("effects" in v.expect && { effects }) };
  }
}

const told = (result: Expect): string => ("code" in result ? `${names.get(result.code)} ` : "") + JSON.stringify(result);

/** What is wrong with the way a vector comes out; an empty text where nothing is. */
export function wrong(v: Vector, form?: Form): string {
  const spec = v.device ?? {};
  const device = deviceOf(spec);
  const result = outcome(v, device, form);
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(result)), v.expect))
    return `expected ${told(v.expect)}, got ${told(result)}: ${v.about}`;
  if (!("code" in result)) return "";
  // refused: what was current still is, nothing was invoked, and the other slot is empty again: what failed a check
  // does not stay, to be trusted later
  const state = (d: typeof device) => [d.parts.map((p) => [p.current, p.slots]), d.sequence, d.invoked];
  return isDeepStrictEqual(state(device), state(deviceOf(spec))) ? "" : "the refusal has changed the device";
}
