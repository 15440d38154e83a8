// What a device does with a list that has members which its verifier does not know: it refuses the list with a number, keeps its own, runs the
// release that brought it, and takes the list once it has a verifier that knows them. A bundle without the feature `families` is such a verifier;
// one with it does not know the members of tomorrow.

import { createHash } from "node:crypto";
import vm from "node:vm";
import {
  bridge,
  decodeTrust,
  encode,
  encodeTrust,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  TrustDraft,
} from "@firmseal/signer";
import type * as verifier from "@firmseal/verifier";
import { errors } from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import { TRUST_COMPONENT } from "@firmseal/verifier/tools";
import { expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { minifiedBundle, readableBundle } from "../src/bundle.js";
import { DEFAULT_FEATURES, type FeatureName } from "../src/options.js";

type Api = typeof verifier;
const load = async (...features: FeatureName[]): Promise<Api> => {
  const context = vm.createContext({});
  // by default as written: the same code
  const make = LONG ? minifiedBundle : readableBundle;
  vm.runInContext(await make({ algs: ["ed25519"], features: [...DEFAULT_FEATURES, ...features], format: "umd" }), context);
  return context["firmseal"] as Api;
};

const [root, one, two] = [1, 2, 3].map((n) => privateKey("ed25519", new Uint8Array(32).fill(n))) as [Key, Key, Key];
type Key = ReturnType<typeof privateKey>;
const uuid = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe";
const bytes = Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
const identity = { vendor: [bytes], class: [bytes] };
const payload = new Uint8Array(30).fill(5);
const file = { digest: createHash("sha256").update(payload).digest("hex"), size: payload.length, uri: "#f", payload };
const facts = { vendor: uuid, class: uuid };
const signed = (d: Parameters<typeof encode>[0]) => signEnvelopeWithoutLog(encode(d), [signer(one)]);

const list = (sequence: bigint, releases: Key[]) => ({
  name: "line",
  sequence,
  anchors: [{ key: root, roles: ["root" as const] }, ...releases.map((key) => ({ key, roles: ["release" as const] }))],
  thresholds: { root: 1, release: 1 },
});
const made = (d: Parameters<typeof encodeTrust>[0]) => signTrustWithoutLog(encodeTrust(d), [signer(root)]);

/** The list with one member more, 9, which no verifier knows. */
async function tomorrow(): Promise<Uint8Array> {
  const { payload: known } = decodeTrust(encodeTrust(list(2n, [one, two]))).store;
  // a map of 5 members becomes one of 6
  const changed = Uint8Array.of((known[0] as number) + 1, ...Array.from(known).slice(1), 9, 1);
  const { bytes: empty } = TrustDraft.read(encodeTrust(list(2n, [one, two])));
  const at = Buffer.from(empty).indexOf(Buffer.from(Uint8Array.from(known)));
  // the payload has a head of two bytes, and ends in front of the empty list of signatures
  const unsigned = Uint8Array.of(...empty.subarray(0, at - 2), 0x58, changed.length, ...changed);
  const head = [0x43, 0xa1, 0x01, 0x32];
  const context = Buffer.from("firmseal.trust");
  const text = (s: string) => [0x60 + s.length, ...Buffer.from(s)];
  const message = [0x85, ...text("Signature"), 0x40, ...head, 0x40 + context.length, ...context, 0x58, changed.length, ...changed];
  const signature = await signer(root).sign(Uint8Array.from(message));
  return Uint8Array.of(...unsigned, 0x81, 0x83, ...head, 0xa0, 0x58, signature.length, ...signature);
}

const refusal = (work: () => unknown): number => {
  try {
    work();
    return 0;
  } catch (e) {
    return (e as { code: number }).code;
  }
};

async function brought(api: Api, next: Uint8Array): Promise<{ device: MemoryDevice; first: Uint8Array }> {
  const device = memoryDevice(identity, [[Uint8Array.of(0)], TRUST_COMPONENT as Uint8Array[]], 4096);
  const first = await made(list(1n, [one]));
  const trust = () => api.policyOf(api.embeddedTrust(first), 2, identity);
  api.install(await signed(bridge({ sequence: 7, ...facts, trust: next, image: file })), trust(), device).next();
  // the release is there and starts under the list that the device has
  expect(api.boot(device.envelope as Uint8Array, trust(), device).next()).toBeUndefined();
  return { device, first };
}

it("a verifier without families keeps its list, and accepts the new one once it knows them", async () => {
  const [old, now] = [await load("trust"), await load("trust", "families")];
  const families = { release: [{ algorithms: ["ed25519" as const], threshold: 1 }] };
  const next = await made({ ...list(2n, [one, two]), families });
  const { device, first } = await brought(old, next);
  expect(refusal(() => old.trustFileUnchecked(next, old.embeddedTrust(first)))).toBe(errors.TRUST_KEY);
  expect(refusal(() => old.embeddedTrust(next))).toBe(errors.TRUST_KEY);
  expect(old.nextTrust(old.embeddedTrust(first), device, device.envelope as Uint8Array, 2)).toBeNull();
  // releases under the list that it has still arrive
  const later = await signed(singleImage({ sequence: 8, ...facts, ...file }));
  expect(refusal(() => old.install(later, old.policyOf(old.embeddedTrust(first), 2, identity), device).next())).toBe(0);
  expect(Uint8Array.from(now.nextTrust(now.embeddedTrust(first), device, device.envelope as Uint8Array, 2) ?? [])).toEqual(next);
  // and the same list without the member is one for both
  const plain = await made(list(2n, [one, two]));
  expect(old.trustFileUnchecked(plain, old.embeddedTrust(first)).sequence).toEqual([0, 2]);
});

it("a future member is refused with its number, no matter who signed it", async () => {
  const now = await load("trust", "families");
  const next = await tomorrow();
  const { device, first } = await brought(now, next);
  expect(refusal(() => now.trustFileUnchecked(next, now.embeddedTrust(first)))).toBe(errors.TRUST_KEY);
  expect(now.nextTrust(now.embeddedTrust(first), device, device.envelope as Uint8Array, 2)).toBeNull();
});
