// What a plan says of devices of every kind, against what such a device then does.

import { createHash } from "node:crypto";
import {
  bridge,
  encode,
  encodeTrust,
  identityUuids,
  type PrivateKey,
  privateKey,
  signEnvelope,
  signer,
  signTrust,
  singleImage,
  type TrustEntry,
} from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { parseSequence } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/effort.js";
import { randoms } from "../../test-support/src/randoms.js";
import { CLASSES, Device, identity, imageOf, keysOf, release, sha256, trustFileOf, VENDOR } from "../../test-support/src/rotation-world.js";
import { type Cohort, type Model, modelOf } from "../src/rotation/fleet.js";
import { whatNext } from "../src/rotation/next.js";
import { type CohortResult, plan } from "../src/rotation/plan.js";
import { LAST } from "../src/rotation/quorum.js";
import { type PlannedStep, stepOf } from "../src/rotation/steps.js";
import { signedTrust } from "../src/trust/trust-file.js";

const { A, B, C, D, R1, R2, R3, R4 } = keysOf("A", "B", "C", "D", "R1", "R2", "R3", "R4");
const P256 = privateKey("es256", new Uint8Array(createHash("sha256").update("P-256").digest()));
const P256b = privateKey("es256", new Uint8Array(createHash("sha256").update("another P-256").digest()));
const hex = (...keys: PrivateKey[]) => new Set(keys.map((k) => Buffer.from(k.key).toString("hex")));
const NOBODY = { lost: hex(), stolen: hex() };

const fileOf = (bytes: Uint8Array) => ({ path: "t.trust", bytes, store: signedTrust(bytes) });
type Facts = Partial<Pick<Model, "algorithms" | "features" | "start" | "release" | "identity">>;

function cohort(name: string, trust: Uint8Array, floor: number | bigint, more: Facts = {}): Cohort {
  const own = parseSequence(String(floor));
  const model = modelOf({ identity: identity("board-v2"), ...more, trust: fileOf(trust) });
  return { name, devices: 1, model, floor: own, floors: { debug: own, recovery: own } };
}

function withKeys(name: string, keys: readonly PrivateKey[], threshold: number, floor: number, more: Facts = {}): Cohort {
  const own = parseSequence(String(floor));
  const algorithms = keys.map(({ alg }) => alg);
  const model = modelOf({ identity: identity("board-v2"), algorithms, ...more, embedded: { keys, threshold } });
  return { name, devices: 1, model, floor: own, floors: { debug: own, recovery: own } };
}

const facts = { class: "board-v2", image: imageOf("app") } as const;
const step = async (name: string, bytes: Promise<Uint8Array> | Uint8Array): Promise<PlannedStep> => stepOf(name, await bytes);
const only = (results: readonly CohortResult[]) => {
  expect(results).toHaveLength(1);
  return results[0] as CohortResult;
};

let [T1, T2, T3]: Uint8Array[] = [];
let [bridge2, bridge3, r31]: PlannedStep[] = [];
beforeAll(async () => {
  const roots = [R1, R2, R3];
  T1 = await trustFileOf(1, { releases: [A, B], roots });
  T2 = await trustFileOf(2, { releases: [A, B, C], roots }, T1);
  T3 = await trustFileOf(3, { releases: [B, C], roots }, T2);
  bridge2 = await step("bridge2", release({ ...facts, sequence: 20, keys: [A, B], trust: T2 }));
  bridge3 = await step("bridge3", release({ ...facts, sequence: 30, keys: [A, B, C], trust: T3 }));
  r31 = await step("r31", release({ ...facts, sequence: 31, keys: [B, C] }));
});
const all = () =>
  ({ T1, T2, T3, bridge2, bridge3, r31 }) as { [name in "T1" | "T2" | "T3"]: Uint8Array } & {
    [name in "bridge2" | "bridge3" | "r31"]: PlannedStep;
  };

