// install() and boot() where everything around the envelope is hostile: payloads that arrive in pieces of any size and
// content, with outcomes that make no sense, and a Device whose calls throw, give no octets, too few, or something else
// each time. Nothing but numbered refusals comes out. On a device that does what it says only what was signed becomes
// current, and a refusal changes nothing.

import { type Bytes, boot, install } from "@firmseal/verifier";
import { fromHex, toHex } from "@firmseal/verifier/tools";
import { deviceOf } from "../../test-vectors/play/play.js";
import { Choices, NO_OCTETS } from "../common/bits.js";
import { host, installVectors, trust } from "../common/vectors.js";
import { Finding, refusal, type Target } from "../common/verdict.js";

const all = installVectors();

/** Every image that a vector ends or begins with. */
const images = new Set(
  all.flatMap(({ vector: { device, expect } }) => [
    ...(("current" in expect && expect.current) || []),
    ...Object.values(device?.current ?? {}),
    "",
  ]),
);

const METHODS = ["floor", "begin", "capacity", "slot", "erase", "size", "write", "read", "invoke", "persist", "discard", "fetch"] as const;

/** Inputs end with the vector, then come lies, then outcomes. */
export const seeds = () =>
  all.flatMap((_, i) => [
    Uint8Array.of(0, i),
    Uint8Array.of(1, 2, 1, 2, 5, 0, i),
    ...METHODS.map((_, m) => Uint8Array.of(2, i % 15, i % 7, i % 3, m, 1, i)),
    Uint8Array.of(0, 4, 0, METHODS.indexOf("write"), 1, i),
  ]);

/** What a call that lies does instead. */
function lie(kind: number, value: unknown, honest: () => unknown): unknown {
  if (kind === 0) throw new Error("flash worn out");
  if (kind === 1) throw value;
  if (kind === 2) return value;
  const out = honest();
  if (!out || typeof out !== "object" || !("length" in out)) return kind === 3 ? value : out;
  const list: unknown[] = Array.from(out as ArrayLike<unknown>);
  if (kind === 3) list[0] = value;
  else if (kind === 4) list.push(value);
  else if (kind === 5) list.pop();
  else list[0] = (list[0] as number) ^ 1;
  return list;
}

export const fuzz: Target = (input) => {
  const c = new Choices(input);
  const { vector, envelope, device: spec } = c.one(all);
  const device = deviceOf(spec);
  const before = JSON.stringify([device.parts.map((p) => p.slots[p.current]), device.sequence]);
  const calls = device as unknown as { [name: string]: (...args: unknown[]) => unknown };
  const lies = c.below(4);
  let rot = 0;
  const booting = vector.action === "boot";
  for (let i = 0; i < lies; i++) {
    const method = c.one(METHODS);
    const [turn, kind, value] = [c.below(6), c.below(7), c.one(NO_OCTETS)];
    const honest = calls[method] as (...args: unknown[]) => unknown;
    let n = 0;
    // storage that keeps bytes different from those written: nothing else is wrong, and only what was signed may become
    // current
    const rots = method === "write" && kind >= 3;
    if (rots) rot++;
    calls[method] = (...args) => {
      if (n++ !== turn) return honest(...args);
      if (!rots) return lie(kind, value, () => honest(...args));
      const [id, offset, bytes] = args as [unknown, number, ArrayLike<number>];
      return honest(
        id,
        offset,
        Array.from(bytes, (b, k) => (k === i ? b ^ 1 : b)),
      );
    };
  }
  // the payloads as they are, in pieces that may be others
  const pieces = Object.values(vector.device?.chunks ?? {}).find((p) => p) as string[] | undefined;
  const code = refusal(() => {
    const progress = (booting ? boot : install)(envelope, trust, device, host);
    let effect = progress.next();
    for (let steps = 0; effect && steps < 64; steps++) {
      const choice = c.below(8);
      let outcome: unknown = true;
      if (choice === 1) outcome = false;
      else if (choice === 2) outcome = undefined;
      else if (choice === 3) outcome = c.one(NO_OCTETS);
      else if (choice === 4) outcome = [c.byte(), c.one(NO_OCTETS)];
      else if (choice === 5) outcome = Uint8Array.from({ length: c.byte() }, () => c.byte());
      else if (choice === 6) {
        for (const piece of pieces ?? []) progress.next(fromHex(piece));
        outcome = true;
      }
      effect = progress.next(outcome as Bytes | boolean);
    }
    if (effect) throw new Finding("an installation that takes no end");
  });
  if (lies > rot || booting) return;
  const after = JSON.stringify([device.parts.map((p) => p.slots[p.current]), device.sequence]);
  if (code !== 0 && after !== before) throw new Finding(`refused with ${code}, and something has changed`);
  if (device.dangerouslySkipDigest) return;
  for (const part of device.parts)
    if (!images.has(toHex(part.slots[part.current] ?? []))) throw new Finding("what became current is not a signed image");
};
