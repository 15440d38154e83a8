// How a vector is played: with the reader, the interpreter and the driver as an application calls them.

import {
  anchor,
  boot,
  type Effect,
  embeddedTrust,
  errors,
  type Host,
  install,
  open,
  type Progress,
  policyOf,
  type Source,
  start,
  step,
  type Trust,
  trustFileUnchecked,
} from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import type * as micro from "@firmseal/verifier/micro";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import type { DeviceSpec, EffectSpec, Expect, TrustSpec, Vector } from "../index.mjs";

const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const hex = (b: ArrayLike<number>): string => Buffer.from(Array.from(b)).toString("hex");

/** What a device refuses by itself. */
function refused(code: number): never {
  throw Object.assign(new Error(`refused by the device: ${code}`), { code, at: -1 });
}

export function trustOf(t: TrustSpec): Trust {
  const trust: Trust = {
    anchors: t.anchors.map(({ alg, key, kid, vendor, class: model, ...limits }) => ({
      ...anchor(alg, unhex(key), kid === undefined ? undefined : unhex(kid)),
      ...limits,
      ...(vendor !== undefined && { vendor: unhex(vendor) }),
      ...(model !== undefined && { class: unhex(model) }),
    })),
  };
  if (t.threshold !== undefined) trust.threshold = t.threshold;
  if (t.floor) trust.floor = t.floor;
  return trust;
}

export function deviceOf(d: DeviceSpec): MemoryDevice {
  const ids = (d.components ?? []).map((id) => id.map((part) => unhex(part)));
  const identity = { vendor: (d.vendor ?? []).map(unhex), class: (d.class ?? []).map(unhex), device: (d.device ?? []).map(unhex) };
  const device = memoryDevice(identity, ids, d.capacity ?? 64);
  device.parts.forEach((part, i) => {
    part.current = d.slots?.[i] ?? 0;
    part.slots[part.current] = [...unhex(d.current?.[i] ?? "")];
  });
  if (d.sequence) device.sequence = d.sequence;
  if (d.counters) device.counted = unhex(d.counters);
  // fromEntries, because one of the names is __proto__
  device.payloads = Object.fromEntries(Object.entries(d.payloads ?? {}).map(([uri, b]) => [uri, unhex(b)]));
  if (d.dangerouslySkipIdentity) device.dangerouslySkipIdentity = true;
  if (d.dangerouslySkipDigest) device.dangerouslySkipDigest = true;
  const { fault } = d;
  if (fault === "rot") {
    const write = device.write;
    device.write = (id, offset, bytes) => write(id, offset, offset === 0 ? [(bytes[0] ?? 0) ^ 1, ...Array.from(bytes).slice(1)] : bytes);
  } else if (fault === "full") device.erase = () => refused(errors.STORAGE_FULL);
  else if (fault === "trial") device.begin = () => refused(errors.UNCONFIRMED);
  else if (fault)
    device[fault] = () => {
      throw new Error("flash worn out");
    };
  return device;
}

export function effectSpec(e: Effect): EffectSpec {
  const out: EffectSpec = {};
  for (const [name, v] of Object.entries(e) as [string, Effect[keyof Effect]][])
    if (v !== undefined) out[name] = typeof v === "number" || typeof v === "string" ? v : "alg" in v ? [v.alg, hex(v.bytes)] : hex(v);
  return out;
}

const formatSequence = ([hi, lo]: [number, number]): string => String(BigInt(hi) * 4294967296n + BigInt(lo));

/** Drives an installation or a start to its end, with payloads that arrive as the device's description says. */
export function drive(progress: Pick<Progress, "next">, chunks: DeviceSpec["chunks"] = {}): void {
  let effect = progress.next();
  while (effect) {
    const pieces = Object.hasOwn(chunks, effect.uri ?? "") ? chunks[effect.uri ?? ""] : false;
    if (!pieces) effect = progress.next(false);
    else {
      for (const piece of pieces) progress.next(unhex(piece));
      effect = progress.next(true);
    }
  }
}

const STRANGE: { [text: string]: unknown } = { undefined: undefined, null: null, object: {}, text: "1" };

/** The envelope of a vector as a caller has it, in RAM. */
export function envelopeOf(v: Vector): ArrayLike<number> {
  const bytes = unhex(v.envelope ?? "");
  if (!v.strange) return bytes;
  const plain: unknown[] = [...bytes];
  for (const [at, count, text] of v.strange) plain.fill(Object.hasOwn(STRANGE, text) ? STRANGE[text] : Number(text), at, at + count);
  return plain as number[];
}

/** How a vector is played: what the verifier is handed for an envelope, and what its host offers. */
export interface Form {
  input(envelope: ArrayLike<number>): ArrayLike<number> | Source;
  host?: Host;
  /** Another verifier. */
  verifier?: Pick<typeof micro, "open" | "install" | "boot">;
}

/** What an engine must make of a vector. A refusal is thrown. `effects` collects what came before it. */
export function play(
  v: Vector,
  effects: EffectSpec[] = [],
  device = deviceOf(v.device ?? {}),
  form: Form = { input: (bytes) => bytes },
): Expect {
  const envelope = form.input(envelopeOf(v));
  const host = { ...form.host, ...(v.memory !== undefined && { memory: v.memory }) };
  const given = trustOf(v.trust ?? { anchors: [] });
  if (v.action === "anchor") return { ok: true };
  if (v.action === "trust" || v.action === "embedded") {
    const before = v.previous === undefined ? given : embeddedTrust(unhex(v.previous));
    const store = v.action === "trust" ? trustFileUnchecked(envelope, before, host) : embeddedTrust(envelope);
    const policy = v.role === undefined ? undefined : policyOf(store, v.role, device.identity);
    const trusted = policy?.anchors.map((a) => store.anchors.indexOf(a as never));
    return {
      ok: true,
      sequence: formatSequence(store.sequence),
      ...(policy && { trusted: trusted as number[], threshold: policy.threshold as number }),
    };
  }
  const trust = v.store ? policyOf(embeddedTrust(unhex(v.store.file)), v.store.role, device.identity) : given;
  if (v.action === "decode")
    return {
      ok: true,
      sequence: formatSequence(decodeEnvelope(envelope).manifest.sequence),
      absent: decodeEnvelope(form.input(envelopeOf(v))).absent,
    };
  if (v.action === "start") {
    start(decodeEnvelope(envelope) as never, [], device.identity);
    return { ok: true };
  }
  if (v.action === "install" || v.action === "boot") {
    drive((form.verifier ?? { install, boot })[v.action](envelope, trust, device, host), v.device?.chunks);
    return {
      ok: true,
      sequence: formatSequence(device.sequence),
      current: device.parts.map((p) => hex(p.slots[p.current] ?? [])),
      invoked: device.invoked.map(({ id, args }) => ({ component: id.map(hex), ...(args && { args: hex(args) }) })),
    };
  }
  if (form.verifier) {
    const { sequence, signers } = form.verifier.open(envelope, trust, host);
    return { ok: true, sequence: formatSequence(sequence), signers };
  }
  const m = open(envelope, trust, host);
  if (v.action === "open") return { ok: true, sequence: formatSequence(m.sequence), signers: m.signers, absent: m.absent };
  const run = start(m, v.sections ?? [], device.identity);
  if (v.action === "step") {
    for (const o of v.outcomes ?? []) o === null ? step(run) : step(run, o);
    return { ok: true };
  }
  let i = 0;
  for (let e = step(run); e; e = step(run, v.outcomes?.[i++] ?? true)) effects.push(effectSpec(e));
  return { ok: true, effects };
}
