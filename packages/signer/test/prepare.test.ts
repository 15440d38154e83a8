// The table of a precompiled anchor. Who can write to where it lies must not be able to sign for its key.

import { createHash, randomBytes } from "node:crypto";
import { anchor, ed25519, errors } from "@firmseal/verifier";
import * as noble from "@noble/ed25519";
import { describe, expect, it } from "vitest";
import { type PreparedKey, prepareKey, privateKey, publicOf, signer, TABLE_SIZES, tableNumbers } from "../src/index.js";

const L = noble.Point.CURVE().n;
const mod = (n: bigint, m = L) => ((n % m) + m) % m;
const little = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/** Inverse modulo the prime L. */
function inverse(n: bigint): bigint {
  let [out, base] = [1n, mod(n)];
  for (let e = L - 2n; e > 0n; e >>= 1n, base = mod(base * base)) if (e & 1n) out = mod(out * base);
  return out;
}

/** What the windows of width 2 of `n` make of each base [2^64 i]: the sum of their digits, with its sign. */
function parts(n: bigint): bigint[] {
  const out = [0n, 0n, 0n, 0n];
  for (let i = 0, rest = n; rest > 0n; i++, rest >>= 1n)
    if (rest & 1n) {
      const digit = (rest & 3n) === 3n ? -1n : 1n;
      out[i >> 6] = (out[i >> 6] as bigint) + (digit << BigInt(i & 63));
      rest -= digit;
    }
  return out;
}

const key = privateKey("ed25519", new Uint8Array(randomBytes(32)));
const raw = publicOf(key).key;
const message = new Uint8Array(randomBytes(50));

/** The form of a point in a table. */
const entry = (point: InstanceType<typeof noble.Point>) => prepareKey(point.toBytes(), "1k").table.slice(0, 126);

/** A signature that nobody with the key has made, and the table under which the equation holds: its first entry is the key. */
function forged(): { table: string; signature: Uint8Array } {
  const B = noble.Point.BASE;
  const A = noble.Point.fromBytes(raw);
  for (;;) {
    const [r, t] = [mod(little(randomBytes(32))), mod(little(randomBytes(32)))];
    const R = B.multiply(r).toBytes();
    const k = mod(little(createHash("sha512").update(R).update(raw).update(message).digest()));
    const [k0, k1, k2, k3] = parts(k) as [bigint, bigint, bigint, bigint];
    // entries 1 to 3 in place of [2^64 i]A: k0 A + k1 X + k2 B + k3 B is a multiple of B that is known
    if (mod(k1) === 0n) continue;
    const X = A.multiply(mod(-k0 * inverse(k1))).add(B.multiply(t));
    const s = mod(r + k1 * t + k2 + k3);
    const good = prepareKey(raw, "1k").table;
    const table = good.slice(0, 126) + entry(X) + entry(B) + entry(B) + good.slice(504);
    const S = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
    return { table, signature: Uint8Array.from([...R, ...S]) };
  }
}

