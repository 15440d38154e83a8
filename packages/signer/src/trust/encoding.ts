// Writes and reads trust files (docs/guides/trust.md). Everything written is read again by the verifier's reader, so
// that one place holds the rules. Its refusals are thrown.

import { errors, type Host, type Trust, type TrustStore } from "@firmseal/verifier";
import {
  ANCHOR_ALG,
  ANCHOR_CLASS,
  ANCHOR_DEVICES,
  ANCHOR_KEY_BYTES,
  ANCHOR_KID,
  ANCHOR_ROLES,
  ANCHOR_SINCE,
  ANCHOR_UNTIL,
  ANCHOR_VENDOR,
  type CoseSignature,
  decodeItem,
  equalBytes,
  FILE_ANCHORS,
  FILE_EPOCH,
  FILE_FAMILIES,
  FILE_JUMPS,
  FILE_NAME,
  FILE_SEQUENCE,
  FILE_THRESHOLDS,
  FILE_VERSION,
  type Item,
  looksLikeTrustFile,
  MAX_SIGNATURES,
  readTrust as readSigned,
  sameKey,
  TAG_SIGN,
  throwRefusal,
  trustFileUnchecked,
  trustPayload,
} from "@firmseal/verifier/tools";
import { coseAlg, deviceKeyAlgs } from "../alg/algorithms.js";
import { encodeCbor as cbor, type Encodable, Tagged } from "../cbor.js";
import { checkText } from "../description/conform.js";
import { KeyError } from "../key-error.js";
import { type FamilyEntry, KNOWN_ALGS, ROLES, type RoleName, type TrustDescription, type TrustEntry } from "./description.js";

/** A trust file, signed or not. Its `signatures` have not been verified. */
export interface TrustFile {
  readonly store: TrustStore;
  readonly signatures: readonly CoseSignature[];
}

function entryOf(entry: TrustEntry): Map<Encodable, Encodable> {
  const { key, roles, vendor, since, until } = entry;
  const out = new Map<Encodable, Encodable>([
    [ANCHOR_ALG, coseAlg(key.alg)],
    [ANCHOR_KEY_BYTES, key.key],
    [ANCHOR_ROLES, roles.map((role) => ROLES[role]).sort((a, b) => a - b)],
  ]);
  if (key.kid) out.set(ANCHOR_KID, key.kid);
  if (vendor) out.set(ANCHOR_VENDOR, vendor);
  if (entry.class) out.set(ANCHOR_CLASS, entry.class);
  if (since !== undefined) out.set(ANCHOR_SINCE, since);
  if (until !== undefined) out.set(ANCHOR_UNTIL, until);
  if (entry.devices === "single") out.set(ANCHOR_DEVICES, 1);
  return out;
}

/**
 * Refuses keys that share a secret, such as A and -A, or one LMS tree at different levels: one signer would count
 * twice.
 */
function checkTwins(anchors: readonly TrustEntry[]): void {
  const keys = anchors.map(({ key }) => key.key);
  if (keys.some((a, i) => keys.slice(0, i).some((b) => sameKey(a, b) && !equalBytes(a, b))))
    throw new KeyError("several", "two keys of the trust file have the same private key");
}

function familiesOf(families: NonNullable<TrustDescription["families"]>): Map<Encodable, Encodable> {
  const list = (all: readonly FamilyEntry[]) => all.map(({ algorithms, threshold }) => [threshold, ...algorithms.map(coseAlg)]);
  return new Map(Object.entries(families).map(([role, all]): [Encodable, Encodable] => [ROLES[role as RoleName], list(all)]));
}

/** Refuses keys whose algorithm devices cannot verify: they would appear to count but would not. */
function checkAlgs(anchors: readonly TrustEntry[]): void {
  const other = anchors.find(({ key }) => !deviceKeyAlgs.includes(key.alg));
  if (other) throw new KeyError("unsupported", `no device verifies ${other.key.alg}, and a trust file is for devices`);
}

/**
 * Encodes a trust file without signatures, which devices do not accept yet.
 *
 * @param d - The keys, their roles and the thresholds.
 * @returns The trust file, for signTrustWithoutLog().
 * @throws The refusals of the verifier (TRUST_…) for a list that breaks its rules, DescriptionError for an invalid
 *   name, and KeyError `several` for two keys with the same secret or `unsupported` for an ML-DSA key.
 */
