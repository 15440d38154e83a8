// One step offered to one device of a cohort, by the code that a device runs: open(), the rehearsals of install(), and
// nextTrust(). Payloads that are not in the envelope are taken to be there and to be right.

import {
  type Alg,
  algorithms,
  errors,
  type Host,
  type Identity,
  INSTALL_SECTIONS,
  install,
  type Manifest,
  type Sequence,
  type Trust,
  type TrustStore,
} from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import {
  ALG_NAMES,
  COND_IMAGE_MATCH,
  decodeEnvelope,
  equalBytes,
  isChange,
  keptOf,
  ROLE_RELEASE,
  readSlice,
  START_SECTIONS,
  TRUST_COMPONENT,
  updatedTrust,
} from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import { isTrustComponent } from "../../verify/manifest-facts.js";
import { isRefusal } from "../../verify/refusals.js";
import { assumable, type DeviceCode, deviceCode, hostOf, microCode, rememberedStore } from "../device-code.js";
import { type DeviceModel, storeOf } from "../model.js";
import { type KeyFates, mayRunUnder } from "./reach.js";
import type { PlannedRelease, PlannedStep, PlannedTrust } from "./steps.js";

/** What a device trusts and runs, and what it still accepts. */
export interface DeviceState {
  readonly model: DeviceModel;
  /** null: keys in its firmware. */
  readonly store: TrustStore | null;
  readonly floor: Sequence;
  /** The release that it runs; null if nobody has said. */
  readonly envelope: Uint8Array | null;
  /** What a release has brought into its component of trust files. A device asks about it after each release. */
  readonly pending?: Uint8Array;
}

/** Whether a step is for the device at all: for its vendor and class, or its line of trust files. */
export type StepFit = "addressed" | "not addressed" | "passed";

export interface Played {
  readonly step: PlannedStep;
  readonly fit: StepFit;
  /** 0, or the refusal; of what is not addressed to the device, why it is not. */
  readonly code: number;
  /** How the device is afterwards. */
  readonly state: DeviceState;
  /**
   * The trust file that it brought, and what became of it: 0 if the device has accepted it, now or before; or the
   * refusal.
   */
  readonly brought?: { readonly bytes: Uint8Array; readonly code: number };
  /** The device has an image to start afterwards, or none that this release names. */
  readonly starts: boolean;
  /**
   * Nobody has said which release the device runs: it is assumed to be good under the new trust file, or to be the
   * release of the step, which has its number.
   */
  readonly assumed: boolean;
}

function codeOf(e: unknown): number {
  if (isRefusal(e)) return e.code;
  throw e;
}

/** The refusal that `work` ends with; 0 for none. */
function codeIn(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (e) {
    return codeOf(e);
  }
}

/** Takes every signature: to ask what a device makes of a release besides who signed it. */
const credulous: Alg = { ids: Object.keys(ALG_NAMES).map(Number), valid: () => true, verify: () => true };
const ANYBODY: Trust = { anchors: [{ alg: credulous, key: [0] }] };

/** The release is for other devices. */
const MISMATCH: readonly number[] = [errors.VENDOR_MISMATCH, errors.CLASS_MISMATCH, errors.DEVICE_MISMATCH, errors.TRY_EACH_EXHAUSTED];

/** What is asked of an envelope again and again. */
interface Head {
  readonly components: Manifest["components"];
  readonly digest: Uint8Array;
  /** By identity: why the release is not for it; 0 if it is. */
  readonly mismatches: WeakMap<Identity, number>;
}

const heads = new WeakMap<Uint8Array, Head>();

function headOf(envelope: Uint8Array): Head {
  let head = heads.get(envelope);
  if (!head) {
    const { manifest, digest } = decodeEnvelope(envelope);
    head = { components: manifest.components, digest: Uint8Array.from(digest?.bytes ?? []), mismatches: new WeakMap() };
    heads.set(envelope, head);
  }
  return head;
}

/**
 * A device of the model with every component that the release names, and with room: what is asked is whether it would
 * begin. `runs`: the release that its floor comes from; if nobody has said which one, it is this one.
 */
function deviceFor(envelope: Uint8Array, model: DeviceModel, floor: Sequence, runs: Uint8Array | null = null): MemoryDevice {
  const { components } = headOf(envelope);
  const own = model.features.includes("trust") ? components : components.filter((id) => !isTrustComponent(id));
  const device = memoryDevice(model.identity, own, Number.MAX_SAFE_INTEGER);
  device.sequence = floor;
  device.counted = headOf(runs ?? envelope).digest.slice(0, 28);
  return device;
}

/**
 * Why a release is not for devices of a model, with any signers; 0 if it is. Asked of a verifier with everything: a
 * missing feature is not an answer.
 */
