// Every rule of lint has a release that it catches and one that it lets pass.

import { ALL_RULES } from "@firmseal/release/internal";
import { privateKey, signEnvelopeWithoutLog, signer } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { FACTS, image, type Place, standard } from "../../../test-support/src/command-line/run.js";
import { published } from "../../../test-support/src/keys/published.js";
import {
  changedManifest,
  described,
  fetched,
  identity,
  linted,
  mcubootImage,
  override,
  product,
  signed,
  VENDOR,
  withHeaders,
} from "./lint-place.js";

/** An alternative for a slot: it fetches and checks payload number i. */
const forSlot = (slot: number, i: number) => [
  override({ "component-slot": slot }),
  "condition-component-slot",
  override({ uri: `#f${i}`, image: { payload: `#f${i}` } }),
];

import { espImage } from "../product/product-place.js";

/** A release of an image, and of a second component: the same image, or a copy of the image that was there before. */
function twoComponents(p: Place, name: string, uri: string, isCopy = false): Promise<string> {
  const at = (i: number) => ({ "directive-set-component-index": i });
  const [image, old] = [
    override({ uri, image: { payload: uri } }),
    override({ "image-digest": { hex: sha256Hex("#old") }, "image-size": 4 }),
  ];
  const copied = [at(1), old, override({ "source-component": 0 }), "directive-copy", "condition-image-match"];
  return described(p, name, {
    sequence: name === "old" ? 2 : 3,
    components: [["app"], ["kept"]],
    shared: [{ "directive-set-component-index": true }, ...identity()],
    install: [...(isCopy ? copied : [at(1), ...fetched(uri)]), at(0), ...fetched(uri)],
    validate: [at(0), image, "condition-image-match", at(1), isCopy ? old : image, "condition-image-match"],
    invoke: [at(0), "directive-invoke"],
  });
}

/** A release of an image that devices have, unless `install` brings it. */
const present = (p: Place, install: unknown[] = []) => {
  const image = override({ "image-digest": { hex: sha256Hex("#f") }, "image-size": 2 });
  const match = [image, "condition-image-match"];
  return described(p, "fw", { install: [...install, ...match], validate: match, invoke: ["directive-invoke"] });
};

/** board.trust: A and C sign releases, C up to number 9; B signs debug builds. */
async function trust(p: Place, sequence = 1): Promise<readonly string[]> {
  await p.ok(["keygen", "--out", "root.pem", "--no-passphrase"]);
  p.put("root.pub", (await p.ok(["pubkey", "root.pem"])).stdout);
  const anchors = [
    { key: "root.pub", roles: ["root"] },
    { key: "A.jwk", roles: ["release"] },
    { key: "C.jwk", roles: ["release"], until: 9 },
    { key: "B.jwk", roles: ["debug"] },
  ];
  const list = { $schema: "urn:firmseal:trust:1", name: "board", sequence, anchors, thresholds: { root: 1, release: 1, debug: 1 } };
  p.put("board.json", JSON.stringify(list));
  await p.ok(["trust", "create", "--from", "board.json"]);
  await p.ok(["trust", "sign", "board.trust", "--key", "root.pem"]);
  return ["--trust", "board.trust", "--root", "root.pub"];
}

