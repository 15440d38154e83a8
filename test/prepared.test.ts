// An Ed25519 anchor with a table is the same anchor: both forms give one answer, for every size of table.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { prepareKey, TABLE_SIZES, tableNumbers } from "../packages/signer/src/key/prepare.js";
import { hex } from "../packages/test-support/src/bytes.js";
import { LONG, OF_SOME, some } from "../packages/test-support/src/environment/effort.js";
import { draws } from "../packages/test-support/src/randoms.js";
import { haveVectors, vectorJson } from "../packages/test-support/src/vectors.js";
import { ed25519 } from "../packages/verifier/src/alg/ed25519.js";
import type { Bytes } from "../packages/verifier/src/base/types.js";

const cases = Number(process.env["FIRMSEAL_CASES"] ?? (LONG ? 400 : 60));
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const random = draws(11);
const octets = (n: number) => Uint8Array.from({ length: n }, () => random(256));

function keyPair() {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), octets(32)]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { secret, key: new Uint8Array(createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(12)) };
}

/** The text of a table of numbers, as `prepareKey` writes it. */
function textOf(numbers: readonly number[]): string {
  let text = "";
  for (const n of numbers) {
    let digits = "";
    for (let rest = n, j = 0; j < 7; j++) {
      const next = Math.floor((rest + 35) / 71);
      const code = rest - 71 * next + 46;
      digits = String.fromCharCode(code < 35 ? code + 92 : code) + digits;
      rest = next;
    }
    text += digits;
  }
  return text;
}

/**
 * The digest that belongs to any table: this tries what follows that check, which packages/signer/test/prepare.test.ts
 * tries.
 */
function digestOf(table: unknown): Uint8Array {
  const text = typeof table === "string" ? table : Array.isArray(table) ? textOf(table) : "";
  return new Uint8Array(createHash("sha256").update(text).digest());
}

/** The tables of a key, in both forms; none for bytes that are not a key. */
function tables(key: Uint8Array): (string | number[])[] {
  if (!ed25519.valid(key)) {
    for (const size of TABLE_SIZES) expect(() => prepareKey(key, size)).toThrow();
    return [];
  }
  const texts = TABLE_SIZES.map((size) => prepareKey(key, size).table);
  return [...texts, ...texts.map(tableNumbers)];
}

const verify = (key: Uint8Array, table: unknown, message: Bytes, signature: Bytes) =>
  ed25519.verify({ key, table, digest: digestOf(table) }, message, signature, {});

function expectSame(key: Uint8Array, all: (string | number[])[], message: Bytes, signature: Bytes, what: string): boolean {
  const expected = ed25519.verify(key, message, signature, {});
  for (const table of all) expect(verify(key, table, message, signature), `${what}, ${typeof table} of ${table.length}`).toBe(expected);
  return expected;
}

describe.skipIf(!haveVectors)("on the published vectors both forms agree", () => {
  it(`of Wycheproof${OF_SOME}`, { timeout: 60000 }, () => {
    interface File {
      testGroups: { publicKey: { pk: string }; tests: { tcId: number; msg: string; sig: string; result: string }[] }[];
    }
    for (const group of some(vectorJson<File>("crypto/ed25519_test.json").testGroups, 6)) {
      const key = hex(group.publicKey.pk);
      const all = tables(key);
      for (const test of group.tests)
        expect(expectSame(key, all, hex(test.msg), hex(test.sig), `tcId ${test.tcId}`)).toBe(test.result === "valid");
    }
  });

  it("of ed25519-speccheck, which has keys of mixed order", () => {
    const file = vectorJson<{ pub_key: string; message: string; signature: string }[]>("crypto/ed25519-speccheck.json");
    let made = 0;
    file.forEach((test, i) => {
      const key = hex(test.pub_key);
      const all = tables(key);
      made += all.length;
      expect(expectSame(key, all, hex(test.message), hex(test.signature), `number ${i}`)).toBe(i === 3);
    });
    expect(made).toBeGreaterThan(16);
  });
});

it(`both forms agree on ${cases} random signatures, good and spoiled`, { timeout: 3600000 }, () => {
  let accepted = 0;
  let pair = keyPair();
  let all = tables(pair.key);
  for (let i = 0; i < cases; i++) {
    if (i % 20 === 0) {
      pair = keyPair();
      all = tables(pair.key);
    }
    const message = octets(random(100));
    const signature = new Uint8Array(sign(null, message, pair.secret));
    const kind = i % 5;
    if (kind === 0) signature[random(64)]! ^= 1 << random(8);
    else if (kind === 1) signature[31]! ^= 128;
    else if (kind === 2) {
      // S + L
      let s = signature.subarray(32).reduceRight((sum, b) => (sum << 8n) + BigInt(b), 0n) + L;
      for (let j = 32; j < 64; j++, s >>= 8n) signature[j] = Number(s & 255n);
    } else if (kind === 3 && random(2)) signature.set(new Uint8Array(32).fill(0, 1).fill(1, 0, 1), random(2) * 32);
    accepted += Number(expectSame(pair.key, all, message, signature, `case ${i}`));
  }
  expect(accepted).toBeGreaterThan(cases / 5);
  expect(accepted).toBeLessThan(cases / 2);
});

