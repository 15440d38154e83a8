// Every command that reads an envelope says that it follows an old draft of SUIT, whatever else it misses in it.

import { beforeAll, describe, expect, it } from "vitest";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../../../signer/src/cbor.js";
import { expectFailure, type Place, signImage, standard, words } from "../../../../test-support/src/command-line/run.js";
import { imageOf, key, trustFileOf } from "../../../../test-support/src/rotation-world.js";
import { haveVectors, vectorBytes } from "../../../../test-support/src/vectors.js";

const pairs = (...all: [Encodable, Encodable][]) => new Map<Encodable, Encodable>(all);
const common = cbor(pairs([2, [[Uint8Array.of(0)]]]));
const block = cbor(new Tagged(18, [new Uint8Array(), new Map(), null, new Uint8Array(64)]));

const DRAFTS: readonly [string, string, () => Uint8Array][] = [
  ["-06 or older", "-06 or older", () => cbor(pairs([1, cbor([block])], [2, cbor(pairs([1, 1], [2, 3]))]))],
  [
    "-07 to -17",
    "-07 to -17",
    () => cbor(pairs([2, cbor([block])], [3, cbor(pairs([1, 1], [2, 7], [3, common], [9, cbor([21, 2])], [10, cbor([3, 15])]))])),
  ],
  ["-18 to -28", "-18 to -28", () => cbor(pairs([3, cbor(pairs([1, 1], [2, 3], [3, common], [17, cbor([21, 2])]))]))],
  ...(haveVectors
    ? (["one-ram", "one-ram.es256", "one-ram.unsigned", "two-slots", "bad-manifest"] as const).map(
        (name): [string, string, () => Uint8Array] => [`of RIOT, ${name}`, "-07 to -17", () => vectorBytes(`field/riot-suit/${name}.suit`)],
      )
    : []),
];

const SHOWING = ["inspect", "whosigned"];

const trusted = ["--key", "A.jwk"];
const fleet = (release: string) =>
  JSON.stringify({ cohorts: [{ name: "c", devices: 1, trust: "1.trust", vendor: "example.com", class: "board-v2", floor: 1, release }] });

const COMMANDS: readonly (readonly string[])[] = [
  ["verify", "x.suit", ...trusted],
  ["inspect", "x.suit"],
  ["whosigned", "x.suit", ...trusted],
  ["explain", "x.suit"],
  ["explain", "x.suit", "--refusal", "22@3"],
  ["diff", "x.suit", "good.suit"],
  ["diff", "good.suit", "x.suit"],
  ["lint", "x.suit"],
  ["lint", "good.suit", "--previous-release", "x.suit"],
  ["report", "x.suit", "--out", "r.html", ...trusted],
  ["report", "good.suit", "--previous-release", "x.suit", "--out", "r.html", ...trusted],
  ["sign", "x.suit", "--key", "A.pem", "--out", "y.suit"],
  ["tbs", "x.suit", "--key", "A.jwk", "--out", "y.tbs"],
  ["attach", "x.suit", "--key", "A.jwk", "--signature", "any.sig"],
  ["approve", "x.suit", "--key", "A.pem", "--out", "y.approval"],
  ["audit", "A.pem", "--envelope", "x.suit"],
  ["install", "x.suit", "--dir", "d", "--vendor", "example.com", "--class", "board-v2", ...trusted],
  ["simulate", "x.suit", "--device", "memory", ...trusted],
  ["simulate", "good.suit", "--device", "memory", "--previous-release", "x.suit", ...trusted],
  ["rotate", "plan", "--fleet", "fleet.json", "--release", "x.suit"],
  ["rotate", "plan", "--fleet", "old.json", "--release", "good.suit"],
  ["rotate", "next", "--fleet", "fleet.json", "--archive", "archive"],
  ["incident", "stolen", "--key", "R1.jwk", "--trust", "1.trust", "--fleet", "old.json", "--image", "fw.bin", "--dir", "night"],
];

describe("an envelope of an old draft", () => {
  let p: Place;
  beforeAll(async () => {
    p = standard();
    p.keepsLogs = true;
    const [A, B, R1, R2, R3] = ["A", "B", "R1", "R2", "R3"].map((label) => key(label)) as [never, never, never, never, never];
    p.putKeys({ R1 });
    p.put("1.trust", await trustFileOf(1, { releases: [A, B], roots: [R1, R2, R3] }));
    p.put("app.bin", imageOf("app"));
    p.put("any.sig", new Uint8Array(64));
    p.put("old.json", fleet("x.suit"));
    p.put("fleet.json", fleet("good.suit"));
    await signImage(p, 7, "good.suit");
    p.folder("archive");
  });

  it.each(DRAFTS)("%s is named by every command, in one line, and nothing is written", async (_, draft, bytes) => {
    p.put("x.suit", bytes());
    p.put("archive/x.suit", bytes());
    for (const args of COMMANDS) {
      const before = p.tree();
      const r = await p.run(args);
      const what = args.join(" ");
      expect([what, r.exit, ...words(r)]).toEqual([
        what,
        1,
        expect.stringContaining(`refused: it follows an old draft of SUIT, draft ${draft} `),
        "hint: make it again in the current format",
      ]);
      // inspect and whosigned show what is in it
      if (!SHOWING.includes(args[0] as string)) expectFailure(r, 1);
      expect(p.tree(), what).toEqual(before);
    }
  });
});