describe("a device that lacks something", () => {
  it("is stranded without the algorithm of the keys, and told so", () => {
    const { T1, bridge3, r31 } = all();
    const verdict = only(plan([cohort("p256", T1, 10, { algorithms: ["es256"] })], [bridge3, r31], NOBODY));
    expect(verdict).toMatchObject({ verdict: "stranded", steps: [{ code: errors.TRUST_UNUSABLE }, { code: errors.TRUST_UNUSABLE }] });
    expect(verdict.why).toContain("its verifier has no algorithm for 2 of its 2 release keys");
    expect(verdict.left).toEqual({ release: { left: 0, needed: 2, of: 2 }, root: { left: 0, needed: 2, of: 3 } });
  });

  it("counts the keys of its algorithms only, also for what comes later", async () => {
    const roots = [R1, R2];
    const mixed = await trustFileOf(1, { releases: [A, B, P256], roots });
    const good = await step("r", release({ ...facts, sequence: 11, keys: [A, B, P256] }));
    expect(only(plan([cohort("both", mixed, 10)], [good], { ...NOBODY, lost: hex(A) })).verdict).toBe("moved");
    const classic = only(plan([cohort("ed25519", mixed, 10, { algorithms: ["ed25519"] })], [good], { ...NOBODY, lost: hex(A) }));
    expect(classic).toMatchObject({ verdict: "stranded", left: { release: { left: 1, needed: 2, of: 3 } } });
    expect(classic.why).toContain("no algorithm for 1 of its 3 release keys");
  });

  it("is stranded if it needs a hybrid and the release has one half", async () => {
    const both = withKeys("hybrid", [A, P256], 2, 10);
    const half = await step("half", release({ ...facts, sequence: 11, keys: [A] }));
    const whole = await step("whole", release({ ...facts, sequence: 11, keys: [A, P256] }));
    expect(only(plan([both], [half], NOBODY))).toMatchObject({ verdict: "stranded", steps: [{ code: errors.SIGNATURE_THRESHOLD }] });
    expect(only(plan([both], [whole], NOBODY))).toMatchObject({
      verdict: "moved",
      trust: { before: null, after: null },
      left: { root: null },
    });
    // one that has one algorithm of the two it needs takes nothing at all
    const lame = withKeys("lame", [A, P256], 2, 10, { algorithms: ["ed25519"] });
    expect(only(plan([lame], [whole], NOBODY))).toMatchObject({ verdict: "stranded", steps: [{ code: errors.TRUST_POLICY }] });
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
            "image-digest": { hex: sha256(imageOf("app")) },
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
    const copies = await step("copy", signEnvelope(encode(swap as never), [signer(A), signer(B)]));
    expect(only(plan([cohort("whole", T1, 10)], [copies], NOBODY))).toMatchObject({ verdict: "moved" });
    const less = only(plan([cohort("less", T1, 10, { features: ["install", "trust"] })], [copies], NOBODY));
    expect(less).toMatchObject({ verdict: "stranded", steps: [{ code: errors.NOT_SUPPORTED }] });
  });

  it("has no component for a trust file if its keys are embedded", async () => {
    const { bridge2 } = all();
    expect(only(plan([withKeys("old", [A, B], 2, 10)], [bridge2], NOBODY))).toMatchObject({
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
      digest: sha256(image),
      size: image.length,
      uri: "#firmware",
      payload: image,
    });
    const theirs = await step("theirs", signEnvelope(encode(description), [signer(A), signer(B)]));
    const { T1 } = all();
    expect(only(plan([cohort("both", T1, 10, { identity: both })], [theirs], NOBODY)).verdict).toBe("moved");
    expect(only(plan([cohort("one", T1, 10)], [theirs], NOBODY))).toMatchObject({
      verdict: "unaffected",
      steps: [{ fit: "not addressed", code: errors.VENDOR_MISMATCH }],
    });
  });
});

