import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, randomInt, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { LEAST, LONG, OF_SOME, some, sparse } from "../../test-support/src/environment/effort.js";
import { drawnPair } from "../../test-support/src/keys/drawn-keys.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { es256 } from "../src/alg/es256.js";
import type { Host } from "../src/base/types.js";
import { rawSignature } from "./der.js";
import { bytes, encode, G, inverse, lift, mod, N, negative, number, P, type Point, signature, sum, times } from "./p256.js";

const cases = Number(process.env["FIRMSEAL_CASES"] ?? (LEAST ? 5 : LONG ? 500 : 100));
const ours: Host = {};
const message = Uint8Array.from([1, 2, 3]);
const digest = number(createHash("sha256").update(message).digest());

interface Wycheproof {
  testGroups: {
    publicKey: { uncompressed: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[];
  }[];
}

describe.skipIf(!haveVectors)("Wycheproof", () => {
  for (const [file, read] of [
    ["ecdsa_secp256r1_sha256_p1363_test", (sig: Uint8Array) => sig],
    ["ecdsa_secp256r1_sha256_test", (sig: Uint8Array) => rawSignature(sig, 32)],
  ] as const) {
    it(file, () => {
      const wrong: string[] = [];
      for (const group of vectorJson<Wycheproof>(`crypto/${file}.json`).testGroups) {
        const key = hex(group.publicKey.uncompressed);
        for (const test of sparse(group.tests, 8)) {
          const sig = read(hex(test.sig));
          const result = sig !== undefined && es256.verify(key, hex(test.msg), sig, ours);
          if (result !== (test.result === "valid")) wrong.push(`${test.tcId} ${test.comment}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }
});

function raw(key: KeyObject): Uint8Array {
  const { x, y } = key.export({ format: "jwk" }) as { x: string; y: string };
  return Uint8Array.from([4, ...Buffer.from(x, "base64url"), ...Buffer.from(y, "base64url")]);
}

function flipped(b: Uint8Array): Uint8Array {
  const o = b.slice();
  const i = randomInt(o.length);
  o[i]! ^= 1 << randomInt(8);
  return o;
}

describe("against node:crypto", () => {
  it(`${cases} random keys, messages and signatures, and what is broken in them`, () => {
    for (let i = 0; i < cases; i++) {
      const pair = drawnPair("p256");
      const key = raw(pair.publicKey);
      const text = new Uint8Array(randomBytes(randomInt(200)));
      const sig = new Uint8Array(sign("sha256", text, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }));
      const r = number(sig.subarray(0, 32));
      const s = number(sig.subarray(32));
      const agree = (t: Uint8Array, m: Uint8Array, expected: boolean) => {
        expect(verify("sha256", m, { key: pair.publicKey, dsaEncoding: "ieee-p1363" }, t)).toBe(expected);
        expect(es256.verify(key, m, t, ours)).toBe(expected);
      };
      expect(es256.valid(key)).toBe(true);
      agree(sig, text, true);
      agree(signature(r, N - s), text, true);
      agree(flipped(sig), text, false);
      if (text.length) agree(sig, flipped(text), false);
      const broken = flipped(key);
      expect(es256.verify(broken, text, sig, ours)).toBe(false);
      if (i % 10) continue;
      agree(signature(0n, s), text, false);
      agree(signature(r, 0n), text, false);
      agree(signature(s, r), text, false);
      agree(signature(r, N), text, false);
      agree(signature(N, s), text, false);
      agree(signature(N - r, s), text, false);
      if (r + N < 2n ** 256n) agree(signature(r + N, s), text, false);
      if (s + N < 2n ** 256n) agree(signature(r, s + N), text, false);
      const negated = encode({ x: number(key.subarray(1, 33)), y: P - number(key.subarray(33)) });
      expect(es256.verify(negated, text, sig, ours)).toBe(false);
      expect(es256.verify(Array.from(key), Array.from(text), Array.from(sig), ours)).toBe(true);
      expect(es256.verify({ key, table: undefined }, text, sig, ours)).toBe(true);
    }
  });

  it("small multiples of G and of -G as keys: equal and opposite points meet in the sum", () => {
    const multiples = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 14n, 15n, 16n, 17n, 2n ** 128n, (N - 1n) / 2n, (N + 1n) / 2n, inverse(3n, N)];
    for (const d of multiples) {
      for (const secret of [d, N - d]) {
        const q = times(secret, G)!;
        const part = (v: bigint) => Buffer.from(bytes(v)).toString("base64url");
        const jwk = { kty: "EC", crv: "P-256", x: part(q.x), y: part(q.y), d: part(secret) };
        const key = createPrivateKey({ key: jwk, format: "jwk" });
        expect(raw(createPublicKey(key))).toEqual(encode(q));
        for (let i = 0; i < (LEAST ? 1 : LONG ? 5 : 2); i++) {
          const text = new Uint8Array(randomBytes(20));
          const sig = new Uint8Array(sign("sha256", text, { key, dsaEncoding: "ieee-p1363" }));
          expect(es256.verify(encode(q), text, sig, ours)).toBe(true);
        }
      }
    }
  });
});

/** The host's SHA-256 is trusted, so that a test can choose the digest. */
const fixed = (e: bigint): Host => ({ sha256: { create: () => ({ update() {}, digest: () => bytes(e) }) } });

function reference(q: Point, e: bigint, r: bigint, s: bigint): boolean {
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  const w = inverse(s, N);
  const sumOf = sum(times(e * w, G), times(r * w, q));
  return sumOf !== undefined && mod(sumOf.x, N) === r;
}

/** The key under which (x modulo n, s) is valid for e, because u1 G + u2 Q is the point given. */
function keyFor(target: Point, e: bigint, r: bigint, s: bigint): Point {
  return times(s * inverse(r, N), sum(target, negative(times(e * inverse(s, N), G))));
}

describe("cases that random input does not reach", () => {
  const e = digest;
  // The points whose x is below p - n or at least n: r and r + n are both below p.
  const small = Array.from({ length: 14 }, (_, i) => lift(BigInt(i)));
  const atLimit = Array.from({ length: 14 }, (_, i) => lift(P - N - 7n + BigInt(i)));
  const large = Array.from({ length: 14 }, (_, i) => lift(P - 1n - BigInt(i)));
  const aboveOrder = Array.from({ length: 14 }, (_, i) => lift(N - 7n + BigInt(i)));

  it(`x of the sum from n to p - 1 is r + n, and only then${OF_SOME}`, () => {
    let seen = 0;
    for (const target of some(sparse([...small, ...atLimit, ...large, ...aboveOrder], 3), 2)) {
      if (!target || mod(target.x, N) === 0n) continue;
      const r = mod(target.x, N);
      if (target.x >= N) seen++;
      const s = mod(number(new Uint8Array(randomBytes(32))), N - 1n) + 1n;
      const q = keyFor(target, e, r, s);
      expect(reference(q, e, r, s)).toBe(true);
      expect(es256.verify(encode(q), message, signature(r, s), ours)).toBe(true);
      expect(es256.verify(encode(q), message, signature(r, N - s), ours)).toBe(reference(q, e, r, N - s));
      // As it stands, unreduced: out of range.
      if (target.x >= N) expect(es256.verify(encode(q), message, signature(target.x, s), ours)).toBe(false);
      // r + n beyond p wraps to another x, which must not be taken for it.
      const wrapped = mod(target.x + P - N, P);
      if (target.x < N && wrapped > 0n && wrapped < N) {
        const t = keyFor(target, e, wrapped, s);
        expect(es256.verify(encode(t), message, signature(wrapped, s), ours)).toBe(reference(t, e, wrapped, s));
      }
    }
    expect(seen).toBeGreaterThan(LEAST || !LONG ? 1 : 6);
  });

  it("s + n in place of s is out of range", () => {
    const target = times(7n, G)!;
    for (const s of [1n, 2n, 2n ** 256n - N - 1n]) {
      const q = encode(keyFor(target, e, target.x, s));
      expect(es256.verify(q, message, signature(target.x, s), ours)).toBe(true);
      expect(es256.verify(q, message, signature(target.x, s + N), ours)).toBe(false);
    }
  });

  it("x = 0 is not a signature", () => {
    const zero = lift(0n)!;
    expect(es256.valid(encode(zero))).toBe(true);
    expect(es256.verify(encode(zero), message, signature(0n, 1n), ours)).toBe(false);
  });

  it("the sum at infinity is refused, and equal or opposite parts are added correctly", () => {
    for (const d of [1n, 2n, 3n, 5n, 7n, N - 1n, N - 3n, 12345678901234567890n]) {
      const q = times(d, G);
      // u1 + d u2 = 0, and u1 = d u2
      for (const r of [mod(-e * inverse(d, N), N), mod(e * inverse(d, N), N)]) {
        for (const s of [1n, 2n, N - 1n, e, r]) {
          expect(es256.verify(encode(q), message, signature(r, s), ours)).toBe(reference(q, e, r, s));
        }
      }
    }
  });

  it("equal parts in a valid signature: the last addition is a doubling", () => {
    for (let i = 0; i < (LEAST ? 4 : LONG ? 20 : 8); i++) {
      const k = number(new Uint8Array(randomBytes(31))) + 1n;
      const r = mod(times(k, G)!.x, N);
      // d = e / r makes u1 = d u2, both half of k.
      const d = mod(e * inverse(r, N), N);
      const s = mod(2n * e * inverse(k, N), N);
      expect(es256.verify(encode(times(d, G)), message, signature(r, s), ours)).toBe(true);
      // and with u1 = 2^i of u2: they meet further up
      const shifted = mod((e << BigInt(i)) * inverse(r, N), N);
      const t = mod((e + r * shifted) * inverse(k, N), N);
      expect(es256.verify(encode(times(shifted, G)), message, signature(r, t), ours)).toBe(true);
    }
  });

  it("digests and scalars at their extremes", () => {
    const d = 0xf1234567n;
    const q = times(d, G);
    const every = [
      1n,
      2n,
      7n,
      8n,
      15n,
      16n,
      N - 1n,
      N - 8n,
      (N - 1n) / 2n,
      (N + 1n) / 2n,
      2n ** 255n,
      2n ** 255n - 1n,
      2n ** 240n,
      2n ** 252n + 1n,
      (2n ** 256n - 1n) / 3n,
      (2n ** 256n - 1n) / 15n,
    ];
    const scalars = sparse(every, 2);
    for (const k of scalars) {
      const r = mod(times(k, G)!.x, N);
      for (const digestOf of [0n, 1n, N - 1n, N, N + 1n, P, 2n ** 256n - 1n, 2n ** 255n]) {
        const s = mod((digestOf + r * d) * inverse(k, N), N);
        expect(es256.verify(encode(q), message, signature(r, s), fixed(digestOf))).toBe(true);
        expect(es256.verify(encode(q), message, signature(r, s), fixed(digestOf ^ 2n))).toBe(false);
      }
    }
    // u1 and u2 chosen: each extreme with each, the key made to fit.
    const ofG = scalars.map((u) => times(u, G));
    const ofQ = scalars.map((u) => times(u, q));
    for (const [i, u1] of scalars.entries()) {
      for (const [j, u2] of scalars.entries()) {
        const target = sum(ofG[i], ofQ[j]);
        if (!target) continue;
        const r = mod(target.x, N);
        const s = mod(r * inverse(u2, N), N);
        expect(es256.verify(encode(q), message, signature(r, s), fixed(mod(u1 * s, N)))).toBe(true);
      }
    }
  });
});

it("is numbers -7 and -9 of COSE", () => {
  expect(es256.ids).toEqual([-7, -9]);
});

describe("what is not a key or a signature", () => {
  const good = encode(G);
  it("keys", () => {
    expect(es256.valid(good)).toBe(true);
    const g = G!;
    const x5 = lift(5n)!;
    for (const key of [
      encode({ x: g.x, y: g.y + 1n }),
      encode({ x: g.x + 1n, y: g.y }),
      encode({ x: g.y, y: g.x }),
      encode({ x: 0n, y: 0n }),
      // The same points, x or y not below p
      encode({ x: x5.x + P, y: x5.y }),
      encode({ x: P, y: lift(0n)!.y }),
      encode({ x: 2n ** 256n - 1n, y: 2n ** 256n - 1n }),
      Uint8Array.from([2, ...bytes(g.x)]),
      Uint8Array.from([0]),
      good.subarray(1),
      Uint8Array.from([...good, 0]),
      ...[0, 2, 3, 5, 6, 7, 255].map((first) => Uint8Array.from([first, ...good.subarray(1)])),
    ]) {
      expect(es256.valid(key)).toBe(false);
      expect(es256.verify(key, message, signature(1n, 1n), ours)).toBe(false);
    }
  });

  it("never throws, whatever the lengths", () => {
    for (let n = 0; n < 140; n++) {
      for (const fill of [0, 1, 4, 255]) {
        const b = new Uint8Array(n).fill(fill);
        expect(es256.verify(good, message, b, ours)).toBe(false);
        expect(es256.verify(b, message, signature(1n, 1n), ours)).toBe(false);
        expect(es256.verify(b, b, b, ours)).toBe(false);
        expect(es256.valid(b)).toBe(false);
      }
    }
  });
});
