// An Espruino board for tests: memory with addresses, native hashes, and machine code whose functions are those of
// node:crypto, found by the head of the image (kernel.h). Counts what is used.

import { createHash, createPublicKey, hash, verify } from "node:crypto";
import { crc32 } from "node:zlib";
import { p256 } from "@noble/curves/nist.js";
import { fromLatin1, latin1 } from "./bytes.js";

/** FIRMSEAL_VALID of kernel.h. */
const VALID = 0x5ea1ed25;
/** The functions of an image, as the words of its head have them. */
const FUNCTIONS = [
  "verify",
  "key",
  ...["sha256", "sha512"].flatMap((name) => ["begin", "update", "finish"].map((what) => `${name} ${what}`)),
  "sample",
  "sha256",
  "sha512",
  "p256 verify",
  "p256 key",
  "p256 sample",
];

/** An address where there is no memory. */
const NOWHERE = 0x10000000;
/** The bytes of a state, as kernel.h has them. */
const STATE = { sha256: 104, sha512: 200 };

type Pieces = (number | Uint8Array)[];
type Flat = string | Uint8Array | Uint32Array;

function isValid(signedBy: Uint8Array, message: Uint8Array): boolean {
  const x = Buffer.from(signedBy.subarray(0, 32)).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, message, key, signedBy.subarray(32, 96));
}

/** ECDSA with P-256 over a digest. `signedBy`: the key (4, x, y) and the signature (r, s), 129 bytes. */
function isValidP256(signedBy: Uint8Array, digest: Uint8Array): boolean {
  return p256.verify(signedBy.subarray(65, 129), digest, signedBy.subarray(0, 65), { prehash: false, lowS: false });
}

export class NativeBoard {
  /** How often each was used: a native hash by its name, a function of the machine code by "kernel" and its name. */
  counts: { [what: string]: number } = {};
  stackFree: number | undefined = 30_000;
  /** Whether what Storage reads is a text in mapped flash, which has an address. */
  mapped = true;
  #values: Flat[] = [];
  /** What Storage read last: the same text has an address once it was made flat. */
  #read: string | undefined;
  #hashes = new Map<number, Uint8Array[]>();
  E;
  process;
  crypto: { SHA256?(data: string | Uint8Array | Pieces): ArrayBuffer; SHA512?(data: string | Uint8Array | Pieces): ArrayBuffer } = {};

  constructor(board: string, native: readonly ("sha256" | "sha512")[]) {
    const addressOf = (value: Flat): number => {
      const isInFlash = value === this.#read && !this.mapped;
      this.#read = undefined;
      if (isInFlash) return 0;
      if (!this.#values.includes(value)) this.#values.push(value);
      return 0x20000000 + 0x10000 * this.#values.indexOf(value);
    };
    this.E = {
      nativeCall: (at: number, _signature: string, code?: string) => {
        const image = code ?? (this.#values[Math.floor((at - 0x20000000) / 0x10000)] as string);
        return (a: number, b: number, c: number) => this.#run(fromLatin1(image), code === undefined ? at & 0xffff : at, [a, b, c]);
      },
      // without `isFlat`, Espruino gives the place of the variable, and not of its content
      getAddressOf: (value: Flat, isFlat = false) => (isFlat ? addressOf(value) : NOWHERE),
      toFlatString: (text: string) => {
        this.count("flat");
        return text;
      },
      toArrayBuffer: (text: string) => fromLatin1(text).buffer as ArrayBuffer,
      toUint8Array: fromLatin1,
      toString: (bytes: ArrayLike<number>) => latin1(Uint8Array.from(bytes)),
      CRC32: (data: string | Uint8Array) => crc32(typeof data === "string" ? fromLatin1(data) : data),
    };
    this.process = { env: { BOARD: board }, memory: () => (this.stackFree === undefined ? {} : { stackFree: this.stackFree }) };
    for (const name of native)
      this.crypto[name === "sha256" ? "SHA256" : "SHA512"] = (data) => {
        this.count(name);
        return Uint8Array.from(hash(name, octets(data), "buffer")).buffer;
      };
  }

  /** Storage whose texts are in flash. */
  inFlash<T extends { read(...args: never[]): string | undefined }>(storage: T): T {
    const read = (...args: never[]) => {
      this.#read = storage.read(...args);
      return this.#read;
    };
    return new Proxy(storage, { get: (of, name) => (name === "read" ? read : Reflect.get(of, name)) });
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #bytes(at: number, n: number): Uint8Array {
    const value = this.#values[Math.floor((at - 0x20000000) / 0x10000)] as Flat;
    const all = typeof value === "string" ? fromLatin1(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const from = at & 0xffff;
    if (from + n > all.length) throw new Error(`${n} bytes at ${from} of ${all.length}`);
    return all.subarray(from, from + n);
  }

  #run(image: Uint8Array, entry: number, [a, b, c]: [number, number, number]): number {
    const words = new DataView(image.buffer, image.byteOffset);
    const name = FUNCTIONS.find((_, i) => words.getUint32(12 + 4 * i, true) === entry);
    if (!name) throw new Error(`no function at ${entry}`);
    this.count(`kernel ${name}`);
    if (name === "key") return VALID;
    if (name === "p256 key") return VALID;
    if (name === "p256 verify") return isValidP256(this.#bytes(a, 129), this.#bytes(b, c)) ? VALID : 0;
    if (name === "verify") return isValid(this.#bytes(a, 96), this.#bytes(b, c)) ? VALID : 0;
    if (name === "sha256" || name === "sha512") {
      const digest = hash(name, this.#bytes(a, b), "buffer");
      this.#bytes(c, digest.length).set(digest);
      return 0;
    }
    const [of, what] = name.split(" ") as ["sha256" | "sha512", string];
    if (a % 4) throw new Error(`a state at ${a}`);
    this.#bytes(a, STATE[of]);
    // what is not of the state must be outside of it
    if (what !== "begin" && b < a + STATE[of] && b + (c || 1) > a) throw new Error("the state is overwritten");
    if (what === "begin") this.#hashes.set(a, []);
    else if (what === "update") (this.#hashes.get(a) as Uint8Array[]).push(Uint8Array.from(this.#bytes(b, c)));
    else {
      const digest = createHash(of)
        .update(Buffer.concat(this.#hashes.get(a) as Uint8Array[]))
        .digest();
      this.#bytes(b, digest.length).set(digest);
    }
    return 0;
  }
}

/** What a native hash of Espruino takes. */
export function octets(data: string | Uint8Array | Pieces): Uint8Array {
  if (typeof data === "string") return fromLatin1(data);
  return Buffer.concat(Array.from(data as Pieces, (piece) => (typeof piece === "number" ? Uint8Array.of(piece) : Uint8Array.from(piece))));
}