export function mismatch(envelope: Uint8Array, model: DeviceModel): number {
  const { mismatches } = headOf(envelope);
  let code = mismatches.get(model.identity);
  if (code === undefined) {
    const everything = { ...model, features: ["trust" as const] };
    code = codeIn(() => install(envelope, ANYBODY, deviceFor(envelope, everything, [0, 0]), hostOf(["ed25519"])));
    mismatches.set(model.identity, code);
  }
  return MISMATCH.includes(code) ? code : 0;
}

/**
 * What a release writes to the component of trust files, on a device that has none of its images, or all. Not
 * coursesOf() of report: an installation may be refused later, and the code is that of the device, not of the tools.
 */
function broughtBy(code: DeviceCode, m: Manifest, identity: Identity, there: boolean): Uint8Array | undefined {
  const at = m.components.findIndex(isTrustComponent);
  if (at < 0) return undefined;
  const written: boolean[] = [];
  let bytes: Uint8Array | undefined;
  const run = code.start(m, INSTALL_SECTIONS, identity);
  for (let e = code.step(run); e; ) {
    // a trust file that is copied from another component is not known
    if (isChange(e) && e.source === undefined) {
      written[e.component] = true;
      const payload = m.payloads.find((p) => p.uri === e?.uri);
      const content = e.content ?? (payload && readSlice(m.input, payload.content));
      if (e.component === at) bytes = content && Uint8Array.from(content);
    }
    e = code.step(run, e.op !== COND_IMAGE_MATCH || there || written[e.component] === true);
  }
  return bytes;
}

function carried(code: DeviceCode, m: Manifest, identity: Identity): Uint8Array | undefined {
  try {
    return broughtBy(code, m, identity, false);
  } catch (e) {
    codeOf(e);
    return broughtBy(code, m, identity, true);
  }
}

const waitingLists = new WeakMap<DeviceModel, Uint8Array | null>();

/**
 * What the release that a device runs has brought into its component of trust files. The device may not have adopted
 * it, because that release was not good under it, and asks about it again after the next one.
 */
export function waitingList(model: DeviceModel): Uint8Array | undefined {
  const { release, store } = model;
  if (!release || !store || model.verifier === "micro" || !model.features.includes("trust")) return undefined;
  let known = waitingLists.get(model);
  if (known === undefined) {
    const code = deviceCode(model.algorithms, model.features);
    try {
      known = carried(code, code.open(release, ANYBODY, hostOf(model.algorithms)), model.identity) ?? null;
    } catch (e) {
      // the device could not run it either
      codeOf(e);
      known = null;
    }
    waitingLists.set(model, known);
  }
  return known ?? undefined;
}

/** Whether a start has to do with anything but the trust file. */
function hasImage(code: DeviceCode, m: Manifest, identity: Identity): boolean {
  const run = code.start(m, START_SECTIONS, identity);
  for (let e = code.step(run); e; e = code.step(run, true)) if (!isTrustComponent(m.components[e.component] ?? [])) return true;
  return false;
}

const keptEnvelopes = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

/** What a device keeps of an envelope: of its signatures, a later trust file sees no others. */
function keptEnvelope(m: Manifest, envelope: Uint8Array, host: Host): Uint8Array {
  const known = keptEnvelopes.get(envelope) ?? new Map<string, Uint8Array>();
  keptEnvelopes.set(envelope, known);
  const good = m.signatures.map((one) => Number(one.good === true)).join("");
  let bytes = known.get(good);
  if (!bytes) {
    const kept = keptOf(m, envelope, host);
    bytes = kept === envelope ? envelope : Uint8Array.from(kept as ArrayLike<number>);
    known.set(good, bytes);
  }
  return bytes;
}

/** The keys that the device trusts. Throws TRUST_UNUSABLE. */
function policy({ model, store }: DeviceState): Trust {
  if (!store) return model.policy as Trust;
  const { policyOf } = deviceCode(model.algorithms, model.features);
  return (policyOf as NonNullable<typeof policyOf>)(store, model.role ?? ROLE_RELEASE, model.identity);
}

