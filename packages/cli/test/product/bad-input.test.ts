// What a person gets wrong with releases and files: one line, one hint, nothing is written and nothing is signed.

import { cpSync, rmSync, symlinkSync } from "node:fs";
import { type PrivateKey, privateKey } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import {
  expectFailure,
  FACTS,
  image,
  keyC,
  type Place,
  quicklyEncrypted,
  type RunOptions,
  signImage,
} from "../../../test-support/src/command-line/run.js";
import { world } from "./product-place.js";

const product = (name: string, sections: string) => `name = "${name}"
vendor = "example.com"

${sections}
[boards.puck]
image = "app.js"
`;

const ALONE = '[keys]\nrelease = "A.pem"\n';
const LONE = `${ALONE}\n[trust]\nkeys = ["A.jwk", "C.jwk"]\n`;
const TEAM = '[trust]\nkeys = ["D.jwk", "C.jwk"]\nthreshold = 2\n\n[approval]\nkeys = "B.jwk"\n';
const trusting = (file: string, more = "") => product("lamp", `${ALONE}\n[trust]\nfile = "${file}"\nroot = "R.jwk"\n${more}`);

const [ROOT, STRANGER, SIGNER] = [1, 2, 3].map((seed) => privateKey("ed25519", image(32, seed))) as [PrivateKey, PrivateKey, PrivateKey];

/** Makes a trust file with a release key, signed by a root. */
async function list(p: Place, name: string, line: string, key: string, root = "R", more: object = {}): Promise<void> {
  const anchors = [
    { key: `${root}.jwk`, roles: ["root"] },
    { key: `${key}.jwk`, roles: ["release"], ...more },
  ];
  const text = { $schema: "urn:firmseal:trust:1", name: line, sequence: 1, anchors, thresholds: { root: 1, release: 1 } };
  p.put(`${name}.json`, JSON.stringify(text));
  await p.ok(["trust", "create", "--from", `${name}.json`]);
  await p.ok(["trust", "sign", `${name}.trust`, "--key", `${root}.pem`, "--allow-sequence-reuse", "--allow-no-previous-trust"]);
}

let p: Place;

beforeAll(async () => {
  p = world(product("gateway", LONE));
  p.putKeys({ R: ROOT, S: STRANGER, D: SIGNER });
  p.put("secret.pem", quicklyEncrypted(keyC, "a long passphrase"));
  p.put("locked.toml", product("gateway", '[keys]\nrelease = "secret.pem"\n'));
  // a product with one key: 1.1.0 is withdrawn
  await p.ok(["release", "--version", "1.0.0", "--first"]);
  await p.ok(["release", "--version", "1.1.0"]);
  cpSync(p.at("dist/1.1.0"), p.at("part"), { recursive: true });
  cpSync(p.at("dist/1.0.0"), p.at("two"), { recursive: true });
  cpSync(p.at("dist/1.1.0/gateway-puck-1.1.0.suit"), p.at("two/gateway-puck-1.1.0.suit"));
  cpSync(p.at("dist/1.0.0"), p.at("named/1.1.0"), { recursive: true });
  await p.ok(["withdraw", "1.1.0", "--reason", "bad"]);
  // a team: B has approved 1.0.0, and D has signed it; 1.1.0 waits
  p.put("team.toml", `out = "team"\n${product("team", TEAM)}`);
  const team = ["--product", "team.toml"];
  await p.ok(["release", "--version", "1.0.0", "--first", ...team]);
  await p.ok(["approve", "team/1.0.0", "--key", "B.pem", "--out", "of-1.0.0.approval", ...team]);
  cpSync(p.at("of-1.0.0.approval"), p.at("kept.approval"));
  await p.ok(["sign", "team/1.0.0", "--key", "D.pem", "--approval", "of-1.0.0.approval", ...team]);
  cpSync(p.at("team/1.0.0"), p.at("copy"), { recursive: true });
  p.put("app.js", "print(2)\n");
  await p.ok(["release", "--version", "1.1.0", "--out", "later", "--previous-release", "team", ...team]);
  // another product
  p.put("other.toml", `out = "other"\n${product("other", LONE)}`);
  await p.ok(["release", "--version", "1.0.0", "--first", "--product", "other.toml"]);
  // files
  await signImage(p, 7, "fw.suit");
  await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "8", "--out", "next.suit"]);
  await p.ok(["approve", "next.suit", "--key", "C.pem"]);
  p.put("-fw.suit", p.get("fw.suit"));
  p.put("--json", p.get("fw.suit"));
  // trust files: of the product, of another line, of other roots, of other keys, and one whose key has ended
  await list(p, "lamp", "lamp", "A");
  await list(p, "lantern", "lantern", "A");
  await list(p, "strange", "lamp", "A", "S");
  await list(p, "keys", "lamp", "C");
  await list(p, "ended", "lamp", "A", "R", { until: 9 });
  p.put("lamp.toml", trusting("lamp.trust", 'name = "lamp"\n').replace("name", 'out = "lamps"\nname'));
  await p.ok(["release", "--version", "1.0.0", "--first", "--product", "lamp.toml"]);
  for (const [name, more] of [["lantern", 'name = "lamp"\n'], ["strange"], ["keys"], ["ended"]] as [string, string?][])
    p.put(`with-${name}.toml`, trusting(`${name}.trust`, more).replace("name", 'out = "lamps"\nname'));
});

