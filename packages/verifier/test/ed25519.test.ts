import { createHash, createPrivateKey, createPublicKey, sign as nodeSign, verify as nodeVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LONG, MUTANTS, sparse } from "../../test-support/src/effort.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { ed25519 } from "../src/alg/ed25519.js";
import { sha512 } from "../src/hash/sha512.js";

const cases = Number(process.env["FIRMSEAL_CASES"] ?? (MUTANTS ? 40 : LONG ? 2000 : 500));

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));

function mod(x: bigint, m = P): bigint {
  return ((x % m) + m) % m;
}

function power(x: bigint, n: bigint): bigint {
  let result = 1n;
  for (let base = mod(x); n > 0n; n >>= 1n, base = (base * base) % P) {
    if (n & 1n) {
      result = (result * base) % P;
    }
  }
  return result;
}

function octets(x: bigint, n = 32): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => Number((x >> BigInt(8 * i)) & 255n));
}

function number(b: Uint8Array): bigint {
  return b.reduceRight((sum, octet) => (sum << 8n) + BigInt(octet), 0n);
}

function unhex(s: string): Uint8Array {
  return Uint8Array.from(Buffer.from(s, "hex"));
}

// A reference in big integers, written from RFC 8032 §5.1 alone; it makes the signatures that no honest signer makes.
type Point = [bigint, bigint];

/** The sum of two points that are fractions with the denominators z and w, as a fraction again. */
function sum([a, b, z]: bigint[], [c, d, w]: bigint[]): bigint[] {
  const zw = mod(z! * w!);
  const t = mod(D * mod(a! * b!) * mod(c! * d!));
  const both = mod(zw * zw);
  const plusT = mod(both + t);
  const minusT = mod(both - t);
  // (ad + bc) zw / (zw^2 + t), (bd + ac) zw / (zw^2 - t)
  return [mod(mod((a! * d! + b! * c!) * zw) * minusT), mod(mod((b! * d! + a! * c!) * zw) * plusT), mod(plusT * minusT)];
}

function affine([x, y, z]: bigint[]): Point {
  const inverse = power(z!, P - 2n);
  return [mod(x! * inverse), mod(y! * inverse)];
}

function plus(p: Point, q: Point): Point {
  return affine(sum([...p, 1n], [...q, 1n]));
}

function times(n: bigint, p: Point): Point {
  let result = [0n, 1n, 1n];
  for (let q = [...p, 1n]; n > 0n; n >>= 1n, q = sum(q, q)) {
    if (n & 1n) {
      result = sum(result, q);
    }
  }
  return affine(result);
}

function encode([x, y]: Point): Uint8Array {
  return octets(y + ((x & 1n) << 255n));
}

function root(square: bigint): bigint | undefined {
  const x = power(square, (P + 3n) / 8n);
  return [x, mod(x * power(2n, (P - 1n) / 4n))].find((r) => mod(r * r) === mod(square));
}

const BASE_Y = mod(4n * power(5n, P - 2n));
const BASE_X = root((BASE_Y * BASE_Y - 1n) * power(D * BASE_Y * BASE_Y + 1n, P - 2n))!;
const B: Point = [BASE_X & 1n ? P - BASE_X : BASE_X, BASE_Y];

function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return mod(number(createHash("sha512").update(r).update(a).update(message).digest()), L);
}

const SQRT_M1 = power(2n, (P - 1n) / 4n);
/** The eight points of small order, as multiples of one of order 8 (x^2 = -y^2 and 2 y^2 = 1 - d y^4). */
const order8: Point = (() => {
  for (const sign of [1n, -1n]) {
    const y2 = mod((-1n + sign * root(1n + D)!) * power(D, P - 2n));
    const y = root(y2);
    if (y !== undefined) {
      return [mod(SQRT_M1 * y), y] as Point;
    }
  }
  throw new Error("no point of order 8");
})();
const torsion = Array.from({ length: 8 }, (_, i) => times(BigInt(i), order8));