describe("a device that is not meant, or that is further on", () => {
  it("is unaffected by what is for another product, whoever signs it", async () => {
    const { bridge3, r31 } = all();
    const other = await trustFileOf(4, { releases: [D, P256], roots: [R4, P256b] }, undefined, "another product");
    const camera = { identity: { vendor: [identityUuids(VENDOR, "camera").vendor], class: [identityUuids(VENDOR, "camera").class] } };
    expect(only(plan([cohort("camera", other, 7, camera)], [bridge3, r31], NOBODY))).toMatchObject({
      verdict: "unaffected",
      why: "no step is for it",
      next: null,
    });
    // but not by the loss of its keys
    expect(only(plan([cohort("camera", other, 7, camera)], [r31], { ...NOBODY, lost: hex(D) })).verdict).toBe("stranded");
    expect(only(plan([cohort("camera", other, 7, camera)], [r31], { ...NOBODY, stolen: hex(D, P256) })).verdict).toBe("exposed");
  });

  it("is ahead if it runs something newer, also where the keys of the step are not its own any more", () => {
    const { T3, bridge2, r31 } = all();
    const result = only(plan([cohort("new", T3, 40)], [bridge2, r31], NOBODY));
    expect(result).toMatchObject({ verdict: "ahead", why: "it has passed r31", steps: [{ fit: "passed" }, { fit: "passed" }] });
    expect(only(plan([cohort("new", T3, 40)], [bridge2], NOBODY)).verdict).toBe("ahead");
  });

  it("is behind if it has passed the bridge without its trust file, and is told which number it needs", () => {
    const { T2, bridge3 } = all();
    const result = only(plan([cohort("passed", T2, 35)], [bridge3], NOBODY));
    expect(result).toMatchObject({ verdict: "behind", steps: [{ fit: "passed" }] });
    expect(result.why).toBe("it keeps trust file 2, and 3 is the newest: it has passed bridge3");
    expect(result.next).toContain("a sequence number above 35");
  });
});

describe("a device that runs the number of a step", () => {
  it("may run that release, and takes no other one if it is known to run it", async () => {
    const { T1, bridge2 } = all();
    const same = (bridge2 as { envelope: Uint8Array }).envelope;
    const other = await release({ ...facts, sequence: 20, keys: [A, B], image: imageOf("other") });
    // nobody has said which release of this number it runs
    const some = only(plan([cohort("some", T1, 20)], [bridge2], NOBODY));
    expect(some).toMatchObject({ verdict: "moved", next: 'name the release that they run in the fleet file: "release"' });
    expect(some.why).toBe("bridge2 is taken over if it is the release that they run, and the fleet file does not name that");
    expect(only(plan([cohort("same", T1, 20, { release: same })], [bridge2], NOBODY)).verdict).toBe("moved");
    expect(only(plan([cohort("other", T1, 20, { release: other })], [bridge2], NOBODY))).toMatchObject({
      verdict: "stranded",
      steps: [{ fit: "addressed", code: errors.SEQUENCE_TAKEN }],
    });
  });
});