/** Expects a refusal: every file and folder stays as it is, the logs too. */
async function refused(args: readonly string[], exit = 1, o: RunOptions = {}): Promise<string> {
  const before = p.tree();
  const r = await p.run(args, o);
  const said = `${expectFailure(r, exit)}\n${r.stderr}`;
  expect(p.tree(), String(r)).toEqual(before);
  return said;
}

const typed = (line: string) => line.split(" ");

/** A command line, what its refusal has, and the exit code. */
type Row = [line: string, said: string, exit?: number];

const refuses = (rows: Row[]) =>
  it.each<Row>(rows)("%s", async (line, said, exit) => {
    expect(await refused(typed(line), exit)).toContain(said);
  });

const TWO = "has a file that does not belong to the release: gateway-puck-1.1.0.suit";
const NO_RECORD = "has no release.json";

describe("two versions in a folder", () => {
  refuses([
    ["verify two", TWO],
    ["verify two --missing", TWO],
    ["sign two --key C.pem", TWO],
    ["approve two --key C.pem", TWO],
    ["tbs two --key C.jwk --out build", TWO],
    ["attach two --from dist/1.0.0", TWO],
    ["attach dist/1.0.0 --from two --allow-lower-sequence", TWO],
    ["install two --dir device", TWO],
    ["extract two --out image.bin", TWO],
    ["report two --out two.html", TWO],
    ["explain two", TWO],
    ["diff two dist/1.0.0", TWO],
    ["release --join two --version 1.0.0", TWO],
    ["verify named/1.1.0", "named/1.1.0 is version 1.0.0, not the one that its folder is named after"],
    ["sign named/1.1.0 --key C.pem", "is version 1.0.0, not the one that its folder is named after"],
    ["release --join dist/1.0.0 part", "part has version 1.1.0"],
    // the folder of all versions
    ["sign dist --key C.pem", "dist is a folder, not a file", 2],
    ["approve dist --key C.pem", "dist is a folder, not a file", 2],
    ["tbs dist --key C.jwk --out build", "dist is a folder, not a file", 2],
    ["attach dist --from copy", "dist is not the folder of a release", 2],
    ["install dist --dir device", NO_RECORD, 2],
    ["explain dist", NO_RECORD, 2],
  ]);
});

const SECOND = "has already signed";

describe("one person twice", () => {
  refuses([
    ["sign team/1.0.0 --key D.pem --product team.toml --approval kept.approval", SECOND],
    // before the approval, and before the review
    ["sign team/1.0.0 --key D.pem --product team.toml", SECOND],
    ["sign team/1.0.0 --key D.pem --key D.pem --product team.toml --approval kept.approval", SECOND],
    ["tbs team/1.0.0 --key D.jwk --out build --product team.toml --approval kept.approval", SECOND],
    [
      "attach team/1.0.0 --from copy --product team.toml --approval kept.approval",
      "copy has no signature that team/1.0.0 does not have",
      2,
    ],
    ["approve team/1.0.0 --key D.pem --product team.toml", "D.pem is not a key that team.toml names for approvals"],
    // B may approve, and is not a release key
    ["sign later/1.1.0 --key B.pem --product team.toml", "B.pem is not a key that the devices of board puck trust for this release"],
    ["tbs later/1.1.0 --key B.jwk --out build --product team.toml", "B.jwk is not a key that the devices of board puck trust"],
    ["sign fw.suit --key A.pem --out again.suit", SECOND],
    ["sign fw.bin --key B.pem --key B.pem --vendor example.com --class board-v2 --seq 9", "B.pem: this key is given twice"],
    ["tbs fw.suit --key A.jwk --out fw.tbs", SECOND],
  ]);
});

