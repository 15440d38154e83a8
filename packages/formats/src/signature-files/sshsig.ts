// Signatures of ssh-keygen -Y sign (PROTOCOL.sshsig of OpenSSH): over a namespace and a hash of the file. Stricter than
// ssh-keygen: the reserved field is empty, each field has one encoding, and the namespace is demanded by the caller.

import { createHash } from "node:crypto";
import { type WireReader, wire, wireNumber } from "@firmseal/keys/internal";
import type { FormatFacts, FormatFile, KeyMessage, SignatureFormat, SignatureOptions, VerifiedBy } from "../format.js";
import type { FormatKey, FormatKeyKind } from "../key/key.js";
import { type Scheme, schemeLength, schemeName, verifyScheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { signatureFileFacts } from "./facts.js";
import { readSshKey, sshKeyType, sshReader, writeSshKey } from "./ssh-wire.js";
import { fromBase64, printable, signatureLines, toBase64 } from "./text.js";

const MAGIC = "SSHSIG";
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
/** ssh-keygen breaks lines at 70. Others break them at 76 at most (RFC 2045 §6.8). */
const WIDTH = 70;
const WIDEST = 76;
const MOST_LINES = 1024;
const MOST_NAMESPACE = 1024;

const isHash = (name: string | undefined): name is "sha256" | "sha512" => name === "sha256" || name === "sha512";

/** What a signature says. */
interface Signed {
  readonly key: FormatKey;
  readonly namespace: string;
  readonly hash: "sha256" | "sha512";
  readonly scheme: Scheme;
  /** As verifyScheme() takes it. */
  readonly signature: Uint8Array;
}

/** Signatures with the keys of OpenSSH. */
export const SSHSIG: SignatureFormat = {
  name: "sshsig",
  title: "SSH signature",
  beside: true,
  looksLike: (bytes) => Buffer.from(bytes.subarray(0, BEGIN.length)).toString("latin1") === BEGIN,
  read,
  draft(content, options = {}) {
    namespaceOf(options);
    if (options.hash !== undefined && !isHash(options.hash))
      return refuseFormat("SIGNATURE_FILE_ALGORITHM", -1, `the hash ${options.hash}`);
    return new SshsigFile(undefined, new Uint8Array(0), content, options);
  },
};

/** The namespace that the caller demands. */
function namespaceOf({ namespace }: SignatureOptions): string {
  if (!namespace) return refuseFormat("SIGNATURE_FILE_NAMESPACE", -1, "none is demanded");
  return printable(Buffer.from(namespace), MOST_NAMESPACE);
}

function read(bytes: Uint8Array, content?: Uint8Array, options: SignatureOptions = {}): FormatFile {
  const lines = signatureLines(bytes, MOST_LINES);
  const inside = lines.slice(1, -1);
  if (lines[0] !== BEGIN || lines.at(-1) !== END || inside.length === 0)
    return refuseFormat("SIGNATURE_FILE_FORM", 0, "its first or last line");
  const width = inside[0]?.length ?? 0;
  const even = inside.every((line, i) => (i < inside.length - 1 ? line.length === width : line.length > 0 && line.length <= width));
  if (!even || width > WIDEST) return refuseFormat("SIGNATURE_FILE_FORM", BEGIN.length + 1, "lines of different lengths");
  return new SshsigFile(decode(fromBase64(inside.join(""), BEGIN.length + 1)), bytes, content, options);
}

function decode(blob: Uint8Array): Signed {
  const from = sshReader(blob);
  if (Buffer.from(from.take(MAGIC.length)).toString("latin1") !== MAGIC)
    return refuseFormat("SIGNATURE_FILE_FORM", -1, `it does not begin with ${MAGIC}`);
  const version = from.uint32();
  if (version !== 1) return refuseFormat("SIGNATURE_FILE_FORM", -1, `version ${version}`);
  const key = readSshKey(from.string());
  const namespace = printable(from.string(), MOST_NAMESPACE);
  if (namespace === "") return refuseFormat("SIGNATURE_FILE_NAMESPACE", -1, "it has none");
  if (from.string().length > 0) return refuseFormat("SIGNATURE_FILE_FORM", -1, "the reserved field is not empty");
  const hash = from.string().toString("latin1");
  if (!isHash(hash)) return refuseFormat("SIGNATURE_FILE_ALGORITHM", -1, "the hash");
  const signature = from.string();
  from.end();
  return { key, namespace, hash, ...decodeSignature(sshReader(signature), key.kind) };
}

function decodeSignature(from: WireReader, kind: FormatKeyKind): Pick<Signed, "scheme" | "signature"> {
  const name = from.string().toString("latin1");
  const scheme = schemesOf(kind).find((one) => nameOf(one, kind) === name);
  if (!scheme) return refuseFormat("SIGNATURE_FILE_ALGORITHM", -1, "the algorithm does not fit the key");
  const value = from.string();
  from.end();
  const length = schemeLength(kind);
  if (scheme.type !== "ecdsa")
    return {
      scheme,
      signature: value.length === length ? value : refuseFormat("SIGNATURE_FILE_FORM", -1, `a signature of ${value.length} bytes`),
    };
  const numbers = sshReader(value);
  const raw = Buffer.concat([numbers.number(length / 2), numbers.number(length / 2)]);
  numbers.end();
  return { scheme, signature: raw };
}

/** The algorithms of a kind of key, the one to sign with first. SHA-1 with RSA is not one. */
function schemesOf(kind: FormatKeyKind): readonly Scheme[] {
  if (kind === "ed25519") return [{ type: kind }];
  if (kind.startsWith("rsa"))
    return [
      { type: "rsa-pkcs1", hash: "sha512" },
      { type: "rsa-pkcs1", hash: "sha256" },
    ];
  return [{ type: "ecdsa", hash: kind === "p384" ? "sha384" : "sha256" }];
}

/** How OpenSSH names a signature: like the key, but for RSA (RFC 8332 §3). */
function nameOf(scheme: Scheme, kind: FormatKeyKind): string {
  return scheme.type === "rsa-pkcs1" ? `rsa-sha2-${scheme.hash.slice(3)}` : (sshKeyType(kind) as string);
}

/** The fields of what is signed. The preamble has no length. */
function messageOf(namespace: string, hash: "sha256" | "sha512", content: Uint8Array): Uint8Array {
  const digest = createHash(hash).update(content).digest();
  return Buffer.concat([Buffer.from(MAGIC), ...[Buffer.from(namespace), "", hash, digest].map(wire)]);
}

function write({ key, namespace, hash, scheme, signature }: Signed): Uint8Array {
  const half = signature.length / 2;
  const value =
    scheme.type === "ecdsa" ? Buffer.concat([wireNumber(signature.subarray(0, half)), wireNumber(signature.subarray(half))]) : signature;
  const version = Buffer.from([0, 0, 0, 1]);
  const fields = [writeSshKey(key), Buffer.from(namespace), "", hash, Buffer.concat([wire(nameOf(scheme, key.kind)), wire(value)])];
  const text = toBase64(Buffer.concat([Buffer.from(MAGIC), version, ...fields.map(wire)]));
  const lines = text.match(new RegExp(`.{1,${WIDTH}}`, "g")) as string[];
  return new Uint8Array(Buffer.from([BEGIN, ...lines, END, ""].join("\n")));
}

class SshsigFile implements FormatFile {
  readonly facts: FormatFacts;

  constructor(
    private readonly signed: Signed | undefined,
    readonly bytes: Uint8Array,
    private readonly content: Uint8Array | undefined,
    private readonly options: SignatureOptions,
  ) {
    this.facts = signatureFileFacts(SSHSIG.name, bytes, content, {
      signatures: signed ? [{ algorithm: schemeName(signed.key.kind, signed.scheme), key: fingerprint(signed.key) }] : [],
      details: signed
        ? [
            { name: "namespace", value: signed.namespace },
            { name: "hash", value: signed.hash },
          ]
        : [],
    });
  }

  toBeSigned(key: FormatKey): KeyMessage {
    const { signed, content, options } = this;
    if (signed) return refuseFormat(signed.key.id === key.id ? "FORMAT_ALREADY_SIGNED" : "SIGNATURE_FILE_FULL");
    if (!content) return refuseFormat("FORMAT_CONTENT");
    const [scheme] = sshKeyType(key.kind) === undefined ? [] : schemesOf(key.kind);
    if (!scheme) return refuseFormat("FORMAT_KEY", -1, `${key.kind} in sshsig`);
    return { message: messageOf(namespaceOf(options), this.hash(), content), scheme };
  }

  private hash(): "sha256" | "sha512" {
    return isHash(this.options.hash) ? this.options.hash : "sha512";
  }

  withSignature(key: FormatKey, signature: Uint8Array): FormatFile {
    const { scheme } = this.toBeSigned(key);
    if (signature.length !== schemeLength(key.kind))
      return refuseFormat("FORMAT_SIGNATURE_ENCODING", -1, `it has ${signature.length} bytes`);
    const signed: Signed = { key, namespace: namespaceOf(this.options), hash: this.hash(), scheme, signature };
    return new SshsigFile(signed, write(signed), this.content, this.options);
  }

  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    const { signed, content, options } = this;
    if (!signed) return refuseFormat("FORMAT_NOT_SIGNED");
    if (!content) return refuseFormat("FORMAT_CONTENT");
    if (namespaceOf(options) !== signed.namespace) return refuseFormat("SIGNATURE_FILE_NAMESPACE", -1, `it is for ${signed.namespace}`);
    if (options.hash !== undefined && options.hash !== signed.hash)
      return refuseFormat("SIGNATURE_FILE_ALGORITHM", -1, `the hash ${signed.hash}`);
    const key = keys.find((one) => one.id === signed.key.id);
    if (!key) return refuseFormat("FORMAT_NO_KEY");
    const message = messageOf(signed.namespace, signed.hash, content);
    return verifyScheme(key, signed.scheme, message, signed.signature) ? [{ key, signature: 0 }] : refuseFormat("FORMAT_SIGNATURE");
  }
}

/** As ssh-keygen -l shows it. */
function fingerprint(key: FormatKey): string {
  return `SHA256:${createHash("sha256").update(writeSshKey(key)).digest("base64").replace(/=+$/, "")}`;
}
