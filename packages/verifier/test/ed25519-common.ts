// Ed25519 with big integers, as slow and as plain as in RFC 8032, and signatures that are forged with it.

import { createHash, createPrivateKey, createPublicKey, sign as nodeSign } from "node:crypto";
import { drawOctets, draws } from "../../test-support/src/randoms.js";
import { ed25519 } from "../src/alg/ed25519.js";

export const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
export const D = mod(-121665n * power(121666n, P - 2n));

export function mod(x: bigint, m = P): bigint {
  return ((x % m) + m) % m;
}

export function power(x: bigint, n: bigint): bigint {
  let result = 1n;
  for (let base = mod(x); n > 0n; n >>= 1n, base = (base * base) % P) {
    if (n & 1n) {
      result = (result * base) % P;
    }
  }
  return result;
}

export function octets(x: bigint, n = 32): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => Number((x >> BigInt(8 * i)) & 255n));
}

export function number(b: Uint8Array): bigint {
  return b.reduceRight((sum, octet) => (sum << 8n) + BigInt(octet), 0n);
}

export function unhex(s: string): Uint8Array {
  return Uint8Array.from(Buffer.from(s, "hex"));
}

// A reference in big integers, written from RFC 8032 §5.1 alone; it makes the signatures that no honest signer makes.
export type Point = [bigint, bigint];

/** The sum of two points that are fractions with the denominators z and w, as a fraction again. */
export function sum([a, b, z]: bigint[], [c, d, w]: bigint[]): bigint[] {
  const zw = mod(z! * w!);
  const t = mod(D * mod(a! * b!) * mod(c! * d!));
  const both = mod(zw * zw);
  const plusT = mod(both + t);
  const minusT = mod(both - t);
  // (ad + bc) zw / (zw^2 + t), (bd + ac) zw / (zw^2 - t)
  return [mod(mod((a! * d! + b! * c!) * zw) * minusT), mod(mod((b! * d! + a! * c!) * zw) * plusT), mod(plusT * minusT)];
}

export function affine([x, y, z]: bigint[]): Point {
  const inverse = power(z!, P - 2n);
  return [mod(x! * inverse), mod(y! * inverse)];
}

export function plus(p: Point, q: Point): Point {
  return affine(sum([...p, 1n], [...q, 1n]));
}

export function times(n: bigint, p: Point): Point {
  let result = [0n, 1n, 1n];
  for (let q = [...p, 1n]; n > 0n; n >>= 1n, q = sum(q, q)) {
    if (n & 1n) {
      result = sum(result, q);
    }
  }
  return affine(result);
}

export function encode([x, y]: Point): Uint8Array {
  return octets(y + ((x & 1n) << 255n));
}

export function root(square: bigint): bigint | undefined {
  const x = power(square, (P + 3n) / 8n);
  return [x, mod(x * power(2n, (P - 1n) / 4n))].find((r) => mod(r * r) === mod(square));
}

export const BASE_Y = mod(4n * power(5n, P - 2n));
export const BASE_X = root((BASE_Y * BASE_Y - 1n) * power(D * BASE_Y * BASE_Y + 1n, P - 2n))!;
export const B: Point = [BASE_X & 1n ? P - BASE_X : BASE_X, BASE_Y];

export function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return mod(number(createHash("sha512").update(r).update(a).update(message).digest()), L);
}

export const SQRT_M1 = power(2n, (P - 1n) / 4n);

/** The eight points of small order, as multiples of one of order 8 (x^2 = -y^2 and 2 y^2 = 1 - d y^4). */
export const order8: Point = (() => {
  for (const sign of [1n, -1n]) {
    const y2 = mod((-1n + sign * root(1n + D)!) * power(D, P - 2n));
    const y = root(y2);
    if (y !== undefined) {
      return [mod(SQRT_M1 * y), y] as Point;
    }
  }
  throw new Error("no point of order 8");
})();
export const torsion = Array.from({ length: 8 }, (_, i) => times(BigInt(i), order8));

/** A signature with secret scalar `a`, a torsion point on top of A and of R; `k` may be found by the caller. */
export function forge(a: bigint, r: bigint, message: Uint8Array, onA: Point, onR: Point): { key: Uint8Array; signature: Uint8Array } {
  const key = encode(plus(times(a, B), onA));
  const first = encode(plus(times(r, B), onR));
  const s = mod(r + challenge(first, key, message) * a, L);
  return { key, signature: Uint8Array.of(...first, ...octets(s)) };
}

export const random = draws(7);

export const randomOctets = (n: number): Uint8Array => drawOctets(random, n);

export function keyPair(secret: Uint8Array) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const key = new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(12));
  return { key, sign: (message: Uint8Array) => new Uint8Array(nodeSign(null, message, privateKey)) };
}

export function verify(key: ArrayLike<number>, message: ArrayLike<number>, signature: ArrayLike<number>): boolean {
  return ed25519.verify(key, message, signature, {});
}
