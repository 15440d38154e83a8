// The signature alone, over the bytes of a file: `raw` as COSE has it, `der` as openssl dgst -sign and pkeyutl -rawin
// write it, `aws` as base64 of the DER in one line without an end, which FreeRTOS devices of AWS read. Nothing in such
// a file names the key or the hash.

import type { FieldFormat, FormatFacts, FormatFile, KeyMessage, SignatureFormat, SignatureOptions, VerifiedBy } from "../format.js";
import { ecdsaFromDer, ecdsaToDer } from "../key/der.js";
import type { FormatKey, FormatKeyKind } from "../key/key.js";
import { type Scheme, type SchemeHash, schemeLength, verifyScheme } from "../key/scheme.js";
import { FormatRefusal, refuseFormat } from "../refusal.js";
import { signatureFileFacts } from "./facts.js";
import { refuseOracle } from "./oracle.js";
import { fromBase64, toBase64 } from "./text.js";

const HASHES: readonly SchemeHash[] = ["sha256", "sha384", "sha512"];
/** Bytes of r and s of P-384, the longest that such a file has. */
const LONGEST_ECDSA = 96;
const RSA_LENGTHS = [256, 384, 512];
/** Bytes of the longest file: a signature by RSA-4096. */
const LONGEST = 512;

/** How a format encodes signatures. */
interface Encoding {
  /** The algorithms with such a key, the one to sign with first. None: the format has no signatures by such keys. */
  schemes(kind: FormatKeyKind, options: SignatureOptions): readonly Scheme[];
  encode(signature: Uint8Array, kind: FormatKeyKind): Uint8Array;
  /** The signature for such a key. Undefined if a key of this kind did not make it. */
  decode(bytes: Uint8Array, kind: FormatKeyKind): Uint8Array | undefined;
  /** The name of the algorithm, as far as the bytes say it. Throws FormatRefusal for bytes that no algorithm gives. */
  name(bytes: Uint8Array): string;
}

const isEcdsa = (kind: FormatKeyKind) => kind === "p256" || kind === "p384";
const isRsa = (kind: FormatKeyKind) => kind.startsWith("rsa");

function ecdsa(kind: FormatKeyKind, { hash }: SignatureOptions): Scheme[] {
  if (!isEcdsa(kind)) return [];
  const usual: SchemeHash = kind === "p384" ? "sha384" : "sha256";
  const hashes = hash ? [hash] : [usual, ...HASHES.filter((one) => one !== usual)];
  return hashes.map((one) => ({ type: "ecdsa", hash: one }));
}

function rsa(kind: FormatKeyKind, { hash, padding }: SignatureOptions): Scheme[] {
  if (!isRsa(kind)) return [];
  const paddings = padding ? [padding] : (["pss", "pkcs1"] as const);
  return paddings.flatMap((one) => (hash ? [hash] : HASHES).map((h): Scheme => ({ type: `rsa-${one}`, hash: h })));
}

/** DER of ECDSA for a key. Undefined if r or s is longer than the curve's. */
function fromDer(bytes: Uint8Array, kind: FormatKeyKind): Uint8Array | undefined {
  try {
    return ecdsaFromDer(bytes, schemeLength(kind));
  } catch (e) {
    if (e instanceof FormatRefusal) return undefined;
    throw e;
  }
}

const RAW: Encoding = {
  schemes: (kind, options) => (kind === "ed25519" ? [{ type: kind }] : ecdsa(kind, options)),
  encode: (signature) => signature,
  decode: (bytes, kind) => (bytes.length === schemeLength(kind) ? bytes : undefined),
  name(bytes) {
    if (bytes.length === 64) return "ed25519 or ecdsa-p256";
    if (bytes.length === LONGEST_ECDSA) return "ecdsa-p384";
    return refuseFormat("SIGNATURE_FILE_FORM", -1, `a raw signature has 64 or 96 bytes, not ${bytes.length}`);
  },
};

const DER: Encoding = {
  schemes: (kind, options) => [...ecdsa(kind, options), ...rsa(kind, options)],
  encode: (signature, kind) => (isRsa(kind) ? signature : ecdsaToDer(signature)),
  decode(bytes, kind) {
    if (RSA_LENGTHS.includes(bytes.length) !== isRsa(kind)) return undefined;
    return isRsa(kind) ? bytes : fromDer(bytes, kind);
  },
  name(bytes) {
    if (RSA_LENGTHS.includes(bytes.length)) return `rsa${8 * bytes.length}`;
    ecdsaFromDer(bytes, LONGEST_ECDSA, 0);
    return "ecdsa";
  },
};

