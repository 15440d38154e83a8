// ECDSA over P-256 as an attacker would have it, decided by this verifier, OpenSSL and HACL*. Nonces and keys come from a pool, so that a
// signature costs a few products in BigInt. The key is not hashed: for a point, r and s of one's choice there is a key that makes them valid.

import { createECDH, createHash, createPublicKey, verify } from "node:crypto";
import { es256 } from "../../src/alg/es256.js";
import { bytes, encode, G, inverse, lift, mod, N, negative, number, P, type Point, signature, sum, times } from "../p256.js";
import type { Case, Contest } from "./case.js";
import type { Hacl } from "./hacl.js";
import type { Random } from "./random.js";

const ALL = 2n ** 256n;
const digest = (message: Uint8Array) => number(createHash("sha256").update(message).digest());

/** A secret, its point, and what a nonce needs: x modulo n, and 1 / secret. */
interface Secret {
  d: bigint;
  key: Uint8Array;
  r: bigint;
  inverse: bigint;
}

function secret(d: bigint, key: Uint8Array): Secret {
  return { d, key, r: number(key.subarray(1, 33)) % N, inverse: inverse(d, N) };
}

function drawn(): Secret {
  // not generateKeyPairSync(): while Node 20 exports its key, a collection of garbage can wait forever for the lock of
  // that key
  const drawn = createECDH("prime256v1");
  const point = new Uint8Array(drawn.generateKeys());
  return secret(number(new Uint8Array(drawn.getPrivateKey())), point);
}

/** Small multiples, with which equal and opposite points meet in the sum. */
const EDGES = [1n, 2n, 3n, 4n, 5n, 7n, 8n, 15n, 16n, 17n, 2n ** 128n, (N - 1n) / 2n, (N + 1n) / 2n, N - 3n, N - 2n, N - 1n].map((d) =>
  secret(d, encode(times(d, G))),
);

/** Signatures whose point has an x at an edge: 0, p - n, n, p. The key is made to fit. */
function atEdges(random: Random): (Case & { x: bigint })[] {
  return [0n, P - N - 4n, N - 4n, P - 8n].flatMap((from) =>
    Array.from({ length: 9 }, (_, i) => lift(from + BigInt(i))).flatMap((target) => {
      if (!target || target.x >= P || mod(target.x, N) === 0n) return [];
      const message = random.octets(8);
      const [r, s] = [mod(target.x, N), mod(number(random.octets(32)), N - 1n) + 1n];
      const key: Point = times(s * inverse(r, N), sum(target, negative(times(digest(message) * inverse(s, N), G))));
      return key ? [{ kind: "", key: encode(key), message, signature: signature(r, s), x: target.x }] : [];
    }),
  );
}

const VALUES = [0n, 1n, 2n, N - 1n, N, N + 1n, P - N, P - N - 1n, P - 1n, P, P + 1n, 2n ** 255n, ALL - 1n];

function openssl(c: Case): boolean {
  const [x, y] = [c.key.subarray(1, 33), c.key.subarray(33)].map((b) => Buffer.from(b).toString("base64url"));
  try {
    const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x: x!, y: y! }, format: "jwk" });
    return verify("sha256", c.message, { key, dsaEncoding: "ieee-p1363" }, c.signature);
  } catch {
    return false;
  }
}

export function es256Contest(random: Random, hacl: Hacl): Contest {
  let pool: Secret[] = [];
  let edges: (Case & { x: bigint })[] = [];
  let made = 0;

  const any = () => random.one(random.below(8) ? pool : EDGES);

  function signed(key: Secret, nonce: Secret) {
    const message = random.octets(random.below(100));
    const s = mod(nonce.inverse * (digest(message) + nonce.r * key.d), N);
    return { kind: "", key: key.key, message, signature: signature(nonce.r, s), r: nonce.r, s, d: key.d };
  }
  const honest = () => signed(any(), any());
  const withRs = (c: Case, r: bigint, s: bigint) => ({ ...c, signature: signature(mod(r, ALL), mod(s, ALL)) });
  const withXy = (c: Case, x: bigint, y: bigint) => ({ ...c, key: Uint8Array.of(4, ...bytes(mod(x, ALL)), ...bytes(mod(y, ALL))) });
  const xy = (c: Case) => [number(c.key.subarray(1, 33)), number(c.key.subarray(33))] as const;

  const kinds: [kind: string, make: () => Case][] = [
    ["honest", honest],
    ["small multiples", () => signed(random.one(EDGES), random.one(EDGES))],
    ["n - s", () => ((c) => withRs(c, c.r, N - c.s))(honest())],
    ["signature flipped", () => ((c) => ({ ...c, signature: random.flip(c.signature) }))(honest())],
    ["key flipped", () => ((c) => ({ ...c, key: Uint8Array.of(4, ...random.flip(c.key.subarray(1))) }))(honest())],
    ["message changed", () => ((c) => ({ ...c, message: Uint8Array.of(...c.message, random.below(256)) }))(honest())],
    ["r at its edges", () => ((c) => withRs(c, random.one(VALUES), c.s))(honest())],
    ["s at its edges", () => ((c) => withRs(c, c.r, random.one(VALUES)))(honest())],
    ["both at their edges", () => withRs(honest(), random.one(VALUES), random.one(VALUES))],
    ["n added", () => ((c) => (random.below(2) ? withRs(c, c.r + N, c.s) : withRs(c, c.r, c.s + N)))(honest())],
    ["r and s exchanged", () => ((c) => withRs(c, c.s, c.r))(honest())],
    ["-Q", () => ((c) => withXy(c, xy(c)[0], P - xy(c)[1]))(honest())],
    [
      "key at its edges",
      () => ((c) => (random.below(2) ? withXy(c, random.one(VALUES), xy(c)[1]) : withXy(c, xy(c)[0], random.one(VALUES))))(honest()),
    ],
    ["no point", () => withXy(honest(), number(random.octets(32)), number(random.octets(32)))],
    // u1 G + u2 Q is infinity, or both parts are equal
    [
      "opposite or equal parts",
      () => ((c) => withRs(c, mod((random.below(2) ? 1n : -1n) * digest(c.message) * inverse(c.d, N), N), c.s))(honest()),
    ],
    ["x at its edges", () => random.one(edges)],
    [
      "x at its edges, unreduced",
      () => ((c) => withRs(c, random.one([c.x, c.x + N, c.x - N, P - c.x]), number(c.signature.subarray(32))))(random.one(edges)),
    ],
    [
      "x at its edges, n - s",
      () => ((c) => withRs(c, number(c.signature.subarray(0, 32)), N - number(c.signature.subarray(32))))(random.one(edges)),
    ],
    ["anything", () => ({ ...honest(), signature: random.octets(64) })],
  ];

  return {
    next() {
      if (made % 2000 === 0) pool = Array.from({ length: 24 }, drawn);
      if (made++ % 20000 === 0) edges = atEdges(random);
      const [kind, make] = random.one(kinds);
      return { ...make(), kind };
    },
    ours: (c) => es256.verify(c.key, c.message, c.signature, {}),
    rivals: {
      "node:crypto": { verify: openssl, oneIn: 1 },
      // 22 ms
      "hacl-wasm": {
        verify: (c) => hacl.P256.ecdsa_verif_sha2(c.message, c.key.subarray(1), c.signature.subarray(0, 32), c.signature.subarray(32))[0],
        oneIn: 200,
      },
    },
    refuses: () => false,
  };
}