export function encodeTrust(d: TrustDescription): Uint8Array {
  checkText(d.name, "/name");
  checkAlgs(d.anchors);
  checkTwins(d.anchors);
  const byRole = (of: { readonly [role in RoleName]?: number | bigint }) =>
    new Map(Object.entries(of).map(([role, n]): [Encodable, Encodable] => [ROLES[role as RoleName], n as number | bigint]));
  const payload = cbor(
    new Map<Encodable, Encodable>([
      [FILE_VERSION, 1],
      [FILE_SEQUENCE, d.sequence],
      [FILE_ANCHORS, d.anchors.map(entryOf)],
      [FILE_THRESHOLDS, byRole(d.thresholds)],
      [FILE_NAME, d.name],
      // a list without these is the same for devices that do not know them
      ...(d.jumps && Object.keys(d.jumps).length > 0 ? [[FILE_JUMPS, byRole(d.jumps)] as [Encodable, Encodable]] : []),
      ...(d.epoch ? [[FILE_EPOCH, [d.epoch.number, d.epoch.from]] as [Encodable, Encodable]] : []),
      ...(d.families && Object.keys(d.families).length > 0 ? [[FILE_FAMILIES, familiesOf(d.families)] as [Encodable, Encodable]] : []),
    ]),
  );
  trustPayload(KNOWN_ALGS, payload);
  return joinTrustFile(payload, []);
}

/** The file with these signatures, as they were encoded. */
export function joinTrustFile(payload: Uint8Array, signatures: readonly Uint8Array[]): Uint8Array {
  const empty = cbor(new Tagged(TAG_SIGN, [new Uint8Array(), new Map(), payload, []]));
  // signatures are copied as received, not encoded again; there are at most 8, so the head holds their number
  return Uint8Array.from([...empty.subarray(0, -1), 0x80 + signatures.length, ...signatures.flatMap((s) => [...s])]);
}

/**
 * Splits a trust file into payload and signatures. Refuses headers in its body: this tool writes none, and signatures
 * would cover them.
 */
export function splitTrustFile(bytes: Uint8Array): { payload: Uint8Array; signatures: Uint8Array[] } {
  // first the head, which has one two-byte form: a file of another kind is refused as such, whatever follows
  if (bytes.length > 1 && !looksLikeTrustFile(bytes)) throwRefusal(errors.TRUST_NONE, 0);
  const [message] = decodeItem(bytes).items as [Item];
  const [head, unprotected, payload, signatures] = message.items as [Item, Item, Item, Item];
  if (message.kind !== "array" || message.value !== 4) throwRefusal(errors.CBOR_TYPE, message.at);
  for (const [item, kind] of [
    [head, "bytes"],
    [unprotected, "map"],
    [payload, "bytes"],
    [signatures, "array"],
  ] as const)
    if (item.kind !== kind) throwRefusal(errors.CBOR_TYPE, item.at);
  if (head.value > 0 || unprotected.value > 0) throwRefusal(errors.TRUST_NONE, message.at);
  if (signatures.value > MAX_SIGNATURES) throwRefusal(errors.SIGNATURE_COUNT, signatures.at);
  return {
    payload: Uint8Array.from(bytes.subarray(payload.body, payload.end)),
    signatures: signatures.items.map(({ at, end }) => Uint8Array.from(bytes.subarray(at, end))),
  };
}

/**
 * Reads a trust file, signed or not. Verifies no signature.
 *
 * @param bytes - The trust file.
 * @returns Its content, and its signatures.
 * @throws The refusals of embeddedTrust().
 */
export function decodeTrust(bytes: Uint8Array): TrustFile {
  const { payload, signatures } = splitTrustFile(bytes);
  return signatures.length === 0 ? { store: trustPayload(KNOWN_ALGS, payload), signatures: [] } : readSigned(KNOWN_ALGS, bytes);
}

/**
 * Verifies a trust file as the successor of `before`: roots of both must have signed it. Calls trustFileUnchecked() of
 * the verifier with the algorithms of this package.
 *
 * @param bytes - The trust file.
 * @param before - The trust file that devices have, or their root keys.
 * @param host - Hash functions. Default: those of the verifier.
 * @returns Its content.
 * @throws The refusals of trustFileUnchecked().
 */
export function acceptTrust(bytes: Uint8Array, before: TrustStore | Trust, host?: Host): TrustStore {
  return trustFileUnchecked(KNOWN_ALGS, bytes, before, host);
}
