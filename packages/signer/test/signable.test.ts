// What holds for everything that can be signed.

import { type Anchor, errors, type Trust } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import {
  AlreadySigned,
  anchorOf,
  draftOf,
  EnvelopeDraft,
  encodeTrust,
  NotRoot,
  type PrivateKey,
  privateKey,
  publicOf,
  type Signable,
  signedWith,
  signedWithoutLog,
  signer,
  singleImage,
  TrustDraft,
  thumbprint,
  withKid,
} from "../src/index.js";

const key = (seed: number, alg: "ed25519" | "es256" = "ed25519") =>
  privateKey(
    alg,
    Uint8Array.from({ length: 32 }, () => seed),
  );
const [one, two, stranger] = [key(1), withKid(key(2, "es256"), Uint8Array.from([7])), key(3)];
const facts = {
  sequence: "18446744073709551615",
  vendor: "example.com",
  class: "board-v2",
  digest: "ab".repeat(32),
  size: 9,
  uri: "a.bin",
};

const drafts: { [name: string]: () => { draft: Signable; read(bytes: Uint8Array): Signable } } = {
  "an envelope": () => ({ draft: draftOf(singleImage(facts)), read: EnvelopeDraft.read }),
  "a trust file": () => ({
    draft: TrustDraft.read(
      encodeTrust({
        name: "boards",
        sequence: 2n ** 64n - 1n,
        anchors: [one, two].map((k) => ({ key: publicOf(k), roles: ["root" as const] })),
        thresholds: { root: 2 },
      }),
    ),
    read: (bytes) => TrustDraft.read(bytes),
  }),
};

describe("opening an envelope before it is signed", () => {
  it("accepts what a device accepts, and adds no signature", async () => {
    const draft = draftOf(singleImage(facts));
    const before = Uint8Array.from(draft.bytes);
    const manifest = await draft.openWithTrialKey();
    expect(manifest.signers).toEqual([0]);
    expect(draft.bytes).toEqual(before);
    // what nobody signed passes nowhere
    const forged = await draft.withSignature(signedWith(one), new Uint8Array(64));
    await expect(forged.verify([signedWith(one)])).rejects.toMatchObject({ code: errors.SIGNATURE_INVALID });
  });

  it("counts signers as a device does: each key once, within its numbers, and by families", () => {
    const draft = draftOf(singleImage({ ...facts, sequence: 7 }));
    const [a, b] = [anchorOf(one), anchorOf(two)];
    const opened = (...[anchors, more = {}]: [Anchor[], Partial<Trust>?]) => draft.openAsIfSigned({ anchors, threshold: 2, ...more });
    const refusal = (code: number) => expect.objectContaining({ code });
    expect(opened([a, b]).signers).toEqual([0, 1]);
    // the policy itself requires more keys than it has
    expect(() => opened([a])).toThrow(refusal(errors.TRUST_POLICY));
    expect(() => opened([a, { ...a }])).toThrow(refusal(errors.TRUST_POLICY));
    expect(() => opened([a, { ...b, until: [0, 6] }])).toThrow(refusal(errors.ANCHOR_WINDOW));
    expect(() => opened([a, { ...b, since: [0, 8] }])).toThrow(refusal(errors.ANCHOR_WINDOW));
    const families = [{ ids: a.alg.ids, threshold: 2, known: true }];
    expect(() => opened([a, b], { families })).toThrow(refusal(errors.SIGNATURE_FAMILY));
    expect(() => opened([])).toThrow(refusal(errors.TRUST_POLICY));
  });

  it("refuses what a device refuses: a ninth signature", async () => {
    const all = await signedWithoutLog(
      draftOf(singleImage(facts)),
      [11, 12, 13, 14, 15, 16, 17, 18].map((seed) => signer(key(seed))),
    );
    await expect(all.verify([signedWith(key(11))])).resolves.toBeDefined();
    await expect(all.openWithTrialKey()).rejects.toMatchObject({ code: errors.SIGNATURE_COUNT });
  });
});

