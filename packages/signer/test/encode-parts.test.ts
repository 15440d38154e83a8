// Parts of a description: identifiers, sequence numbers, severed elements, payloads, and resolve().

import { createHash } from "node:crypto";
import { anchor, open } from "@firmseal/verifier";
import * as spec from "@firmseal/verifier/tools";
import { decodeEnvelope, toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../test-support/src/bytes.js";
import { checkItem } from "../../verifier/src/cbor/reader.js";
import {
  type Command,
  classUuid,
  type Description,
  DescriptionError,
  encode,
  formatUuid,
  parseUuid,
  reattach,
  resolve,
  SCHEMA,
  sever,
  signEnvelopeWithoutLog,
  signer,
  singleImage,
  splitEnvelope,
  vendorUuid,
} from "../src/index.js";
import { key, least, pairs, refusal, untagged, withCommands } from "./encode-common.js";

const trust = { anchors: [anchor("ed25519", key.key)] };
describe("identifiers", () => {
  it("are UUID5 of domain and name", () => {
    expect(formatUuid(vendorUuid("arm.com"))).toBe("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
    expect(formatUuid(vendorUuid("ARM.com"))).toBe("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
    expect(formatUuid(vendorUuid("nordicsemi.com"))).toBe("7617daa5-71fd-5a85-8f94-e28d735ce9f4");
    expect(classUuid(vendorUuid("arm.com"), "a")).not.toEqual(classUuid(vendorUuid("arm.com"), "A"));
  });

  it("in text, either case, and nothing else", () => {
    const text = "0f0e0d0c-0b0a-0908-0706-050403020100";
    expect(formatUuid(parseUuid(text.toUpperCase()))).toBe(text);
    for (const bad of ["", text.slice(1), `{${text}}`, text.replaceAll("-", ""), `${text} `, text.replace("f", "g")])
      expect(() => parseUuid(bad)).toThrow(TypeError);
  });
});
describe("sequence numbers", () => {
  const cases: [number | string, string][] = [
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [2 ** 31 - 1, "1a7fffffff"],
    [2 ** 31, "1a80000000"],
    [2 ** 32 - 1, "1affffffff"],
    [2 ** 32, "1b0000000100000000"],
    [2 ** 53 - 1, "1b001fffffffffffff"],
    ["2147483648", "1a80000000"],
    ["4294967296", "1b0000000100000000"],
    ["9007199254740992", "1b0020000000000000"],
    ["9007199254740993", "1b0020000000000001"],
    ["9223372036854775808", "1b8000000000000000"],
    ["18446744073709551615", "1bffffffffffffffff"],
  ];
  for (const [sequence, hex] of cases) {
    it(`${typeof sequence} ${sequence}`, async () => {
      const envelope = encode(least({ sequence }));
      const manifest = pairs(splitEnvelope(envelope).manifest, true);
      expect(toHex(manifest.find(([k]) => k === spec.MAN_SEQUENCE_NUMBER)?.[1] ?? [])).toBe(hex);
      const m = open(await signEnvelopeWithoutLog(envelope, [signer(key)]), trust);
      expect((BigInt(m.sequence[0]) << 32n) | BigInt(m.sequence[1])).toBe(BigInt(sequence));
    });
  }
});
describe("severed elements", () => {
  const d = least({
    install: [{ "directive-override-parameters": { uri: "http://x/y" } }, "condition-abort"],
    "payload-fetch": ["condition-abort"],
    text: { en: { "update-description": "x".repeat(100) } },
    sever: ["install", "payload-fetch", "text"],
  });

  it("travel in the envelope, can be removed and put back; signatures stay valid", async () => {
    const full = await signEnvelopeWithoutLog(encode(d), [signer(key)]);
    expect([...splitEnvelope(full).severed.keys()].sort((a, b) => a - b)).toEqual([16, 20, 23]);
    expect(open(full, trust).absent).toEqual([]);
    const bare = sever(full);
    expect(splitEnvelope(bare).severed.size).toBe(0);
    expect(open(bare, trust).absent).toEqual([16, 20, 23]);
    expect(toHex(reattach(bare, full))).toBe(toHex(full));
    const some = sever(full, [spec.MAN_TEXT]);
    expect([...splitEnvelope(some).severed.keys()].sort((a, b) => a - b)).toEqual([16, 20]);
    expect(toHex(reattach(bare, some))).toBe(toHex(some));
    expect(toHex(sever(full, []))).toBe(toHex(full));
    expect(toHex(splitEnvelope(full).manifest)).toBe(toHex(splitEnvelope(bare).manifest));
    // the same without severing is another manifest
    expect(toHex(splitEnvelope(encode({ ...d, sever: [] })).manifest)).not.toBe(toHex(splitEnvelope(full).manifest));
  });

  it("take with them the payloads that only they fetch", () => {
    const fetch = (uri: string): Command[] => [{ "directive-override-parameters": { uri } }, "directive-fetch"];
    const full = encode(least({ install: fetch("#a"), load: fetch("#b"), sever: ["install"], payloads: { "#a": "aaa", "#b": "bbb" } }));
    const bare = sever(full);
    decodeEnvelope(bare);
    expect([...splitEnvelope(bare).payloads.keys()]).toEqual(["#b"]);
    expect(toHex(reattach(bare, full))).toBe(toHex(full));
  });

  it("of another release are not accepted", async () => {
    const full = await signEnvelopeWithoutLog(encode(d), [signer(key)]);
    const other = encode({ ...d, text: { en: { "update-description": "other" } } });
    expect(refusal(() => reattach(sever(full), other))).toBe("DIGEST_SEVERED");
    expect(refusal(() => reattach(encode(least()), full))).toBe("SEVERED_UNCOVERED");
  });
});
describe("payloads", () => {
  for (const n of [0, 1, 23, 24, 255, 256, 65535, 65536, 200_000]) {
    it(`${n} bytes`, async () => {
      const payload = Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 255);
      const d = singleImage({
        sequence: 1,
        vendor: "example.com",
        class: "b",
        digest: sha256Hex(payload),
        size: n,
        uri: "#firmware",
        payload,
      });
      const signed = await signEnvelopeWithoutLog(encode(d), [signer(key)]);
      checkItem(untagged(signed));
      const parts = splitEnvelope(signed);
      expect(parts.payloads.get("#firmware")).toEqual(payload);
      expect(open(signed, trust).payloads.map((p) => p.content.n)).toEqual([n]);
    });
  }
});
describe("resolve()", () => {
  const store: { [path: string]: Uint8Array } = { a: Uint8Array.of(1, 2, 3), b: new TextEncoder().encode("bb"), empty: new Uint8Array() };
  const files = {
    hash: async (path: string, algorithm: string) => ({
      digest: new Uint8Array(
        createHash(algorithm.replace("-", ""))
          .update(store[path] as Uint8Array)
          .digest(),
      ),
      size: (store[path] as Uint8Array).length,
    }),
    read: async (path: string) => store[path] as Uint8Array,
  };

  it("replaces named files by their digests, sizes and contents, wherever they are", async () => {
    const image = (ref: object) => ({ "directive-override-parameters": { image: ref } });
    const set = (ref: object) => ({ "directive-override-parameters": { "image-digest": ref } });
    const d = least({
      components: [[{ file: "b" }]],
      "shared-sequence": [image({ file: "a" })],
      validate: [
        { "directive-try-each": [[image({ file: "a", algorithm: "sha-512" })], ["condition-abort"], null] },
        { "directive-run-sequence": [set({ file: "empty" })] },
        set({ payload: "#p", algorithm: "sha-384" }),
      ],
      load: [
        { "directive-override-parameters": { content: { file: "a" }, "invoke-args": { file: "b" }, "fetch-args": { hex: "00" } } },
        { "condition-abort": 1 },
      ],
      install: [image({ payload: "#p" }), { "directive-override-parameters": { uri: "#p" } }, "directive-fetch"],
      payloads: { "#p": { file: "a" } },
    });
    const before = JSON.stringify(d);
    const out = await resolve(d, files);
    expect(JSON.stringify(d)).toBe(before);
    const hash = (alg: string, path: string) =>
      createHash(alg)
        .update(store[path] as Uint8Array)
        .digest("hex");
    const sized = (algorithm: string, path: string) => ({
      "directive-override-parameters": {
        "image-digest": { algorithm, hex: hash(algorithm.replace("-", ""), path) },
        "image-size": (store[path] as Uint8Array).length,
      },
    });
    expect(out.components).toEqual([[store["b"]]]);
    expect(out["shared-sequence"]).toEqual([sized("sha-256", "a")]);
    expect(out.validate).toEqual([
      { "directive-try-each": [[sized("sha-512", "a")], ["condition-abort"], null] },
      { "directive-run-sequence": [set({ algorithm: "sha-256", hex: hash("sha256", "empty") })] },
      set({ algorithm: "sha-384", hex: hash("sha384", "a") }),
    ]);
    expect(out.load?.[0]).toEqual({
      "directive-override-parameters": { content: store["a"], "invoke-args": store["b"], "fetch-args": { hex: "00" } },
    });
    expect(out.install?.[0]).toEqual(sized("sha-256", "a"));
    expect(out.payloads).toEqual({ "#p": store["a"] });
    expect(splitEnvelope(encode(out)).payloads.get("#p")).toEqual(store["a"]);
    // nothing is left to resolve
    expect(
      toHex(encode(await resolve(out, { hash: () => Promise.reject(new Error("asked")), read: () => Promise.reject(new Error("asked")) }))),
    ).toBe(toHex(encode(out)));
  });

  it("an error of the file system is passed on; a missing payload is reported", async () => {
    const d = withCommands({ "directive-override-parameters": { image: { file: "x" } } });
    const gone = Object.assign(new Error("no such file"), { code: "ENOENT" });
    await expect(resolve(d, { ...files, hash: () => Promise.reject(gone) })).rejects.toBe(gone);
    for (const payload of ["#x", "__proto__", "constructor"])
      await expect(resolve(withCommands({ "directive-override-parameters": { image: { payload } } }), files)).rejects.toThrow(
        DescriptionError,
      );
    await expect(resolve({ $schema: SCHEMA }, files)).rejects.toThrow(DescriptionError);
  });

  it("keeps a payload whose URI is a name that objects have", async () => {
    const d = JSON.parse(
      `{"$schema":"${SCHEMA}","sequence":1,"components":[[]],"install":[{"directive-override-parameters":{"uri":"__proto__","image":{"payload":"__proto__"}}},"directive-fetch"],"payloads":{"__proto__":"abc"}}`,
    ) as Description;
    const envelope = encode(await resolve(d, files));
    expect(splitEnvelope(envelope).payloads.get("__proto__")).toEqual(new TextEncoder().encode("abc"));
  });
});
