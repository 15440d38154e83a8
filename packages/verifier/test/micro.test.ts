// The micro verifier accepts the template and nothing else; and what it accepts, the general verifier accepts as well, with the same effects.

import { bridge, encode, privateKey, signEnvelopeWithoutLog, signer, singleImage, splitEnvelope } from "@firmseal/signer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sealed } from "../../../fuzz/common/seal.js";
import { readVectors } from "../../../test-vectors/index.mjs";
import { deviceOf, drive, envelopeOf, trustOf } from "../../../test-vectors/play/play.js";
import { array, int, map, NIL, bytes as octets, tag, text } from "../../../test-vectors/src/pieces/assemble.js";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { ALL, LEAST, LONG } from "../../test-support/src/environment/effort.js";
import { ALGORITHMS, anchorMicro } from "../src/cose/anchor.js";
import { memoryDevice } from "../src/device/memory.js";
import { type Alg, anchor, boot, errors, install, open, type Source, type Trust } from "../src/index.js";
import * as micro from "../src/install/micro/index.js";
import { SIGNATURE_ALGS } from "../src/spec/cose.js";
import { TEMPLATE_ROWS, templateFault } from "../src/tools/index.js";
import { refusalOf } from "./refusals.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const ed = signer(privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
const otherKey = privateKey("ed25519", hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
const es = privateKey("es256", hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"));
const both: Trust = { anchors: [...trust.anchors, anchor("es256", es.key)], threshold: 2 };

const facts = (sequence: number | string, bytes: Uint8Array) => ({
  sequence,
  ...uuid,
  digest: sha256Hex(bytes),
  size: bytes.length,
  uri: "#firmware",
  payload: bytes,
});
const device = () => memoryDevice(identity, [ID], 4096);
const chunked = (bytes: Uint8Array): Source => ({ length: bytes.length, chunk: 100, read: (at, n) => bytes.slice(at, at + n) });

/** What a device holds afterwards, and what it has started. */
function effects(api: { install: typeof install; boot: typeof boot } | typeof micro, envelope: Uint8Array, whom: Trust, from = device()) {
  api.install(envelope, whom, from).next();
  api.boot(from.envelope as Uint8Array, whom, from).next();
  const { parts, sequence, counted, invoked } = from;
  return {
    parts,
    sequence,
    invoked: invoked.map(({ id }) => id.map((part) => Array.from(part))),
    counted: Array.from(counted as Uint8Array).slice(0, 28),
    kept: Array.from(from.envelope as Uint8Array),
  };
}

describe("accepts the template, with the effects of the general verifier", () => {
  const bytes = image(1, 300);
  it.each([
    ["a number of 64 bits", "18446744073709551615", 300],
    ["the number 0", 0, 300],
    ["a number of 32 bits", 4294967295, 300],
    ["the first number that has 64 bits", 4294967296, 300],
    ["an image of one byte", 7, 1],
    ["an image of 24 bytes", 7, 24],
    ["an image of 256 bytes", 7, 256],
  ])("%s", async (_, sequence, n) => {
    const envelope = await release(sequence, image(2, n));
    expect(effects(micro, envelope, trust)).toEqual(effects({ install, boot }, envelope, trust));
  });

  it("an image that is larger than any other byte string may be", async () => {
    const envelope = await release(7, image(2, 20_000));
    for (const api of [micro, { install, boot }]) {
      const d = memoryDevice(identity, [ID], 20_000);
      api.install(envelope, trust, d).next();
      expect(d.parts[0]?.slots[1]).toHaveLength(20_000);
    }
  });

  it("two signatures, one or both of them required, in either order", async () => {
    const two = [ed, signer(es)];
    for (const keys of [two, [...two].reverse()]) {
      const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts(7, bytes))), keys);
      for (const whom of [trust, both]) {
        const { kept, ...own } = effects(micro, envelope, whom);
        const { kept: other, ...general } = effects({ install, boot }, envelope, whom);
        expect(own).toEqual(general);
        // the general verifier puts the verified signature first
        expect([...kept].sort()).toEqual([...other].sort());
        // and starts what the micro verifier has kept
        const moved = device();
        micro.install(envelope, whom, moved).next();
        boot(moved.envelope as Uint8Array, whom, moved).next();
        expect(moved.invoked).toHaveLength(1);
      }
    }
  });

  it("a key identifier, and an image outside the envelope that arrives in pieces", async () => {
    const named = signer(privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), hex("beef")));
    const { payload: _, ...outside } = { ...facts(7, bytes), uri: "https://example.com/fw.bin" };
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(outside)), [named]);
    for (const api of [micro, { install, boot }]) {
      const to = device();
      const progress = api.install(chunked(envelope), trust, to);
      expect(progress.next()).toMatchObject({ op: 21, component: 0, size: 300, uri: "https://example.com/fw.bin" });
      for (let at = 0; at < 300; at += 77) progress.next(bytes.subarray(at, at + 77));
      progress.next(true);
      expect(progress.done).toBe(true);
      expect(Uint8Array.from(to.parts[0]?.slots[1] ?? [])).toEqual(bytes);
    }
  });

  it("reads each byte of the head once, and no image before the signature is verified", async () => {
    const envelope = await release(7, bytes);
    const reads: number[] = new Array(envelope.length).fill(0);
    const source: Source = {
      length: envelope.length,
      read: (at, n) => {
        for (let i = at; i < at + n; i++) (reads[i] as number)++;
        return envelope.slice(at, at + n);
      },
    };
    micro.open(source, trust);
    expect(reads.slice(0, envelope.length - 300).every((n) => n === 1)).toBe(true);
    // it cannot know where the head ends
    expect(reads.slice(-285).every((n) => n === 0)).toBe(true);
  });
});

