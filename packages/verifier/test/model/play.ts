// The code of the tree, driven as an application drives it, with results in the model's terms.

import type { DeviceSpec } from "../../../../test-vectors/index.mjs";
import { deviceOf, drive, effectSpec } from "../../../../test-vectors/play/play.js";
import { hex, toHex } from "../../../test-support/src/bytes.js";
import { boot, install, open, type Refusal, start, step, type Trust } from "../../src/index.js";
import { decodeEnvelope } from "../../src/tools/index.js";
import type { Outcome } from "./device.js";
import { hashOf } from "./encode.js";
import { type Effect, Interpreter, type Me, Refused } from "./interpreter.js";
import type { Manifest } from "./manifest.js";
import { refusals } from "./rules.js";
import { CAPACITY, IDS } from "./sequences.js";
import { rotten, type World } from "./world.js";

export const sequencePair = (n: bigint): [number, number] => [Number(n >> 32n), Number(n & 0xffffffffn)];
const number = ([high, low]: readonly [number, number]): bigint => (BigInt(high) << 32n) + BigInt(low);
export const identityOf = (me: Me) => ({ vendor: me.vendor.map(hex), class: me.class.map(hex), device: me.device.map(hex) });

/** Returns the number with which a call is refused, or 0. Any other error is thrown on: it is a fault of its own. */
export function refusalNumber(run: () => void): number {
  try {
    run();
    return 0;
  } catch (e) {
    if (typeof (e as Refusal).code !== "number") throw e;
    return (e as Refusal).code;
  }
}

export interface Course {
  code: number;
  effects: object[];
}

/** What a run hands out when its effects go as `outcomes` says, in order; true where the list is used up. */
export function runOf(envelope: Uint8Array, trust: Trust, sections: number[], me: Me, outcomes: boolean[]): Course {
  const effects: object[] = [];
  const code = refusalNumber(() => {
    const run = start(open(envelope, trust), sections, identityOf(me));
    let i = 0;
    for (let e = step(run); e; e = step(run, outcomes[i++] ?? true)) effects.push(effectSpec(e));
  });
  return { code, effects };
}

/** An effect of the model as `effectSpec` writes those of the code. */
function spec(e: Effect): object {
  const digest = (d: { alg: number; of: string } | undefined) => d && [d.alg, hashOf(d.alg, d.of)];
  const { digest: own, sourceDigest, ...rest } = e;
  return { ...rest, ...(own && { digest: digest(own) }), ...(sourceDigest && { sourceDigest: digest(sourceDigest) }) };
}

interface ModelCourse {
  codes: number[];
  effects: object[];
}

/** The result of the model, with every number that would be right. */
export function modelRun(m: Manifest, sections: number[], me: Me, outcomes: boolean[], floor: bigint): ModelCourse {
  const first = refusals(m, floor);
  const effects: object[] = [];
  if (first.size > 0) return { codes: [...first], effects };
  try {
    const run = new Interpreter(m, me).run(sections);
    let i = 0;
    for (let next = run.next(); !next.done; next = run.next(outcomes[i++] ?? true)) effects.push(spec(next.value));
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return { codes: e.codes, effects };
  }
  return { codes: [0], effects };
}

/** What a device keeps of the digest of a manifest; nothing of one that cannot be read. */
function decodedDigest(envelope: Uint8Array): Uint8Array {
  let bytes: ArrayLike<number> = [];
  refusalNumber(() => {
    bytes = decodeEnvelope(envelope).digest?.bytes ?? [];
  });
  return Uint8Array.from(bytes).slice(0, 28);
}

/** An installation or a start on a device in memory. */
export function courseOf(envelope: Uint8Array, trust: Trust, w: World, installing: boolean): Outcome & { others: string[] } {
  const described: DeviceSpec = {
    vendor: w.me.vendor,
    class: w.me.class,
    device: w.me.device,
    components: IDS.map((id) => [id]),
    capacity: CAPACITY,
    current: Object.fromEntries(w.current.entries()),
    slots: w.slots,
    sequence: sequencePair(w.floor),
    payloads: w.payloads,
  };
  const device = deviceOf(described);
  if (w.had !== "unknown") device.counted = w.had === "this" ? decodedDigest(envelope) : new Uint8Array(28);
  const erased: string[] = [];
  const { erase, write } = device;
  device.erase = (id, most) => {
    erased.push(toHex(id[0] as Uint8Array));
    erase(id, most);
  };
  device.write = (id, offset, bytes) => {
    const rots = offset === 0 && toHex(id[0] as Uint8Array) === w.rots;
    write(id, offset, rots ? hex(rotten(toHex(bytes))) : bytes);
  };
  const code = refusalNumber(() => drive((installing ? install : boot)(envelope, trust, device)));
  return {
    codes: code === 0 ? [] : [code],
    current: device.parts.map((p) => toHex(p.slots[p.current] as number[])),
    others: device.parts.map((p) => toHex(p.slots[1 - p.current] as number[])),
    floor: number(device.sequence),
    erased,
    invoked: device.invoked.map(({ id, args }) => [toHex(id[0] as Uint8Array), args && toHex(args)]),
  };
}