/** A signature with secret scalar `a`, a torsion point on top of A and of R; `k` may be found by the caller. */
function forge(a: bigint, r: bigint, message: Uint8Array, onA: Point, onR: Point): { key: Uint8Array; signature: Uint8Array } {
  const key = encode(plus(times(a, B), onA));
  const first = encode(plus(times(r, B), onR));
  const s = mod(r + challenge(first, key, message) * a, L);
  return { key, signature: Uint8Array.of(...first, ...octets(s)) };
}

// A fixed linear congruential sequence: a failure can be repeated.
let seed = 7;
function random(n: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 4294967296) * n);
}

function randomOctets(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, () => random(256));
}

function keyPair(secret: Uint8Array) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const key = new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(12));
  return { key, sign: (message: Uint8Array) => new Uint8Array(nodeSign(null, message, privateKey)) };
}

function openssl(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  try {
    return nodeVerify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
  } catch {
    return false;
  }
}

function verify(key: ArrayLike<number>, message: ArrayLike<number>, signature: ArrayLike<number>): boolean {
  return ed25519.verify(key, message, signature, {});
}

describe("the test vectors of RFC 8032 §7.1", () => {
  const rfc: [string, string, string, string][] = [
    [
      "TEST 1",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "TEST 2",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "TEST 3",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
      "TEST SHA(abc)",
      "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
  ];
  it.each(rfc)("%s", (_, key, message, signature) => {
    expect(verify(unhex(key), unhex(message), unhex(signature))).toBe(true);
    expect(verify(Array.from(unhex(key)), Array.from(unhex(message)), Array.from(unhex(signature)))).toBe(true);
    expect(verify(unhex(key), Uint8Array.of(...unhex(message), 0), unhex(signature))).toBe(false);
    expect(ed25519.valid(unhex(key))).toBe(true);
  });
});

interface Wycheproof {
  numberOfTests: number;
  testGroups: { publicKey: { pk: string }; tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[] }[];
}

describe.skipIf(!haveVectors)("the published vectors", () => {
  it("agrees with Wycheproof in every case", () => {
    const file = vectorJson<Wycheproof>("crypto/ed25519_test.json");
    let count = 0;
    for (const group of file.testGroups) {
      for (const test of sparse(group.tests, 4)) {
        const got = verify(unhex(group.publicKey.pk), unhex(test.msg), unhex(test.sig));
        expect(got, `tcId ${test.tcId}: ${test.comment}`).toBe(test.result === "valid");
        count++;
      }
    }
    if (!MUTANTS) expect(count).toBe(file.numberOfTests);
  });

  it("accepts number 3 of ed25519-speccheck and no other", () => {
    const file = vectorJson<{ pub_key: string; message: string; signature: string }[]>("crypto/ed25519-speccheck.json");
    const accepted = file.map((test) => verify(unhex(test.pub_key), unhex(test.message), unhex(test.signature)));
    expect(accepted).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => i === 3));
  });
});

