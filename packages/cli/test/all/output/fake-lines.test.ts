// A line break in a third-party text or name begins no line that looks like one of firmseal's.

import { createHash } from "node:crypto";
import { encode, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { expect, it } from "vitest";
import { keyA, signImage, standard } from "../../../../test-support/src/command-line/run.js";
import { espImage } from "../../product/product-place.js";

const NAMES = { vendor: "cfbff0d1-9375-5685-968c-48ce8b15ae17", class: "7ef25e26-57d5-563d-bec7-161eb72060bb" };
const FAKE = "fake.suit: note: good [L00 good]";

it("in the text of a release that lint shows", async () => {
  const p = standard();
  const payload = espImage("9.9.9");
  const digest = createHash("sha256").update(payload).digest("hex");
  const one = singleImage({ sequence: 7, ...NAMES, digest, size: payload.length, uri: "#firmware", payload });
  const text = { en: { components: [{ component: 0, "component-version": `2.0.0\n${FAKE}` }] } };
  p.put("fw.suit", await signEnvelopeWithoutLog(encode({ ...one, text }), [signer(keyA)]));
  const { stdout } = await p.ok(["lint", "fw.suit"]);
  expect(stdout).toContain(`the release is 2.0.0\\u{a}${FAKE}`);
  expect(stdout.split("\n")).not.toContainEqual(expect.stringMatching(/^fake/));
});

it("in the name of a file", async () => {
  const p = standard();
  await signImage(p, 7, "fw.suit");
  const name = "a\nfake.suit: sequence number 9, 1 signature, by 1 known key.suit";
  p.put(name, p.get("fw.suit"));
  for (const args of [
    ["lint", name],
    ["whosigned", name, "--key", "A.jwk"],
    ["explain", name],
    ["inspect", name],
  ]) {
    const { stdout } = await p.ok(args);
    expect(stdout).toContain("a\\u{a}fake.suit");
    expect(stdout.split("\n")).not.toContainEqual(expect.stringMatching(/^fake/));
  }
});
