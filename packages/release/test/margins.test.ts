// How many keys may be lost, as trust files are shown, against the plan for devices when exactly so many are lost.
// FIRMSEAL_CASES tries more, with another seed each time.

import { createHash } from "node:crypto";
import {
  decodeTrust,
  describeTrust,
  encodeTrust,
  formatUuid,
  identityUuids,
  type PrivateKey,
  type PublicKey,
  privateKey,
  signer,
  signTrustWithoutLog,
  type TrustDescription,
  type TrustEntry,
} from "@firmseal/signer";
import { parseSequence } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { draws } from "../../test-support/src/randoms.js";
import { secretSet } from "../src/rotation/keys.js";
import { type Cohort, modelOf } from "../src/rotation/model.js";
import { planSteps } from "../src/rotation/plan/plan.js";
import { changeWarnings } from "../src/trust/change.js";
import { marginWords, roleMargins } from "../src/trust/margins.js";
import { NOBODY, only } from "./verdicts-fleet.js";

const keyOf = (label: string, alg: "ed25519" | "es256" = "ed25519"): PrivateKey =>
  privateKey(alg, new Uint8Array(createHash("sha256").update(`margin ${label}`).digest()));

const VENDORS = ["one.example", "two.example", "other.example"] as const;
const CLASSES = ["a", "b", "c"] as const;
const idOf = (vendor: string, name: string) => identityUuids(vendor, name);

/** Every kind of device, at every floor at which a key of randomList() may begin or end. */
function fleetWith(bytes: Uint8Array): Cohort[] {
  const { store } = decodeTrust(bytes);
  return VENDORS.flatMap((vendor) =>
    CLASSES.flatMap((name) => {
      // a class alone is the same for all vendors here
      const id = { vendor: [idOf(vendor, name).vendor], class: [idOf(VENDORS[0], name).class] };
      const model = modelOf({ trust: { path: "1", bytes, store }, identity: id });
      return [0, 1, 2, 7, 20, 50].map((n): Cohort => {
        const floor = parseSequence(String(n));
        return { name: `${vendor} ${name} ${n}`, devices: 1, model, floor, floors: { debug: floor, recovery: floor } };
      });
    }),
  );
}

function randomList(draw: (n: number) => number): TrustDescription {
  const limits = (): Partial<TrustEntry> => ({
    ...(draw(3) === 0 && { vendor: idOf(VENDORS[draw(2) as 0 | 1], "a").vendor }),
    ...(draw(3) === 0 && { class: idOf(VENDORS[0], CLASSES[draw(2) as 0 | 1]).class }),
    ...(draw(5) === 0 && { since: [5n, 10n][draw(2)] as bigint }),
    ...(draw(3) === 0 && { until: [20n, 50n][draw(2)] as bigint }),
  });
  const keys = (role: "root" | "release", n: number) =>
    Array.from(
      { length: n },
      (_, i): TrustEntry => ({
        key: keyOf(`${role} ${i}`, draw(3) === 0 ? "es256" : "ed25519"),
        roles: [role],
        ...(role === "release" && limits()),
      }),
    );
  const [roots, releases] = [keys("root", 1 + draw(4)), keys("release", 2 + draw(4))];
  const families = (of: readonly TrustEntry[]) =>
    (["ed25519", "es256"] as const).flatMap((alg) => {
      const n = of.filter(({ key }) => key.alg === alg).length;
      return n > 0 ? [{ algorithms: [alg], threshold: 1 + draw(Math.min(n, 2)) }] : [];
    });
  return {
    name: "board",
    sequence: 1n,
    anchors: [...roots, ...releases],
    thresholds: { root: 1 + draw(Math.min(roots.length, 3)), release: 1 + draw(Math.min(releases.length, 3)) },
    ...(draw(3) === 0 && { jumps: { release: 3n } }),
    ...(draw(3) === 0 && { families: { root: families(roots), release: families(releases) } }),
  };
}

/** Every choice of `n` of a list. */
const choices = <T>(list: readonly T[], n: number): T[][] =>
  n === 0 ? [[]] : list.flatMap((first, i) => choices(list.slice(i + 1), n - 1).map((rest) => [first, ...rest]));

/** The cohorts that releases, or trust files, can reach. */
function reached(fleet: readonly Cohort[], role: "root" | "release", lost: readonly PublicKey[]): Set<string> {
  const results = planSteps(fleet, [], { lost: secretSet(lost), stolen: new Set() });
  const isLeft = { root: ["stranded", "roots-lost"], release: ["stranded"] }[role];
  return new Set(results.filter(({ verdict }) => !isLeft.includes(verdict)).flatMap(({ names }) => names));
}

const given = process.env["FIRMSEAL_CASES"];
const cases = Number(given ?? (LONG ? 200 : 12));
const seed = given === undefined ? 8 : Date.now() % 2 ** 31;

