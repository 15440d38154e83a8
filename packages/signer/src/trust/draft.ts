// Signs trust files (docs/guides/trust.md): a draft that is read once, and roots that sign it.

import { errors, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
import {
  equalBytes,
  FirmsealError,
  formatSequence,
  HASH_SHA_256,
  MAX_SIGNATURES,
  ROLE_ROOT,
  TRUST_CONTEXT,
  throwRefusal,
} from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { coseAlg, deviceKeyAlgs } from "../alg/algorithms.js";
import { encodeCbor as cbor, protectedHeader } from "../cbor.js";
import { type PublicKey, publicKey } from "../key/key.js";
import { foreignSigner, type Signer } from "../key/signer.js";
import { KeyError } from "../key-error.js";
import {
  AlreadySigned,
  hasSigned,
  type KnownSignature,
  type Signable,
  type SignedWith,
  signedWith,
  signedWithoutLog,
} from "../signable.js";
import { KNOWN_ALGS } from "./description.js";
import { decodeTrust, joinTrustFile, splitTrustFile } from "./encoding.js";

/** The key is a root neither in the file nor in its predecessor, so its signature would never count. */
export class NotRoot extends FirmsealError {
  override readonly name = "NotRoot";
  constructor(readonly key: PublicKey) {
    super("ERR_TRUST_SIGNERS", "this key is not a root of the trust file");
  }
}

const signatureContext = new TextEncoder().encode(TRUST_CONTEXT);

/** The predecessor of a trust file, or several: devices in the field may have any of them. Their roots may sign too. */
export type PrecedingTrust = TrustStore | readonly TrustStore[] | undefined;

const chainOf = (before: PrecedingTrust): readonly TrustStore[] => (before === undefined ? [] : "anchors" in before ? [before] : before);

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
  const kid = listed[0]?.kid;
  const isShared = kid && listed.every((a) => a.kid && equalBytes(a.kid, kid));
  return protectedHeader({ alg, kid: isShared ? Uint8Array.from(kid) : undefined });
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
    /** Its signatures as they were encoded, and their parts. */
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
  static read(bytes: Uint8Array, before?: PrecedingTrust): TrustDraft {
    const { store, signatures } = decodeTrust(bytes);
    return new TrustDraft(bytes, store, splitTrustFile(bytes).signatures, signatures, chainOf(before));
  }

  /** The same draft with other predecessors. */
  after(before: PrecedingTrust): TrustDraft {
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
   * The bytes that a root signs, whether or not it has already signed. Throws NotRoot for a key that is a root of
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

  /** Checks that each of these keys has signed the encoded file. Throws KeyError `signature`. */
  async verify(keys: readonly SignedWith[]): Promise<void> {
    const written = TrustDraft.read(this.bytes, this.before);
    for (const key of keys)
      if (!written.isSignedBy(key)) throw new KeyError("signature", "the signature is not by this key over the trust file");
  }
}

/**
 * Makes the bytes that a root must sign, for a key that is held elsewhere.
 *
 * @param bytes - The trust file.
 * @param key - The root.
 * @param before - The preceding trust files, whose roots may sign too.
 * @returns The bytes.
 * @throws NotRoot.
 */
export function trustToBeSigned(bytes: Uint8Array, key: PublicKey, before?: PrecedingTrust): Uint8Array {
  return TrustDraft.read(bytes, before).message(signedWith(key));
}

/**
 * Finds the keys that have signed a trust file.
 *
 * @param bytes - The trust file.
 * @param keys - The keys to try.
 * @returns Those that have signed it, each once.
 */
export function trustSigners(bytes: Uint8Array, keys: readonly PublicKey[]): PublicKey[] {
  const draft = TrustDraft.read(bytes);
  const distinct = keys.filter((k, i) => keys.findIndex((other) => equalBytes(other.key, k.key)) === i);
  return distinct.filter((key) => draft.isSignedBy(signedWith(key)));
}

/**
 * Adds a signature of each signer to a trust file, and enters them in no signing log.
 *
 * @param bytes - The trust file.
 * @param signers - The signers, from signer() or foreignSigner().
 * @param before - The preceding trust file, whose roots may sign too.
 * @returns The signed trust file.
 * @throws NotRoot if a key is a root of neither file, AlreadySigned if one has signed before, KeyError `signature` if a
 *   signature is invalid, and SIGNATURE_COUNT above 8 signatures.
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { writeFileSync } from "node:fs";
 * import { encodeTrust, privateKey, publicOf, signer, signTrustWithoutLog } from "@firmseal/signer";
 *
 * const root = privateKey("ed25519", seed);
 * const release = privateKey("ed25519", randomBytes(32));
 * const unsignedTrust = encodeTrust({
 *   name: "board",
 *   sequence: 1n,
 *   anchors: [
 *     { key: publicOf(root), roles: ["root"] },
 *     { key: publicOf(release), roles: ["release"] },
 *   ],
 *   thresholds: { root: 1, release: 1 },
 * });
 * writeFileSync("first.trust", await signTrustWithoutLog(unsignedTrust, [signer(root)]));
 * ```
 */
export async function signTrustWithoutLog(bytes: Uint8Array, signers: readonly Signer[], before?: PrecedingTrust): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  const out = await signedWithoutLog(TrustDraft.read(bytes, before), signers);
  // never return a file that nobody can verify
  await out.verify(signers);
  return out.bytes;
}

/**
 * Adds a signature over trustToBeSigned() that was made elsewhere.
 *
 * @param bytes - The trust file.
 * @param key - The root that signed.
 * @param signature - The raw signature.
 * @param before - The preceding trust file, whose roots may sign too.
 * @returns The signed trust file.
 * @throws As signTrustWithoutLog().
 */
export function attachTrust(bytes: Uint8Array, key: PublicKey, signature: Uint8Array, before?: PrecedingTrust): Promise<Uint8Array> {
  return signTrustWithoutLog(bytes, [foreignSigner(key, async () => signature)], before);
}
