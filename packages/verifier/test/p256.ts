// P-256 by the book, in BigInt: nothing shared with the code under test.

export const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
export const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Undefined is the point at infinity. */
export type Point = { x: bigint; y: bigint } | undefined;

export const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
};

export const mod = (a: bigint, m: bigint): bigint => ((a % m) + m) % m;

export function power(a: bigint, e: bigint, m: bigint): bigint {
  let r = 1n;
  for (let b = mod(a, m); e > 0n; e >>= 1n, b = (b * b) % m) if (e & 1n) r = (r * b) % m;
  return r;
}

/** Euclid, extended; m is prime and a not a multiple of it. */
export function inverse(a: bigint, m: bigint): bigint {
  let [r, s, x, y] = [m, mod(a, m), 0n, 1n];
  while (s > 0n) [r, s, x, y] = [s, r % s, y, x - (r / s) * y];
  return mod(x, m);
}

export function sum(p: Point, q: Point): Point {
  if (!p) return q;
  if (!q) return p;
  if (p.x === q.x && p.y !== q.y) return undefined;
  const slope = p.x === q.x ? (3n * p.x * p.x - 3n) * inverse(2n * p.y, P) : (q.y - p.y) * inverse(q.x - p.x, P);
  const x = mod(slope * slope - p.x - q.x, P);
  return { x, y: mod(slope * (p.x - x) - p.y, P) };
}

/** Jacobian coordinates: x / z², y / z³. Z = 0 is the point at infinity. One inversion for a product, in place of one for each sum. */
type Jacobian = { x: bigint; y: bigint; z: bigint };

function doubled({ x, y, z }: Jacobian): Jacobian {
  const [yy, zz] = [mod(y * y, P), mod(z * z, P)];
  const s = mod(4n * x * yy, P);
  const m = mod(3n * (x - zz) * (x + zz), P);
  const x3 = mod(m * m - 2n * s, P);
  return { x: x3, y: mod(m * (s - x3) - 8n * yy * yy, P), z: mod(2n * y * z, P) };
}

function added(p: Jacobian, q: Jacobian): Jacobian {
  if (p.z === 0n) return q;
  if (q.z === 0n) return p;
  const [pzz, qzz] = [mod(p.z * p.z, P), mod(q.z * q.z, P)];
  const [u, v] = [mod(p.x * qzz, P), mod(p.y * qzz * q.z, P)];
  const h = mod(q.x * pzz - u, P);
  const r = mod(q.y * pzz * p.z - v, P);
  if (h === 0n) return r === 0n ? doubled(p) : { x: 1n, y: 1n, z: 0n };
  const hh = mod(h * h, P);
  const w = mod(u * hh, P);
  const x = mod(r * r - h * hh - 2n * w, P);
  return { x, y: mod(r * (w - x) - v * h * hh, P), z: mod(p.z * q.z * h, P) };
}

export function times(k: bigint, p: Point): Point {
  if (!p) return undefined;
  let r: Jacobian = { x: 1n, y: 1n, z: 0n };
  for (let b: Jacobian = { ...p, z: 1n }, e = mod(k, N); e > 0n; e >>= 1n, b = doubled(b)) if (e & 1n) r = added(r, b);
  if (r.z === 0n) return undefined;
  const i = inverse(r.z, P);
  return { x: mod(r.x * i * i, P), y: mod(r.y * i * i * i, P) };
}

export const negative = (p: Point): Point => p && { x: p.x, y: P - p.y };

/** A point with this x, if there is one (p = 3 modulo 4). */
export function lift(x: bigint): Point {
  const yy = mod(x * x * x - 3n * x + B, P);
  const y = power(yy, (P + 1n) / 4n, P);
  return (y * y) % P === yy ? { x, y } : undefined;
}

export function bytes(a: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(a.toString(16).padStart(64, "0"), "hex"));
}

export function number(b: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(b).toString("hex")}`);
}

/** 4 || x || y (SEC 1 §2.3.3). */
export function encode(p: Point): Uint8Array {
  if (!p) throw new Error("infinity has no such form");
  return Uint8Array.from([4, ...bytes(p.x), ...bytes(p.y)]);
}

export const signature = (r: bigint, s: bigint): Uint8Array => Uint8Array.from([...bytes(r), ...bytes(s)]);