describe("the table of a precompiled anchor", () => {
  it("is that of the key, in text and in numbers, and its digest is that of the text", async () => {
    const signature = await signer(key).sign(message);
    for (const size of TABLE_SIZES) {
      const made = prepareKey(raw, size);
      expect(Buffer.from(made.digest).toString("hex")).toBe(createHash("sha256").update(made.table).digest("hex"));
      for (const one of [made, { ...made, table: tableNumbers(made.table) }]) {
        const { alg } = anchor("ed25519", one);
        expect([size, alg.verify(one, message, signature, {}), alg.verify(one, message.slice(1), signature, {})]).toEqual([
          size,
          true,
          false,
        ]);
      }
    }
  });

  it("signs for nobody who can write to it", () => {
    for (let i = 0; i < 4; i++) {
      const { table, signature } = forged();
      const { digest } = prepareKey(raw, "1k");
      expect(ed25519.verify({ key: raw, table, digest }, message, signature, {})).toBe(false);
      expect(ed25519.verify({ key: raw, table: tableNumbers(table), digest }, message, signature, {})).toBe(false);
      expect(ed25519.verify({ key: raw, table }, message, signature, {})).toBe(false);
      // the test sees something: with the digest of this table the signature is good
      const own = createHash("sha256").update(table).digest();
      expect(ed25519.verify({ key: raw, table, digest: own }, message, signature, {})).toBe(true);
      // and is not any more once the right table comes back
      expect(ed25519.verify({ key: raw, table, digest }, message, signature, {})).toBe(false);
    }
  });

  it("counts for its own key alone, and only in the supported sizes, also with the right digest", () => {
    const B = noble.Point.BASE;
    const secret = mod(little(randomBytes(32)));
    const mine = B.multiply(secret).toBytes();
    /** A signature with `secret` as if `under` were its key. */
    const signedAs = (under: Uint8Array) => {
      const r = mod(little(randomBytes(32)));
      const R = B.multiply(r).toBytes();
      const k = mod(little(createHash("sha512").update(R).update(under).update(message).digest()));
      const S = Buffer.from(
        mod(r + k * secret)
          .toString(16)
          .padStart(64, "0"),
        "hex",
      ).reverse();
      return Uint8Array.from([...R, ...S]);
    };
    for (const size of TABLE_SIZES) {
      const { table, digest } = prepareKey(mine, size);
      for (const one of [table, tableNumbers(table)]) {
        expect(ed25519.verify({ key: mine, table: one, digest }, message, signedAs(mine), {})).toBe(true);
        expect(ed25519.verify({ key: raw, table: one, digest }, message, signedAs(raw), {})).toBe(false);
      }
    }
    const { table } = prepareKey(mine, "1k");
    for (const times of [3, 5, 6]) {
      const longer = table.repeat(times);
      const digest = createHash("sha256").update(longer).digest();
      expect(ed25519.verify({ key: mine, table: longer, digest }, message, signedAs(mine), {})).toBe(false);
    }
  });

  it("is refused with one character or number changed, added or removed, or not allowed in a table", async () => {
    const signature = await signer(key).sign(message);
    const good = prepareKey(raw, "1k");
    const numbers = tableNumbers(good.table);
    const verify = (change: Partial<Record<keyof PreparedKey, unknown>>, host = {}) =>
      ed25519.verify({ ...good, ...change } as PreparedKey, message, signature, host);
    const at = (list: readonly unknown[], i: number, value: unknown) => list.with(i, value);
    expect(verify({})).toBe(true);
    for (let i = 0; i < good.table.length; i += 13) {
      const c = good.table.charCodeAt(i);
      const put = (code: number) => good.table.slice(0, i) + String.fromCharCode(code) + good.table.slice(i + 1);
      // 92 apart: the same digit; 256 apart: the same octet, and another digit
      for (const code of [c === 65 ? 66 : 65, c + 92, c + 256])
        if (code !== c) expect([i, code, verify({ table: put(code) })]).toEqual([i, code, false]);
    }
    for (let i = 0; i < numbers.length; i += 7) {
      const n = numbers[i] as number;
      for (const other of [
        n + 1,
        -n,
        n + 71 ** 7,
        n + 0.5,
        String(n),
        [n],
        { valueOf: () => n },
        Number.NaN,
        Infinity,
        null,
        undefined,
        2 ** 60,
        1e300,
      ])
        if (other !== n) expect([i, other, verify({ table: at(numbers, i, other) })]).toEqual([i, other, false]);
    }
    // two numbers in one element, with as many elements as a smaller table has
    const large = tableNumbers(prepareKey(raw, "2k").table);
    const nested = numbers.map((_, i) => large.slice(2 * i, 2 * i + 2));
    for (const table of [
      good.table.slice(1),
      `${good.table}!`,
      good.table + good.table,
      numbers.slice(1),
      [...numbers, 0],
      nested,
      [],
      true,
      7,
      {},
      { length: 144 },
      "x".repeat(10_000_000),
      { length: 2 ** 53 },
      { length: -1 },
    ])
      expect([typeof table, verify({ table })]).toEqual([typeof table, false]);
    for (const digest of [undefined, [], new Uint8Array(32), good.digest.slice(1), [...good.digest, 0], Array(32).fill(Number.NaN)])
      expect(verify({ digest })).toBe(false);
    expect(verify({})).toBe(true);
    expect(verify({ table: numbers })).toBe(true);
  });

  it("that changes after a verification, or while it is read, signs for nobody", async () => {
    const { table: text, signature } = forged();
    const { table: good, digest } = prepareKey(raw, "1k");
    const genuine = await signer(key).sign(message);
    const [numbers, wrong] = [tableNumbers(good), tableNumbers(text)];
    const one = { key: raw, table: numbers, digest };
    const verify = (by: Uint8Array) => ed25519.verify(one, message, by, {});
    expect(verify(genuine)).toBe(true);
    numbers.splice(0, numbers.length, ...wrong);
    // what was compared with the digest still counts
    expect([verify(signature), verify(genuine)]).toEqual([false, true]);
    // another table meanwhile
    expect(ed25519.verify(prepareKey(raw, "2k"), message, genuine, {})).toBe(true);
    expect([verify(signature), verify(genuine)]).toEqual([false, false]);
    // an element that answers differently the second time
    numbers.splice(0, numbers.length, ...tableNumbers(good));
    for (let i = 0; i < numbers.length; i++) {
      let reads = 0;
      Object.defineProperty(numbers, i, { get: () => (reads++ ? wrong[i] : tableNumbers(good)[i]) });
    }
    expect([verify(signature), verify(genuine)]).toEqual([false, true]);
  });

  it("is hashed once, by the host if it can, and never by a function that lies", async () => {
    const signature = await signer(key).sign(message);
    const made = prepareKey(raw, "8k");
    const other = prepareKey(raw, "4k");
    let calls = 0;
    const sha256 = {
      once: (bytes: ArrayLike<number>) => {
        calls++;
        return createHash("sha256").update(Uint8Array.from(bytes)).digest();
      },
    };
    for (let i = 0; i < 3; i++) expect(ed25519.verify(made, message, signature, { sha256 })).toBe(true);
    expect(calls).toBe(1);
    for (const answer of [[], new Uint8Array(31), new Uint8Array(32)])
      expect(ed25519.verify(other, message, signature, { sha256: { once: () => answer } })).toBe(false);
    expect(ed25519.verify(other, message, signature, { sha256 })).toBe(true);
  });

  it("makes no anchor without its digest", () => {
    const { table, digest } = prepareKey(raw, "1k");
    expect(() => anchor("ed25519", { key: raw, table })).toThrow(`refusal ${errors.ANCHOR_KEY} at -1`);
    expect(anchor("ed25519", { key: raw, table, digest }).key).toEqual({ key: raw, table, digest });
    expect(anchor("ed25519", { key: raw, table: undefined }).alg).toBe(ed25519);
  });
});
