// The vectors, opened by what the worker of the inspector runs: releases and trust files, with their keys as files. The page
// itself plays them in inspector.test.ts, as many as the time allows.

import { publicKey, toCose } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { expect, it, vi } from "vitest";
import { readMicroVectors, readVectors } from "../../../test-vectors/index.mjs";
import { hex } from "../../test-support/src/bytes.js";
import { OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { Desk } from "../src/worker/open-files.js";
import { deskVerdict } from "../src/worker/verdict/verdict.js";

vi.setConfig({ testTimeout: 300_000 });

interface Vector {
  name: string;
  action: string;
  envelope?: string;
  trust?: { anchors: { alg: string; key: string; kid?: string; [limit: string]: unknown }[]; threshold?: unknown; floor?: unknown };
  expect: { code?: number };
  [more: string]: unknown;
}

const blob = (content: Uint8Array) => new Blob([content as Uint8Array<ArrayBuffer>]);

/** The keys as files. Undefined: keys that no file can hold, or that cannot be opened together. */
function filesOf({ trust }: Vector): Uint8Array[] | undefined {
  const anchors = trust?.anchors ?? [];
  if (anchors.some((a) => Object.keys(a).some((name) => !["alg", "key", "kid"].includes(name)))) return undefined;
  try {
    const all = anchors.map(({ alg, key, kid }) => toCose(publicKey(alg as "ed25519", hex(key), kid === undefined ? undefined : hex(kid))));
    return new Set(anchors.map(({ key }) => key)).size === all.length && all.length > 0 ? all : undefined;
  } catch {
    return undefined;
  }
}

const OF_PAYLOADS: readonly number[] = [errors.PAYLOAD_SIZE, errors.IMAGE_MISMATCH, errors.DIGEST_UNSET];

async function verdictFor({ action, envelope, trust }: Vector, keys: Uint8Array[]) {
  const desk = new Desk();
  for (const [i, key] of keys.entries()) await desk.open(blob(key), `${i}.cose`, () => {});
  await desk.open(blob(hex(envelope ?? "")), action === "trust" ? "x.trust" : "x.suit", () => {});
  return deskVerdict(desk, (trust?.threshold ?? 1) as number, undefined, () => {});
}

it.each([
  ["general", () => readVectors() as unknown as Vector[], 450],
  ["micro", () => readMicroVectors() as unknown as Vector[], 77],
])(`agrees with the verifier about all %s vectors that it can hold${OF_SOME}`, async (which, read, least) => {
  const played = read().flatMap((one) => {
    const isFit = (one.action === "open" || one.action === "trust") && one.trust?.floor === undefined && one.envelope;
    const isPlain = ["store", "strange", "memory", "previous", "role"].every((name) => !(name in one));
    // all open keys must have signed a trust file
    const isWhole = one.action === "open" || (one.trust?.threshold ?? 1) === one.trust?.anchors.length;
    const keys = isFit && isPlain && isWhole && Number.isInteger(one.trust?.threshold ?? 1) ? filesOf(one) : undefined;
    return keys ? [{ one, keys }] : [];
  });
  expect(played.length).toBeGreaterThanOrEqual(least);
  for (const { one, keys } of some(played, 5)) {
    const { state, words } = await verdictFor(one, keys);
    const code = Number(/\((\d+) [A-Z0-9_]+\)$/.exec(words)?.[1]);
    // without a signature, the command line says so, too: a device would call it damaged CBOR
    const expected = one.name === "trust-unsigned" ? errors.TRUST_SIGNERS : one.expect.code;
    if (which === "micro" && state === "bad") continue;
    if (expected === undefined && state === "bad") expect([one.name, OF_PAYLOADS.includes(code)]).toEqual([one.name, true]);
    else if (expected !== undefined && which === "general") expect([one.name, state, code]).toEqual([one.name, "bad", expected]);
    else expect([one.name, ["good", "unknown"].includes(state)]).toEqual([one.name, true]);
  }
});