describe("keys that are lost, stolen, or still at hand", () => {
  it("keeps roots that are retired and at hand, and says so where they are not", async () => {
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    // the roots of the first list have not signed it
    const second = await trustFileOf(2, { releases: [A, B], roots: [R3, R4] });
    const newer = cohort("new", second, 20);
    const old = cohort("old", first, 10);
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const [, frozen] = plan([newer, old], [r], NOBODY);
    expect(frozen).toMatchObject({ name: "old", verdict: "roots-lost", left: { root: { left: 0, needed: 2, of: 2 } } });
    expect(frozen?.next).toContain("--have ROOT");
    const [, kept] = plan([newer, old], [r], { ...NOBODY, have: hex(R1, R2) });
    expect(kept).toMatchObject({ verdict: "behind", left: { root: { left: 2, needed: 2, of: 2 } } });
    // what is at hand and lost is lost
    expect(plan([newer, old], [r], { ...NOBODY, have: hex(R1, R2), lost: hex(R2) })[1]?.verdict).toBe("roots-lost");
  });

  it("knows the lists of a chain, and counts the keys of its last one", async () => {
    const first = await trustFileOf(1, { releases: [A, B, C], roots: [R1, R2] });
    const second = await trustFileOf(2, { releases: [A, B, D], roots: [R2, R3], signers: [R1, R2, R3] }, first);
    const third = await trustFileOf(3, { releases: [A, B, D], roots: [R3, R4], signers: [R2, R3, R4] }, second);
    const chain = Buffer.concat([second, third]);
    const r = await step("chain", release({ ...facts, sequence: 20, keys: [A, B], trust: chain }));
    expect(only(plan([cohort("away", first, 10)], [r], { ...NOBODY, lost: hex(D) }))).toMatchObject({
      verdict: "moved",
      trust: { before: "1", after: "3" },
      left: { release: { left: 2, needed: 2, of: 3 }, root: { left: 2, needed: 2, of: 2 } },
    });
    // C and the roots of the first list are on none of the later ones
    const missed = only(plan([cohort("away", first, 30)], [r], NOBODY));
    expect(missed).toMatchObject({ verdict: "behind", left: { release: { left: 2 }, root: { left: 0, needed: 2 } } });
  });

  it("is behind, and not without roots, if the lists after its own are signed already", async () => {
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    const second = await trustFileOf(2, { releases: [A, B], roots: [R2, R3], signers: [R1, R2, R3] }, first);
    const third = await trustFileOf(3, { releases: [A, B], roots: [R3, R4], signers: [R2, R3, R4] }, second);
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const fleet = [cohort("old", first, 10), cohort("late", second, 15), cohort("new", third, 20)];
    const root = { left: 0, needed: 2, of: 2 };
    expect(plan(fleet, [r], NOBODY)).toMatchObject([
      { name: "old", verdict: "behind", left: { root } },
      { name: "late", verdict: "behind", left: { root: { ...root, left: 1 } } },
      { name: "new", verdict: "moved" },
    ]);
    // without the second list there is no way from the first to the third
    expect(plan([fleet[0], fleet[2]] as Cohort[], [r], NOBODY)[0]?.verdict).toBe("roots-lost");
    // nor if the roots of the third are gone
    expect(plan(fleet, [r], { ...NOBODY, lost: hex(R4) })[0]?.verdict).toBe("roots-lost");
  });

  it("counts a key that the newest list keeps for another class: it is at hand", async () => {
    const roots = [R1, R2].map((k): TrustEntry => ({ key: k, roles: ["root"] }));
    const { class: own } = identityUuids(VENDOR, "board-v2");
    const scoped = [A, B].map((k): TrustEntry => ({ key: k, roles: ["release"], class: own }));
    const d = { name: "board", sequence: 2n, anchors: [...roots, ...scoped], thresholds: { root: 2, release: 2 } };
    const first = await trustFileOf(1, { releases: [A, B], roots: [R1, R2] });
    const second = await signTrust(encodeTrust(d), [R1, R2].map(signer));
    const r = await step("r", release({ ...facts, sequence: 21, keys: [A, B] }));
    const forgotten = cohort("forgotten", first, 10, { identity: identity("board-v3") });
    const [, result] = plan([cohort("new", second, 20), forgotten], [r], NOBODY);
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
    const trust = await signTrust(encodeTrust(d), [signer(R1)]);
    const r = await step("r", release({ ...facts, sequence: 11, keys: [A] }));
    const one = cohort("one", trust, 10);
    expect(only(plan([one], [r], { ...NOBODY, stolen: hex(B) }))).toMatchObject({
      verdict: "exposed",
      why: "the stolen keys alone can sign debug manifests for it",
      exposed: { release: false, root: false, debug: true, recovery: false },
    });
    expect(only(plan([one], [r], { ...NOBODY, stolen: hex(C) }))).toMatchObject({ verdict: "exposed", exposed: { recovery: true } });
    // the number of the floor is good for what the device has, and for nothing of the thief's
    for (const debug of ["15", "16"]) {
      const past = { ...one, floors: { debug: parseSequence(debug), recovery: parseSequence("0") } };
      expect(only(plan([past], [r], { ...NOBODY, stolen: hex(B) })).verdict).toBe("moved");
    }
    const below = { ...one, floors: { debug: parseSequence("14"), recovery: parseSequence("0") } };
    expect(only(plan([below], [r], { ...NOBODY, stolen: hex(B) })).verdict).toBe("exposed");
  });

  it("counts a stolen key that is not lost, and says how many are left after each step", () => {
    const { T1, bridge2, bridge3 } = all();
    const result = only(plan([cohort("old", T1, 10)], [bridge2, bridge3], { ...NOBODY, stolen: hex(C), lost: hex(R3) }));
    expect(result.verdict).toBe("moved");
    expect(result.steps.map((s) => s.left)).toEqual([
      // A is on no list any more
      { release: { left: 2, needed: 2, of: 3 }, root: { left: 2, needed: 2, of: 3 } },
      { release: { left: 2, needed: 2, of: 2 }, root: { left: 2, needed: 2, of: 3 } },
    ]);
    expect(only(plan([cohort("old", T1, 10)], [bridge2, bridge3], { lost: hex(C), stolen: hex(C) })).verdict).toBe("stranded");
  });
});