const signedBy = (p: Place, key: string, seq = 7) =>
  p.ok(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", String(seq), "--out", "fw.suit"]);

/** Arguments of lint for a release. */
type Case = (p: Place) => Promise<readonly string[]>;

/** `said`: the severity and the message. The severity is here once more, because a change of it fails or passes builds. */
const CASES: { readonly [rule: string]: readonly [catches: Case, passes: Case, said: RegExp] } = {
  "test-key": [
    async (p) => {
      const key = privateKey("ed25519", Buffer.from(published["rfc8032-test-1"] as string, "hex"));
      await described(p, "fw", { install: fetched("#f") });
      p.put("fw.suit", await signEnvelopeWithoutLog(p.get("fw.suit"), [signer(key)]));
      return ["fw.suit"];
    },
    async (p) => [await signed(p, 7)],
    /^error: .*published test key rfc8032-test-1/,
  ],
  "debug-role": [
    async (p) => {
      await signedBy(p, "B.pem");
      return ["fw.suit", ...(await trust(p))];
    },
    async (p) => [await signed(p, 7), ...(await trust(p))],
    /^error: signed by .*, which has the role debug in board\.trust$/,
  ],
  "key-retiring": [
    async (p) => {
      await signedBy(p, "C.pem");
      return ["fw.suit", ...(await trust(p))];
    },
    async (p) => [await signed(p, 7), ...(await trust(p))],
    /^warning: .*counts up to sequence number 9 \(board\.trust\)/,
  ],
  "trust-not-carried": [
    async (p) => [await signed(p, 7), ...(await trust(p, 2))],
    async (p) => {
      const given = await trust(p, 2);
      const lists = ["--trust", "board.trust", "--next-trust", "board.trust"];
      await p.ok(["rotate", "bridge", "fw.bin", ...lists, "--key", "A.pem", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit", ...given];
    },
    /^warning: carries no trust file, and board\.trust has the number 2$/,
  ],
  "number-not-raised": [
    async (p) => [await signed(p, 7), "--previous-release", await signed(p, 8, "old.suit")],
    async (p) => [await signed(p, 9), "--previous-release", await signed(p, 8, "old.suit")],
    /^error: .*7 is not higher than 8 of old\.suit/,
  ],
  "number-jump": [
    async (p) => [await signed(p, String(2 ** 33)), "--previous-release", await signed(p, 8, "old.suit")],
    async (p) => [await signed(p, String(2 ** 32 + 8)), "--previous-release", await signed(p, 8, "old.suit")],
    /^error: 8589934592 is 8589934584 above 8$/,
  ],
  "version-and-number": [
    async (p) => [
      await signed(p, 9, "fw.suit", ["--version", "1.1.0"]),
      "--previous-release",
      await signed(p, 8, "old.suit", ["--version", "1.2.0"]),
    ],
    async (p) => [
      await signed(p, 9, "fw.suit", ["--version", "1.2.1"]),
      "--previous-release",
      await signed(p, 8, "old.suit", ["--version", "1.2.0"]),
    ],
    /^error: version 1\.1\.0 has the number 9, and 1\.2\.0 \(old\.suit\) has 8$/,
  ],
  "board-missing": [
    async (p) => [
      await described(p, "fw", {
        shared: identity()
          .filter((_, i) => i !== 2)
          .map((one) => (typeof one === "string" ? one : override({ "vendor-identifier": VENDOR }))),
        install: fetched("#f"),
      }),
    ],
    async (p) => [await described(p, "fw", { install: fetched("#f") })],
    /^error: the release is for cfbff0d1-9375-5685-968c-48ce8b15ae17\/- \(vendor\/class\)$/,
  ],
  "board-unknown": [
    async (p) => {
      product(p);
      await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "board-v3", "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit"];
    },
    async (p) => {
      product(p);
      return [await signed(p, 7)];
    },
    /^error: .*which is not a board of gateway/,
  ],
  "slot-too-small": [
    async (p) => {
      product(p);
      p.put("fw.bin", image(8193));
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p);
      p.put("fw.bin", image(8192));
      return [await signed(p, 7)];
    },
    /^error: .*#firmware has 8,193 bytes, and its slot on board main has 8,192/,
  ],
  refused: [
    async (p) => [await described(p, "fw", { install: [...fetched("#f"), "directive-invoke"] })],
    async (p) => [
      await described(p, "fw", {
        install: fetched("#f"),
        validate: [override({ image: { payload: "#f" } }), "condition-image-match"],
      }),
    ],
    /^error: .*\(INVOKE_MISPLACED\)/,
  ],
  "plain-transfer": [
    async (p) => [await described(p, "fw", { install: [override({ uri: "http://example.com/fw" }), "directive-fetch"] })],
    async (p) => [
      await described(p, "fw", {
        install: [
          override({ uri: "http://example.com/fw", "image-digest": { hex: "00".repeat(32) }, "image-size": 9 }),
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    /^error: the release fetches http:\/\/example\.com\/fw and sets no digest for it$/,
  ],
  "dead-alternative": [
    async (p) => [
      await described(p, "fw", {
        install: [
          {
            "directive-try-each": [0, 0].map(forSlot),
          },
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    async (p) => [
      await described(p, "fw", {
        install: [
          {
            "directive-try-each": [0, 1].map(forSlot),
          },
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    /^warning: alternative 2 of 2 never runs: alternative 1 runs in its place$/,
  ],
  "never-verified": [
    async (p) => [await described(p, "fw", { install: fetched("#f").slice(0, 2), validate: ["condition-vendor-identifier"] })],
    async (p) => [
      await described(p, "fw", {
        install: fetched("#f").slice(0, 2),
        validate: [override({ image: { payload: "#f" } }), "condition-image-match"],
      }),
    ],
    /^error: component 00 is written and never compared/,
  ],
  "power-cut": [
    // the old image is kept as a copy. Once the new one is there, the release cannot be installed again
    async (p) => [await twoComponents(p, "fw", "#f", true), "--previous-release", await twoComponents(p, "old", "#old")],
    async (p) => [await twoComponents(p, "fw", "#f"), "--previous-release", await twoComponents(p, "old", "#old")],
    /^error: without a power cut, a second installation fails: /,
  ],
  "payload-missing": [
    async (p) => [await signed(p, 7, "fw.suit", ["--uri", "https://example.com/none.bin"])],
    async (p) => [await signed(p, 7, "fw.suit", ["--uri", "https://example.com/fw.bin"])],
    /^note: not checked: https:\/\/example\.com\/none\.bin$/,
  ],
  "never-started": [
    async (p) => [
      await described(p, "fw", { install: fetched("#f"), validate: [override({ image: { payload: "#f" } }), "condition-image-match"] }),
    ],
    async (p) => [
      await described(p, "fw", {
        install: fetched("#f"),
        validate: [override({ image: { payload: "#f" } }), "condition-image-match"],
        invoke: ["directive-invoke"],
      }),
    ],
    /^warning: no section starts a component$/,
  ],
  "installs-nothing": [
    async (p) => [await present(p)],
    async (p) => [await present(p, fetched("#f"))],
    /^warning: no component is written, and a device without the image refuses the release$/,
  ],
  "no-sbom": [
    async (p) => {
      // a name alone is not a bill of materials
      p.put("fw.cdx.json", "{}");
      return [await signed(p, 7)];
    },
    async (p) => {
      p.put("fw.cdx.json", '{ "bomFormat": "CycloneDX", "specVersion": "1.6" }');
      return [await signed(p, 7)];
    },
    /^note: .*no SPDX or CycloneDX file/,
  ],
  "image-without-version": [
    async (p) => {
      p.put("fw.bin", mcubootImage(0, 0, 0));
      return [await signed(p, 7)];
    },
    async (p) => {
      p.put("fw.bin", espImage("v1.2.0-3-gabcdef"));
      return [await signed(p, 7)];
    },
    /^warning: #firmware: the header of MCUboot names no version$/,
  ],
  "image-version-differs": [
    async (p) => {
      p.put("fw.bin", espImage("1.1.9"));
      return [await signed(p, 7, "fw.suit", ["--version", "1.2.0"])];
    },
    async (p) => {
      p.put("fw.bin", mcubootImage(1, 2, 0));
      return [await signed(p, 7, "fw.suit", ["--version", "1.2.0"])];
    },
    /^warning: .*names version 1\.1\.9, and the release is 1\.2\.0$/,
  ],
  "text-language": [
    async (p) => {
      await described(p, "fw", { install: fetched("#f"), text: { "en-US": { "update-description": "faster" } } });
      p.put("fw.suit", changedManifest(p.get("fw.suit"), "en-US", "en_US"));
      return ["fw.suit"];
    },
    (p) =>
      described(p, "fw", {
        install: fetched("#f"),
        text: { "en-US": { "update-description": "faster" }, de: { "update-description": "schneller" } },
      }).then((path) => [path]),
    /^warning: "en_US" is not a language tag$/,
  ],
  "text-number": [
    async (p) => {
      await described(p, "fw", { install: fetched("#f"), text: { en: { "update-description": "faster!" } } });
      // number 2 becomes -1
      p.put("fw.suit", changedManifest(p.get("fw.suit"), "\x02gfaster!", "\x20gfaster!"));
      return ["fw.suit"];
    },
    (p) => described(p, "fw", { install: fetched("#f"), text: { en: { "update-description": "faster!" } } }).then((path) => [path]),
    /^note: text -1 \(en\)$/,
  ],
  "cose-headers": [
    async (p) => {
      await signed(p, 7, "fw.suit");
      // a content type that is negative
      p.put("fw.suit", withHeaders(p.get("fw.suit"), "a10320"));
      return ["fw.suit"];
    },
    async (p) => {
      await signed(p, 7, "fw.suit");
      p.put("fw.suit", withHeaders(p.get("fw.suit"), "a203616105427a7a"));
      return ["fw.suit"];
    },
    /^warning: header 3, content type, is not text, or a number from 0$/,
  ],
  "cnsa2-signature": [
    async (p) => {
      await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2,5/2", "--out", "h.hss", "--no-passphrase"]);
      await p.ok(["sign", "fw.bin", "--key", "h.hss", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit", "--policy", "cnsa2"];
    },
    async (p) => {
      await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--out", "h.hss", "--no-passphrase"]);
      await p.ok(["sign", "fw.bin", "--key", "h.hss", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit", "--policy", "cnsa2"];
    },
    /^error: signed with .* with several trees only$/,
  ],
  "cnsa2-hash": [
    async (p) => [await signed(p, 7), "--policy", "cnsa2"],
    async (p) => {
      const digest = { image: { payload: "#f", algorithm: "sha-384" } };
      return [
        await described(p, "fw", {
          digest: "sha-512",
          install: [override({ uri: "#f", ...digest }), "directive-fetch", "condition-image-match"],
        }),
        "--policy",
        "cnsa2",
      ];
    },
    /^error: the digest of the manifest is sha-256$/,
  ],
  "waiver-invalid": [
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "the supplier sends it in June"\nuntil = 2026-01-31\n');
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "no-sbom"\nreason = "the supplier sends it in June"\nuntil = 2999-01-31\n');
      return [await signed(p, 7)];
    },
    /^error: the waiver of L40 has expired on 2026-01-31$/,
  ],
  "waiver-unused": [
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L41"\nreason = "no version"\nuntil = "2999-01-31"\n');
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "no version"\nuntil = "2999-01-31"\n');
      return [await signed(p, 7)];
    },
    /^note: the waiver of L41 waives nothing$/,
  ],
};

describe("every rule", () => {
  it("has a case here", () => {
    expect(Object.keys(CASES).sort()).toEqual(ALL_RULES.map(({ name }) => name).sort());
    const ids = ALL_RULES.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  it.each(ALL_RULES.map(({ name, id }) => [id, name] as const))("%s %s catches one release and lets another pass", async (id, name) => {
    const [catches, passes, said] = CASES[name] as (typeof CASES)[string];
    const bad = standard();
    const { findings, exit } = await linted(bad, await catches(bad));
    const [first] = findings.filter((one) => one.name === name);
    expect(first, `${name} says nothing`).toMatchObject({ rule: id });
    expect(`${first?.severity}: ${first?.message}`).toMatch(said);
    if (first?.severity === "error") expect(exit).toBe(1);
    const good = standard();
    const passed = await linted(good, await passes(good));
    expect(passed.findings.filter((one) => one.name === name)).toEqual([]);
    expect(passed.skipped.filter((one) => one.name === name)).toEqual([]);
  });
});

it("key-retiring passes a bridge that enough keys of both trust files have signed", async () => {
  const p = standard();
  const given = await trust(p);
  // B takes the place of C, which counts up to 9
  const next = JSON.parse(p.get("board.json").toString());
  next.anchors = [...next.anchors.slice(0, 2), { key: "B.jwk", roles: ["release"] }];
  next.thresholds = { root: 1, release: 1 };
  next.sequence = 2;
  p.put("next.json", JSON.stringify(next));
  await p.ok(["trust", "create", "--from", "next.json", "--previous-trust", "board.trust"]);
  await p.ok(["trust", "sign", "next.trust", "--previous-trust", "board.trust", "--key", "root.pem"]);
  const lists = ["--trust", "board.trust", "--next-trust", "next.trust"];
  await p.ok(["rotate", "bridge", "fw.bin", ...lists, "--key", "C.pem", "--key", "B.pem", ...FACTS, "--seq", "7", "--out", "good.suit"]);
  const rules = async (...args: string[]) => (await linted(p, [...args, ...given])).findings.map(({ name }) => name);
  expect(await rules("good.suit")).not.toContain("key-retiring");
  // its only signer is gone afterwards
  await p.ok(["rotate", "bridge", "fw.bin", ...lists, ...FACTS, "--seq", "7", "--out", "few.suit"]);
  await p.ok(["sign", "few.suit", "--key", "C.pem"]);
  expect(await rules("few.suit")).toContain("key-retiring");
});
