// What a plan says about devices of every kind, against what such a device then does.

import { createHash } from "node:crypto";
import {
  encode,
  encodeTrust,
  identityUuids,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustEntry,
} from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { parseSequence } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../test-support/src/bytes.js";
import { identity, imageOf, release, trustFileOf, VENDOR } from "../../test-support/src/rotation-world.js";
import type { Cohort } from "../src/rotation/model.js";
import { planSteps } from "../src/rotation/plan/plan.js";
import { A, all, B, C, cohort, D, T1 as FIRST, facts, hex, NOBODY, only, R1, R2, R3, R4, roots, step, withKeys } from "./verdicts-fleet.js";

const P256 = privateKey("es256", new Uint8Array(createHash("sha256").update("P-256").digest()));

const P256b = privateKey("es256", new Uint8Array(createHash("sha256").update("another P-256").digest()));

describe("a device that lacks something", () => {
  it("is stranded without the algorithm of the keys, and the plan says so", () => {
    const { T1, bridge3, r31 } = all();
    const verdict = only(planSteps([cohort("p256", T1, 10, { algorithms: ["es256"] })], [bridge3, r31], NOBODY));
    expect(verdict).toMatchObject({ verdict: "stranded", steps: [{ code: errors.TRUST_UNUSABLE }, { code: errors.TRUST_UNUSABLE }] });
    expect(verdict.why).toContain("its verifier has no algorithm for 2 of its 2 release keys");
    expect(verdict.left).toEqual({
      release: { left: 0, needed: 2, of: 2, enough: false },
      root: { left: 0, needed: 2, of: 3, enough: false },
    });
  });

  it("counts the keys of its algorithms only, also for what comes later", async () => {
    const roots = [R1, R2];
    const mixed = await trustFileOf(1, { releases: [A, B, P256], roots });
    const good = await step("r", release({ ...facts, sequence: 11, keys: [A, B, P256] }));
    expect(only(planSteps([cohort("both", mixed, 10)], [good], { ...NOBODY, lost: hex(A) })).verdict).toBe("moved");
    const classic = only(planSteps([cohort("ed25519", mixed, 10, { algorithms: ["ed25519"] })], [good], { ...NOBODY, lost: hex(A) }));
    expect(classic).toMatchObject({ verdict: "stranded", left: { release: { left: 1, needed: 2, of: 3 } } });
    expect(classic.why).toContain("no algorithm for 1 of its 3 release keys");
  });

  it("is stranded if it needs a hybrid and the release has one half", async () => {
    const both = withKeys("hybrid", [A, P256], 2, 10);
    const half = await step("half", release({ ...facts, sequence: 11, keys: [A] }));
    const whole = await step("whole", release({ ...facts, sequence: 11, keys: [A, P256] }));
    expect(only(planSteps([both], [half], NOBODY))).toMatchObject({ verdict: "stranded", steps: [{ code: errors.SIGNATURE_THRESHOLD }] });
    expect(only(planSteps([both], [whole], NOBODY))).toMatchObject({
      verdict: "moved",
      trust: { before: null, after: null },
      left: { root: null },
    });
    // one that has one algorithm of the two it needs takes nothing at all
    const lame = withKeys("lame", [A, P256], 2, 10, { algorithms: ["ed25519"] });
    expect(only(planSteps([lame], [whole], NOBODY))).toMatchObject({ verdict: "stranded", steps: [{ code: errors.TRUST_POLICY }] });
  });

  it("is stranded without the feature that a release needs", async () => {
    const { T1 } = all();
    const swap = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 40,
      components: [["a"], ["b"]],
      "shared-sequence": [
        { "directive-set-component-index": 0 },
        {
          "directive-override-parameters": {
            "vendor-identifier": { domain: VENDOR },
            "class-identifier": { domain: VENDOR, name: "board-v2" },
            "image-digest": { hex: sha256Hex(imageOf("app")) },
            "image-size": imageOf("app").length,
            "source-component": 1,
          },
        },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      validate: [{ "directive-set-component-index": 0 }, "condition-image-match"],
      install: [{ "directive-set-component-index": 0 }, "directive-copy"],
    } as const;
    const copies = await step("copy", signEnvelopeWithoutLog(encode(swap as never), [signer(A), signer(B)]));
    expect(only(planSteps([cohort("whole", T1, 10)], [copies], NOBODY))).toMatchObject({ verdict: "moved" });
    const less = only(planSteps([cohort("less", T1, 10, { features: ["install", "trust"] })], [copies], NOBODY));
    expect(less).toMatchObject({ verdict: "stranded", steps: [{ code: errors.NOT_SUPPORTED }] });
  });

  it("has no component for a trust file if its keys are embedded", async () => {
    const { bridge2 } = all();
    expect(only(planSteps([withKeys("old", [A, B], 2, 10)], [bridge2], NOBODY))).toMatchObject({
      verdict: "stranded",
      steps: [{ code: errors.COMPONENT_UNKNOWN }],
    });
  });

  it("has the vendors and classes that it has", async () => {
    const [own, acquired] = [identityUuids(VENDOR, "board-v2"), identityUuids("acquired.example", "board-v2")];
    const both = { vendor: [own.vendor, acquired.vendor], class: [own.class, acquired.class] };
    const image = imageOf("app");
    const description = singleImage({
      sequence: 12,
      vendor: "acquired.example",
      class: "board-v2",
      digest: sha256Hex(image),
      size: image.length,
      uri: "#firmware",
      payload: image,
    });
    const theirs = await step("theirs", signEnvelopeWithoutLog(encode(description), [signer(A), signer(B)]));
    const { T1 } = all();
    expect(only(planSteps([cohort("both", T1, 10, { identity: both })], [theirs], NOBODY)).verdict).toBe("moved");
    expect(only(planSteps([cohort("one", T1, 10)], [theirs], NOBODY))).toMatchObject({
      verdict: "unaffected",
      steps: [{ fit: "not addressed", code: errors.VENDOR_MISMATCH }],
    });
  });
});

