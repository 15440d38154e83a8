// Ed25519 as an attacker would have it: signatures that no honest signer makes, decided by this verifier, OpenSSL and HACL*. All points come
// from a pool of secrets with their points and the eight points of small order on top of each, so that a case costs one hash: R = rB + T,
// A = aB + U, S = r + ka, which is valid without the cofactor exactly where T + kU = 0.

import { createHash, createPrivateKey, createPublicKey, verify } from "node:crypto";
import { Point } from "@noble/ed25519";
import { ed25519 } from "../../src/alg/ed25519.js";
import type { Case, Contest } from "./case.js";
import type { Hacl } from "./hacl.js";
import type { Random } from "./random.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const ALL = 2n ** 256n;

const number = (b: Uint8Array) => BigInt(`0x${Buffer.from(b).reverse().toString("hex") || "0"}`);
const octets = (x: bigint) => Uint8Array.from(Buffer.from(x.toString(16).padStart(64, "0"), "hex").reverse());
const sha512 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Multiples of a point of order 8. */
const TORSION = ((order8) => Array.from({ length: 8 }, (_, i) => (i ? order8.multiplyUnsafe(BigInt(i)) : Point.ZERO)))(
  Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
);
const SMALL = new Set(TORSION.map((t) => t.toAffine().y));
/** All encodings of points of small order and of y from p on, and of points with x = 0 and a sign. */
const STRANGE = [
  ...[...SMALL].flatMap((y) => [y, y + 2n ** 255n]),
  ...Array.from({ length: 19 }, (_, i) => P + BigInt(i)).flatMap((y) => [y, y + 2n ** 255n]),
].map(octets);

/** What is refused by decision: y of p or more, and small order. */
function isStrange(encoded: Uint8Array): boolean {
  const y = number(encoded) % 2n ** 255n;
  return y >= P || SMALL.has(y);
}

/** [a, aB + each point of small order]. */
type Secret = [scalar: bigint, points: Uint8Array[]];

function secret(seed: Uint8Array): Secret {
  const half = sha512(seed).subarray(0, 32);
  half[0]! &= 248;
  half[31] = (half[31]! & 127) | 64;
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const spki = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })).export({ format: "der", type: "spki" });
  const point = Point.fromBytes(new Uint8Array(spki.subarray(12)));
  return [number(half) % L, TORSION.map((t) => point.add(t).toBytes())];
}

/** Scalars at their edges; the point of 0 is of small order. */
const EDGES: Secret[] = [0n, 1n, 2n, 3n, 8n, 16n, 2n ** 128n, 2n ** 251n, L - 8n, L - 2n, L - 1n, (L - 1n) / 2n].map((a) => {
  const point = a ? Point.BASE.multiplyUnsafe(a) : Point.ZERO;
  return [a, TORSION.map((t) => point.add(t).toBytes())];
});

function openssl(c: Case): boolean {
  const key = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), c.key]);
  try {
    return verify(null, c.message, createPublicKey({ key, format: "der", type: "spki" }), c.signature);
  } catch {
    return false;
  }
}

const SCALARS = [0n, 1n, L - 1n, L, L + 1n, 2n * L, 8n * L, 2n ** 252n, 2n ** 253n, 2n ** 255n, ALL - 1n];

export function ed25519Contest(random: Random, hacl: Hacl): Contest {
  let pool: Secret[] = [];
  let made = 0;

  function signed(a: Secret, r: Secret, onA: number, onR: number, message: Uint8Array): Case & { s: bigint; k: bigint } {
    const key = a[1][onA]!;
    const first = r[1][onR]!;
    const k = number(sha512(first, key, message)) % L;
    const s = (r[0] + k * a[0]) % L;
    return { kind: "honest", key, message, signature: Uint8Array.of(...first, ...octets(s)), s, k };
  }

  const any = () => random.one(random.below(8) ? pool : EDGES);
  const honest = () => signed(random.one(pool), any(), 0, 0, random.octets(random.below(100)));
  const withS = (c: Case, s: bigint) => ({ ...c, signature: Uint8Array.of(...c.signature.subarray(0, 32), ...octets(s)) });

  /** Points of small order on top of A and R, and a message with which they cancel, or do not. */
  function mixed(cancel: boolean) {
    const [a, r, onA, onR] = [any(), any(), random.below(8), random.below(8)];
    let c = signed(a, r, onA, onR, random.octets(16));
    for (let n = 0; n < 64 && ((c.k * BigInt(onA) + BigInt(onR)) % 8n !== 0n) === cancel; n++)
      c = signed(a, r, onA, onR, random.octets(16));
    return c;
  }

  /** A strange key or R, with an S that fits as far as one can: k a, or r + k 0. */
  function strange() {
    const [c, other] = [honest(), random.one(STRANGE)];
    if (random.below(2)) return { ...c, key: other };
    const a = random.one(pool);
    const message = random.octets(16);
    const s = (number(sha512(other, a[1][0]!, message)) * a[0]) % L;
    return { ...c, key: a[1][0]!, message, signature: Uint8Array.of(...other, ...octets(s)) };
  }

  const kinds: [kind: string, make: () => Case][] = [
    ["honest", honest],
    ["edge", () => signed(any(), random.one(EDGES), 0, 0, random.octets(8))],
    ["signature flipped", () => ((c) => ({ ...c, signature: random.flip(c.signature) }))(honest())],
    ["key flipped", () => ((c) => ({ ...c, key: random.flip(c.key) }))(honest())],
    ["message changed", () => ((c) => ({ ...c, message: Uint8Array.of(...c.message, random.below(256)) }))(honest())],
    ["S + nL", () => ((c) => withS(c, c.s + BigInt(1 + random.below(15)) * L))(honest())],
    ["S - 1, S + 1, -S", () => ((c) => withS(c, random.one([(c.s + L - 1n) % L, c.s + 1n, L - c.s])))(honest())],
    ["S at its edges", () => withS(honest(), random.one(SCALARS))],
    ["mixed order, cancelled", () => mixed(true)],
    ["mixed order", () => mixed(false)],
    ["small order or not canonical", strange],
    [
      "both strange",
      () =>
        ((c) => ({ ...c, key: random.one(STRANGE), signature: Uint8Array.of(...random.one(STRANGE), ...octets(random.one(SCALARS))) }))(
          honest(),
        ),
    ],
    ["sign of A", () => ((c) => ({ ...c, key: c.key.map((x, i) => (i === 31 ? x ^ 128 : x)) }))(honest())],
    ["sign of R", () => ((c) => ({ ...c, signature: c.signature.map((x, i) => (i === 31 ? x ^ 128 : x)) }))(honest())],
    ["no point", () => ({ ...honest(), key: random.octets(32) })],
    ["anything", () => ({ ...honest(), signature: random.octets(64) })],
  ];

  return {
    next() {
      if (made++ % 2000 === 0) pool = Array.from({ length: 24 }, () => secret(random.octets(32)));
      const [kind, make] = random.one(kinds);
      return { ...make(), kind };
    },
    ours: (c) => ed25519.verify(c.key, c.message, c.signature, {}),
    rivals: {
      "node:crypto": { verify: openssl, oneIn: 1 },
      // 2.6 ms
      "hacl-wasm": { verify: (c) => hacl.Ed25519.verify(c.key, c.message, c.signature)[0], oneIn: 20 },
    },
    refuses: (c) => isStrange(c.key) || isStrange(c.signature.subarray(0, 32)),
  };
}
