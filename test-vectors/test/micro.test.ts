// Plays the vectors for micro verifiers, and compares what they accept with the general verifier and with the signer.

import * as verifier from "@firmseal/verifier/micro";
import { TEMPLATE_ROWS, templateString } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { encode, privateKey, signEnvelope, signer, singleImage } from "../../packages/signer/src/index.js";
import { TEMPLATE } from "../../packages/verifier/src/micro/template.js";
import { readKeys, readMicroVectors } from "../index.mjs";
import { outcome, wrong } from "../play/judge.js";

const vectors = readMicroVectors();
const accepted = vectors.filter((v) => "ok" in v.expect);
const input = (bytes: ArrayLike<number>) => bytes;

describe("a micro verifier", () => {
  it.each(vectors.map((v) => [v.name, v] as const))("%s", (_, v) => {
    expect(wrong(v, { input, verifier })).toBe("");
  });

  it("gives the same verdict for a Source that gives a byte at a time, and for one with one buffer", () => {
    const buffer = new Uint8Array(4096);
    const source = (bytes: ArrayLike<number>, one: boolean) => ({
      length: bytes.length,
      chunk: 5,
      read: (at: number, n: number) => {
        const part = Uint8Array.from({ length: n }, (_, i) => bytes[at + i] as number);
        if (!one) return part;
        buffer.fill(255);
        buffer.set(part);
        return buffer.subarray(0, n);
      },
    });
    for (const one of [false, true])
      for (const v of vectors) expect([v.name, wrong(v, { input: (bytes) => source(bytes, one), verifier })]).toEqual([v.name, ""]);
  });
});

describe("the general verifier", () => {
  it.each(accepted.map((v) => [v.name, v] as const))("accepts it too, with the same effects: %s", (_, v) => {
    const { absent: _absent, signers: _signers, ...general } = outcome(v) as { absent?: number[]; signers?: number[] };
    const { signers: _own, ...expected } = v.expect as { signers?: number[] };
    expect(general).toEqual(expected);
  });
});

describe("the contract firmseal-single-1", () => {
  it("is frozen: devices in the field have this string", () => {
    expect(templateString()).toBe(
      "d86b|a202{|82-{822f5820g}-{d284-{|a101I(04J)}-a0f6B}*{d284-{|a101M(04N)}-a0f6F}+}03-{a6010102D03{a2028181410004{8614a40150h0250i03{822f5820j}0eP010f020f}}07{82030f}09{821702}14{8614a115K1502030f}}-*69236669726d77617265R+",
    );
    expect(TEMPLATE).toBe(templateString());
  });

  it("says in each row what it means and what to do, in one line", () => {
    for (const { what, advice } of TEMPLATE_ROWS)
      for (const text of [what, advice]) {
        expect(text).toMatch(/^(?![A-Z][a-z])\S.*[^.\s]$/);
        expect(text.length).toBeLessThanOrEqual(160);
      }
  });

  it("is what the signer makes of an image: the same bytes as the vectors, which are put together without it", async () => {
    const { secret } = readKeys()["ed25519-a"] as { secret: string };
    const key = signer(privateKey("ed25519", Uint8Array.from(Buffer.from(secret, "hex"))));
    const facts = {
      vendor: "bcc16965-6f3a-5338-9d83-d8b565c63bc7",
      class: "0e21754c-e8a8-5902-aaa3-b172debfb634",
    };
    const image = Uint8Array.from({ length: 40 }, (_, i) => (i * 31 + 40) & 255);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", image)).toString("hex");
    const expected = (name: string) => vectors.find((v) => v.name === name)?.envelope;
    const made = async (more: object, sequence: number | string = 7) =>
      Buffer.from(
        await signEnvelope(encode(singleImage({ sequence, ...facts, digest, size: image.length, uri: "#firmware", ...more })), [key]),
      ).toString("hex");
    expect(await made({ payload: image })).toBe(expected("floor"));
    expect(await made({ payload: image }, "18446744073709551615")).toBe(expected("sequence-18446744073709551615"));
    expect(await made({ uri: "https://example.com/fw.bin" })).toBe(expected("image-arrives"));
  });
});
