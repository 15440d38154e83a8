import { describe, expect, it, vi } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { LEAST, LONG, OF_SOME, some, sparse } from "../../test-support/src/environment/effort.js";
import { H, hOf, lmsSigner, nOf, ots, stack, u32 } from "../../test-support/src/keys/lms.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { hsslms } from "../src/alg/hsslms.js";
import type { Host } from "../src/base/types.js";
import { startReading } from "../src/cbor/reader.js";
import { readSignatures } from "../src/cose/message.js";
import { verified } from "../src/cose/verify.js";
import { hashOneBlock, sha256 } from "../src/hash/sha256.js";
import { check, hosts, plain, refusesEverything, remembering, STEP, someHosts, survivors } from "./hsslms-common.js";

/** How many random signatures; FIRMSEAL_CASES for a longer run. */
const cases = Number(process.env["FIRMSEAL_CASES"] ?? (LEAST ? 3 : LONG ? 60 : 6));

// Not random, so that a failure can be repeated.
const { random, below, tree } = lmsSigner("hsslms");

describe.skipIf(!haveVectors)("third-party vectors", () => {
  it("RFC 8554 appendix F, test case 1: verifies, and with any byte changed, cut off or added is refused", () => {
    const test = vectorJson<{ publicKey: string; message: string; signature: string }>("crypto/hss-lms-rfc8554-tc1.json");
    const [key, message, signature] = [hex(test.publicKey), hex(test.message), hex(test.signature)];
    expect(hsslms.valid(key)).toBe(true);
    for (const host of Object.values(hosts)) {
      expect(check(key, message, signature, host)).toBe(true);
      expect(check(Array.from(key), Array.from(message), Array.from(signature), host)).toBe(true);
    }
    refusesEverything(key, message, signature, remembering());
  });

  it("COSE working group, hashsig-01: accepted by readSignatures() and verified(), refused with any byte changed that is signed", () => {
    const example = vectorJson<{ output: { cbor: string }; input: { sign: { signers: { key: { public: string } }[] } } }>(
      "cose/hashsig-01.json",
    );
    const bytes = hex(example.output.cbor);
    const key = hex(example.input.sign.signers[0]!.key.public);
    const anchors = [{ alg: hsslms, key, kid: new TextEncoder().encode("ItsBig") }];
    const signers = (b: Uint8Array, host: Host) => {
      startReading(b);
      return verified(readSignatures(null, []), anchors, 1, host);
    };
    for (const host of Object.values(hosts)) expect(signers(bytes, host)).toEqual([0]);
    const at = Buffer.from(bytes).indexOf("a104464974734269", "hex");
    const host = remembering();
    const accepts = (b: Uint8Array) => {
      try {
        return signers(b, host).length > 0;
      } catch (e) {
        expect(typeof (e as { code?: unknown }).code).toBe("number");
        return false;
      }
    };
    // the label 4 of the unprotected kid: nobody signs that it is one
    const step = LEAST ? at + 1 : STEP;
    expect(survivors(bytes, accepts, step, (at + 1) % step)).toEqual([at + 1]);
  });
});