describe("a device that the release is not for, or that has a newer one", () => {
  it("is unaffected by releases for another product, no matter who signs them", async () => {
    const { bridge3, r31 } = all();
    const other = await trustFileOf(4, { releases: [D, P256], roots: [R4, P256b] }, undefined, "another product");
    const camera = { identity: { vendor: [identityUuids(VENDOR, "camera").vendor], class: [identityUuids(VENDOR, "camera").class] } };
    expect(only(planSteps([cohort("camera", other, 7, camera)], [bridge3, r31], NOBODY))).toMatchObject({
      verdict: "unaffected",
      why: "no step is for it",
      next: null,
    });
    // but not by the loss of its keys
    expect(only(planSteps([cohort("camera", other, 7, camera)], [r31], { ...NOBODY, lost: hex(D) })).verdict).toBe("stranded");
    expect(only(planSteps([cohort("camera", other, 7, camera)], [r31], { ...NOBODY, stolen: hex(D, P256) })).verdict).toBe("exposed");
  });

  it("is ahead if it runs something newer, even if it no longer has the keys of the step", () => {
    const { T3, bridge2, r31 } = all();
    const result = only(planSteps([cohort("new", T3, 40)], [bridge2, r31], NOBODY));
    expect(result).toMatchObject({ verdict: "ahead", why: "it has passed r31", steps: [{ fit: "passed" }, { fit: "passed" }] });
    expect(only(planSteps([cohort("new", T3, 40)], [bridge2], NOBODY)).verdict).toBe("ahead");
  });

  it("is behind if it has passed the bridge without its trust file, and the plan says which number it needs", () => {
    const { T2, bridge3 } = all();
    const result = only(planSteps([cohort("passed", T2, 35)], [bridge3], NOBODY));
    expect(result).toMatchObject({ verdict: "behind", steps: [{ fit: "passed" }] });
    expect(result.why).toBe("it keeps trust file 2, and 3 is the newest: it has passed bridge3");
    expect(result.next).toContain("a sequence number above 35");
  });
});

