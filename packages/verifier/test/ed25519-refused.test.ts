// Ed25519: what is refused before the equation is computed.

import { describe, expect, it } from "vitest";
import { LEAST } from "../../test-support/src/environment/effort.js";
import { ed25519 } from "../src/alg/ed25519.js";
import {
  B,
  D,
  encode,
  forge,
  L,
  mod,
  number,
  octets,
  P,
  plus,
  power,
  randomOctets,
  root,
  times,
  torsion,
  unhex,
  verify,
} from "./ed25519-common.js";

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
    for (let i = 0; i < (LEAST ? 2 : 100); i++) {
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

  it("an R that is not canonical, although it is the point", () => {
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
