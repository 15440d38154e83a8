// How often a release is parsed on its way to its signature.

import { draftOf, EnvelopeDraft, privateKey, signedWithoutLog, signer, singleImage } from "@firmseal/signer";
import type * as verifier from "@firmseal/verifier";
import type * as tools from "@firmseal/verifier/tools";
import { expect, it, vi } from "vitest";
import { openWithTrialKey, reviewSigned } from "../src/internal.js";

const parses = vi.hoisted(() => ({ open: 0, decode: 0 }));
vi.mock("@firmseal/verifier", async (original) => {
  const all = await original<typeof verifier>();
  return {
    ...all,
    open: (...given: Parameters<typeof all.open>) => {
      parses.open++;
      return all.open(...given);
    },
  };
});
vi.mock("@firmseal/verifier/tools", async (original) => {
  const all = await original<typeof tools>();
  return {
    ...all,
    decodeEnvelope: (...given: Parameters<typeof all.decodeEnvelope>) => {
      parses.decode++;
      return all.decodeEnvelope(...given);
    },
  };
});

it("once when it is made or read, once before a key of the user signs, once afterwards", async () => {
  const key = signer(privateKey("ed25519", new Uint8Array(32).fill(9)));
  const bytes = new Uint8Array(4);
  const digest = "0".repeat(64);
  const facts = { sequence: 7, vendor: "example.com", class: "board-v2", digest, size: bytes.length, uri: "a.bin" };
  const unsigned = draftOf(singleImage(facts));
  for (const draft of [unsigned, EnvelopeDraft.read(unsigned.bytes)]) {
    await openWithTrialKey(draft);
    await reviewSigned(await signedWithoutLog(draft, [key]), [key]);
  }
  expect(parses).toEqual({ open: 4, decode: 2 });
});
