// Makes, signs and reads trust files (docs/guides/trust.md). Everything written is read again by the verifier's reader,
// so that one place holds the rules. Its refusals are thrown.

import { type Bytes, errors, type Host, type Trust, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
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
  FILE_ANCHORS,
  FILE_EPOCH,
  FILE_FAMILIES,
  FILE_JUMPS,
  FILE_NAME,
  FILE_SEQUENCE,
  FILE_THRESHOLDS,
  FILE_VERSION,
  formatSequence,
  HASH_SHA_256,
  HEADER_ALG,
  HEADER_KID,
  type Item,
  MAX_SIGNATURES,
  ROLE_DEBUG,
  ROLE_RECOVERY,
  ROLE_RELEASE,
  ROLE_ROOT,
  readTrust as readSigned,
  sameKey,
  TAG_SIGN,
  TRUST_CONTEXT,
  throwRefusal,
  trustFileUnchecked,
  trustPayload,
} from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes } from "../bytes.js";
import { encodeCbor as cbor, type Encodable, Tagged } from "../cbor.js";
import { checkText } from "../description/conform.js";
import {
  coseAlg,
  deviceAlgs,
  deviceKeyAlgs,
  foreignSigner,
  type KeyAlg,
  KeyError,
  type PublicKey,
  publicKey,
  type Signer,
} from "../key/key.js";
import { AlreadySigned, hasSigned, type KnownSignature, type Signable, type SignedWith, signedBy, signedWith } from "../signable.js";

export const ROLES = { root: ROLE_ROOT, release: ROLE_RELEASE, debug: ROLE_DEBUG, recovery: ROLE_RECOVERY } as const;

export type RoleName = keyof typeof ROLES;

/** The algorithms that can be verified here. Keys of other algorithms are skipped, as on a device that lacks them. */
const KNOWN_ALGS = [...deviceAlgs];

/**
 * A key in a trust file. `vendor` and `class` (16 bytes each) restrict the key to these devices. `since` and `until`
 * are sequence numbers of manifests, inclusive.
 */
export interface TrustEntry {
  readonly key: PublicKey;
  readonly roles: readonly RoleName[];
  readonly vendor?: Uint8Array;
  readonly class?: Uint8Array;
  readonly since?: bigint;
  readonly until?: bigint;
  /** The key counts only for manifests that are for one device: they ask for the device identifier. */
  readonly devices?: "single";
}

/** A family of algorithms, and how many of its keys must sign. */
export interface FamilyEntry {
  readonly algorithms: readonly KeyAlg[];
  readonly threshold: number;
}

/**
 * The content of a trust file. `name`: the product line, 1 to 64 bytes of UTF-8. `thresholds`: for each role, how many
 * of its keys must sign.
 */
export interface TrustDescription {
  readonly name: string;
  readonly sequence: bigint;
  readonly anchors: readonly TrustEntry[];
  readonly thresholds: { readonly [role in RoleName]?: number };
  /** How far above its floor a device takes a release of the role; 2^63 if it is left out. */
  readonly jumps?: { readonly [role in RoleName]?: bigint };
  /**
   * For each role, families of algorithms, and how many keys of each must sign, besides the threshold. A device that has
   * none of the algorithms of a family does not count that family.
   */
  readonly families?: { readonly [role in RoleName]?: readonly FamilyEntry[] };
  /** Counting begins again: how often it has, from 1 to 2^24 - 1, and the lowest number from then on. Stays in every list that follows. */
  readonly epoch?: { readonly number: number; readonly from: bigint };
}

/** A trust file, signed or not. Its `signatures` have not been verified. */
export interface TrustFile {
  readonly store: TrustStore;
  readonly signatures: readonly CoseSignature[];
}

/** The key is a root neither in the file nor in its predecessor, so its signature would never count. */
export class NotRoot extends Error {
  override readonly name = "NotRoot";
  constructor(readonly key: PublicKey) {
    super("this key is not a root of the trust file");
  }
}

