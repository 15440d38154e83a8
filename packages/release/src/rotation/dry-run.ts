// One release offered to one device of a cohort, by the code that a device runs: open(), the rehearsals of install(), and the rule by which
// it takes over a trust file. Payloads that are not in the envelope are taken to be there and to be right.

import { deviceAlgs, equalBytes } from "@firmseal/signer";
import { host } from "@firmseal/simulator";
import {
  type Alg,
  type Identity,
  INSTALL_SECTIONS,
  install,
  type Manifest,
  policyOf,
  type Sequence,
  start,
  step,
  type TrustStore,
} from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import {
  COND_IMAGE_MATCH,
  DIR_FETCH,
  DIR_WRITE,
  decodeEnvelope,
  ROLE_RELEASE,
  readSlice,
  TRUST_COMPONENT,
  updatedTrust,
} from "@firmseal/verifier/tools";
import { isRefusal } from "../hints.js";

/** What a device trusts, is, and still accepts. */
export interface State {
  readonly store: TrustStore;
  readonly identity: Identity;
  readonly floor: Sequence;
}

export interface DryRun {
  /** 0, or the refusal. */
  readonly code: number;
  /** How the device is afterwards. */
  readonly state: State;
  /** The release as the device has opened it. */
  readonly manifest?: Manifest;
  /** The trust file that it brought, and what became of it: 0 where it was taken over, or is there already; or the refusal. */
  readonly brought?: { readonly bytes: Uint8Array; readonly code: number };
}

function codeOf(e: unknown): number {
  if (isRefusal(e)) return e.code;
  throw e;
}

/** What a release writes to the component of trust files, on a device that has none of its images, or all. */
function broughtBy(m: Manifest, identity: Identity, there: boolean): Uint8Array | undefined {
  const at = m.components.findIndex(
    (id) => id.length === TRUST_COMPONENT.length && id.every((part, i) => equalBytes(part, TRUST_COMPONENT[i] ?? [])),
  );
  if (at < 0) return undefined;
  const written: boolean[] = [];
  let bytes: Uint8Array | undefined;
  const run = start(m, INSTALL_SECTIONS, identity);
  for (let e = step(run); e; ) {
    if (e.op === DIR_FETCH || e.op === DIR_WRITE) {
      written[e.component] = true;
      const payload = m.payloads.find((p) => p.uri === e?.uri);
      const content = e.op === DIR_WRITE ? e.content : payload && readSlice(m.input, payload.content);
      if (e.component === at) bytes = content && Uint8Array.from(content);
    }
    e = step(run, e.op !== COND_IMAGE_MATCH || there || written[e.component] === true);
  }
  return bytes;
}

function carried(m: Manifest, identity: Identity): Uint8Array | undefined {
  try {
    return broughtBy(m, identity, false);
  } catch (e) {
    codeOf(e);
    return broughtBy(m, identity, true);
  }
}

/**
 * Offers a release. Throws nothing that the bytes can bring about: a refusal is an answer. `algs`: those of the device, with which its trust file
 * was read.
 */
export function dryRun(envelope: Uint8Array, before: State, algs: Alg[] = [...deviceAlgs]): DryRun {
  let manifest: Manifest;
  try {
    // a device with every component that the release names, and with room: what is asked is whether it would begin
    const device = memoryDevice(before.identity, decodeEnvelope(envelope).manifest.components, Number.MAX_SAFE_INTEGER);
    device.sequence = before.floor;
    manifest = install(envelope, policyOf(before.store, ROLE_RELEASE, before.identity), device, host).manifest;
  } catch (e) {
    return { code: codeOf(e), state: before };
  }
  const state = { ...before, floor: manifest.sequence };
  const bytes = carried(manifest, before.identity);
  if (!bytes) return { code: 0, state, manifest };
  try {
    const store = updatedTrust(algs, before.store, bytes, envelope, ROLE_RELEASE, before.identity, host);
    const isNew = !equalBytes(store.payload, before.store.payload);
    return { code: 0, state: isNew ? { ...state, store } : state, manifest, brought: { bytes, code: 0 } };
  } catch (e) {
    return { code: 0, state, manifest, brought: { bytes, code: codeOf(e) } };
  }
}
