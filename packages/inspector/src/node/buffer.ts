// What the simulator and its models use of Node's Buffer.

import { toHex } from "@firmseal/verifier/tools";

type Encoding = "latin1" | "utf8" | "hex";

/** Characters to String.fromCharCode() at once: each is an argument. */
const AT_ONCE = 8192;

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return text;
}

function encoded(text: string, encoding: Encoding): Uint8Array {
  if (encoding === "utf8") return new TextEncoder().encode(text);
  if (encoding === "latin1") return Uint8Array.from(text, (c) => c.charCodeAt(0));
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export class Buffer extends Uint8Array {
  // not that of Uint8Array, which takes a function
  static override from(data: unknown, encoding?: unknown): Buffer {
    const bytes = typeof data === "string" ? encoded(data, (encoding ?? "utf8") as Encoding) : (data as ArrayLike<number>);
    const out = new Buffer(bytes.length);
    out.set(bytes);
    return out;
  }

  static isBuffer(value: unknown): value is Buffer {
    return value instanceof Buffer;
  }

  /** 0 if equal. The order is not that of Node: only equality is asked for. */
  static compare(a: Uint8Array, b: Uint8Array): number {
    if (a.length !== b.length) return 1;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return 1;
    return 0;
  }

  equals(other: Uint8Array): boolean {
    return Buffer.compare(this, other) === 0;
  }

  override toString(encoding: Encoding = "utf8"): string {
    if (encoding === "hex") return toHex(this);
    return encoding === "latin1" ? latin1(this) : new TextDecoder().decode(this);
  }
}
