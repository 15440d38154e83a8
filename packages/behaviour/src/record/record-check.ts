// Checks a record against an envelope that it names: backends publish by it.

import type { UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { HASH_NAMES, toHex } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Behaviour } from "../explain/explain.js";
import { escaped } from "../text.js";
import { fileOfUri } from "./file-of-uri.js";
import { isNamed } from "./names.js";
import type { Artifact, ReleaseRecord } from "./record.js";
import { versionIn } from "./version.js";

/** What devices fetch from outside the envelope. */
interface Fetched {
  readonly digest: string | undefined;
  readonly size: number | undefined;
  readonly component: number;
  readonly slots: Set<number | undefined>;
}

function fetchedBy(behaviours: readonly Behaviour[]): Map<string, Fetched> {
  const out = new Map<string, Fetched>();
  for (const { slot, install } of behaviours)
    for (const { what, uri, inside, digest, bytes, component } of install) {
      if (what !== "fetch" || inside || uri === undefined) continue;
      const text = digest && `${digest.algorithm}:${digest.hex}`;
      const one: Fetched = out.get(uri) ?? { digest: text, size: bytes, component, slots: new Set() };
      one.slots.add(slot);
      out.set(uri, one);
    }
  return out;
}

/** The slot that alone gets a payload. Null if both do. */
function slotOf({ slots }: Fetched): "a" | "b" | null {
  const [only, ...others] = slots;
  return others.length > 0 || only === undefined ? null : only === 0 ? "a" : "b";
}

/**
 * Compares the payloads in a record with those that devices fetch.
 *
 * @param payloads - The payloads in the record.
 * @param behaviours - What the devices of the envelope do.
 * @param components - The names of the components of the manifest, in its order. By default, names are not compared.
 * @returns Why they differ, or undefined if they do not.
 */
export function payloadFault(
  payloads: readonly Artifact[],
  behaviours: readonly Behaviour[],
  components?: readonly (string | undefined)[],
): string | undefined {
  const fetched = fetchedBy(behaviours);
  const uris = payloads.map(({ uri }) => uri);
  const missing = [...fetched.keys()].find((uri) => !uris.includes(uri));
  if (missing !== undefined) return `the payload ${escaped(missing)} is missing`;
  for (const [i, { file, uri, digest, size, component, slot }] of payloads.entries()) {
    const own = uri === null ? undefined : fetched.get(uri);
    if (!own || uris.indexOf(uri) !== i || fileOfUri(uri as string) !== file) return `the uri of ${file} is not the one in the envelope`;
    // by another hash, the file has been compared with both
    const isComparable = own.digest?.startsWith("sha-256:") === true;
    const name = components ? components[own.component] : component;
    const is = { digest: isComparable ? own.digest : digest, size: own.size, component: name, slot: slotOf(own) };
    const says = { digest, size, component, slot };
    const wrong = (Object.keys(is) as (keyof typeof is)[]).find((member) => is[member] !== says[member]);
    if (wrong !== undefined) return `the ${wrong} of ${file} is not the one in the envelope`;
  }
  return undefined;
}

/**
 * Compares the signers in a record with those of the envelope.
 *
 * @param artifact - The envelope, as the record describes it.
 * @param envelope - The envelope, as decodeEnvelope() reads it.
 * @param verified - Thumbprints of the trusted keys that signed, null for a key that has none.
 * @returns Why they differ, or undefined if they do not.
 */
export function signersFault(
  { signers }: Artifact,
  { signatures }: Pick<UnverifiedEnvelope, "signatures">,
  verified: readonly (string | null)[],
): string | undefined {
  const signed = signatures.map(({ message, kid }) => `${toHex(sha256(Uint8Array.from(message)))} ${kid ? toHex(kid) : null}`);
  const said = signers.map(({ tbs, kid }) => `${tbs} ${kid}`);
  if (signed.sort().join() !== said.sort().join()) return "its signers are not those of the envelope";
  const named = new Set(signers.map(({ thumbprint }) => thumbprint));
  const unnamed = verified.find((one) => one !== null && !named.has(one));
  return unnamed === undefined || unnamed === null ? undefined : `it does not name the signer ${unnamed.slice(0, 16)}…`;
}

/** An envelope that was verified. `behaviours`: what every kind of its devices does. */
export interface FoundEnvelope {
  readonly outline: UnverifiedEnvelope;
  readonly sequence: string;
  /** SHA-256 of the file, in hex, and its length in bytes. */
  readonly digest: string;
  readonly size: number;
  readonly behaviours: readonly Behaviour[];
  readonly thumbprints: readonly string[];
}

/** The pairs of vendor and class, as UUIDs. */
const devicesOf = (behaviours: readonly Behaviour[]): string =>
  [...new Set(behaviours.flatMap(({ devices }) => devices.map(({ vendor, class: name }) => `${vendor}/${name}`)))].sort().join();

const devicesIn = ({ vendorId, classes }: Artifact): string => [...new Set(classes.map(({ id }) => `${vendorId}/${id}`))].sort().join();

/** Returns which name of a record does not give the UUID beside it. Returns undefined if all do. */
function nameFault({ vendor }: ReleaseRecord, { file, vendorId, classes }: Artifact): string | undefined {
  for (const { id, name } of classes) {
    const ids = { vendor: vendorId, class: id };
    if (!isNamed(ids, { vendor, class: id })) return `the vendor of ${file} is not ${escaped(vendor)}`;
    if (!isNamed(ids, { vendor, class: name })) return `a class of ${file} is not ${escaped(name)}`;
  }
  return undefined;
}

/**
 * Compares what a record says about a board with its envelope. The UUIDs of vendors and classes follow from their
 * names. What only a product file knows, such as names of boards, is not compared.
 *
 * @param record - The record.
 * @param board - The name of the board.
 * @param found - What its envelope says.
 * @returns Why they contradict each other, or undefined if they do not.
 */
export function recordFault(record: ReleaseRecord, board: string, found: FoundEnvelope): string | undefined {
  const own = record.artifacts.filter((one) => one.board === board);
  const envelope = own.find(({ kind }) => kind === "envelope");
  if (!envelope) return "it has no envelope for this board";
  const { outline, sequence, digest, size, behaviours, thumbprints } = found;
  const manifest = outline.digest ? `${HASH_NAMES[outline.digest.alg]}:${toHex(outline.digest.bytes)}` : "";
  for (const one of own) {
    const file = one === envelope ? { digest: `sha-256:${digest}`, size } : {};
    const is = { ...file, version: versionIn(outline) ?? one.version, sequence, manifest, devices: devicesOf(behaviours) };
    const says: { readonly [member in keyof typeof is]?: unknown } = { ...one, devices: devicesIn(one) };
    const wrong = (Object.keys(is) as (keyof typeof is)[]).find((member) => is[member] !== says[member]);
    if (wrong !== undefined)
      return `the ${wrong} of ${one.file} ${wrong === "devices" ? "are not those" : "is not the one"} in the envelope`;
    const misnamed = nameFault(record, one);
    if (misnamed !== undefined) return misnamed;
    const fault = signersFault(one, outline, thumbprints);
    if (fault !== undefined) return `${one.file}: ${fault}`;
  }
  return payloadFault(
    own.filter(({ kind }) => kind === "payload"),
    behaviours,
  );
}