describe("an approval of something else", () => {
  refuses([
    ["sign later/1.1.0 --key D.pem --product team.toml --approval kept.approval", "kept.approval approves a different release"],
    ["tbs later/1.1.0 --key D.jwk --out build --product team.toml --approval kept.approval", "kept.approval approves a different release"],
    ["attach later/1.1.0 --from copy --product team.toml --approval kept.approval", "copy is version 1.0.0"],
    ["sign later/1.1.0 --key D.pem --product team.toml --approval next.approval", "next.approval approves a different"],
    ["sign later/1.1.0 --key D.pem --product team.toml --approval fw.bin", "fw.bin is not an approval"],
    ["sign later/1.1.0 --key D.pem --product team.toml", "0 of 1 approved"],
    ["sign fw.bin --key B.pem --vendor example.com --class board-v2 --seq 9 --approver C.jwk --approval next.approval", "next.approval"],
    ["sign fw.bin --key B.pem --vendor example.com --class board-v2 --seq 9 --approver B.jwk --approval kept.approval", "approv"],
  ]);
});

const WITHDRAWN = "1.1.0 was withdrawn on";

describe("a withdrawn version", () => {
  refuses([
    ["release --version 1.1.0", WITHDRAWN],
    ["release --version 1.1.0 --dry-run", WITHDRAWN],
    ["release --version 1.1.0 --out elsewhere", WITHDRAWN],
    ["release --join part --out elsewhere", WITHDRAWN],
    ["sign part --key A.pem", "1.1.0"],
    ["sign dist/1.1.0 --key A.pem", "1.1.0"],
    ["verify dist/1.1.0", WITHDRAWN],
    ["extract dist/1.1.0 --out image.bin", WITHDRAWN],
    ["verify dist/1.1.0/gateway-puck-1.1.0.suit", WITHDRAWN],
    ["sign --board puck --version 1.1.0", WITHDRAWN],
    ["sign part/gateway-puck-1.1.0.suit --key A.pem --out again.suit", "has already signed"],
  ]);
});

const ANOTHER = 'is for "lantern", and the product file requires "lamp"';

/** The commands that ask the trust file of a product, with a product file. */
const ASKING = [
  "release --version 1.1.0",
  "release --version 1.1.0 --dry-run",
  "release --version 1.1.0 --unsigned",
  "release --join lamps/1.0.0 --out elsewhere",
  "verify lamps/1.0.0",
  "verify lamps",
  "verify lamps/1.0.0/lamp-puck-1.0.0.suit",
  "verify lamps/1.0.0 --missing",
  "sign lamps/1.0.0 --key A.pem",
  "sign --board puck --version 1.1.0",
  "approve lamps/1.0.0 --key B.pem",
  "tbs lamps/1.0.0 --key A.jwk --out build",
  "install lamps/1.0.0 --dir device",
  "extract lamps/1.0.0 --out image.bin",
  "report lamps/1.0.0 --out lamp.html",
];