it("the hash decides every digit: k and S at the edges", () => {
  const { key } = keyPair();
  const all = tables(key);
  for (const k of [0n, 1n, 2n, 8n, L - 1n, (L - 1n) / 2n, (L + 1n) / 2n, 2n ** 252n, 2n ** 252n - 1n, 2n ** 128n, L / 3n, L / 16n]) {
    const digest = Array.from({ length: 64 }, (_, i) => Number((k >> BigInt(8 * i)) & 255n));
    const host = { sha512: { create: () => ({ update() {}, digest: () => digest }) } };
    for (const s of [0n, 1n, L - 1n, 2n ** 252n]) {
      // R is not a point that fits, so each form answers no; a fitting one is in the verifier's tests
      const signature = Uint8Array.of(...key, ...Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n)));
      const expected = ed25519.verify(key, [], signature, host);
      expect(expected).toBe(s === 0n && k === L - 1n);
      for (const table of all) expect(ed25519.verify({ key, table, digest: digestOf(table) }, [], signature, host)).toBe(expected);
    }
  }
});

describe("an invalid table", () => {
  const pair = keyPair();
  const other = keyPair();
  const message = Uint8Array.of(1, 2, 3);
  const signature = new Uint8Array(sign(null, message, pair.secret));

  it("of another length, or of another kind, is refused", () => {
    for (const size of TABLE_SIZES) {
      const { table } = prepareKey(pair.key, size);
      expect(verify(pair.key, table, message, signature)).toBe(true);
      for (const wrong of [
        table.slice(1),
        `${table}0`,
        table.slice(0, 42),
        table.repeat(3),
        tableNumbers(table).slice(1),
        [1],
        7,
        true,
        {},
        [],
      ])
        expect(verify(pair.key, wrong, message, signature)).toBe(false);
    }
    // nothing is not a table
    for (const nothing of [undefined, null, ""]) expect(verify(pair.key, nothing, message, signature)).toBe(true);
  });

  it("of another key is refused, also for what that key has signed", () => {
    for (const size of TABLE_SIZES) {
      const { table } = prepareKey(other.key, size);
      const theirs = new Uint8Array(sign(null, message, other.secret));
      for (const one of [table, tableNumbers(table)]) {
        expect(verify(pair.key, one, message, signature)).toBe(false);
        expect(verify(pair.key, one, message, theirs)).toBe(false);
      }
      // -A has the same y
      const minus = pair.key.slice();
      minus[31]! ^= 128;
      expect(verify(minus, prepareKey(pair.key, size).table, message, signature)).toBe(false);
    }
  });

  it("with damage never verifies what the key has not signed, and never throws", () => {
    const bad = signature.slice();
    bad[40]! ^= 1;
    for (const size of TABLE_SIZES) {
      const { table } = prepareKey(pair.key, size);
      const head = table.slice(0, 84);
      const rest = table.length - 84;
      for (let i = 0; i < 20; i++) {
        const at = random(table.length);
        const one = table.slice(0, at) + String.fromCharCode(random(65536)) + table.slice(at + 1);
        expect(verify(pair.key, one, message, bad)).toBe(false);
      }
      // entries that are all 0, all the neutral point, all the same
      const zero = String.fromCharCode(46).repeat(42);
      const unit = String.fromCharCode(46).repeat(6) + String.fromCharCode(47) + String.fromCharCode(46).repeat(35);
      for (const fill of [zero, unit + unit + zero, head + zero, "\u0000", "\uffff", "~"]) {
        const one = head + fill.repeat(Math.ceil(rest / fill.length)).slice(0, rest);
        for (const s of [signature, bad]) expect(verify(pair.key, one, message, s)).toBe(false);
      }
      const numbers = tableNumbers(table);
      for (const fill of [0, 1, NaN, Infinity, -Infinity, 1e300, 0.1, undefined, null, "x", {}]) {
        const one = numbers.map((n, i) => (i < 12 ? n : (fill as number)));
        for (const s of [signature, bad]) expect(verify(pair.key, one, message, s)).toBe(false);
      }
    }
  });
});
