import { createHash, createHmac, randomBytes, randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { LEAST } from "../../test-support/src/environment/effort.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { hmac256, hmacSha256 } from "../src/alg/hmac.js";
import type { Hash } from "../src/base/types.js";
import { sha256 } from "../src/hash/sha256.js";

const cases = Number(process.env["FIRMSEAL_CASES"] ?? (LEAST ? 50 : 500));

/** The engine's own hash, as a host would pass it. */
const native: Hash = {
  create() {
    const h = createHash("sha256");
    return { update: (b) => void h.update(Uint8Array.from(b)), digest: () => h.digest() };
  },
};

interface Wycheproof {
  testGroups: {
    keySize: number;
    tagSize: number;
    tests: { tcId: number; comment: string; key: string; msg: string; tag: string; result: string }[];
  }[];
}

describe.skipIf(!haveVectors)("Wycheproof", () => {
  it("hmac_sha256_test", () => {
    const wrong: string[] = [];
    for (const group of vectorJson<Wycheproof>("crypto/hmac_sha256_test.json").testGroups) {
      for (const test of group.tests) {
        const valid = test.result === "valid";
        const key = hex(test.key);
        const tag = Buffer.from(Array.from(hmacSha256(key, hex(test.msg), sha256)));
        if ((tag.subarray(0, group.tagSize / 8).toString("hex") === test.tag) !== valid) wrong.push(`${test.tcId} ${test.comment}`);
        // The algorithm itself takes 32 bytes of key and of tag, and nothing else.
        const whole = group.keySize === 256 && group.tagSize === 256;
        if (hmac256.verify(key, hex(test.msg), hex(test.tag), {}) !== (whole && valid)) wrong.push(`${test.tcId} verify`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("HMAC-SHA-256", () => {
  it("agrees with node:crypto at every key length around the block, with our hash and with the host's", () => {
    for (const n of [...Array.from({ length: 140 }, (_, i) => i), 1000]) {
      const key = new Uint8Array(randomBytes(n));
      const message = new Uint8Array(randomBytes(randomInt(200)));
      const expected = createHmac("sha256", key).update(message).digest("hex");
      for (const hash of [sha256, native]) {
        expect(Buffer.from(Array.from(hmacSha256(key, message, hash))).toString("hex")).toBe(expected);
        expect(Buffer.from(Array.from(hmacSha256(Array.from(key), Array.from(message), hash))).toString("hex")).toBe(expected);
      }
    }
  });

  it(`${cases} random tags, and each with one bit wrong`, () => {
    for (let i = 0; i < cases; i++) {
      const key = new Uint8Array(randomBytes(32));
      const message = new Uint8Array(randomBytes(randomInt(100)));
      const tag = new Uint8Array(createHmac("sha256", key).update(message).digest());
      expect(hmac256.verify(key, message, tag, {})).toBe(true);
      expect(hmac256.verify({ key, table: undefined }, message, Array.from(tag), { sha256: native })).toBe(true);
      const bit = i % 256;
      tag[bit >> 3]! ^= 1 << (bit & 7);
      expect(hmac256.verify(key, message, tag, {})).toBe(false);
    }
  });

  it("is number 5 of COSE, with the host's hash if that accepts pieces", () => {
    expect(hmac256.ids).toEqual([5]);
    const key = new Uint8Array(32).fill(7);
    const tag = createHmac("sha256", key).update("").digest();
    let made = 0;
    const counted: Hash = {
      create() {
        made++;
        return native.create();
      },
    };
    expect(hmac256.verify(key, [], tag, { sha256: counted })).toBe(true);
    expect(made).toBe(2);
    const once = () => expect.fail("the whole message is not at hand");
    expect(hmac256.verify(key, [], tag, { sha256: { once } as never })).toBe(true);
  });

  it("takes 32 bytes of key and 32 bytes of tag, and never throws", () => {
    const key = new Uint8Array(32);
    const tag = createHmac("sha256", key).update("").digest();
    for (let n = 0; n < 100; n++) {
      expect(hmac256.valid(new Uint8Array(n))).toBe(n === 32);
      if (n !== 32) {
        // A shorter key of zeros gives the same HMAC: only the check of its length keeps it out.
        expect(hmac256.verify(new Uint8Array(n), [], tag, {})).toBe(false);
        expect(hmac256.verify(key, [], Uint8Array.from([...tag, ...new Uint8Array(100)]).subarray(0, n), {})).toBe(false);
      }
    }
    expect(hmac256.verify(key, [], tag, {})).toBe(true);
    expect(hmac256.verify(key, [], [], {})).toBe(false);
    expect(hmac256.verify([], [], [], {})).toBe(false);
    // a text as a key, or what holds no octets, would be a key of zeros: anybody's
    for (const none of [
      "correct horse battery staple--ab",
      new Array(32),
      new Array(32).fill(Number.NaN),
      new Array(32).fill("1"),
      { length: 32 },
    ]) {
      expect(hmac256.valid(none as never)).toBe(false);
      expect(hmac256.verify(none as never, [], tag, {})).toBe(false);
    }
  });
});