describe("signatures of an independent signer", () => {
  const message = Buffer.from("firmware, or rather its Sig_structure");
  const types: [number, number][] = [];
  for (let lms = 5; lms <= 14; lms++) for (let o = 1; o <= 8; o++) if (ots(o).n === nOf(lms)) types.push([lms, o]);

  // w = 8 takes most of the time, and the height of the tree is nothing to it: by default the lowest and the highest
  const tried = types.filter(([lms, o]) => LONG || LEAST || o % 4 !== 0 || lms % 5 === 0 || lms % 5 === 4);
  it.each(tried)("LMS type %i with LM-OTS type %i: all leaves at the border, every kind of host in turn", (lms, o) => {
    const h = hOf(lms);
    for (const q of o % 4 ? [0, 2 ** h - 1] : [below(2 ** h)]) {
      const { key, signature } = stack([tree({ lms, ots: o, q, whole: h === 5 && o % 4 !== 0 })], message);
      const { n, p } = ots(o);
      expect(hsslms.valid(key)).toBe(true);
      expect(key.length).toBe(28 + n);
      expect(signature.length).toBe(16 + n * (1 + p + h));
      for (const host of someHosts(lms + o)) expect(check(key, message, signature, host)).toBe(true);
      for (let i = 0; i < (LONG || LEAST ? 3 : 1); i++) {
        const bad = plain(signature);
        bad[below(bad.length)]! ^= 1 << below(8);
        expect(check(key, message, bad)).toBe(false);
        expect(check(key, message, bad, hosts["one-shot"])).toBe(false);
      }
    }
  });

  it.skipIf(LEAST)("a whole tree with w = 8: every leaf has the number that it signs with", () => {
    const { key, signature } = stack([tree({ lms: 10, ots: 8, q: 19, whole: true })], message);
    expect(check(key, message, signature)).toBe(true);
    for (let q = 0; q < 40; q++)
      expect(check(key, message, Buffer.concat([signature.subarray(0, 4), u32(q), signature.subarray(8)]))).toBe(q === 19);
  });

  it.each(LEAST ? [1, 2, 3] : LONG ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2, 8])("%i levels, each with types of its own", (levels) => {
    for (const small of [0, 4]) {
      const trees = Array.from({ length: levels }, () => tree({ lms: 5 + (small ? 5 : 0) + below(5), ots: 1 + small + below(4) }));
      const { key, signature } = stack(trees, message);
      for (const host of someHosts(levels)) expect(check(key, message, signature, host)).toBe(true);
      // a change in each level
      let at = 4;
      for (const t of trees) {
        const { n, p } = ots(t.level.ots);
        const size = 12 + n * (1 + p + hOf(t.level.lms)) + 24 + n;
        const bad = plain(signature);
        bad[Math.min(at + below(size), bad.length - 1)]! ^= 1 << below(8);
        expect(check(key, message, bad)).toBe(false);
        at += size;
      }
      expect(check(key, random(20), signature)).toBe(false);
      // the same levels less the last, or one more: the number that the signature gives must be the key's
      for (const l of [levels - 1, levels + 1, levels + 256]) {
        expect(check(Buffer.concat([u32(l), key.subarray(4)]), message, signature)).toBe(false);
        expect(check(key, message, Buffer.concat([u32(l - 1), signature.subarray(4)]))).toBe(false);
      }
    }
  });

  it("the longest signature of all, 74,616 bytes, and one beyond 64 KB, where Espruino has no views", () => {
    const { key, signature } = stack(
      Array.from({ length: 8 }, () => tree({ lms: 9, ots: 1 })),
      message,
    );
    expect(signature.length).toBe(4 + 8 * (12 + 32 * (1 + 265 + 25)) + 7 * 56);
    const far = Buffer.concat([Buffer.alloc(70_000), signature]).subarray(70_000);
    const one = stack([tree({ lms: 5, ots: 3 })], message);
    const farOne = Buffer.concat([Buffer.alloc(64_000), one.signature]).subarray(64_000);
    for (const host of Object.values(hosts)) {
      expect(check(key, message, signature, host)).toBe(true);
      expect(check(key, message, far, host)).toBe(true);
      expect(check(one.key, message, farOne, host)).toBe(true);
    }
    // as on Espruino
    const { subarray } = Uint8Array.prototype;
    const spy = vi.spyOn(Uint8Array.prototype, "subarray").mockImplementation(function (this: Uint8Array, from = 0, to = this.length) {
      if (this.byteOffset + to >= 65536) throw new Error("offset");
      return subarray.call(this, from, to) as Uint8Array<ArrayBuffer>;
    });
    try {
      for (const host of [hosts["ours"], hosts["ours, as if another"]]) {
        expect(check(plain(key), plain(message), plain(signature), host)).toBe(true);
        expect(check(one.key, message, new Uint8Array(farOne.buffer, farOne.byteOffset, farOne.length), host)).toBe(true);
      }
      expect(spy).toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
  });

  // a third of them also comes by every number of bytes in the last block
  it(`messages of every length from 0 to 200, and a long one${OF_SOME}`, () => {
    const t = tree({ lms: 10, ots: 7 });
    const lengths = Array.from({ length: 201 }, (_, i) => i);
    for (const n of [...(LEAST ? sparse(lengths, 20) : some(lengths, 12)), 70_000]) {
      const m = random(n);
      const { key, signature } = stack([t], m);
      expect(check(key, m, signature)).toBe(true);
      expect(check(key, Array.from(m), signature, hosts["one-shot"])).toBe(true);
    }
  });

  it("any byte changed, cut off or added is refused, with our own hash and with a host's", () => {
    const one = stack([tree({ lms: 10, ots: 7 })], message);
    refusesEverything(one.key, message, one.signature, {});
    const two = stack([tree({ lms: 5, ots: 3 }), tree({ lms: 6, ots: 3 })], message);
    refusesEverything(two.key, message, two.signature, remembering());
  });

  it(`${cases} random keys of one to three levels, and each signature with one bit wrong`, () => {
    for (let i = 0; i < cases; i++) {
      const small = 4 * below(2);
      const trees = Array.from({ length: 1 + below(3) }, () => tree({ lms: 5 + (small ? 5 : 0) + below(5), ots: 1 + small + below(3) }));
      const m = random(below(100));
      const { key, signature } = stack(trees, m);
      const host = Object.values(hosts)[i % 5];
      expect(check(key, m, signature, host)).toBe(true);
      const bad = plain(signature);
      bad[below(bad.length)]! ^= 1 << below(8);
      expect(check(key, m, bad, host)).toBe(false);
    }
  });

  it("without typed arrays", () => {
    const signatures = [
      stack([tree({ lms: 5, ots: 3 }), tree({ lms: 6, ots: 2 })], message),
      stack([tree({ lms: 10, ots: 7 }), tree({ lms: 11, ots: 6 })], message),
    ].map((s) => [Array.from(s.key), Array.from(s.signature)] as const);
    const m = Array.from(message);
    const bad = signatures.map(([, s]) => s.map((b, i) => (i === 99 ? b ^ 4 : b)));
    const other = hosts["ours, as if another"];
    const piecewise: Host = { sha256: { create: sha256.create } };
    const results: boolean[] = [];
    vi.stubGlobal("Uint8Array", undefined);
    try {
      signatures.forEach(([key, signature], i) => {
        for (const host of [{}, other, piecewise]) results.push(check(key, m, signature, host), check(key, m, bad[i]!, host));
      });
    } finally {
      vi.unstubAllGlobals();
    }
    expect(results).toEqual([true, false, true, false, true, false, true, false, true, false, true, false]);
  });

  it("takes a prepared key, and leaves its arguments as they are", () => {
    const { key, signature } = stack([tree({ lms: 5, ots: 3 })], message);
    const before = [key, message, signature].map((b) => b.toString("hex"));
    for (const host of Object.values(hosts)) expect(hsslms.verify({ key, table: undefined }, message, signature, host)).toBe(true);
    expect([key, message, signature].map((b) => b.toString("hex"))).toEqual(before);
  });
});

it("one block by itself: every length that fits", () => {
  sha256.create();
  for (let n = 0; n < 56; n++) {
    const m = random(n);
    const block = Buffer.alloc(64);
    m.copy(block);
    block[n] = 128;
    block.writeUInt32BE(8 * n, 60);
    const words = Array.from({ length: 16 }, (_, i) => block.readInt32BE(4 * i));
    const kept = words.slice();
    const state: number[] = [];
    for (let round = 0; round < 2; round++) {
      hashOneBlock(state, words);
      expect(Buffer.concat(state.map((s) => u32(s >>> 0))).toString("hex")).toBe(H(m).toString("hex"));
      expect(words.slice(0, 16)).toEqual(kept);
    }
  }
});