describe("anchor() of a bundle", () => {
  it("knows the algorithms of the bundle, and no other name", () => {
    ALGORITHMS["ed25519"] = trust.anchors[0]?.alg as Alg;
    const key = trust.anchors[0]?.key as Uint8Array;
    expect(anchorMicro("ed25519", key, undefined)).toMatchObject({ alg: { ids: [-8, -19] }, key });
    for (const name of ["es256", "toString", "__proto__", ""])
      expect(code(() => anchorMicro(name, key, undefined))).toBe(errors.TRUST_POLICY);
    for (const bad of [key.subarray(1), new Uint8Array(32), undefined as never, Array.from(key, (x) => x + 256)])
      expect(code(() => anchorMicro("ed25519", bad, undefined))).toBe(errors.ANCHOR_KEY);
  });
});

describe("refuses with the numbers of the general verifier", () => {
  const bytes = image(1, 300);
  const all = async () => ({
    envelope: await release(7, bytes),
    other: await signEnvelopeWithoutLog(encode(singleImage(facts(7, bytes))), [signer(otherKey)]),
    twice: await signEnvelopeWithoutLog(encode(singleImage(facts(7, bytes))), [ed, signer(es)]),
  });
  const windows: [string, Trust, string][] = [
    ["ANCHOR_WINDOW", { anchors: [{ ...trust.anchors[0], since: [0, 8] } as never] }, "envelope"],
    ["ANCHOR_WINDOW", { anchors: [{ ...trust.anchors[0], until: [0, 6] } as never] }, "envelope"],
    ["TRUST_POLICY", { anchors: [{ ...trust.anchors[0], until: [0, Number.NaN] } as never] }, "envelope"],
    ["TRUST_POLICY", { anchors: [] }, "envelope"],
    ["TRUST_POLICY", { ...trust, threshold: 0 }, "envelope"],
    ["TRUST_POLICY", { ...trust, floor: [0, 1.5] }, "envelope"],
    ["ROLLBACK", { ...trust, floor: [0, 8] }, "envelope"],
    ["SIGNATURE_INVALID", trust, "other"],
    ["SIGNATURE_NO_ANCHOR", { anchors: [anchor("es256", es.key)] }, "envelope"],
    ["SIGNATURE_THRESHOLD", both, "envelope"],
  ];
  it.each(windows)("%s %#", async (name, whom, which) => {
    const envelope = (await all())[which as "envelope"];
    expect(code(() => micro.open(envelope, whom))).toBe((errors as Record<string, number>)[name]);
    expect(code(() => open(envelope, whom))).toBe((errors as Record<string, number>)[name]);
  });

  it.each([
    ["a policy of a trust file", { ...trust, store: {} }],
    ["an anchor for one vendor", { anchors: [{ ...trust.anchors[0], vendor: identity.vendor[0] }] }],
    ["an anchor for one class", { anchors: [{ ...trust.anchors[0], class: identity.class[0] }] }],
    ["an anchor for single devices", { anchors: [{ ...trust.anchors[0], single: true }] }],
    ["five anchors", { anchors: new Array(5).fill(trust.anchors[0]) }],
  ])("%s says more than it checks", async (_, whom) => {
    const { envelope } = await all();
    expect(code(() => micro.open(envelope, whom as Trust))).toBe(errors.TRUST_POLICY);
  });

  it("counts two forms of one key once", async () => {
    const { twice } = await all();
    const flipped = Uint8Array.from(es.key as Uint8Array);
    const whom = { anchors: [anchor("es256", flipped), anchor("es256", es.key), anchor("es256", es.key)], threshold: 2 };
    expect(code(() => micro.open(twice, whom))).not.toBe(0);
  });

  it("a floor of the device, a device for others, and a device with too little room, before anything is written", async () => {
    const { envelope } = await all();
    const cases: [number, Partial<ReturnType<typeof device>>][] = [
      [errors.ROLLBACK, { sequence: [0, 8] }],
      [errors.SEQUENCE_TAKEN, { sequence: [0, 7] }],
      [errors.SEQUENCE_TAKEN, { sequence: [0, 7], counted: new Uint8Array(28) }],
      [errors.DEVICE_FAULT, { floor: () => [0, Number.NaN] }],
      [errors.DEVICE_FAULT, { floor: () => undefined as never }],
      [errors.VENDOR_MISMATCH, { identity: { ...identity, vendor: [hex("00".repeat(16))] } }],
      [errors.CLASS_MISMATCH, { identity: { ...identity, class: [] } }],
      [errors.COMPONENT_UNKNOWN, { capacity: () => -1 }],
      [errors.PAYLOAD_SIZE, { capacity: () => 299 }],
    ];
    for (const [number, change] of cases)
      for (const api of [micro, { install, boot }]) {
        const d = Object.assign(device(), change);
        d.erase = () => expect.unreachable("erased");
        d.persist = () => expect.unreachable("persisted");
        expect(code(() => api.install(envelope, trust, d).next())).toBe(number);
      }
  });

  it("installs the release of the floor again, and no other with its number", async () => {
    const d = device();
    const { envelope } = await all();
    micro.install(envelope, trust, d).next();
    micro.install(envelope, trust, d).next();
    expect(code(() => micro.install(envelope, trust, Object.assign(d, { counted: null })).next())).toBe(errors.SEQUENCE_TAKEN);
  });

  it("an image that is not the signed one, and storage that changes it", async () => {
    const { envelope } = await all();
    const changed = Uint8Array.from(envelope);
    changed[envelope.length - 1] = (changed[envelope.length - 1] as number) ^ 1;
    expect(code(() => micro.install(changed, trust, device()).next())).toBe(errors.IMAGE_MISMATCH);
    const d = device();
    const { write } = d;
    d.write = (id, at, b) =>
      write(
        id,
        at,
        Array.from(b, (x) => x ^ 1),
      );
    expect(code(() => micro.install(envelope, trust, d).next())).toBe(errors.IMAGE_MISMATCH);
    expect(d.parts[0]?.slots).toEqual([[], []]);
  });

  it("a device that keeps another envelope, one that belongs to another session, and what does not fit a step", async () => {
    const { envelope } = await all();
    const others: ((kept: number[]) => number[])[] = [
      (kept) => kept.fill(0, 3, 4),
      (kept) => [...kept.slice(0, -1), 256 - (kept.at(-1) as number)],
      (kept) => kept.slice(0, -1),
      (kept) => [...kept, 0],
      () => [],
    ];
    for (const chunk of [1, 64, 1024])
      for (const other of others) {
        const d = Object.assign(device(), { chunk, keep: (e: unknown) => other(Array.from(e as Uint8Array)) });
        expect(code(() => micro.install(envelope, trust, d).next())).toBe(errors.DEVICE_FAULT);
        expect(d.sequence).toEqual([0, 0]);
      }
    const e = device();
    const first = micro.install(envelope, trust, e);
    const second = micro.install(envelope, trust, e);
    expect(code(() => first.next())).toBe(errors.RUN_OUTCOME);
    expect(code(() => second.next(true))).toBe(errors.RUN_OUTCOME);
    expect(code(() => second.next())).toBe(errors.RUN_OUTCOME);
    expect(e.sequence).toEqual([0, 0]);
  });

  it("a kept envelope is not a release, and a release is not a kept envelope", async () => {
    const { envelope } = await all();
    const d = device();
    micro.install(envelope, trust, d).next();
    expect(code(() => micro.open(d.envelope as Uint8Array, trust))).toBe(errors.TEMPLATE_MISMATCH);
    expect(code(() => micro.boot(envelope, trust, d))).toBe(errors.TEMPLATE_MISMATCH);
  });
});

