// Releases with good signatures and payloads that devices refuse all the same. Nothing is signed or called good that
// every device refuses, or that a device could install and never start.

import { createPrivateKey, sign } from "node:crypto";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectExit, expectFailure, logEntries, type Place, standard } from "../../../test-support/src/command-line/run.js";
import { forSlot, REFUSED_BY_ONE_CLASS } from "../../../test-support/src/refused-by-one-class.js";
import { CLASSES, type Commands, fetched, identity, release, setImage } from "../verify/described-place.js";

const imageOf = (text: string, more: object = {}) => ({
  "directive-override-parameters": { "image-digest": { algorithm: "sha-256", hex: sha256Hex(text) }, "image-size": 2, ...more },
});
const written = (content: string) => [imageOf("ok", { content }), "directive-write"];
const invoke = [setImage("#f"), "condition-image-match", "directive-invoke"];

/**
 * Releases that no device starts, or none of some kind, and the refusal of their start. A device finds out when it
 * rehearses the start, at the end of the installation.
 */
const NEVER_STARTS: [string, Commands, string][] = [
  ["starts an image that it never compares", { install: fetched("#f"), invoke: ["directive-invoke"] }, "INVOKE_UNVERIFIED"],
  [
    "compares at the start with a different image from the one that it installs",
    { install: fetched("#f"), invoke: [imageOf("no"), "condition-image-match", "directive-invoke"] },
    "IMAGE_MISMATCH",
  ],
  [
    "starts without a comparison on devices of one class only",
    {
      install: fetched("#f"),
      invoke: [{ "directive-try-each": [[...identity(CLASSES[1]).slice(0, 1), "condition-class-identifier"], ["directive-invoke"]] }],
    },
    "INVOKE_UNVERIFIED",
  ],
  ["has no section that a start runs", { install: fetched("#f") }, "IDENTITY_UNCHECKED"],
  ["installs nothing, and has no section that a start runs", { install: ["condition-vendor-identifier"] }, "IDENTITY_UNCHECKED"],
  [
    "compares in load what is not there",
    { install: fetched("#f"), load: [imageOf("no"), "condition-image-match"], invoke },
    "IMAGE_MISMATCH",
  ],
  [
    "writes at the start what its digest does not mean",
    { install: fetched("#f"), load: [imageOf("no", { content: "ok" }), "directive-write"], invoke },
    "IMAGE_UNVERIFIED",
  ],
  ["loads what it has no digest for", { install: fetched("#f"), load: ["directive-fetch"], invoke }, "PARAMETER_MISSING"],
  [
    "fetches at the start, and copies that into itself",
    { install: fetched("#f"), load: [setImage("#f", { "source-component": 0 }), "directive-fetch", "directive-copy"], invoke },
    "NOT_SUPPORTED",
  ],
  [
    "starts without a comparison in one of two slots",
    {
      install: fetched("#f"),
      invoke: [
        setImage("#f"),
        {
          "directive-try-each": [
            [{ "directive-override-parameters": { "component-slot": 0 } }, "condition-component-slot", "condition-image-match"],
            [{ "directive-override-parameters": { "component-slot": 1 } }, "condition-component-slot"],
          ],
        },
        "directive-invoke",
      ],
    },
    "INVOKE_UNVERIFIED",
  ],
];

/** Releases that devices refuse before they change anything. */
const NEVER_INSTALLED: [string, Commands, string][] = [
  ["writes what its digest does not mean", { install: written("no") }, "IMAGE_UNVERIFIED"],
  ["writes and compares it", { install: [...written("no"), "condition-image-match"] }, "IMAGE_MISMATCH"],
  ["writes more than its size", { install: written("longer") }, "PAYLOAD_SIZE"],
  [
    "would start a component if nothing matched, which devices rehearse",
    { install: [...written("ok"), { "directive-try-each": [["condition-image-match"], ["directive-invoke"]] }] },
    "INVOKE_MISPLACED",
  ],
];

/** explain and lint say the same. */
async function agree(p: Place, file: string, name: string) {
  const { json } = await p.ok(["explain", file, "--json"]);
  const { behaviours } = json as { behaviours: { refused?: { during: string; reason: string } }[] };
  expect(behaviours.flatMap(({ refused }) => (refused ? [`${refused.during} ${refused.reason}`] : []))).toContain(`install ${name}`);
  const linted = await p.run(["lint", file, "--json"]);
  const { findings } = linted.json as { findings: { rule: string; message: string }[] };
  expect(findings).toContainEqual(expect.objectContaining({ rule: "L30", message: expect.stringContaining(name) }));
}

