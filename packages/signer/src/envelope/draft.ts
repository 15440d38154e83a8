// An envelope while it is being signed. It is read once and written once, at the end. Signatures cover the digest in
// the wrapper, after that digest has been compared with the manifest.

import { type Alg, type Anchor, type Host, type Manifest, open, type Trust } from "@firmseal/verifier";
import {
  decodeEnvelope,
  equalBytes,
  formatSequence,
  HASH_SHA_256,
  isRefusal,
  rawKey,
  TAG_SIGN1,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { ed25519Row } from "../alg/ed25519.js";
import { HASHES } from "../alg/hash.js";
import { randomBytes } from "../alg/openssl.js";
import { encodeCbor as cbor, protectedHeader, Tagged } from "../cbor.js";
import { anchorOfSigner } from "../key/signer.js";
import { AlreadySigned, hasSigned, type KnownSignature, type Signable, type SignedWith } from "../signable.js";
import { type EnvelopeParts, envelopeParts, writeEnvelope } from "./envelope.js";

/** A COSE_Sign1 with a nil payload (RFC 9052 §4.2). */
const signatureBlock = (key: SignedWith, signature: Uint8Array): Uint8Array =>
  cbor(new Tagged(TAG_SIGN1, [protectedHeader(key), new Map(), null, signature]));

/** A refusal of a copy with other signatures, of `length` bytes, with its place in the bytes that were read. */
function inInput(e: unknown, { input, manifestElement }: UnverifiedEnvelope["envelope"], length: number): unknown {
  if (!isRefusal(e) || e.at < 0) return e;
  // only the wrapper differs, and what follows it ends with the envelope
  const at = e.at + input.n - length;
  e.at = at >= manifestElement.whole.at ? at : -1;
  return e;
}

/** An envelope on its way from a description or from bytes to its signatures. It is read once. */
export class EnvelopeDraft implements Signable {
  readonly kind = "envelope";
  readonly sequence: bigint;
  /** The digest of the manifest, with its COSE hash algorithm. */
  readonly digest: { readonly alg: number; readonly bytes: Uint8Array };

  private constructor(
    private readonly parts: EnvelopeParts,
    /** The content of the envelope. No signature has been verified. */
    readonly outline: UnverifiedEnvelope,
    private readonly signatures: readonly KnownSignature[],
    private written?: Uint8Array,
  ) {
    this.sequence = BigInt(formatSequence(outline.manifest.sequence));
    const { digest } = outline;
    this.digest = digest
      ? { alg: digest.alg, bytes: Uint8Array.from(digest.bytes) }
      : { alg: HASH_SHA_256, bytes: HASHES["sha-256"].hash(cbor(parts.manifest)) };
  }

  /** Reads an envelope, signed or not. Throws the refusals of decodeEnvelope(). */
  static read(bytes: Uint8Array): EnvelopeDraft {
    const outline = decodeEnvelope(bytes);
    // if the input has no wrapper, the output gets one
    return new EnvelopeDraft(envelopeParts(bytes, outline), outline, outline.signatures, outline.envelope.wrapper && bytes);
  }

  get bytes(): Uint8Array {
    this.written ??= writeEnvelope(this.parts);
    return this.written;
  }

  /** The Sig_structure (RFC 9052 §4.4) of a COSE_Sign1 over the digest, without external data. */
  private message(key: SignedWith): Uint8Array {
    return cbor(["Signature1", protectedHeader(key), new Uint8Array(), this.parts.digest]);
  }

  private async refuseSecond(key: SignedWith): Promise<void> {
    if (hasSigned(this.signatures, await anchorOfSigner(key))) throw new AlreadySigned(key);
  }

  async toBeSigned(key: SignedWith): Promise<Uint8Array> {
    await this.refuseSecond(key);
    return this.message(key);
  }

  /** Returns a draft with one more COSE_Sign1. */
  async withSignature(key: SignedWith, signature: Uint8Array): Promise<EnvelopeDraft> {
    await this.refuseSecond(key);
    const block = signatureBlock(key, signature);
    const known = { alg: key.alg, kid: key.kid ?? null, message: this.message(key), signature };
    return new EnvelopeDraft({ ...this.parts, blocks: [...this.parts.blocks, block] }, this.outline, [...this.signatures, known]);
  }

  /**
   * Opens the envelope as a device that trusts these keys and requires a signature of each. Throws the refusals of
   * open().
   */
  async verify(keys: readonly SignedWith[], host: Host = {}): Promise<Manifest> {
    const anchors: Anchor[] = [];
    for (const key of keys) anchors.push(await anchorOfSigner(key));
    return open(this.bytes, { anchors, threshold: anchors.length }, host, true);
  }

  /**
   * Opens the envelope as a device that trusts a trial key, which signs here and is discarded. So no key of the user
   * signs what devices refuse. A signature of the trial key is 64 random bytes, and it is valid for one message alone,
   * that of toBeSigned(): a real signature would prove no more than that the verifier asks for these bytes. Throws the
   * refusals of open().
   */
  async openWithTrialKey(host: Host = {}): Promise<Manifest> {
    const alg: Alg = { ids: [ed25519Row.cose], valid: () => true, verify: () => false };
    return this.openAsIfSigned({ anchors: [{ alg, key: randomBytes(32) }] }, host);
  }

  /**
   * Opens the envelope as a device with this trust, as if each of its anchors had signed it, like the trial key of
   * openWithTrialKey(). So the code of the device counts the signers. Throws the refusals of open().
   */
  openAsIfSigned(trust: Trust, host: Host = {}): Manifest {
    const blocks: Uint8Array[] = [];
    const anchors = trust.anchors.map((anchor): Anchor => {
      const key: SignedWith = { alg: anchor.alg.ids[0] as number, publicKey: Uint8Array.from(rawKey(anchor.key)) };
      const signature = randomBytes(64);
      const signed = this.message(key);
      blocks.push(signatureBlock(key, signature));
      const verify: Alg["verify"] = (_key, message, given) => equalBytes(given, signature) && equalBytes(message, signed);
      return { ...anchor, alg: { ...anchor.alg, verify } };
    });
    const bytes = writeEnvelope({ ...this.parts, blocks: [...this.parts.blocks, ...blocks] });
    try {
      return open(bytes, { ...trust, anchors }, host, true);
    } catch (e) {
      throw inInput(e, this.outline.envelope, bytes.length);
    }
  }
}
