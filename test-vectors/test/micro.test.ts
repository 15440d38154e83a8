// Plays the vectors for micro verifiers, and compares what they accept with the general verifier and with the signer.

import * as verifier from "@firmseal/verifier/micro";
import { TEMPLATE_NAME, TEMPLATE_ROWS, templateString } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "../../packages/signer/src/index.js";
import { LEAST, sparse } from "../../packages/test-support/src/environment/effort.js";
import { hostHashes } from "../../packages/test-support/src/host-hashes.js";
import { TEMPLATE, TEMPLATE_INSIDE } from "../../packages/verifier/src/install/micro/template.generated.js";
import { readKeys, readMicroVectors } from "../index.mjs";
import { fickle, honest, hostile, outcome, same } from "../play/forms.js";
import { outcome as judged, wrong } from "../play/judge.js";
import { deviceOf } from "../play/play.js";
import { asGiven } from "./as-given.js";

const vectors = readMicroVectors();
const accepted = vectors.filter((v) => "ok" in v.expect);
/** Those that are given in other forms. */
const some = sparse(vectors, 12);

/** What comes of a vector as it is given. */
const expectedOf = asGiven(verifier);

/** A device before a vector is played. */
function untouched(v: (typeof vectors)[0]): unknown {
  const { parts, sequence, invoked } = deviceOf(v.device ?? {});
  return [parts.map((p) => [p.current, p.slots]), sequence, invoked];
}

describe("a micro verifier", () => {
  it.each(vectors.map((v) => [v.name, v] as const))("%s", (_, v) => {
    expect(wrong(v, { input: same, verifier })).toBe("");
  });

  it.each(honest)("gives the same verdict for %s", (_, form) => {
    for (const v of some) expect([v.name, outcome(v, { ...form, verifier })]).toEqual([v.name, expectedOf(v)]);
  });

  it("gives the same verdict with the hashes of a host, in one call or in steps", () => {
    for (const v of vectors) expect([v.name, wrong(v, { input: same, verifier, host: hostHashes })]).toEqual([v.name, ""]);
  });

  it("gives the same verdict for a Source that changes its mind, or installs nothing if the image is read again", () => {
    for (const v of some) {
      const expected = expectedOf(v);
      const found = outcome(v, { input: fickle, verifier });
      if (v.action === "install" && "code" in found.result) expect([v.name, found.state]).toEqual([v.name, untouched(v)]);
      else expect([v.name, found]).toEqual([v.name, expected]);
    }
  });

  it.each(hostile)("%s: accepts nothing that was refused, and changes no device", (_, form) => {
    let refused = 0;
    for (const v of some) {
      const expected = expectedOf(v);
      const found = outcome(v, { ...form, verifier });
      if ("code" in found.result) {
        refused++;
        expect([v.name, found.state]).toEqual([v.name, untouched(v)]);
      }
      if ("code" in expected.result) expect([v.name, "code" in found.result]).toEqual([v.name, true]);
    }
    expect(refused).toBeGreaterThan(some.length / 3);
  });
});

describe("the general verifier", () => {
  it.skipIf(LEAST).each(accepted.map((v) => [v.name, v] as const))("accepts it too, with the same effects: %s", (_, v) => {
    const { absent: _absent, signers: _signers, ...general } = judged(v) as { absent?: number[]; signers?: number[] };
    const { signers: _own, ...expected } = v.expect as { signers?: number[] };
    expect(general).toEqual(expected);
  });
});

describe("the contract firmseal-single-1", () => {
  it("is frozen: devices in the field have this string", () => {
    expect(templateString()).toBe(
      "d86b|a202{|82{822f5820G]{d284{|a101I(04J~]a0f6N}!}03{a6010102T03{a2028181410004{8614a40150G0250G03{822f5820G}0eP010f020f}}07{82030f}09{821702}14{8614a115K1502030f}](69236669726d77617265R~",
    );
    expect(TEMPLATE).toBe(templateString());
    // without images outside the envelope, the only URI is a text of 9 bytes
    expect(TEMPLATE_INSIDE).toBe(TEMPLATE.replace("K", `69${Buffer.from("#firmware").toString("hex")}`));
    expect(TEMPLATE_NAME).toBe("firmseal-single-1");
  });

  it("says in each row what it means and what to do, in one line", () => {
    for (const { what, advice } of TEMPLATE_ROWS)
      for (const text of [what, advice]) {
        expect(text).toMatch(/^(?![A-Z][a-z])\S.*[^.\s]$/);
        expect(text.length).toBeLessThanOrEqual(160);
      }
  });

  it("is what the signer makes of an image: the same bytes as the vectors, which are assembled without it", async () => {
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
        await signEnvelopeWithoutLog(encode(singleImage({ sequence, ...facts, digest, size: image.length, uri: "#firmware", ...more })), [
          key,
        ]),
      ).toString("hex");
    expect(await made({ payload: image })).toBe(expected("floor"));
    expect(await made({ payload: image }, "18446744073709551615")).toBe(expected("sequence-18446744073709551615"));
    expect(await made({ uri: "https://example.com/fw.bin" })).toBe(expected("image-arrives"));
  });
});