const signatureContext = new TextEncoder().encode(TRUST_CONTEXT);

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
    throw new KeyError("several", "two keys of the list have the same private key");
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
 * Encodes a trust file without signatures, which devices do not accept yet. Throws the refusals of the verifier
 * (TRUST_…) for a list that breaks its rules, DescriptionError for an invalid name, and KeyError `several` for two keys
 * with the same secret or `unsupported` for an ML-DSA key.
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

function joinTrustFile(payload: Uint8Array, signatures: readonly Uint8Array[]): Uint8Array {
  const empty = cbor(new Tagged(TAG_SIGN, [new Uint8Array(), new Map(), payload, []]));
  // signatures are copied as received, not encoded again; there are at most 8, so the head holds their number
  return Uint8Array.from([...empty.subarray(0, -1), 0x80 + signatures.length, ...signatures.flatMap((s) => [...s])]);
}

/**
 * Splits a trust file into payload and signatures. Refuses headers in its body: this tool writes none, and signatures
 * would cover them.
 */
function splitTrustFile(bytes: Uint8Array): { payload: Uint8Array; signatures: Uint8Array[] } {
  // first the head, which has one two-byte form: a file of another kind is refused as such, whatever follows
  if (bytes.length > 1 && !isTrust(bytes)) throwRefusal(errors.TRUST_NONE, 0);
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

/** Reads a trust file, signed or not. Verifies no signature. Throws the refusals of embeddedTrust(). */
export function readTrust(bytes: Uint8Array): TrustFile {
  const { payload, signatures } = splitTrustFile(bytes);
  return signatures.length === 0 ? { store: trustPayload(KNOWN_ALGS, payload), signatures: [] } : readSigned(KNOWN_ALGS, bytes);
}

/**
 * Verifies a trust file as the successor of `before`: roots of both must have signed it. Returns its content. Calls
 * trustFileUnchecked() of the verifier with the algorithms of this package.
 */
export function acceptTrust(bytes: Uint8Array, before: TrustStore | Trust, host?: Host): TrustStore {
  return trustFileUnchecked(KNOWN_ALGS, bytes, before, host);
}

/** The name of the product line. */
export function trustName(store: TrustStore): string {
  return new TextDecoder().decode(Uint8Array.from(store.name));
}

/** Whether the bytes begin with tag 98, COSE_Sign (RFC 9052 §2). The head of this tag has one form, of two bytes. */
export function isTrust(head: Uint8Array): boolean {
  return head[0] === 0xd8 && head[1] === TAG_SIGN;
}

/** The names of an anchor's roles. */
export function roleNames(anchor: TrustAnchor): RoleName[] {
  return (Object.keys(ROLES) as RoleName[]).filter((name) => anchor.roles.includes(ROLES[name]));
}

/** The name of an algorithm. Throws KeyError `unsupported` for one that this tool lacks. */
function algName(cose: number): KeyAlg {
  const known = KNOWN_ALGS.find(({ ids }) => ids.includes(cose));
  const name = deviceKeyAlgs.find((one) => known?.ids.includes(coseAlg(one)));
  if (!name) throw new KeyError("unsupported", `a family has the unknown COSE algorithm ${cose}`);
  return name;
}

/** The key of an anchor. Returns undefined if this tool lacks its algorithm. Throws KeyError if the key is invalid. */
export function keyOfAnchor(anchor: TrustAnchor): PublicKey | undefined {
  const alg = deviceKeyAlgs.find((name) => anchor.alg?.ids.includes(coseAlg(name)));
  return alg && publicKey(alg, Uint8Array.from(anchor.key), anchor.kid && Uint8Array.from(anchor.kid));
}

/**
 * The description of a trust file, from which to make the next one. Throws KeyError `unsupported` for a key whose
 * algorithm this tool lacks.
 */
export function describeTrust(store: TrustStore): TrustDescription {
  const uuid = (id: Bytes | undefined, name: "vendor" | "class") => (id ? { [name]: Uint8Array.from(id) } : {});
  const thresholds: { [role in RoleName]?: number } = {};
  const jumps: { [role in RoleName]?: bigint } = {};
  const families: { [role in RoleName]?: FamilyEntry[] } = {};
  for (const name of Object.keys(ROLES) as RoleName[]) {
    const n = store.thresholds[ROLES[name]];
    const jump = store.jumps[ROLES[name]];
    if (n) thresholds[name] = n;
    const own = store.families[ROLES[name]];
    if (own) families[name] = own.map(({ ids, threshold }) => ({ algorithms: ids.map(algName), threshold }));
    if (jump) jumps[name] = BigInt(formatSequence(jump));
  }
  return {
    name: trustName(store),
    sequence: BigInt(formatSequence(store.sequence)),
    anchors: store.anchors.map((a) => {
      const key = keyOfAnchor(a);
      if (!key) throw new KeyError("unsupported", `a key has the unknown COSE algorithm ${a.cose}`);
      const limits = {
        ...(a.since && { since: BigInt(formatSequence(a.since)) }),
        ...(a.until && { until: BigInt(formatSequence(a.until)) }),
        ...(a.single && { devices: "single" as const }),
      };
      return { key, roles: roleNames(a), ...uuid(a.vendor, "vendor"), ...uuid(a.class, "class"), ...limits };
    }),
    thresholds,
    ...(Object.keys(jumps).length > 0 && { jumps }),
    ...(Object.keys(families).length > 0 && { families }),
    ...(store.begins && { epoch: { number: store.epoch, from: BigInt(formatSequence(store.begins)) } }),
  };
}

/** The predecessor of a trust file, or several: devices in the field may have any of them. Their roots may sign too. */
export type Before = TrustStore | readonly TrustStore[] | undefined;

const chainOf = (before: Before): readonly TrustStore[] => (before === undefined ? [] : "anchors" in before ? [before] : before);

/** The anchors of a key that is a root in the file or in a predecessor. Throws NotRoot. */
function rootAnchors(key: PublicKey, store: TrustStore, before: readonly TrustStore[]): TrustAnchor[] {
  const all = [store, ...before].flatMap(({ anchors }) => anchors);
  const found = all.filter((a) => a.roles.includes(ROLE_ROOT) && equalBytes(a.key, key.key));
  if (found.length === 0) throw new NotRoot(key);
  return found;
}

/**
 * The protected header of a signature. It contains the kid of the key in the file, unless two files have different
 * ones.
 */
function bucketOf(alg: number, listed: readonly TrustAnchor[]): Uint8Array {
  const headers = new Map<Encodable, Encodable>([[HEADER_ALG, alg]]);
  const kid = listed[0]?.kid;
  if (kid && listed.every((a) => a.kid && equalBytes(a.kid, kid))) headers.set(HEADER_KID, Uint8Array.from(kid));
  return cbor(headers);
}

function keyOfSigner(signer: SignedWith): PublicKey {
  const alg = deviceKeyAlgs.find((name) => coseAlg(name) === signer.alg);
  if (!alg) throw new KeyError("unsupported", `no verifier for COSE algorithm ${signer.alg}`);
  return publicKey(alg, signer.publicKey);
}

/** A trust file while it is being signed. It is read once. */
export class TrustDraft implements Signable {
  readonly kind = "trust file";
  readonly sequence: bigint;
  readonly digest: { readonly alg: number; readonly bytes: Uint8Array };

  private constructor(
    readonly bytes: Uint8Array,
    readonly store: TrustStore,
    /** Its signatures as they came, and the same taken apart. */
    readonly encoded: readonly Uint8Array[],
    readonly signatures: readonly KnownSignature[],
    private readonly before: readonly TrustStore[],
  ) {
    this.sequence = BigInt(formatSequence(store.sequence));
    this.digest = { alg: HASH_SHA_256, bytes: sha256(Uint8Array.from(store.payload)) };
  }

  /**
   * Reads a trust file, signed or not. The roots of `before`, its predecessors, may sign too. Throws the refusals of
   * embeddedTrust().
   */
  static read(bytes: Uint8Array, before?: Before): TrustDraft {
    const { store, signatures } = readTrust(bytes);
    return new TrustDraft(bytes, store, splitTrustFile(bytes).signatures, signatures, chainOf(before));
  }

  /** The same draft with other predecessors. */
  after(before: Before): TrustDraft {
    return new TrustDraft(this.bytes, this.store, this.encoded, this.signatures, chainOf(before));
  }

  /** The same list with these signatures in place of its own, as they were encoded. Throws SIGNATURE_COUNT above 8. */
  withEncoded(encoded: readonly Uint8Array[]): TrustDraft {
    if (encoded.length > MAX_SIGNATURES) throwRefusal(errors.SIGNATURE_COUNT, -1);
    return TrustDraft.read(joinTrustFile(Uint8Array.from(this.store.payload), encoded), this.before);
  }

  private bucket(key: SignedWith): Uint8Array {
    return bucketOf(key.alg, rootAnchors(keyOfSigner(key), this.store, this.before));
  }

  /** Whether this key has signed. */
  isSignedBy({ alg: cose, publicKey }: SignedWith): boolean {
    const alg = KNOWN_ALGS.find((a) => a.ids.includes(cose));
    return alg !== undefined && hasSigned(this.signatures, { alg, key: publicKey });
  }

  /**
   * The bytes that a root signs, whether it has signed already or not. Throws NotRoot for a key that is a root of
   * neither file.
   */
  message(key: SignedWith): Uint8Array {
    return cbor(["Signature", new Uint8Array(), this.bucket(key), signatureContext, Uint8Array.from(this.store.payload)]);
  }

  /** Throws NotRoot for a key that is a root of neither file, and AlreadySigned. */
  async toBeSigned(key: SignedWith): Promise<Uint8Array> {
    const message = this.message(key);
    if (this.isSignedBy(key)) throw new AlreadySigned(key, this.kind);
    return message;
  }

  /** Throws as toBeSigned() does, and SIGNATURE_COUNT above 8. */
  async withSignature(key: SignedWith, signature: Uint8Array): Promise<TrustDraft> {
    const message = await this.toBeSigned(key);
    if (this.encoded.length >= MAX_SIGNATURES) throwRefusal(errors.SIGNATURE_COUNT, -1);
    const encoded = [...this.encoded, cbor([this.bucket(key), new Map(), signature])];
    const known = { alg: key.alg, kid: null, message, signature };
    const bytes = joinTrustFile(Uint8Array.from(this.store.payload), encoded);
    return new TrustDraft(bytes, this.store, encoded, [...this.signatures, known], this.before);
  }

  /** Checks that each of these keys has signed the encoded file. Throws KeyError `fault`. */
  async verify(keys: readonly SignedWith[]): Promise<void> {
    const written = TrustDraft.read(this.bytes, this.before);
    for (const key of keys)
      if (!written.isSignedBy(key)) throw new KeyError("fault", "the signature is not by this key over the trust file");
  }
}

/**
 * The bytes that a root must sign, for a key that is held elsewhere. The roots of `before`, the preceding trust files,
 * may sign too. Throws NotRoot.
 */
export function trustToBeSigned(bytes: Uint8Array, key: PublicKey, before?: Before): Uint8Array {
  return TrustDraft.read(bytes, before).message(signedWith(key));
}

/** The keys among `keys` that have signed the trust file, each once. */
export function trustSigners(bytes: Uint8Array, keys: readonly PublicKey[]): PublicKey[] {
  const draft = TrustDraft.read(bytes);
  const distinct = keys.filter((k, i) => keys.findIndex((other) => equalBytes(other.key, k.key)) === i);
  return distinct.filter((key) => draft.isSignedBy(signedWith(key)));
}

/**
 * Adds a signature of each signer to a trust file. The roots of `before`, the preceding trust file, may sign too.
 * Throws NotRoot if a key is a root of neither file, AlreadySigned if one has signed before, KeyError `fault` if a
 * signature is invalid, and SIGNATURE_COUNT above 8 signatures.
 */
export async function signTrust(bytes: Uint8Array, signers: readonly Signer[], before?: Before): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  const out = await signedBy(TrustDraft.read(bytes, before), signers);
  // never return a file that nobody can verify
  await out.verify(signers);
  return out.bytes;
}

/** Adds a signature over trustToBeSigned() that was made elsewhere. Throws as signTrust() does. */
export function attachTrust(bytes: Uint8Array, key: PublicKey, signature: Uint8Array, before?: Before): Promise<Uint8Array> {
  return signTrust(bytes, [foreignSigner(key, async () => signature)], before);
}