describe("a step that does harm", () => {
  it("strands devices that start by the release they keep, if it has no image", async () => {
    const { T1, T2 } = all();
    const bytes = bridge({ sequence: 20, vendor: VENDOR, class: "board-v2", trust: T2 });
    const alone = await step("alone", signEnvelope(encode(bytes), [signer(A), signer(B)]));
    const dark = only(plan([cohort("old", T1, 10)], [alone], NOBODY));
    expect(dark).toMatchObject({
      verdict: "stranded",
      trust: { after: "2" },
      why: "has nothing to start after alone: the release has no image",
    });
    expect(only(plan([cohort("own", T1, 10, { start: "own" })], [alone], NOBODY)).verdict).toBe("moved");
  });

  it("is a release that no later one can follow, with its true reason", async () => {
    const { T1 } = all();
    const last = await step("last", release({ ...facts, sequence: String(LAST), keys: [A, B] }));
    // by default, a device refuses a jump of 2^63 and more
    const result = only(plan([cohort("old", T1, LAST - 2n ** 62n)], [last], NOBODY));
    expect(result).toMatchObject({ verdict: "stranded", steps: [{ code: 0 }] });
    expect(result.why).toBe(`no later release can reach it: ${LAST} is the last sequence number, and no release has a higher one`);
    const r = await step("r", release({ ...facts, sequence: 11, keys: [A, B] }));
    const far = only(plan([cohort("far", T1, LAST)], [r], NOBODY));
    expect(far.why).toContain("is the last sequence number");
    expect(far.next).toContain("a trust file that begins a new epoch");
    // without the roots, or without a list, nothing takes the floor back
    for (const lost of [
      only(plan([cohort("far", T1, LAST)], [r], { ...NOBODY, lost: hex(R1, R2) })),
      only(
        plan(
          [withKeys("keys", [A, B], 2, 1)].map((c) => ({ ...c, floor: parseSequence(String(LAST)) })),
          [r],
          NOBODY,
        ),
      ),
    ])
      expect(lost.next).toBe("replace the firmware of these devices by hand");
  });

  it("is a release that freezes trust: its list has the last number, or is one that the device refuses", async () => {
    const { T1 } = all();
    const roots = [R1, R2, R3];
    const d = { name: "board", sequence: LAST, thresholds: { root: 2, release: 2 } };
    const anchors: TrustEntry[] = [
      ...roots.map((k): TrustEntry => ({ key: k, roles: ["root"] })),
      { key: A, roles: ["release"] },
      { key: B, roles: ["release"] },
    ];
    const lastList = await signTrust(encodeTrust({ ...d, anchors }), roots.map(signer));
    const frozen = await step("frozen", release({ ...facts, sequence: 20, keys: [A, B], trust: lastList }));
    const result = only(plan([cohort("old", T1, 10)], [frozen], NOBODY));
    expect(result).toMatchObject({ verdict: "roots-lost", trust: { before: "1", after: String(LAST) } });
    expect(result.why).toContain("the last number");
    // one root of the two that the device wants has signed
    const few = await trustFileOf(2, { releases: [A, B, C], roots: [R1, R4], signers: [R1, R4] }, T1);
    const kept = await step("kept", release({ ...facts, sequence: 20, keys: [A, B], trust: few }));
    const late = only(plan([cohort("old", T1, 10)], [kept], { ...NOBODY, have: hex(R2, R3) }));
    expect(late).toMatchObject({ verdict: "behind", steps: [{ code: 0, trust: null, trustCode: errors.TRUST_PREVIOUS }] });
    // the release is not good under the list that it brings
    const dropped = await trustFileOf(2, { releases: [C, D], roots }, T1);
    const own = await step("own", release({ ...facts, sequence: 20, keys: [A, B], trust: dropped }));
    const stays = only(plan([cohort("old", T1, 10)], [own], { ...NOBODY, have: hex(A, B) }));
    expect(stays).toMatchObject({ verdict: "behind", steps: [{ trustCode: errors.SIGNATURE_INVALID }] });
    expect(stays.why).toContain("own brings one that it refuses");
  });
});

