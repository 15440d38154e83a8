// Ed25519: inputs that are changed, and hosts that are strange.

import { describe, expect, it } from "vitest";
import { ed25519 } from "../src/alg/ed25519.js";
import { sha512 } from "../src/hash/sha512.js";
import {
  B,
  challenge,
  encode,
  keyPair,
  L,
  mod,
  number,
  octets,
  P,
  plus,
  power,
  random,
  randomOctets,
  times,
  verify,
} from "./ed25519-common.js";

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

  it("accepts only octets: values above 255 count for nothing", () => {
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

  it("has no point for an empty value, even after an interruption", () => {
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

  it("changes none of its arguments, and uses a hash of the host and a prepared key", () => {
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