describe("the trust file of another product", () => {
  it.each(ASKING)("%s", async (line) => {
    const told = async (file: string) => await refused([...typed(line), "--product", `with-${file}.toml`]);
    expect(await told("lantern")).toContain(ANOTHER);
    expect(await told("strange")).toContain("strange.trust: refused: not signed by every key of --root");
    // others may sign what nobody signs now
    if (!line.includes("--unsigned")) await told("keys");
    if (!line.startsWith("approve") && !line.startsWith("tbs") && !line.startsWith("sign lamps")) await told("ended");
  });

  it("is what lint and doctor refuse too", async () => {
    expect(await refused(typed("lint lamps/1.0.0 --product with-lantern.toml"))).toContain(ANOTHER);
    for (const [file, said] of [
      ["lantern", ANOTHER],
      ["strange", "not signed by every key of --root"],
      ["keys", "A.pem is not a key of keys.trust"],
      ["ended", "counts up to"],
    ] as const) {
      const before = p.tree();
      const r = await p.run(["doctor", "--product", `with-${file}.toml`]);
      expect([r.exit, r.stdout], String(r)).toEqual([1, expect.stringContaining(said)]);
      expect(p.tree()).toEqual(before);
    }
  });

  it("may be that of several products, unless one of them names it", async () => {
    for (const [name, more] of [["any"], ["own", 'name = "lamp"\n']] as [string, string?][]) {
      p.put(`${name}.toml`, trusting("lamp.trust", more).replace('name = "lamp"\nvendor', `out = "${name}"\nname = "${name}"\nvendor`));
      await p.ok(["release", "--version", "1.0.0", "--first", "--dry-run", "--product", `${name}.toml`]);
    }
    p.put("wrong.toml", product("lamp", `${ALONE}\n[trust]\nkeys = "A.jwk"\nname = "lamp"\n`));
    expect(await refused(["verify", "lamps", "--product", "wrong.toml"])).toContain("wrong.toml:9:1: the name is that of a trust file");
    for (const name of ['""', `"${"x".repeat(65)}"`, "7"]) {
      p.put("wrong.toml", trusting("lamp.trust", `name = ${name}\n`));
      expect(await refused(["verify", "lamps", "--product", "wrong.toml"])).toContain("wrong.toml:10:1: ");
    }
    // as bytes: a mark of the byte order, or a line break, is part of a name
    p.put("wrong.toml", trusting("lamp.trust", 'name = "\\ufefflamp"\n'));
    expect(await refused(["verify", "lamps/1.0.0", "--product", "wrong.toml"])).toContain('is for "lamp", and');
    p.put("wrong.toml", trusting("lamp.trust", 'name = "lamp\\nhint: \\u001b[31m"\n'));
    await refused(["verify", "lamps/1.0.0", "--product", "wrong.toml"]);
  });
});

const OF_OTHER = "other/1.0.0 is a release of other by example.com, not of gateway by example.com";

describe("--previous-release of another product", () => {
  refuses([
    ["release --version 1.2.0 --previous-release other", OF_OTHER],
    ["release --version 1.2.0 --previous-release other/1.0.0", OF_OTHER],
    ["release --version 1.2.0 --previous-release other/1.0.0/release.json", "is a release of other by example.com"],
    ["release --version 1.2.0 --previous-release other/1.0.0/other-puck-1.0.0.suit", "is not for a board of gateway"],
    ["release --version 1.2.0 --previous-release fw.suit", "is not for a board of gateway"],
    ["release --version 1.2.0 --dry-run --diff other/1.0.0", OF_OTHER],
    ["approve later/1.1.0 --key B.pem --product team.toml --previous-release other/1.0.0", "other/1.0.0 is a release of other"],
    ["release --join part --previous-release other/1.0.0 --out elsewhere", ""],
    ["lint dist/1.0.0 --previous-release other/1.0.0", "other/1.0.0 is not for the devices of dist/1.0.0", 2],
    ["lint fw.suit --previous-release other/1.0.0", "other/1.0.0 is not for the devices of fw.suit", 2],
    ["report dist/1.0.0 --previous-release other/1.0.0 --out x.html", "other/1.0.0 is a release of other"],
  ]);
});

describe("an empty passphrase", () => {
  it.each([
    "release --version 1.2.0 --product locked.toml --passphrase-env EMPTY",
    "release --version 1.2.0 --key secret.pem --unsigned --passphrase-env EMPTY",
    "sign later/1.1.0 --key secret.pem --product team.toml --approval kept.approval --passphrase-env EMPTY",
    "sign copy --key secret.pem --product team.toml --approval kept.approval --passphrase-env EMPTY",
    "approve later/1.1.0 --key secret.pem --product team.toml --passphrase-env EMPTY",
    "attach copy --from team/1.0.0 --product team.toml --passphrase-env EMPTY",
    "sign fw.suit --key secret.pem --passphrase-env EMPTY",
    "approve fw.suit --key secret.pem --passphrase-env EMPTY",
  ])("%s", async (line) => {
    const before = p.tree();
    const r = await p.run(typed(line), { env: { EMPTY: "" } });
    expect(r.exit, String(r)).toBeGreaterThan(0);
    expect(r.stderr, String(r)).toMatch(/firmseal: [^\n]+\nhint: [^\n]+\n$/);
    expect(p.tree()).toEqual(before);
  });
});