describe("against node:crypto", () => {
  it(`decides ${cases} random cases alike`, { timeout: 600000 }, () => {
    let accepted = 0;
    let pair = keyPair(randomOctets(32));
    for (let i = 0; i < cases; i++) {
      if (i % 4 === 0) {
        pair = keyPair(randomOctets(32));
      }
      const message = randomOctets(random(200));
      const signature = pair.sign(message);
      let key: Uint8Array = pair.key;
      const kind = random(8);
      const flip = (b: Uint8Array) => {
        b[random(b.length)]! ^= 1 << random(8);
      };
      if (kind === 0) {
        flip(signature);
      } else if (kind === 1 && message.length) {
        flip(message);
      } else if (kind === 2) {
        key = key.slice();
        flip(key);
      } else if (kind === 3) {
        signature.set(octets(number(signature.subarray(32)) + L), 32);
      } else if (kind === 4) {
        // -R, or -A
        key = key.slice();
        const point = random(2) ? signature : key;
        point[31]! ^= 128;
      }
      const got = verify(key, message, signature);
      accepted += Number(got);
      if (got !== openssl(key, message, signature)) {
        expect.fail(`case ${i}, kind ${kind}: ${got} for ${[key, message, signature].map((b) => Buffer.from(b).toString("hex"))}`);
      }
    }
    if (MUTANTS) return;
    expect(accepted).toBeGreaterThan(cases / 4);
    expect(accepted).toBeLessThan(cases / 2);
  });

  it("takes points of mixed order by the equation without the cofactor, as node:crypto does", () => {
    let accepted = 0;
    for (let i = 0; i < (MUTANTS ? 16 : 120); i++) {
      const message = randomOctets(32);
      const a = number(randomOctets(32)) % L;
      const r = number(randomOctets(32)) % L;
      const { key, signature } = forge(a, r, message, torsion[i % 8]!, torsion[random(8)]!);
      const got = verify(key, message, signature);
      accepted += Number(got);
      expect(got, String(i)).toBe(openssl(key, message, signature));
    }
    if (MUTANTS) return;
    expect(accepted).toBeGreaterThan(5);
    expect(accepted).toBeLessThan(60);
  });

  it("decides small scalars alike", () => {
    for (const a of [1n, 2n, 3n, L - 1n]) {
      for (const r of [1n, 2n, 15n, 16n, L - 1n]) {
        const message = octets(a * r, 80);
        const { key, signature } = forge(a, r, message, [0n, 1n], [0n, 1n]);
        expect(verify(key, message, signature)).toBe(true);
        expect(openssl(key, message, signature)).toBe(true);
      }
    }
  });
});