describe("a trust file by itself", () => {
  it("is taken over if the release that runs is good under it", async () => {
    const { T1, T2 } = all();
    const T2only = await step("t2.trust", T2);
    const running = await release({ ...facts, sequence: 10, keys: [A, B] });
    expect(only(plan([cohort("old", T1, 10, { release: running })], [T2only], NOBODY))).toMatchObject({
      verdict: "moved",
      why: null,
      trust: { before: "1", after: "2" },
    });
    const dropped = await step("dropped", trustFileOf(2, { releases: [C, D], roots: [R1, R2, R3] }, T1));
    expect(only(plan([cohort("old", T1, 10, { release: running })], [dropped], { ...NOBODY, have: hex(A, B) }))).toMatchObject({
      verdict: "behind",
      trust: { after: "1" },
      steps: [{ code: errors.SIGNATURE_INVALID }],
    });
    // nobody has said what runs
    expect(only(plan([cohort("old", T1, 10)], [T2only], NOBODY)).why).toContain("if the release that they run is good under it");
    // a list of another line, or one that it has passed
    const other = await step("other", trustFileOf(9, { releases: [A, B], roots: [R1, R2] }, undefined, "another line"));
    expect(only(plan([cohort("old", T1, 10)], [other], NOBODY)).verdict).toBe("unaffected");
    expect(only(plan([cohort("new", T2, 20)], [await step("t1.trust", T1)], NOBODY)).verdict).toBe("ahead");
  });
});

describe("what a device needs next", () => {
  it("is the shortest way to the newest trust file, and then to the newest release", () => {
    const { T1, T2, T3, bridge2, bridge3, r31 } = all();
    const fleet = [cohort("old", T1, 10), cohort("passed", T2, 30), cohort("new", T3, 31)];
    const [old, passed, done] = whatNext(fleet, [bridge2, bridge3, r31]);
    expect(old).toMatchObject({ path: ["bridge3", "r31"], complete: true, trust: { before: "1", after: "3" } });
    expect(done).toMatchObject({ path: [], complete: true });
    expect(passed).toMatchObject({ name: "passed" });
    // without the bridge there is no way
    const [stuck] = whatNext([cohort("old", T1, 10), cohort("new", T3, 31)], [r31]);
    expect(stuck).toMatchObject({ path: [], complete: false });
    expect(stuck?.why).toBe(
      "the archive has no way to trust file 3; it refuses r31: fewer trusted keys have signed than the threshold requires",
    );
  });
});