/** How many releases are changed in every bit. */
const RELEASES = LEAST ? 1 : ALL ? 32 : LONG ? 8 : 2;

describe("accepts nothing else", () => {
  const bytes = image(3, 40);
  /** Counts what is accepted: the number of refusals must be that of the attempts. */
  const accepted = (envelope: ArrayLike<number>, whom: Trust) => (code(() => micro.install(envelope, whom, device()).next()) === 0 ? 1 : 0);
  const quick: Trust = { anchors: trust.anchors.map((a) => ({ ...a, alg: { ...a.alg, verify: cached(a.alg.verify) } })) };

  /** The answers of an algorithm, kept: most mutations ask about the same signature. */
  function cached(verify: (typeof trust.anchors)[0]["alg"]["verify"]): typeof verify {
    const known = new Map<string, boolean>();
    return (key, message, signature, host) => {
      const question = `${Array.from(message)} ${Array.from(signature)}`;
      const answer = known.get(question) ?? verify(key, message, signature, host);
      known.set(question, answer);
      return answer;
    };
  }

  it(`no flip, no truncation and no insertion, of ${RELEASES} releases`, { timeout: 600_000 }, async () => {
    let tried = 0;
    let good = 0;
    for (let i = 0; i < RELEASES; i++) {
      const envelope = await release(i < 2 ? 7 : 2 ** i, image(i, 30 + i), i % 2 ? `https://example.com/${i}` : "#firmware");
      expect(code(() => micro.open(envelope, quick))).toBe(0);
      const attempt = (changed: Uint8Array) => {
        // a changed image shows when it is installed, and not before
        good += i % 2 ? (code(() => micro.open(changed, quick)) === 0 ? 1 : 0) : accepted(changed, quick);
        tried++;
      };
      for (let at = 0; at < envelope.length; at++) {
        for (let bit = 1; bit < 256; bit *= 2) {
          const flipped = Uint8Array.from(envelope);
          flipped[at] = (flipped[at] as number) ^ bit;
          attempt(flipped);
        }
        attempt(envelope.subarray(0, at));
        for (const extra of [0, envelope[at] as number, 255])
          attempt(Uint8Array.of(...envelope.subarray(0, at), extra, ...envelope.subarray(at)));
      }
      attempt(Uint8Array.of(...envelope, 0));
    }
    expect({ tried: tried > 3000 * RELEASES - 1000, good }).toEqual({ tried: true, good: 0 });
  });

  it.each(["#firmware", "https://example.com/firmware-1.bin"])(
    "says where a changed release with %s differs: a byte of it, or its end",
    async (uri) => {
      const envelope = await release(7, image(0, 30), uri);
      const beyond: string[] = [];
      const attempt = (changed: Uint8Array, how: string) => {
        const [number, offset] = refusalOf(micro.open, changed, quick);
        if (offset > changed.length) beyond.push(`${how}: ${number}@${offset} of ${changed.length} bytes`);
      };
      for (let at = 0; at < envelope.length; at++) {
        attempt(envelope.subarray(0, at), `cut at ${at}`);
        for (let bit = 1; bit < 256; bit *= 2) {
          const flipped = Uint8Array.from(envelope);
          flipped[at] = (flipped[at] as number) ^ bit;
          attempt(flipped, `bit ${bit} of ${at}`);
        }
      }
      expect(beyond).toEqual([]);
    },
  );

  it("no manifest that was changed and signed again, unless only what is in a hole", { timeout: 300_000 }, () => {
    const { manifest } = splitEnvelope(encode(singleImage(facts(7, bytes))));
    const seal = (other: Uint8Array) => sealed(other, [Uint8Array.from(text("#firmware")), Uint8Array.from(octets(bytes))]);
    const isAccepted = (other: Uint8Array) => (code(() => micro.open(seal(other), trust)) === 0 ? 1 : 0);
    expect(templateFault(seal(manifest))).toBe(null);
    expect(isAccepted(manifest)).toBe(1);
    const free = holesOf(manifest);
    let good = 0;
    let tried = 0;
    const attempt = (other: Uint8Array) => {
      good += isAccepted(other);
      tried++;
    };
    for (let at = 0; at < manifest.length; at++) {
      for (let bit = 1; bit < 256 && !free[at]; bit *= 2) {
        const other = Uint8Array.from(manifest);
        other[at] = (other[at] as number) ^ bit;
        attempt(other);
      }
      attempt(manifest.subarray(0, at));
      attempt(Uint8Array.of(...manifest.subarray(0, at), ...manifest.subarray(at + 1)));
      for (const extra of [0, 15, manifest[at] as number])
        attempt(Uint8Array.of(...manifest.subarray(0, at), extra, ...manifest.subarray(at)));
    }
    expect({ tried: tried > 1000, good }).toEqual({ tried: true, good: 0 });
  });

  it("no number whose head is not the shortest, no matter who signs it", () => {
    const { manifest } = splitEnvelope(encode(singleImage(facts(7, bytes))));
    const rest = [Uint8Array.from(text("#firmware")), Uint8Array.from(octets(bytes))];
    // a map of six elements, of which the second is the sequence number
    const at = Buffer.from(manifest).indexOf(Buffer.from("a601010207", "hex")) + 4;
    const codeOf = (number: string) =>
      code(() => micro.open(sealed(Uint8Array.of(...manifest.subarray(0, at), ...hex(number), ...manifest.subarray(at + 1)), rest), trust));
    const shortest = ["00", "17", "1818", "18ff", "190100", "19ffff", "1a00010000", "1affffffff", `1b00000001${"00".repeat(4)}`];
    const others = ["1800", "1817", "190018", "1900ff", "1a00000100", "1a0000ffff", "1b00000000ffffffff"];
    // reserved heads, and that of an indefinite length
    const none = [0x1c, 0x1d, 0x1e, 0x1f].flatMap((lead) => ["00", "01"].map((b) => lead.toString(16) + b.repeat(2 ** (lead - 24))));
    expect(shortest.map(codeOf)).toEqual(shortest.map(() => 0));
    expect([...others, ...none].map(codeOf)).toEqual([...others, ...none].map(() => errors.TEMPLATE_MISMATCH));
  });

  it("only URIs of printable characters, which begin with # only if the image is in the envelope", () => {
    const { payload: _, ...outside } = facts(7, bytes);
    const uri = "https://example.com/ab";
    const { manifest } = splitEnvelope(encode(singleImage({ ...outside, uri })));
    const at = Buffer.from(manifest).indexOf(uri);
    const codeOf = (character: number, place: number) => {
      const other = Uint8Array.from(manifest);
      other[at + place] = character;
      return code(() => micro.open(sealed(other), trust));
    };
    for (const character of [0x00, 0x1f, 0x20, 0x7f])
      for (const place of [0, uri.length - 2, uri.length - 1])
        expect([character, place, codeOf(character, place)]).toEqual([character, place, errors.TEMPLATE_MISMATCH]);
    for (const character of [0x21, 0x7e]) expect(codeOf(character, 0)).toBe(0);
    expect([codeOf(0x23, 0), codeOf(0x23, 1)]).toEqual([errors.TEMPLATE_MISMATCH, 0]);
  });

  /** Which bytes of a manifest belong to holes: number, vendor, class, digest, size. */
  function holesOf(manifest: Uint8Array): boolean[] {
    const free = new Array<boolean>(manifest.length).fill(false);
    const text = Buffer.from(manifest).toString("latin1");
    const mark = (after: string, n: number) => {
      const at = text.indexOf(Buffer.from(after, "hex").toString("latin1")) + after.length / 2;
      free.fill(true, at, at + n);
    };
    mark("a6010102", 1);
    mark("8614a40150", 16);
    mark(`${Buffer.from(identity.vendor[0] as Uint8Array).toString("hex")}0250`, 16);
    mark("822f5820", 32);
    mark(`${sha256Hex(bytes)}0e`, 2);
    return free;
  }

  it("whatever is accepted, the general verifier accepts as well", { timeout: 300_000 }, async () => {
    const base = await release(7, bytes);
    const second = await signEnvelopeWithoutLog(encode(singleImage({ ...facts(9, bytes) })), [ed, signer(es)]);
    fc.assert(
      fc.property(
        fc.constantFrom(base, second),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255), fc.constantFrom("set", "insert", "delete")), { maxLength: 3 }),
        (from, edits) => {
          const out = [...from];
          for (const [at, byte, how] of edits) out.splice(at % out.length, how === "insert" ? 0 : 1, ...(how === "delete" ? [] : [byte]));
          if (code(() => micro.open(out, quick)) === 0) expect(code(() => open(out, quick))).toBe(0);
        },
      ),
      { numRuns: Number(process.env["FIRMSEAL_CASES"] ?? (LONG ? 3000 : LEAST ? 1000 : 300)) },
    );
  });

  it("only the algorithms of SIGNATURE_ALGS, whatever an anchor has", () => {
    const { manifest } = splitEnvelope(encode(singleImage(facts(7, bytes))));
    const hashed = array(int(-16), octets(hex(sha256Hex(Uint8Array.from(octets(manifest))))));
    for (let alg = -300; alg < 30; alg++) {
      const block = tag(18, array(octets(map([int(1), int(alg)])), map(), NIL, octets(new Uint8Array(64))));
      const wrapper = octets(array(octets(hashed), octets(block)));
      const envelope = Uint8Array.of(...[0xd8, 0x6b, 0xa3, 2, ...wrapper, 3, ...octets(manifest), ...text("#firmware"), ...octets(bytes)]);
      const whom = { anchors: [{ alg: { ids: [alg], valid: () => true, verify: () => true }, key: new Uint8Array(32) }] };
      const known = SIGNATURE_ALGS.includes(` ${alg} `);
      expect([alg, code(() => micro.open(envelope, whom)) === 0]).toEqual([alg, known]);
      expect([alg, code(() => open(envelope, whom)) === 0]).toEqual([alg, known]);
    }
  });

  it("other forms of a good release", async () => {
    const words = { en: { "manifest-description": "a text" } } as never;
    const single = singleImage(facts(7, bytes));
    const forms: [string, Uint8Array][] = [
      ["with a text", await release(7, bytes, "#firmware", words)],
      ["with another name", await release(7, bytes, "#image")],
      ["with another component", await signed(singleImage({ ...facts(7, bytes), component: [{ hex: "01" }] }))],
      ["severed", await signed({ ...single, sever: ["install"] })],
      ["without invoke", await signed({ ...single, invoke: undefined } as never)],
      ["with SHA-512", await signed({ ...single, digest: "sha-512" })],
      ["a bridge", await signed(bridge({ sequence: 7, ...uuid, trust: bytes }))],
      ["three signatures", await signEnvelopeWithoutLog(encode(single), [ed, signer(es), signer(otherKey)])],
      ["unsigned", encode(single)],
    ];
    for (const [what, envelope] of forms) {
      expect([what, code(() => micro.open(envelope, trust))]).toEqual([what, errors.TEMPLATE_MISMATCH]);
      const fault = templateFault(envelope);
      expect(fault, what).toMatchObject({ code: errors.TEMPLATE_MISMATCH });
      expect(fault?.at, what).toBeLessThan(envelope.length);
    }
  });

  it("says for each place what the template has there, and throws if only the digest is wrong", async () => {
    const envelope = await release(7, bytes);
    const faultOf = (at: number) => {
      const changed = Uint8Array.from(envelope);
      changed[at] = (changed[at] as number) ^ 64;
      const fault = templateFault(changed);
      expect(fault).toMatchObject({ code: errors.TEMPLATE_MISMATCH, at });
      return TEMPLATE_ROWS.findIndex(({ what, advice }) => what === fault?.what && advice === fault.advice);
    };
    // tag, map, key 2, wrapper, array, digest, its array, tag and array of the message
    expect([0, 1, 2, 3, 4, 6, 7, 9, 12].map(faultOf)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 6]);
    const classAt = Buffer.from(envelope).indexOf(Buffer.from(identity.class[0] as Uint8Array));
    envelope[classAt] = (envelope[classAt] as number) ^ 1;
    expect(code(() => templateFault(envelope))).toBe(errors.DIGEST_MANIFEST);
    expect(templateFault(envelope.subarray(0, 12))).toMatchObject({ code: errors.CBOR_TRUNCATED });
  });

  it("a manifest of a later version, whose first different byte is that of the version", async () => {
    const envelope = await release(7, bytes);
    // a map of six elements, of which the first is the version
    const at = Buffer.from(envelope).indexOf(Buffer.from("a6010102", "hex")) + 2;
    expect(templateFault(envelope)).toBeNull();
    envelope[at] = 2;
    expect(templateFault(envelope)).toMatchObject({ code: errors.TEMPLATE_MISMATCH, at });
  });
});

describe("the vectors", () => {
  it("what the micro verifier accepts, the general one accepts, with the same effects", () => {
    let accepted = 0;
    for (const v of readVectors()) {
      if (v.envelope === undefined || !v.trust || !["open", "run", "step", "install", "boot"].includes(v.action)) continue;
      const whom = trustOf(v.trust);
      const envelope = envelopeOf(v);
      const outcome = (api: { install: typeof install; boot: typeof boot; open: typeof open } | typeof micro) => {
        const d = deviceOf(v.device ?? {});
        const refusal = code(() => {
          if (v.action === "install" || v.action === "boot") drive(api[v.action](envelope, whom, d) as never, v.device?.chunks);
          else api.open(envelope, whom);
        });
        return {
          refusal,
          sequence: d.sequence,
          slots: d.parts.map((p) => [p.current, p.slots]),
          invoked: d.invoked.map(({ id }) => id.map((part) => Array.from(part))),
        };
      };
      const own = outcome(micro);
      if (own.refusal === 0) {
        accepted++;
        expect([v.name, outcome({ install, boot, open })]).toEqual([v.name, own]);
      }
    }
    expect(accepted).toBeGreaterThan(0);
  });
});