describe("the number of keys that may be lost", () => {
  it(`strands no device in a plan, whichever keys they are, and one more does: ${cases} trust files, seed ${seed}`, async () => {
    const draw = draws(seed);
    let several = 0;
    for (let n = 0; n < cases; n++) {
      const d = randomList(draw);
      const bytes = await signTrustWithoutLog(encodeTrust(d), [signer(d.anchors[0]?.key as PrivateKey)]);
      const fleet = fleetWith(bytes);
      for (const { role, margin } of roleMargins(decodeTrust(bytes).store)) {
        if (role !== "root" && role !== "release") continue;
        const keys = d.anchors.filter(({ roles }) => roles.includes(role)).map(({ key }) => key);
        const what = `case ${n}, ${role}, ${margin}`;
        // nothing reaches a device that too few release keys are for, and a plan asks for its roots only afterwards
        const before = reached(fleet, role, []);
        if (margin < 0) {
          expect(before, what).toEqual(new Set());
          continue;
        }
        for (const lost of choices(keys, margin)) {
          const after = reached(fleet, role, lost);
          expect(
            [...before].filter((name) => !after.has(name)),
            what,
          ).toEqual([]);
        }
        if (before.size === 0) continue;
        several += margin;
        expect(
          choices(keys, margin + 1).some((lost) => reached(fleet, role, lost).size < before.size),
          what,
        ).toBe(true);
      }
    }
    expect(several).toBeGreaterThan(cases / 5);
  }, 600_000);
});

describe("the words for keys that may be lost", () => {
  const entry = (label: string, more: Partial<TrustEntry> = {}): TrustEntry => ({ key: keyOf(label), roles: ["release"], ...more });
  const storeOf = (releases: readonly TrustEntry[], more: Partial<TrustDescription> = {}) =>
    decodeTrust(
      encodeTrust({
        name: "board",
        sequence: 1n,
        anchors: [{ key: keyOf("root"), roles: ["root"] }, ...releases],
        thresholds: { root: 1, release: 2 },
        ...more,
      }),
    ).store;
  const { vendor, class: board } = idOf("supplier.example", "board-v2");
  const [a, b, c] = [entry("a"), entry("b"), entry("c")] as const;
  const supplier = entry("supplier", { vendor });
  const V = `vendor ${formatUuid(vendor)}`;
  const wordsOf = (...of: Parameters<typeof storeOf>) => marginWords(roleMargins(storeOf(...of))[1] as never);

  it.each<[string, string, Parameters<typeof storeOf>]>([
    ["one answer for all", "1 may be lost", [[a, b, c]]],
    ["a key of a supplier", "none may be lost (devices of vendors that no key names)", [[a, b, supplier]]],
    [
      "one that ends",
      "none may be lost (devices of vendors that no key names at number 20 or above)",
      [[{ ...a, until: 20n }, b, c, supplier]],
    ],
    ["all of them", "none may be lost (devices at number 20 or above)", [[{ ...a, until: 20n }, b, c]]],
    ["one that ends last", "1 may be lost", [[{ ...a, until: 2n ** 64n - 1n }, b, c]]],
    ["one that has not begun", "1 may be lost", [[{ ...a, since: 100n }, b, c]]],
    [
      "one that has not begun, with a limit on jumps",
      "none may be lost (devices at numbers 1 to 94)",
      [[{ ...a, since: 100n }, b, c], { jumps: { release: 5n } }],
    ],
    ["a class", "none may be lost (devices of classes that no key names)", [[a, b, entry("class", { class: board })]]],
    [
      "a vendor and a class",
      "none may be lost (devices of vendors or classes that no key names)",
      [[a, b, entry("both", { vendor, class: board })]],
    ],
    [
      "a vendor, and a class",
      `none may be lost (devices of ${V}, other classes, and others)`,
      [[a, supplier, entry("class", { class: board })]],
    ],
    ["keys of one kind of device", `none may be lost`, [[supplier, entry("second", { vendor })]]],
    ["no kind of device", "no device has enough of them", [[supplier, entry("class", { vendor: idOf("other.example", "a").vendor })]]],
  ])("say for which devices: %s", (_, words, of) => {
    expect(wordsOf(...of)).toBe(words);
  });

  it("a plan counts the keys that are for a device, as they do", async () => {
    const bytes = await signTrustWithoutLog(encodeTrust(describeTrust(storeOf([a, b, c, supplier]))), [signer(keyOf("root"))]);
    const left = fleetWith(bytes).map((cohort) => only(planSteps([cohort], [], NOBODY)).left.release);
    expect(new Set(left.map((one) => `${one.left} of ${one.of}`))).toEqual(new Set(["3 of 3"]));
  });

  it.each<[string, Parameters<typeof storeOf>[0], Parameters<typeof storeOf>[0], string[]]>([
    ["fewer, for all", [a, b, c], [a, b], ["role release: 2 of 2 keys are needed, so none may be lost; before 1"]],
    [
      "fewer, where the key of a supplier does not count",
      [{ ...a, until: 20n }, b, c, supplier],
      [b, c, supplier],
      ["role release: 2 of 2 keys are needed for devices of vendors that no key names below number 20, so none may be lost; before 1"],
    ],
    [
      "a key that is limited to other devices",
      [a, b],
      [a, { ...b, vendor }],
      ["role release: 1 of 2 needed keys count for devices of vendors that no key names, so nobody can sign for them"],
    ],
    [
      "a key that ends",
      [a, b],
      [a, { ...b, until: 9n }],
      [expect.stringContaining("count for devices at number 9 or above, so nobody") as never],
    ],
    ["more", [b, c], [a, b, c], []],
  ])("warn of a change: %s", (_, before, after, warnings) => {
    expect(changeWarnings(storeOf(before), storeOf(after))).toEqual(warnings);
  });
});