describe("a device that runs the number of a step", () => {
  it("may run that release, and accepts no other one if it is known to run it", async () => {
    const { T1, bridge2 } = all();
    const same = (bridge2 as { envelope: Uint8Array }).envelope;
    const other = await release({ ...facts, sequence: 20, keys: [A, B], image: imageOf("other") });
    // nobody has said which release of this number it runs
    const some = only(planSteps([cohort("some", T1, 20)], [bridge2], NOBODY));
    expect(some).toMatchObject({ verdict: "moved", why: null, steps: [{ assumed: true }] });
    expect(some.assumes).toBe("bridge2 is accepted only if they already run that release, and the fleet file does not name their release");
    expect(only(planSteps([cohort("same", T1, 20, { release: same })], [bridge2], NOBODY)).verdict).toBe("moved");
    expect(only(planSteps([cohort("other", T1, 20, { release: other })], [bridge2], NOBODY))).toMatchObject({
      verdict: "stranded",
      steps: [{ fit: "addressed", code: errors.SEQUENCE_TAKEN }],
    });
  });
});

describe("keys that are lost, stolen, or still available", () => {
  it("keeps retired roots that are available, and says so if they are not", async () => {
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    // the roots of the first list have not signed it
    const second = await trustFileOf(2, { releases: [A, B], roots: [R3, R4] });
    const newer = cohort("new", second, 20);
    const old = cohort("old", first, 10);
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const [, frozen] = planSteps([newer, old], [r], NOBODY);
    expect(frozen).toMatchObject({ name: "old", verdict: "roots-lost", left: { root: { left: 0, needed: 2, of: 2 } } });
    expect(frozen?.next).toContain("--have ROOT");
    const [, kept] = planSteps([newer, old], [r], { ...NOBODY, have: hex(R1, R2) });
    expect(kept).toMatchObject({ verdict: "behind", left: { root: { left: 2, needed: 2, of: 2 } } });
    // a key that is both available and lost is lost
    expect(planSteps([newer, old], [r], { ...NOBODY, have: hex(R1, R2), lost: hex(R2) })[1]?.verdict).toBe("roots-lost");
  });

  it("knows the lists of a chain, and counts the keys of its last one", async () => {
    const first = await trustFileOf(1, { releases: [A, B, C], roots: [R1, R2] });
    const second = await trustFileOf(2, { releases: [A, B, D], roots: [R2, R3], signers: [R1, R2, R3] }, first);
    const third = await trustFileOf(3, { releases: [A, B, D], roots: [R3, R4], signers: [R2, R3, R4] }, second);
    const chain = Buffer.concat([second, third]);
    const r = await step("chain", release({ ...facts, sequence: 20, keys: [A, B], trust: chain }));
    expect(only(planSteps([cohort("away", first, 10)], [r], { ...NOBODY, lost: hex(D) }))).toMatchObject({
      verdict: "moved",
      trust: { before: "1", after: "3" },
      left: { release: { left: 2, needed: 2, of: 3 }, root: { left: 2, needed: 2, of: 2 } },
    });
    // C and the roots of the first list are on none of the later ones
    const missed = only(planSteps([cohort("away", first, 30)], [r], NOBODY));
    expect(missed).toMatchObject({ verdict: "behind", left: { release: { left: 2 }, root: { left: 0, needed: 2 } } });
  });

  it("is behind, and not without roots, if the lists after its own are already signed", async () => {
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    const second = await trustFileOf(2, { releases: [A, B], roots: [R2, R3], signers: [R1, R2, R3] }, first);
    const third = await trustFileOf(3, { releases: [A, B], roots: [R3, R4], signers: [R2, R3, R4] }, second);
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const fleet = [cohort("old", first, 10), cohort("late", second, 15), cohort("new", third, 20)];
    const root = { left: 0, needed: 2, of: 2 };
    expect(planSteps(fleet, [r], NOBODY)).toMatchObject([
      { name: "old", verdict: "behind", left: { root } },
      { name: "late", verdict: "behind", left: { root: { ...root, left: 1 } } },
      { name: "new", verdict: "moved" },
    ]);
    // without the second list there is no way from the first to the third
    expect(planSteps([fleet[0], fleet[2]] as Cohort[], [r], NOBODY)[0]?.verdict).toBe("roots-lost");
    // nor if the roots of the third are gone
    expect(planSteps(fleet, [r], { ...NOBODY, lost: hex(R4) })[0]?.verdict).toBe("roots-lost");
  });

  it("counts a key that the newest list keeps for another class: it is available", async () => {
    const roots = [R1, R2].map((k): TrustEntry => ({ key: k, roles: ["root"] }));
    const { class: own } = identityUuids(VENDOR, "board-v2");
    const scoped = [A, B].map((k): TrustEntry => ({ key: k, roles: ["release"], class: own }));
    const d = { name: "board", sequence: 2n, anchors: [...roots, ...scoped], thresholds: { root: 2, release: 2 } };
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    const second = await signTrustWithoutLog(encodeTrust(d), [R1, R2].map(signer));
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const forgotten = cohort("forgotten", first, 10, { identity: identity("board-v3") });
    const [, result] = planSteps([cohort("new", second, 20), forgotten], [r], NOBODY);
    expect(result).toMatchObject({ name: "forgotten", verdict: "behind", left: { release: { left: 2, needed: 2, of: 2 } } });
  });

  it("is exposed to a stolen debug or recovery key, by the floor of that role", async () => {
    const anchors: TrustEntry[] = [
      { key: R1, roles: ["root"] },
      { key: A, roles: ["release"] },
      { key: B, roles: ["debug"], until: 15n },
      { key: C, roles: ["recovery"] },
    ];
    const d = { name: "board", sequence: 1n, anchors, thresholds: { root: 1, release: 1, debug: 1, recovery: 1 } };
    const trust = await signTrustWithoutLog(encodeTrust(d), [signer(R1)]);
    const r = await step("r", release({ ...facts, sequence: 11, keys: [A] }));
    const one = cohort("one", trust, 10);
    expect(only(planSteps([one], [r], { ...NOBODY, stolen: hex(B) }))).toMatchObject({
      verdict: "exposed",
      why: "the stolen keys alone can sign debug manifests for it",
      exposed: { release: false, root: false, debug: true, recovery: false },
    });
    expect(only(planSteps([one], [r], { ...NOBODY, stolen: hex(C) }))).toMatchObject({ verdict: "exposed", exposed: { recovery: true } });
    // the number of the floor is good for what the device has, and for nothing of the thief's
    for (const debug of ["15", "16"]) {
      const past = { ...one, floors: { debug: parseSequence(debug), recovery: parseSequence("0") } };
      expect(only(planSteps([past], [r], { ...NOBODY, stolen: hex(B) })).verdict).toBe("moved");
    }
    const below = { ...one, floors: { debug: parseSequence("14"), recovery: parseSequence("0") } };
    expect(only(planSteps([below], [r], { ...NOBODY, stolen: hex(B) })).verdict).toBe("exposed");
  });

  it("counts a stolen key that is not lost, and says how many are left after each step", () => {
    const { T1, bridge2, bridge3 } = all();
    const result = only(planSteps([cohort("old", T1, 10)], [bridge2, bridge3], { ...NOBODY, stolen: hex(C), lost: hex(R3) }));
    expect(result.verdict).toBe("moved");
    expect(result.steps.map((s) => s.left)).toEqual([
      // A is on no list any more
      { release: { left: 2, needed: 2, of: 3, enough: true }, root: { left: 2, needed: 2, of: 3, enough: true } },
      { release: { left: 2, needed: 2, of: 2, enough: true }, root: { left: 2, needed: 2, of: 3, enough: true } },
    ]);
    expect(only(planSteps([cohort("old", T1, 10)], [bridge2, bridge3], { lost: hex(C), stolen: hex(C) })).verdict).toBe("stranded");
  });
});

it("a new device, which runs no release, is told from one whose release nobody has named, in each order of rows", async () => {
  const next = await trustFileOf(2, { releases: [C, D], roots }, FIRST);
  const young = cohort("new", FIRST, 0);
  const floor = parseSequence("5");
  const old = { ...young, name: "old", floor, floors: { debug: floor, recovery: floor } };
  const gone = { ...NOBODY, unused: hex(C, D) };
  for (const rows of [
    [young, old],
    [old, young],
  ]) {
    const results = planSteps(rows, [await step("list", next)], gone, []);
    const codes = Object.fromEntries(results.flatMap(({ names, steps }) => names.map((name) => [name, steps[0]?.code])));
    expect(codes).toEqual({ new: 0, old: errors.SIGNATURE_THRESHOLD });
  }
});