describe("cohorts in one state", () => {
  it("are told once, and as they would be alone", async () => {
    const { bridge3, r31 } = all();
    const roots = [R1, R2, R3];
    const windowed = await trustFileOf(2, { releases: [A, B, C], roots, until: { 0: 25n, 2: 33n } });
    const { T1 } = all();
    const random = randoms(5);
    const lists = [T1, windowed].map(fileOf);
    const models = lists.map((trust) => modelOf({ trust, identity: identity("board-v2") }));
    const fleet = Array.from({ length: 24 }, (_, i): Cohort => {
      const floor = parseSequence(String(Math.floor(random() * 45)));
      return { name: `c${i}`, devices: 1, model: models[i % 2] as Model, floor, floors: { debug: floor, recovery: floor } };
    });
    const gone = { lost: hex(R1), stolen: hex(A, C) };
    const middle = await step("r25", release({ ...facts, sequence: 25, keys: [A, B] }));
    const steps = [middle, bridge3, r31];
    const results = plan(fleet, steps, gone);
    expect(results.length).toBeLessThan(fleet.length);
    expect(results.reduce((n, r) => n + r.devices, 0)).toBe(24);
    const rivals = lists.map(({ store }) => store);
    for (const r of results)
      for (const name of r.names) {
        const alone = only(plan([fleet.find((c) => c.name === name) as Cohort], steps, gone, rivals));
        for (const member of ["verdict", "why", "steps", "left", "exposed", "trust"] as const)
          expect({ name, [member]: alone[member] }).toEqual({ name, [member]: r[member] });
      }
  });
});

describe("what is planned", () => {
  it("is what devices do that are offered the same", async () => {
    const random = randoms(11);
    const one = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
    const some = <T>(list: readonly T[], least: number) => {
      const left = [...list];
      while (left.length > least && random() < 0.6) left.splice(Math.floor(random() * left.length), 1);
      return left;
    };
    const roots = [R1, R2, R3];
    const lists: Uint8Array[] = [await trustFileOf(1, { releases: [A, B, C], roots })];
    for (let n = 2; n <= 4; n++) {
      const signers = random() < 0.8 ? roots : some(roots, 1);
      const windows = random() < 0.5 ? { until: { 0: BigInt(20 + 5 * n) } } : {};
      lists.push(await trustFileOf(n, { releases: some([A, B, C, D], 3), roots, signers, ...windows }, lists[0]));
    }
    const steps: { name: string; bytes: Uint8Array; planned: PlannedStep }[] = [];
    for (let i = 0; i < 14; i++) {
      const sequence = 11 + Math.floor(random() * 30);
      const brings = random() < 0.7 ? { trust: one(lists) } : {};
      const image = imageOf(`${i}`);
      const bytes = await release({ sequence, class: one(CLASSES), keys: some([A, B, C, D], 2), image, ...brings });
      steps.push({ name: `${i}`, bytes, planned: await stepOf(`${i}`, bytes) });
    }
    let installed = 0;
    let moved = 0;
    const first = await release({ sequence: 10, class: "board-v2", keys: [A, B], image: imageOf("first") });
    const fleet = [cohort("device", lists[0] as Uint8Array, 10, { release: first })];
    for (let i = 0; i < (LONG ? 60 : 14); i++) {
      const device = new Device("board-v2", lists[0] as Uint8Array);
      expect(device.dryRun(first)).toBe(true);
      const offered = Array.from({ length: 4 }, () => one(steps));
      const result = only(
        plan(
          fleet,
          offered.map(({ planned }) => planned),
          NOBODY,
        ),
      );
      for (const [k, { bytes, name }] of offered.entries()) {
        const before = device.store.sequence;
        const took = device.dryRun(bytes);
        const told = result.steps[k];
        expect({ i, name, took: told?.fit === "addressed" && told.code === 0 }).toEqual({ i, name, took });
        const trust = `${device.store.sequence}` === `${before}` ? null : String(device.store.sequence[1]);
        expect({ i, name, trust: told?.trust }).toEqual({ i, name, trust });
        if (took) installed++;
        if (trust !== null) moved++;
      }
      expect(result.trust.after).toBe(String(device.store.sequence[1]));
    }
    expect(installed).toBeGreaterThan(10);
    expect(moved).toBeGreaterThan(2);
  });
});