describe("a name like an option", () => {
  refuses([
    ["sign --fw.suit --key A.pem", "unknown option '--fw.suit'", 2],
    ["sign -fw.suit --key A.pem", "unknown option '-fw.suit'", 2],
    ["sign dist/1.0.0 --key --first", "option '-k, --key <key>': its value is missing", 2],
    ["verify --dist", "unknown option '--dist'", 2],
    ["verify -- --dist", "--dist: file not found", 3],
    ["release --version --first", "option '--version <version>': its value is missing", 2],
    ["release --version 1.2.0 --product --dry-run", "option '--product <file>': its value is missing", 2],
    ["release --version 1.2.0 -- --board", 'firmseal.toml has no board "--board"'],
    ["release --version 1.2.0 --out --x", "option '-o, --out <folder>': its value is missing", 2],
    ["release --version 1.2.0 --out -k", "option '-o, --out <folder>': its value is missing", 2],
    ["release --version 1.2.0 --out --", "option '-o, --out <folder>': its value is missing", 2],
    ["withdraw 1.0.0 --reason --product", "option '--reason <text>': its value is missing", 2],
    ["verify -", "stdin"],
  ]);

  it("is a file behind -- or in a folder", async () => {
    for (const path of ["-fw.suit", "--json"]) {
      await p.ok(["verify", "--key", "A.jwk", "--", path]);
      await p.ok(["verify", `./${path}`, "--key", "A.jwk"]);
    }
  });
});

describe("an output in the folder of a release, which verify would then refuse,", () => {
  it.each([
    ...["report dist/1.0.0 --out", "lint dist/1.0.0 --sarif-out", "extract dist/1.0.0 --out", "extract dist/1.0.0/. --out"],
    ...[
      "report dist/1.0.0/gateway-puck-1.0.0.suit --out",
      "lint dist/1.0.0/puck.suit --sarif-out",
      "pubkey A.pem --out",
      "status ask --fleet fleet.jsonl --out",
    ],
    ...["tbs app.js --version 2.0.0 --vendor a.example --class a --key A.jwk --out"],
    ...["keygen --no-passphrase --out", "convert A.jwk --format jwk --out"],
  ])("is refused: %s", async (line) => {
    expect(await refused([...line.split(" "), "./dist/1.0.0/a.html"], 2)).toContain("a.html is in the folder of a release");
  });

  it("is refused with a name that the command chooses, or over an image", async () => {
    for (const line of [
      "tbs dist/1.0.0/gateway-puck-1.0.0.suit --key A.jwk",
      "pubkey A.pem --out dist/1.0.0/app.js",
      "bundle --alg ed25519 --out dist/1.0.0/x.js",
    ])
      expect(await refused(line.split(" "), 2)).toContain("is in the folder of a release");
  });
});

describe("links, and numbers without end", () => {
  it("are refused as any other folder and number", async () => {
    symlinkSync("dist/1.0.0", p.at("link"));
    symlinkSync("nowhere", p.at("lost"));
    expect(await refused(["verify", "lost"], 3)).toContain("lost: file not found");
    await p.ok(["verify", "dist/1.0.0"]);
    for (const n of ["4294967296.0.0", "9007199254740993.0.0", "1.65536.0", "1.0.0-99999999999999999999"])
      expect(await refused(["release", "--version", n], 2)).toMatch(/version|number/);
    symlinkSync("nowhere", p.at("dist/1.4.0"));
    expect(await refused(["verify", "dist"])).toContain("dist/1.4.0 has no release.json, so it is not a release");
    rmSync(p.at("dist/1.4.0"));
    symlinkSync("1.0.0", p.at("dist/1.3.0"));
    expect(await refused(["verify", "dist"])).toContain("1.3.0 is version 1.0.0, not the one that its folder is named after");
    for (const path of ["link", "lost", "dist/1.3.0"]) rmSync(p.at(path));
  });
});