const AWS_ENCODING: Encoding = {
  // the name of the member of job documents fixes both: sig-sha256-ecdsa
  schemes: (kind) => (kind === "p256" ? [{ type: "ecdsa", hash: "sha256" }] : []),
  encode: (signature) => Buffer.from(toBase64(ecdsaToDer(signature))),
  decode: (bytes, kind) => fromDer(fromBase64(Buffer.from(bytes).toString("latin1")), kind),
  name(bytes) {
    ecdsaFromDer(fromBase64(Buffer.from(bytes).toString("latin1"), 0), 64, 0);
    return "ecdsa-p256-sha256";
  },
};

class PlainFile implements FormatFile {
  readonly facts: FormatFacts;

  constructor(
    private readonly format: FieldFormat,
    private readonly encoding: Encoding,
    readonly bytes: Uint8Array,
    private readonly content: Uint8Array | undefined,
    private readonly options: SignatureOptions,
  ) {
    this.facts = signatureFileFacts(format.name, bytes, content, {
      signatures: bytes.length === 0 ? [] : [{ algorithm: encoding.name(bytes), key: null }],
    });
  }

  toBeSigned(key: FormatKey): KeyMessage {
    if (this.bytes.length > 0) return refuseFormat("SIGNATURE_FILE_FULL");
    if (!this.content) return refuseFormat("FORMAT_CONTENT");
    const [scheme] = this.encoding.schemes(key.kind, this.options);
    if (!scheme) return refuseFormat("FORMAT_KEY", -1, `${key.kind} in ${this.format.title}`);
    refuseOracle(this.content, scheme);
    return { message: this.content, scheme };
  }

  withSignature(key: FormatKey, signature: Uint8Array): FormatFile {
    this.toBeSigned(key);
    if (signature.length !== schemeLength(key.kind))
      return refuseFormat("FORMAT_SIGNATURE_ENCODING", -1, `it has ${signature.length} bytes`);
    return new PlainFile(this.format, this.encoding, this.encoding.encode(signature, key.kind), this.content, this.options);
  }

  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    const { content, encoding } = this;
    if (this.bytes.length === 0) return refuseFormat("FORMAT_NOT_SIGNED");
    if (!content) return refuseFormat("FORMAT_CONTENT");
    let possible = false;
    for (const key of keys) {
      const schemes = encoding.schemes(key.kind, this.options);
      const signature = schemes.length > 0 ? encoding.decode(this.bytes, key.kind) : undefined;
      if (!signature) continue;
      possible = true;
      const scheme = schemes.find((one) => verifyScheme(key, one, content, signature));
      if (!scheme) continue;
      refuseOracle(content, scheme);
      return [{ key, signature: 0 }];
    }
    return refuseFormat(possible ? "FORMAT_SIGNATURE" : "FORMAT_NO_KEY");
  }
}

function plain(name: string, title: string, encoding: Encoding, looksLike: (bytes: Uint8Array) => boolean): SignatureFormat {
  const format: SignatureFormat = {
    name,
    title,
    beside: true,
    looksLike,
    read(bytes, content, options = {}) {
      if (bytes.length === 0 || bytes.length > LONGEST) return refuseFormat("SIGNATURE_FILE_FORM", 0, `it has ${bytes.length} bytes`);
      return new PlainFile(format, encoding, bytes, content, options);
    },
    draft: (content, options = {}) => new PlainFile(format, encoding, new Uint8Array(0), content, options),
  };
  return format;
}

/** Whether the bytes are a signature in this encoding. */
function isNamed(encoding: Encoding, bytes: Uint8Array): boolean {
  try {
    return encoding.name(bytes) !== "";
  } catch (e) {
    if (e instanceof FormatRefusal) return false;
    throw e;
  }
}

/** Ed25519, P-256 or P-384, 64 or 96 bytes. Such bytes have no mark by which one could recognize them. */
export const RAW_SIGNATURE = plain("raw", "raw signature", RAW, () => false);

/** ECDSA as DER, and RSA. An RSA signature has no mark by which one could recognize it. */
export const DER_SIGNATURE = plain(
  "der",
  "signature of openssl",
  DER,
  (bytes) => bytes[0] === 0x30 && bytes.length < 256 && isNamed(DER, bytes),
);

/** P-256 with SHA-256, for FreeRTOS devices of AWS. */
export const AWS_SIGNATURE = plain(
  "aws",
  "signature for FreeRTOS of AWS",
  AWS_ENCODING,
  (bytes) => bytes.length < 128 && isNamed(AWS_ENCODING, bytes),
);
