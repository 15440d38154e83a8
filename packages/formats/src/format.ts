// The one interface of all formats: recognize a file by its content, read it strictly, say what a key signs, put the
// signature in, verify.

import type { FormatKey } from "./key/key.js";
import type { Scheme, SchemeHash } from "./key/scheme.js";

/** A value of a file that only its format has. */
export interface FormatDetail {
  /** In lower case, of letters and hyphens: it becomes a member of the JSON output. */
  readonly name: string;
  readonly value: string | number | boolean;
}

/** A signature in a file, as the file describes it. Nothing is verified. */
export interface FormatSignature {
  /** Of the algorithm, such as "ecdsa-p256-sha256", or what the file calls one that firmseal does not verify. */
  readonly algorithm: string;
  /** How the file names the key: hash or identifier in hex, or the encoded key; null: not at all. */
  readonly key: string | null;
}

/** What a file says. Structure and bounds are checked, signatures are not. */
export interface FormatFacts {
  /** The `name` of the format. */
  readonly format: string;
  /** Length of the file. */
  readonly bytes: number;
  readonly version: string | null;
  /** What the device never lets decrease: the security counter; null: the file has none. */
  readonly counter: number | null;
  /** Sizes of the parts in bytes, by name. */
  readonly sizes: { readonly [part: string]: number };
  readonly signatures: readonly FormatSignature[];
  /** Whether the content is encrypted: then the file cannot be verified as it is. */
  readonly encrypted: boolean;
  readonly details: readonly FormatDetail[];
  /** What people must know although the file is not refused. */
  readonly warnings: readonly string[];
}

/** What a private key gets, and with which algorithm it signs. */
export interface KeyMessage {
  /** The message of the signature algorithm, which hashes it: not a digest, unless the format signs the digest. */
  readonly message: Uint8Array;
  readonly scheme: Scheme;
}

/** A signature that has been verified. */
export interface VerifiedBy {
  readonly key: FormatKey;
  /** Its place in `facts.signatures`. */
  readonly signature: number;
}

/** A file of one of the formats, read once. It never changes: adding a signature returns a new one. */
export interface FormatFile {
  readonly facts: FormatFacts;
  /** The file with its signatures. For a signature file: that file, without the content. */
  readonly bytes: Uint8Array;
  /**
   * The bytes that this key signs. They do not depend on other signatures. Throws FormatRefusal if the format has no
   * signatures by such keys, or if this key has signed.
   */
  toBeSigned(key: FormatKey): KeyMessage;
  /** The same key signs once more: toBeSigned() gives a second message. minisign has two signatures in a file. */
  readonly unfinished?: true;
  /**
   * Returns a copy with one more signature, which is not verified: call verify().
   *
   * @param signature - Ed25519: 64 bytes. ECDSA: r and s of the curve's length, as key sources give it; for DER see
   *   ecdsaFromDer(). RSA: as long as the modulus, big-endian.
   */
  withSignature(key: FormatKey, signature: Uint8Array): FormatFile;
  /**
   * Verifies everything that the boot loader verifies, and what it should: stricter than the original tools. Every
   * signature that names one of the keys must be right, and there must be one.
   *
   * @returns The signatures by these keys, at least one. Signatures that name none of the keys are not verified.
   * @throws FormatRefusal.
   */
  verify(keys: readonly FormatKey[]): readonly VerifiedBy[];
}

/** An image of a boot loader, whose signatures are in the same file. */
export interface BootImage extends FormatFile {
  /** What every signature covers, whichever key signs: it names the image in logs. */
  readonly covered: Uint8Array;
  withSignature(key: FormatKey, signature: Uint8Array): BootImage;
}

/** What a signature file says beside the signature, or must say. Formats ignore what they do not have. */
export interface SignatureOptions {
  /** sshsig: what such signatures are for, such as "firmware@example.com". Nothing is signed or verified without. */
  readonly namespace?: string;
  /**
   * der, sshsig: the hash. Default to sign: SHA-512 for sshsig, else SHA-384 for P-384, and SHA-256. Default to verify:
   * any.
   */
  readonly hash?: SchemeHash;
  /** der: of RSA. Default to sign: PSS with a salt as long as the hash. To verify: both. */
  readonly padding?: "pss" | "pkcs1";
  /** minisign: whether the file is hashed before it is signed. Default to sign: yes. To verify: true demands it. */
  readonly prehashed?: boolean;
  /** minisign, signify: the first line, which no signature covers. */
  readonly comment?: string;
  /** minisign: the comment that is signed. Default: none. */
  readonly trustedComment?: string;
  /** signify: whether the content follows the signature in the same file. Default: no. */
  readonly embedded?: boolean;
}

/** A format whose signature is a file beside the content. */
export interface SignatureFormat extends FieldFormat {
  /**
   * Begins a signature file for some content. It has no signature yet.
   *
   * @throws FormatRefusal if an option is missing, or is not possible.
   */
  draft(content: Uint8Array, options?: SignatureOptions): FormatFile;
}

/** A format. */
export interface FieldFormat {
  /** The word of `--format`. */
  readonly name: string;
  /** For people: "MCUboot image". */
  readonly title: string;
  /** Whether the signature is a file of its own, beside the content. Then read() needs both to verify. */
  readonly beside: boolean;
  /** Whether the content begins (or ends) like this format. It may be damaged. Never throws. */
  looksLike(bytes: Uint8Array): boolean;
  /**
   * Reads a file, strictly.
   *
   * @param bytes - The file. For a format with `beside`: the signature file.
   * @param content - For a format with `beside`: what was signed. Without it, there are facts, and verify() refuses.
   * @param options - For a format with `beside`: what verify() demands.
   * @throws FormatRefusal, and nothing else for any bytes.
   */
  read(bytes: Uint8Array, content?: Uint8Array, options?: SignatureOptions): FormatFile;
}

/** A format of images. */
export interface BootFormat extends FieldFormat {
  readonly name: "mcuboot" | "esp32";
  read(bytes: Uint8Array): BootImage;
}