describe("a release that", () => {
  it.each([
    ...NEVER_INSTALLED.map((one) => [...one, "allow-no-device", "every device refuses this release: "] as const),
    ...NEVER_STARTS.map((one) => [...one, "allow-no-start", "devices that install this release could never start it: "] as const),
  ])("%s is not signed and not called good", async (_, commands, name, override, words) => {
    const number = `(${(errors as { readonly [name: string]: number })[name]} ${name})`;
    const p = standard();
    p.keepsLogs = true;
    const dead = await release(p, "dead", commands);
    const before = p.tree();
    for (const args of [
      ["sign", dead, "--key", "A.pem", "--out", "signed.suit"],
      ["sign", dead, "--key", "A.pem", "--key", "B.pem"],
      ["tbs", dead, "--key", "A.jwk", "--out", "dead.tbs"],
      ["approve", dead, "--key", "B.pem"],
    ]) {
      const failed = await p.run([...args, "--json"]);
      expectExit(failed, 1);
      expect(failed.json).toMatchObject({ ok: false, reason: name });
      expect(expectFailure(await p.run(args), 1)).toContain(`refused: ${words}`);
      // no output, no entry in a log, no claim of a number
      expect(p.tree()).toEqual(before);
    }

    const allowed = await p.ok(["sign", dead, "--key", "A.pem", "--out", "signed.suit", `--${override}`]);
    expect(allowed.stderr).toContain(`sequence number 3 is signed because of --${override}`);
    expect(allowed.stderr).toContain(`(${name})`);
    expect(logEntries(p)).toMatchObject([{ overrides: [override] }]);
    const refused = await p.run(["verify", "signed.suit", "--key", "A.jwk", "--json"]);
    expectExit(refused, 1);
    const refusing = [expect.objectContaining({ reason: name })];
    expect(refused.json).toMatchObject({ ok: false, reason: name, refusing: expect.arrayContaining(refusing) });
    expect(expectFailure(await p.run(["verify", "signed.suit", "--key", "A.jwk"]), 1)).toContain(number);
    const verified = await p.ok(["verify", "signed.suit", "--key", "A.jwk", `--${override}`, "--json"]);
    expect(verified.json).toMatchObject({ refusing: expect.arrayContaining(refusing) });
    const { stderr } = await p.ok(["verify", "signed.suit", "--key", "A.jwk", `--${override}`]);
    expect(stderr).toContain(`(${name})`);
    expect(stderr).toContain("signed.suit: signed, but devices refuse it");
    await agree(p, "signed.suit", name);
  });
});

it.each([
  ["one class never starts and the other one refuses", { ...REFUSED_BY_ONE_CLASS, validate: undefined }],
  ["the slot that it is for never starts", { ...forSlot(0), validate: undefined }],
])("a release of which %s needs both overrides, and the log has both", async (_, description) => {
  const p = standard();
  p.keepsLogs = true;
  p.put("dead.json", JSON.stringify(description));
  const sign = ["sign", "dead.json", "--key", "A.pem", "--out", "dead.suit"];
  const [noStart, noDevice] = ["--allow-no-start", "--allow-no-device"];
  expect(expectFailure(await p.run(sign), 1)).toContain("devices that install this release could never start it");
  expect(expectFailure(await p.run([...sign, noDevice]), 1)).toContain("devices that install this release could never start it");
  expect(expectFailure(await p.run([...sign, noStart]), 1)).toContain("every device refuses this release");
  expect(p.has("A.pem.log")).toBe(false);
  await p.ok([...sign, noStart, noDevice]);
  expect(logEntries(p)).toMatchObject([{ overrides: ["allow-no-start", "allow-no-device"] }]);
  const verify = ["verify", "dead.suit", "--key", "A.jwk"];
  expect(expectFailure(await p.run([...verify, noStart]), 1)).toContain("every device refuses this release");
  expect((await p.ok([...verify, noStart, noDevice])).stderr).toContain("dead.suit: signed, but devices refuse it");
});

it("a payload that only a start takes is compared with its digest there", async () => {
  const p = standard();
  const loads = (digest: object) => ({ load: [setImage("#l", digest), "directive-fetch"], invoke: [setImage("#l"), ...invoke.slice(1)] });
  await release(p, "good", { install: fetched("#f"), ...loads({}) });
  const { stderr } = await p.ok(["sign", "good.suit", "--key", "A.pem", "--out", "signed.suit"]);
  expect(stderr).not.toContain("devices");
  await p.ok(["verify", "signed.suit", "--key", "A.jwk"]);
  const { "directive-override-parameters": other } = imageOf("no");
  await release(p, "wrong", { install: fetched("#f"), ...loads({ image: undefined, ...other }) });
  expect(expectFailure(await p.run(["sign", "wrong.suit", "--key", "A.pem", "--out", "other.suit"]), 1)).toContain("payload #l");
});

it("a one-time key keeps its leaf", async () => {
  const p = standard();
  const dead = await release(p, "dead", { install: fetched("#f"), invoke: ["directive-invoke"] });
  p.keepsLogs = true;
  await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--out", "hss.key", "--no-passphrase"]);
  const before = p.tree();
  expectFailure(await p.run(["sign", dead, "--key", "hss.key"]), 1);
  expect(p.tree()).toEqual(before);
});

it("a signature made elsewhere is not added either", async () => {
  const p = standard();
  const dead = await release(p, "dead", { install: fetched("#f"), invoke: ["directive-invoke"] });
  await p.ok(["tbs", dead, "--key", "A.jwk", "--out", "dead.tbs", "--allow-no-start"]);
  p.put("dead.sig", sign(null, p.get("dead.tbs"), createPrivateKey(p.get("A.pem"))));
  const before = p.tree();
  const attach = ["attach", dead, "--key", "A.jwk", "--signature", "dead.sig"];
  expect(expectFailure(await p.run(attach), 1)).toContain("devices that install this release could never start it: ");
  expect(p.tree()).toEqual(before);
  await p.ok([...attach, "--allow-no-start"]);
});