it("what was verified when it was signed is not accepted for anything else", async () => {
  const draft = draftOf(singleImage(facts));
  const who = signedWith(one);
  const tbs = await draft.toBeSigned(who);
  const signature = await signer(one).sign(tbs);
  await expect((await draft.withSignature(who, signature)).verify([who])).resolves.toBeDefined();
  for (const at of [0, 31, 32, 63]) {
    const wrong = signature.map((byte, i) => (i === at ? byte ^ 1 : byte));
    await expect((await draft.withSignature(who, wrong)).verify([who])).rejects.toMatchObject({ code: errors.SIGNATURE_INVALID });
  }
  // another message, and another key
  const other = draftOf(singleImage({ ...facts, sequence: "2" }));
  await expect((await other.withSignature(who, signature)).verify([who])).rejects.toMatchObject({ code: errors.SIGNATURE_INVALID });
  const third = signedWith(stranger);
  await expect((await draft.withSignature(third, signature)).verify([third])).rejects.toMatchObject({ code: errors.SIGNATURE_INVALID });
  // the caller changes the array that it was given
  const mine = await signer(one).sign(tbs);
  mine.fill(0);
  await expect((await draft.withSignature(who, mine)).verify([who])).rejects.toMatchObject({ code: errors.SIGNATURE_INVALID });
});

describe.each(Object.entries(drafts))("%s", (_, make) => {
  const { draft, read } = make();
  const facts = ({ kind, sequence, digest }: Signable) => ({ kind, sequence, digest });
  const messageOf = (d: Signable, k: PrivateKey) => d.toBeSigned(signedWith(k));

  it("has a number of 64 bits and a digest, which no signature changes", async () => {
    const signed = await signedWithoutLog(draft, [signer(one), signer(two)]);
    expect(draft.sequence).toBe(2n ** 64n - 1n);
    expect(facts(signed)).toEqual(facts(draft));
    expect(facts(read(signed.bytes))).toEqual(facts(draft));
    await signed.verify([signer(one), signer(two)]);
  });

  it("gives each key its own bytes, no matter who has signed before", async () => {
    const before = [await messageOf(draft, one), await messageOf(draft, two)];
    expect(before[0]).not.toEqual(before[1]);
    expect(await messageOf(await signedWithoutLog(draft, [signer(one)]), two)).toEqual(before[1]);
  });

  it("never changes: a signature makes a new one", async () => {
    const bytes = Uint8Array.from(draft.bytes);
    const signed = await signedWithoutLog(draft, [signer(one)]);
    expect(signed.bytes.length).toBeGreaterThan(bytes.length);
    expect(draft.bytes).toEqual(bytes);
    expect(read(signed.bytes).bytes).toEqual(signed.bytes);
  });

  it("takes one signature of a key, now and when it is read again", async () => {
    const signed = await signedWithoutLog(draft, [signer(one)]);
    for (const d of [signed, read(signed.bytes)]) {
      await expect(d.toBeSigned(signer(one))).rejects.toThrow(AlreadySigned);
      await expect(d.withSignature(signer(one), new Uint8Array(64))).rejects.toThrow(AlreadySigned);
    }
    await expect(signedWithoutLog(draft, [signer(one), signer(one)])).rejects.toThrow(AlreadySigned);
  });

  it("does not verify with a signature of another key, of none, or of nobody", async () => {
    const message = await messageOf(draft, one);
    for (const wrong of [await signer(stranger).sign(message), new Uint8Array(64)])
      await expect((await draft.withSignature(signer(one), wrong)).verify([signer(one)])).rejects.toThrow();
    await expect(draft.verify([signer(one)])).rejects.toThrow();
    await expect((await signedWithoutLog(draft, [signer(one)])).verify([signer(one), signer(two)])).rejects.toThrow();
  });
});

it("a trust file is signed by its roots and those of the previous file, and by nobody else", async () => {
  const { draft } = (drafts["a trust file"] as () => { draft: Signable })() as { draft: TrustDraft };
  await expect(draft.toBeSigned(signer(stranger))).rejects.toThrow(NotRoot);
  const before = TrustDraft.read(
    encodeTrust({ name: "boards", sequence: 1n, anchors: [{ key: publicOf(stranger), roles: ["root"] }], thresholds: { root: 1 } }),
  );
  const signed = await signedWithoutLog(draft.after(before.store), [signer(stranger)]);
  await signed.verify([signer(stranger)]);
  expect(thumbprint(publicOf(stranger))).toHaveLength(32);
});
