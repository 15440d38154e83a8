// Public keys of OpenSSH (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4) and of minisign, for programs with and without
// Node.

import { type KeyAlg, keyAlgs, sshType } from "../alg/algorithms.js";
import { decodeBase64url } from "../base64url.js";
import { KeyError } from "../key-error.js";
import { type PublicKey, publicKey } from "./key.js";

const damaged = () => new KeyError("format", "the content of the OpenSSH key is cut short or damaged");

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes.subarray(0, 64));

/** The strings of a blob, at most `most` (RFC 4251 §5), and what follows them. */
function stringsIn(blob: Uint8Array, most: number): { fields: Uint8Array[]; rest: Uint8Array } {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const fields: Uint8Array[] = [];
  let at = 0;
  while (at < blob.length && fields.length < most) {
    if (blob.length - at < 4) throw damaged();
    const n = view.getUint32(at);
    if (n > blob.length - at - 4) throw damaged();
    fields.push(blob.subarray(at + 4, at + 4 + n));
    at += 4 + n;
  }
  return { fields, rest: blob.subarray(at) };
}

/**
 * Finds the algorithm of a key type of OpenSSH.
 *
 * @param name - The type.
 * @returns The algorithm.
 * @throws KeyError: `unsupported`.
 */
export function sshAlg(name: string): KeyAlg {
  const alg = keyAlgs.find((one) => sshType(one)?.type === name);
  // the file is untrusted, so the message contains the type name only if it looks like one
  if (!alg) throw new KeyError("unsupported", `an OpenSSH key of the type ${/^[a-z0-9@.-]{1,64}$/.test(name) ? name : "that it names"}`);
  return alg;
}

/**
 * Reads the public key in a blob of OpenSSH.
 *
 * @param blob - The decoded blob.
 * @param expected - The type that the line names. Default: any.
 * @returns The key.
 * @throws KeyError: `unsupported` for another type, `format` for a damaged blob, and the codes of publicKey().
 */
export function fromSsh(blob: Uint8Array, expected?: string): PublicKey {
  const { fields, rest } = stringsIn(blob, 1);
  if (!fields[0]) throw damaged();
  const name = latin1(fields[0]);
  const alg = sshAlg(name);
  if (expected !== undefined && expected !== name) throw damaged();
  const curve = sshType(alg)?.curve;
  const { fields: parts, rest: more } = stringsIn(rest, curve === undefined ? 1 : 2);
  if (curve !== undefined && parts[0] && latin1(parts[0]) !== curve)
    throw new KeyError("format", "the curve of the key does not match its type");
  const key = parts[curve === undefined ? 0 : 1];
  if (!key || more.length > 0) throw damaged();
  return publicKey(alg, key);
}

/** Decodes canonical base64 with padding (RFC 4648 §4). Returns undefined for any other text. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  return decodeBase64url(
    text
      .replace(/={1,2}$/, "")
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
  );
}

/**
 * Recognizes a public key of OpenSSH: a type and base64.
 *
 * @param text - The text.
 * @returns Whether it is one, or begins like one.
 */
export function isSshLine(text: string): boolean {
  return /^\s*(ssh|ecdsa|sk|rsa|webauthn)-[a-z0-9@.-]+[ \t]+AAAA/.test(text);
}

/**
 * Reads the only public key in a text of OpenSSH. Text after the key is its comment.
 *
 * @param text - The text.
 * @returns The key.
 * @throws KeyError like fromSsh(), and `several`.
 */
export function fromSshLine(text: string): PublicKey {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  if (lines.length > 1) throw new KeyError("several", `${lines.length} lines, but one key is expected`);
  const [, name = "", base64 = ""] = /^\s*(\S+)[ \t]+(\S+)/.exec(text) ?? [];
  sshAlg(name);
  const blob = decodeBase64(base64);
  if (!blob) throw damaged();
  return fromSsh(blob, name);
}

// "Ed" ‖ key number (8) ‖ public key (32)
const MINISIGN_LENGTH = 42;

const tag = (bytes: Uint8Array, at: number) => latin1(bytes.subarray(at, at + 2));

/**
 * Recognizes a public key of minisign.
 *
 * @param bytes - The decoded line.
 * @returns Whether the bytes have its length and its beginning.
 */
export const isMinisignPublic = (bytes: Uint8Array): boolean => bytes.length === MINISIGN_LENGTH && tag(bytes, 0) === "Ed";

/**
 * Reads the public key in a file of minisign, which describes the layout in its manual ("Key formats").
 *
 * @param bytes - The decoded line.
 * @returns The key, or undefined if it is not one.
 * @throws KeyError: `format` for the beginning of a secret key, and the codes of publicKey().
 */
export function fromMinisign(bytes: Uint8Array): PublicKey | undefined {
  if (!isMinisignPublic(bytes)) return undefined;
  if ((tag(bytes, 2) === "Sc" || tag(bytes, 2) === "\0\0") && tag(bytes, 4) === "B2")
    throw new KeyError("format", "the minisign key is cut short or damaged");
  return publicKey("ed25519", bytes.subarray(10));
}