describe("what is refused before the equation", () => {
  const message = unhex("00112233");

  it("S of L and above, at any multiple that fits 32 octets", () => {
    const { key, signature } = forge(5n, 7n, message, [0n, 1n], [0n, 1n]);
    const s = number(signature.subarray(32));
    expect(verify(key, message, signature)).toBe(true);
    for (let m = 1n; s + m * L < 2n ** 256n; m++) {
      const other = signature.slice();
      other.set(octets(s + m * L), 32);
      expect(verify(key, message, other)).toBe(false);
    }
    for (const edge of [L - 1n, L, L + 1n, 2n ** 252n - 1n, 2n ** 252n, 2n ** 253n, 2n ** 256n - 1n]) {
      const other = signature.slice();
      other.set(octets(edge), 32);
      expect(verify(key, message, other)).toBe(false);
    }
  });

  it("but not an S from 2^252 to L - 1", () => {
    // No signer comes upon such an S, so let the hash be one that the test decides: then R can be chosen to fit.
    for (const s of [L - 1n, 2n ** 252n, 2n ** 252n - 1n, 0n, 1n]) {
      const k = 12345n;
      const r = mod(s - k, L);
      const signature = Uint8Array.of(...encode(times(r, B)), ...octets(s));
      const fixed = { create: () => ({ update() {}, digest: () => octets(k + 5n * L, 64) }) };
      expect(ed25519.verify(encode(B), message, signature, { sha512: fixed })).toBe(true);
    }
  });

  it("reduces every hash modulo L", () => {
    const top = 2n ** 512n - 1n;
    const hashes = [
      L - 1n,
      L,
      L + 1n,
      2n ** 252n - 1n,
      2n ** 252n,
      2n ** 253n,
      (top / L) * L,
      (top / L) * L - 1n,
      (top / L) * L + 1n,
      top,
      top - 1n,
    ];
    for (let i = 0; i < (MUTANTS ? 2 : 100); i++) {
      hashes.push(number(randomOctets(64)), number(randomOctets(32)) * L, ((2n ** 260n - BigInt(i)) * L) % top);
    }
    for (const k of hashes) {
      const r = mod(3n - (k % L), L);
      if (r === 0n) {
        continue;
      }
      const signature = Uint8Array.of(...encode(times(r, B)), ...octets(3n));
      const fixed = { create: () => ({ update() {}, digest: () => octets(k, 64) }) };
      expect(ed25519.verify(encode(B), message, signature, { sha512: fixed }), String(k)).toBe(true);
      signature[32] = 4;
      expect(ed25519.verify(encode(B), message, signature, { sha512: fixed }), String(k)).toBe(false);
    }
  });

  it("a key or R of small order, and every other encoding of one", () => {
    // y = p and above (RFC 8032 §5.1.3 step 1), x = 0 with a sign (step 4), and the eight points themselves.
    const encodings = torsion.map(encode);
    expect(new Set(encodings.map(String)).size).toBe(8);
    for (const y of [0n, 1n, P - 1n]) {
      for (const high of [0n, 1n << 255n]) {
        encodings.push(octets(y + high));
        if (y + P < 2n ** 255n) {
          encodings.push(octets(y + P + high));
        }
      }
    }
    for (const small of encodings) {
      expect(ed25519.valid(small)).toBe(false);
      for (const s of [0n, 1n, 8n]) {
        for (let i = 0; i < 8; i++) {
          // R = [S]B - [k]A for whatever multiple of A that [k]A may be.
          const first = encode(plus(times(s, B), torsion[i]!));
          expect(verify(small, Uint8Array.of(i), Uint8Array.of(...first, ...octets(s)))).toBe(false);
        }
      }
    }
    // R of small order with an honest key: S = k a makes [S]B - [k]A the neutral point.
    for (let i = 0; i < 16; i++) {
      const { key, signature } = forge(9n, 0n, Uint8Array.of(i), torsion[i % 8]!, torsion[(i * 3) % 8]!);
      expect(verify(key, Uint8Array.of(i), signature)).toBe(false);
    }
  });

  it("a key that is not canonical, or not on the curve", () => {
    for (let y = P; y < 2n ** 255n; y++) {
      for (const sign of [0n, 1n << 255n]) {
        expect(ed25519.valid(octets(y + sign))).toBe(false);
      }
    }
    // the last ones below p, and others
    for (let i = 2; i < 300; i++) {
      const y = i < 60 ? P - BigInt(i) : number(randomOctets(32)) % P;
      const on = root((y * y - 1n) * power(D * y * y + 1n, P - 2n)) !== undefined;
      expect(ed25519.valid(octets(y))).toBe(on);
      expect(ed25519.valid(octets(y + (1n << 255n)))).toBe(on);
    }
  });

  it("but not a key that is below p by one bit of one octet", () => {
    let good = 0;
    for (let at = 1; at < 31; at++)
      for (const low of [237, 246, 255]) {
        const key = new Uint8Array(32).fill(255);
        key.set([low], 0);
        key.set([254], at);
        key.set([127], 31);
        const y2 = mod(number(key) ** 2n);
        // x^2, which is a square for one half of them
        const isPoint = power(mod((y2 - 1n) * power(mod(D * y2 + 1n), P - 2n)), (P - 1n) / 2n) === 1n;
        expect(ed25519.valid(key), `${at}, ${low}`).toBe(isPoint);
        good += Number(isPoint);
      }
    expect(good).toBeGreaterThan(20);
  });

  it("an R that is not canonical, though it is the point", () => {
    // y = 3 .. 18 have a second encoding y + p; only some are on the curve. The hash is over the encoding given.
    const k = 77n;
    const fixed = { create: () => ({ update() {}, digest: () => octets(k, 64) }) };
    let tried = 0;
    for (let y = 2n; y < 19n; y++) {
      const x = root((y * y - 1n) * power(D * y * y + 1n, P - 2n));
      if (x === undefined) {
        continue;
      }
      // A = [1/k]([S]B - R), in the group of order 8 L.
      const whole = 8n * L;
      let inverse = 1n;
      for (let n = 4n * (L - 1n) - 1n, base = k; n > 0n; n >>= 1n, base = (base * base) % whole) {
        inverse = n & 1n ? (inverse * base) % whole : inverse;
      }
      expect((inverse * k) % whole).toBe(1n);
      const key = encode(times(inverse, plus(times(5n, B), [mod(-x), y])));
      const sign = (x & 1n) << 255n;
      expect(ed25519.verify(key, message, Uint8Array.of(...octets(y + sign), ...octets(5n)), { sha512: fixed })).toBe(true);
      expect(ed25519.verify(key, message, Uint8Array.of(...octets(y + P + sign), ...octets(5n)), { sha512: fixed })).toBe(false);
      tried++;
    }
    expect(tried).toBeGreaterThan(2);
  });
});

