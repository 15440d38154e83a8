// Strings and numbers of SSH (RFC 4251 §5), and public keys made of them (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4).

import type { FormatKey, FormatKeyKind } from "../key/key.js";
import { keyOnCurve, rawOf, rsaKey, rsaNumbers } from "../key/parts.js";
import { refuseFormat } from "../refusal.js";

/** Encodes a string: its length in four bytes, and its content. */
export function sshString(content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/** Encodes a number, big-endian and not negative, as mpint. */
export function sshMpint(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array(0) : value.subarray(first);
  return sshString((digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.alloc(1), digits]));
}

/** Reads from the front. */
export class SshReader {
  private next = 0;

  constructor(
    private readonly bytes: Uint8Array,
    /** Offset of the bytes in the file, for refusals; -1: none. */
    private readonly offset = -1,
  ) {}

  private at(): number {
    return this.offset < 0 ? -1 : this.offset + this.next;
  }

  take(n: number): Uint8Array {
    if (n > this.bytes.length - this.next) return refuseFormat("SIGNATURE_FILE_FORM", this.at(), "a field ends after the signature does");
    this.next += n;
    return this.bytes.subarray(this.next - n, this.next);
  }

  uint32(): number {
    return Buffer.from(this.take(4)).readUInt32BE();
  }

  string(): Uint8Array {
    return this.take(this.uint32());
  }

  text(): string {
    return Buffer.from(this.string()).toString("latin1");
  }

  /** A number that is not negative, in the one encoding of mpint, as `length` bytes, or without zeros before it. */
  number(length?: number): Uint8Array {
    const at = this.at();
    const field = this.string();
    const digits = field[0] === 0 ? field.subarray(1) : field;
    const canonical = Buffer.compare(sshMpint(digits), sshString(field)) === 0;
    if (!canonical || digits.length > (length ?? digits.length))
      return refuseFormat("SIGNATURE_FILE_FORM", at, "a number is not in its one encoding");
    return Buffer.concat([Buffer.alloc((length ?? digits.length) - digits.length), digits]);
  }

  end(): void {
    if (this.next !== this.bytes.length) refuseFormat("SIGNATURE_FILE_FORM", this.at(), "bytes after the last field");
  }
}

const CURVES = [
  { kind: "p256", curve: "nistp256", size: 32 },
  { kind: "p384", curve: "nistp384", size: 48 },
] as const;

/** How OpenSSH names a key of this kind. Undefined: firmseal has no such signatures. */
export function sshKeyType(kind: FormatKeyKind): string | undefined {
  if (kind === "ed25519") return "ssh-ed25519";
  if (kind.startsWith("rsa")) return "ssh-rsa";
  const curve = CURVES.find((one) => one.kind === kind)?.curve;
  return curve && `ecdsa-sha2-${curve}`;
}

/**
 * Encodes a public key.
 *
 * @param key - Ed25519, P-256, P-384 or RSA.
 * @returns The blob.
 * @throws FormatRefusal FORMAT_KEY.
 */
export function writeSshKey(key: FormatKey): Uint8Array {
  const type = sshKeyType(key.kind) ?? refuseFormat("FORMAT_KEY", -1, `${key.kind} in sshsig`);
  const curve = CURVES.find((one) => one.kind === key.kind);
  if (curve)
    return Buffer.concat([sshString(type), sshString(curve.curve), sshString(Buffer.concat([Buffer.of(4), rawOf(key, curve.kind)]))]);
  if (key.kind === "ed25519") return Buffer.concat([sshString(type), sshString(rawOf(key, "ed25519"))]);
  const { n, e } = rsaNumbers(key);
  return Buffer.concat([sshString(type), sshMpint(e), sshMpint(n)]);
}

/**
 * Reads a public key.
 *
 * @param blob - The blob. No other bytes stand for the same key.
 * @param at - Its offset in the file, for refusals.
 * @returns The key.
 * @throws FormatRefusal SIGNATURE_FILE_ALGORITHM, SIGNATURE_FILE_FORM and FORMAT_KEY.
 */
export function readSshKey(blob: Uint8Array, at = -1): FormatKey {
  const key = decode(new SshReader(blob, at), at);
  return Buffer.compare(writeSshKey(key), blob) === 0 ? key : refuseFormat("SIGNATURE_FILE_FORM", at, "the key is not in its one encoding");
}

function decode(from: SshReader, at: number): FormatKey {
  const type = from.text();
  if (type === "ssh-ed25519") return keyOnCurve("ed25519", ofLength(from.string(), 32, at));
  if (type === "ssh-rsa") {
    const e = from.number();
    return rsaKey(from.number(), e);
  }
  const curve = CURVES.find((one) => `ecdsa-sha2-${one.curve}` === type);
  if (!curve) return refuseFormat("SIGNATURE_FILE_ALGORITHM", at, "the type of the key");
  from.string();
  return keyOnCurve(curve.kind, ofLength(from.string(), 1 + 2 * curve.size, at).subarray(1));
}

function ofLength(bytes: Uint8Array, length: number, at: number): Uint8Array {
  return bytes.length === length ? bytes : refuseFormat("SIGNATURE_FILE_FORM", at, `a key of ${bytes.length} bytes`);
}