/** What the device trusts once it has `bytes` in its component of trust files, by nextTrust(); and why not. */
function taken(state: DeviceState, bytes: Uint8Array, envelope: Uint8Array): { state: DeviceState; code: number } {
  const { model, store } = state;
  const { nextTrust } = deviceCode(model.algorithms, model.features);
  const device = memoryDevice(model.identity, [TRUST_COMPONENT], bytes.length);
  const [part] = device.parts;
  if (!store || !nextTrust || !part) return { state, code: errors.COMPONENT_UNKNOWN };
  part.slots[part.current] = Array.from(bytes);
  const host = hostOf(model.algorithms);
  const role = model.role ?? ROLE_RELEASE;
  const next = nextTrust(store, device, envelope, role, host);
  if (next) return { state: { ...state, store: rememberedStore(storeOf(Uint8Array.from(next), model)) }, code: 0 };
  // nextTrust() says that it is not taken; this is what it asks
  const algs = model.algorithms.flatMap((name) => algorithms[name] ?? []).map(assumable);
  return { state, code: codeIn(() => updatedTrust({ ...store, algs }, bytes, envelope, role, model.identity, host)) };
}

function playRelease(step: PlannedRelease, before: DeviceState): Played {
  const { envelope } = step;
  const { model } = before;
  const refused = { step, state: before, starts: true, assumed: false };
  const other = mismatch(envelope, model);
  if (other !== 0) return { ...refused, fit: "not addressed", code: other };
  const code = deviceCode(model.algorithms, model.features);
  const { install: begin } = model.verifier === "micro" ? microCode(model.algorithms) : code;
  const host = hostOf(model.algorithms);
  const opened = (whom: Trust) => begin(envelope, whom, deviceFor(envelope, model, before.floor, before.envelope), host).manifest;
  let manifest: Pick<Manifest, "sequence">;
  try {
    manifest = opened(policy(before));
  } catch (e) {
    // with any signers: the device runs something newer
    const passed = codeIn(() => opened(ANYBODY)) === errors.ROLLBACK;
    return { ...refused, fit: passed ? "passed" : "addressed", code: passed ? errors.ROLLBACK : codeOf(e) };
  }
  const state: DeviceState = { ...before, floor: manifest.sequence, envelope };
  const done = {
    step,
    fit: "addressed" as const,
    code: 0,
    // a device refuses another release with the number of the one that it has
    assumed: !before.envelope && bigSequence(before.floor) > 0n && bigSequence(before.floor) === step.sequence,
  };
  // the template has an image, and no trust file
  if (model.verifier === "micro") return { ...done, state, starts: true };
  const m = manifest as Manifest;
  const kept = { ...state, envelope: keptEnvelope(m, envelope, host) };
  const starts = model.start === "own" || hasImage(code, m, model.identity);
  const own = carried(code, m, model.identity);
  const bytes = own ?? before.pending;
  if (!bytes) return { ...done, state: kept, starts };
  const next = taken({ ...kept, pending: bytes }, bytes, kept.envelope);
  // a list that begins a new epoch lowers the floor, but only if the device takes it
  if (next.code !== 0 && bigSequence(state.floor) < bigSequence(before.floor)) return { ...refused, fit: "passed", code: errors.ROLLBACK };
  return { ...done, state: next.state, starts, ...(own && { brought: { bytes: own, code: next.code } }) };
}

function playTrust(step: PlannedTrust, before: DeviceState, unused: KeyFates["unused"]): Played {
  const { model, store, envelope } = before;
  const unchanged = { step, state: before, starts: true, assumed: false };
  const own = step.store.name;
  if (!store || !equalBytes(store.name, own)) return { ...unchanged, fit: "not addressed", code: errors.TRUST_NAME };
  if (envelope) {
    const { state, code } = taken(before, step.trust, envelope);
    if (code === errors.TRUST_ROLLBACK) return { ...unchanged, fit: "passed", code };
    return { ...unchanged, fit: "addressed", code, state };
  }
  const { trustFileUnchecked } = deviceCode(model.algorithms, model.features);
  let next: TrustStore;
  try {
    next = (trustFileUnchecked as NonNullable<typeof trustFileUnchecked>)(step.trust, store, hostOf(model.algorithms));
  } catch (e) {
    const code = codeOf(e);
    return { ...unchanged, fit: code === errors.TRUST_ROLLBACK ? "passed" : "addressed", code };
  }
  if (equalBytes(next.payload, store.payload)) return { ...unchanged, fit: "addressed", code: 0 };
  if (unused && !mayRunUnder(next, before, model.role ?? ROLE_RELEASE, unused))
    return { ...unchanged, fit: "addressed", code: errors.SIGNATURE_THRESHOLD };
  return { ...unchanged, fit: "addressed", code: 0, state: { ...before, store: rememberedStore(next) }, assumed: true };
}

/**
 * Offers a step. Throws nothing that the bytes can bring about: a refusal is an answer. `unused`: keys that have signed
 * nothing that the device runs.
 */
export function play(step: PlannedStep, before: DeviceState, unused?: KeyFates["unused"]): Played {
  return "trust" in step ? playTrust(step, before, unused) : playRelease(step, before);
}