describe("robustness", () => {
  it("returns false for every wrong length", () => {
    const pair = keyPair(randomOctets(32));
    const message = randomOctets(20);
    const signature = pair.sign(message);
    for (let n = 0; n < 130; n++) {
      const longer = Uint8Array.from({ length: n }, (_, i) => signature[i] ?? 0);
      expect(verify(pair.key, message, longer)).toBe(n === 64);
      const key = Uint8Array.from({ length: n }, (_, i) => pair.key[i] ?? 0);
      expect(verify(key, message, signature)).toBe(n === 32);
      expect(ed25519.valid(key)).toBe(n === 32);
    }
    expect(verify(randomOctets(65536), message, signature)).toBe(false);
  });

  it("never throws on garbage", () => {
    for (let i = 0; i < 300; i++) {
      const fill = random(3);
      const make = (n: number) => (fill ? new Uint8Array(n).fill(fill === 1 ? 0 : 255) : randomOctets(n));
      expect(verify(make(random(2) ? 32 : random(70)), make(random(300)), make(random(2) ? 64 : random(130)))).toBe(false);
    }
  });

  it("knows a key by its octets, whatever was asked before", () => {
    const [one, other] = [keyPair(randomOctets(32)), keyPair(randomOctets(32))];
    const message = randomOctets(20);
    const [first, second] = [one.sign(message), other.sign(message)];
    const bad = octets(2n);
    expect(ed25519.valid(bad)).toBe(false);
    for (let round = 0; round < 3; round++) {
      expect([ed25519.valid(one.key), verify(one.key, message, first), verify(one.key, message, second)]).toEqual([true, true, false]);
      expect([ed25519.valid(bad), verify(bad, message, first)]).toEqual([false, false]);
      expect([verify(other.key, message, second), verify(other.key, message, first), ed25519.valid(other.key)]).toEqual([
        true,
        false,
        true,
      ]);
    }
    // one array, of which the octets change; each octet counts
    const key = one.key.slice();
    expect(verify(key, message, first)).toBe(true);
    key.set(other.key);
    expect([verify(key, message, first), verify(key, message, second)]).toEqual([false, true]);
    for (let i = 0; i < 32; i++) {
      const near = one.key.slice();
      near[i]! ^= 128;
      expect(verify(one.key, message, first)).toBe(true);
      expect(verify(near, message, first)).toBe(false);
    }
    // a hash that fails leaves nothing behind
    const failing = {
      create: () => {
        throw new Error("no hash");
      },
    };
    expect(() => ed25519.verify(other.key, message, second, { sha512: failing })).toThrow("no hash");
    expect([verify(one.key, message, first), verify(other.key, message, second)]).toEqual([true, true]);
  });

  it("takes octets only: what is above 255 counts for nothing", () => {
    const message = randomOctets(20);
    const a = times(number(randomOctets(32)) % L, B);
    const key = encode(a);
    // y of another point in "octets" whose low bits are those that are hashed: else R and S could be made with the public key alone
    const spread = (low: Uint8Array, y: bigint) => {
      const bytes = Array.from(low);
      let more = mod((y - (number(low) % 2n ** 255n)) * power(256n, P - 2n));
      for (let i = 0; i < 31; i++, more >>= 8n) bytes[i]! += 256 * Number(i < 30 ? more & 255n : more);
      return bytes;
    };
    let tried = 0;
    while (tried < 4) {
      const low = randomOctets(32);
      const k = challenge(low, key, message);
      const s = number(randomOctets(32)) % L;
      const [x, y] = plus(times(s, B), times(L - k, a));
      if (Number(x & 1n) !== low[31]! >> 7) continue;
      expect(verify(key, message, [...spread(low, y), ...octets(s)])).toBe(false);
      tried++;
    }
    // such a key, and what is known of keys behind it
    const other = keyPair(randomOctets(32));
    for (let i = 0; i < 8; i++) {
      const strange = spread(key, number(other.key) % 2n ** 255n);
      expect(ed25519.valid(strange)).toBe(false);
      expect(verify(key, message, other.sign(message))).toBe(false);
      expect(ed25519.valid(key)).toBe(true);
      const near: unknown[] = Array.from(key);
      near[i * 4] = [
        256 + key[i * 4]!,
        key[i * 4]! - 256,
        key[i * 4]! + 0.5,
        undefined,
        null,
        NaN,
        String(key[i * 4]),
        2 ** 32 + key[i * 4]!,
      ][i];
      expect(ed25519.valid(near as number[])).toBe(false);
      expect(ed25519.valid(key)).toBe(true);
    }
    for (const text of ["1", "3", "6", "9"]) expect(ed25519.valid(text.repeat(32) as unknown as Uint8Array)).toBe(false);
  });

  it("has no point for nothing, also where it was interrupted", () => {
    const one = keyPair(randomOctets(32));
    const failing = Array.from(keyPair(randomOctets(32)).key);
    let reads = 0;
    Object.defineProperty(failing, 3, {
      get() {
        if (++reads === 1 + (rounds % 4)) throw new Error("interrupted");
        return 7;
      },
    });
    let rounds = 0;
    for (; rounds < 8; rounds++) {
      expect(ed25519.valid(one.key)).toBe(true);
      reads = 0;
      try {
        ed25519.valid(failing);
      } catch (e) {
        expect((e as Error).message).toBe("interrupted");
      }
      expect(ed25519.valid(new Array(32))).toBe(false);
      expect(verify(new Array(32), randomOctets(3), randomOctets(64))).toBe(false);
      expect(ed25519.valid(one.key)).toBe(true);
    }
    // a key that is another one each time it is read
    const two = keyPair(randomOctets(32));
    const message = randomOctets(9);
    for (const turn of [16, 32, 33, 48, 64, 80]) {
      let n = 0;
      const moving = new Proxy(Array.from(one.key), {
        get: (target, name) => (name === "length" ? 32 : (n++ < turn ? target : two.key)[Number(name)]),
      });
      ed25519.valid(moving);
      expect([verify(one.key, message, two.sign(message)), verify(two.key, message, one.sign(message))]).toEqual([false, false]);
      expect([verify(one.key, message, one.sign(message)), verify(two.key, message, two.sign(message))]).toEqual([true, true]);
    }
  });

  it("changes nothing that it is given, and uses a hash of the host and a prepared key", () => {
    const pair = keyPair(randomOctets(32));
    const message = randomOctets(100);
    const signature = pair.sign(message);
    const copies = [pair.key, message, signature].map((b) => b.slice());
    let used = 0;
    const counting = {
      create: () => {
        used++;
        return sha512.create();
      },
    };
    expect(ed25519.verify({ key: pair.key, table: undefined }, message, signature, { sha512: counting })).toBe(true);
    expect(used).toBe(1);
    expect([pair.key, message, signature]).toEqual(copies);
    expect(ed25519.ids).toEqual([-8, -19]);
  });
});
