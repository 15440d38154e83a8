// Every command is what it declares: its row in the table, its examples, and the shape of its JSON.

import { cpSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { signer, toJwk } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { commandTable } from "../../../../scripts/tables/commands.mjs";
import { plainPem } from "../../../keys/src/formats/pkcs8.js";
import { encodeCbor as cbor, type Encodable } from "../../../signer/src/cbor.js";
import { FACTS, keyB, type Place, standard } from "../../../test-support/src/command-line/run.js";
import { LONG, OF_SOME } from "../../../test-support/src/environment/effort.js";
import { SoftHsm, why } from "../../../test-support/src/keys/softhsm.js";
import { REFUSED_BY_ONE_CLASS } from "../../../test-support/src/refused-by-one-class.js";
import { imageOf, key, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";
import type { AnyCommand } from "../../src/command.js";
import { COMMANDS } from "../../src/commands.generated.js";
import { FAILURE, optional, type Shape, SUCCESS } from "../../src/common/shapes.js";
import { parserOf } from "../../src/parser.js";
import { devices, TEMPLATE } from "../batch/batch-place.js";
import { mcubootImage } from "../verify/mcuboot-image.js";
import { differences, unseen } from "./shape.js";

const all = new Map<string, AnyCommand>();
beforeAll(async () => {
  for (const { name, load } of COMMANDS) all.set(name, (await load()).default);
}, 120_000);
const commandOf = (name: string) => all.get(name) as AnyCommand;

it("the table of the commands is what their files say", async () => {
  expect(readFileSync(fileURLToPath(new URL("../../src/commands.generated.ts", import.meta.url)), "utf8")).toBe(commandTable());
  for (const { name, summary } of COMMANDS) expect(commandOf(name)).toMatchObject({ name, summary });
});

/** A line as a shell takes it apart, as far as the examples need it. */
function shellWords(line: string): string[] {
  return [...line.replace(/ [<>] \S+/g, "").matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string));
}

describe.each(COMMANDS.map(({ name }) => name))("firmseal %s", (name) => {
  it("parses its own examples, which are in its help", async () => {
    const examples = commandOf(name).examples.flatMap((one) => (one ? [one] : []));
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const [line, what] of examples) {
      const [program, ...words] = shellWords(line);
      const path = name.split(" ");
      expect([program, ...words.slice(0, path.length)], line).toEqual(["firmseal", ...path]);
      let given: unknown[] | undefined;
      const parser = parserOf(commandOf(name), async (parsed) => {
        given = parsed;
      });
      await parser.parseAsync(words.slice(path.length), { from: "user" });
      expect(given, line).toBeDefined();
      expect(what, line).not.toMatch(/^[A-Z].*\.$/);
    }
  });

  it("refuses an option that it does not have", async () => {
    const parser = parserOf(commandOf(name), async () => {});
    await expect(parser.parseAsync(["--no-such-option"], { from: "user" })).rejects.toThrow();
  });
});

/** What commands printed, by their names, to find members that none of them has. */
const printed = new Map<string, object[]>();

async function inShape(p: Place, line: readonly string[], env: { [name: string]: string } = {}): Promise<{ [name: string]: unknown }> {
  const name = COMMANDS.map((one) => one.name).find((one) => one.split(" ").every((word, i) => line[i] === word)) as string;
  const { json, failure } = commandOf(name);
  const r = await p.run([...line, "--json"], { env });
  const told = r.json;
  // a failure has those of its members that are known by then
  const shape: { -readonly [path in keyof Shape]: Shape[path] } =
    r.exit === 0 ? { ...SUCCESS, ...json } : { ...FAILURE, ...optional(json) };
  for (const [member, value] of Object.entries(failure ?? {}))
    if (r.exit !== 0 && value === null) shape[`${member}?`] = ["string|null", "null: not known"];
  expect({ line, differences: differences(shape, told) }).toEqual({ line, differences: [] });
  printed.set(name, [...(printed.get(name) ?? []), told]);
  return told;
}

const DESCRIPTION = {
  $schema: "urn:firmseal:manifest:1",
  sequence: 3,
  components: [[{ hex: "00" }]],
  "reference-uri": "https://example.com/fw.suit",
  "shared-sequence": [
    { "directive-override-parameters": { "vendor-identifier": { domain: "example.com" }, image: { payload: "#fw" } } },
    "condition-vendor-identifier",
  ],
  validate: ["condition-image-match"],
  install: [{ "directive-override-parameters": { uri: "#fw" } }, "directive-fetch", "condition-image-match"],
  payloads: { "#fw": { file: "fw.bin" } },
  text: { en: { components: [{ component: 0, "component-version": "1.0.0" }] } },
};

describe("the JSON of each command has its shape", () => {
  let p: Place;
  beforeAll(() => {
    p = standard();
    p.keepsLogs = true;
  });
  const seen = (name: string, ...except: string[]) =>
    expect({ name, unseen: unseen(commandOf(name).json, printed.get(name) ?? []).filter((path) => !except.includes(path)) }).toEqual({
      name,
      unseen: [],
    });

  it("keygen, pubkey, convert, hss", async () => {
    await inShape(p, ["keygen", "--out", "new.pem", "--no-passphrase", "--target", "espruino-pico"]);
    await inShape(p, ["keygen", "--alg", "es256+ml-dsa-44", "--out", "pair.pem", "--no-passphrase"]);
    await inShape(p, ["keygen", "--alg", "hsslms", "--hss", "5/2", "--out", "h.hss", "--no-passphrase"]);
    await inShape(p, ["keygen", "--out", "new.pem", "--no-passphrase"]);
    seen("keygen");
    await inShape(p, ["pubkey", "A.pem"]);
    await inShape(p, ["pubkey", "A.pem", "--table"]);
    seen("pubkey");
    await inShape(p, ["convert", "A.pem", "--format", "openssh", "--out", "A.ssh", "--no-passphrase"]);
    seen("convert");
    await inShape(p, ["hss", "status", "h.hss"]);
    seen("hss");
  });

  it("create, sign, tbs, attach, audit", async () => {
    p.put("d.json", JSON.stringify(DESCRIPTION));
    await inShape(p, ["create", "--from", "d.json", "--out", "-"]);
    seen("create");
    await inShape(p, ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "-", "--target", "espruino-pico"]);
    await inShape(p, ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "-", "--for", "generic"]);
    await inShape(p, ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "2", "--version", "1.0.0", "--out", "fw.suit"]);
    await inShape(p, [
      "sign",
      "fw.bin",
      "--key",
      "A.pem",
      ...FACTS,
      "--seq",
      "3",
      "--uri",
      "https://example.com/fw.bin",
      "--out",
      "out.suit",
    ]);
    await inShape(p, ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "2", "--version", "1.0.0", "--out", "again.suit"]);
    // what several people sign
    const approval = '[approval]\nkeys = ["C.jwk", "A.jwk"]';
    const together = `[trust]\nkeys = ["A.jwk", "B.jwk", "C.jwk"]\nthreshold = 2\n${approval}`;
    // one that waives a finding, and one that does not
    const waivers = ["L40", "L35"].map((rule) => `[[policy.waivers]]\nrule = "${rule}"\nreason = "later"\nuntil = 2099-01-01\n`).join("");
    p.put("together.toml", `name = "lock"\nvendor = "example.com"\n${together}\n[boards.b]\nimage = "fw.bin"\n${waivers}`);
    const product = ["--product", "together.toml"];
    await inShape(p, ["release", "--version", "1.0.0", "--first", ...product, "--out", "made"]);
    await inShape(p, ["verify", "made/1.0.0", "--missing", ...product]);
    await inShape(p, ["approve", "made/1.0.0", "--key", "C.pem", ...product]);
    await inShape(p, ["release", "--version", "1.0.0", ...product, "--out", "made"]);
    cpSync(p.at("made"), p.at("copy"), { recursive: true });
    await inShape(p, ["sign", "made/1.0.0", "--key", "A.pem", ...product]);
    await inShape(p, ["sign", "copy/1.0.0", "--key", "B.pem", ...product]);
    await inShape(p, ["tbs", "made/1.0.0", "--key", "B.jwk", "--out", ".", ...product]);
    await inShape(p, ["attach", "made/1.0.0", "--from", "copy/1.0.0", ...product]);
    await inShape(p, ["verify", "made/1.0.0", "--missing", ...product]);
    await inShape(p, ["sign", "copy/1.0.0", "--key", "B.pem", ...product]);
    await inShape(p, ["keygen", "--out", "files.pem", "--no-passphrase"]);
    await inShape(p, ["sign", "fw.bin", "--key", "files.pem", "--format", "signify", "--out", "fw.sig"]);
    seen("sign", "target?.advice?");
    const { tbs } = await inShape(p, ["tbs", "fw.suit", "--key", "B.jwk", "--out", "-"]);
    seen("tbs");
    const [{ data }] = tbs as [{ data: string }];
    p.put("B.sig", await signer(keyB).sign(Buffer.from(data, "base64")));
    await inShape(p, ["attach", "fw.suit", "--key", "B.jwk", "--signature", "B.sig", "--out", "-"]);
    await inShape(p, ["attach", "fw.suit", "--key", "B.jwk", "--signature", "B.sig"]);
    seen("attach");
    await inShape(p, ["audit", "A.pem", "--envelope", "fw.suit"]);
    p.put("template.json", JSON.stringify(TEMPLATE));
    p.put("devices.csv", devices(2));
    await inShape(p, [..."batch template.json --devices devices.csv --key A.pem --out batch".split(" ")]);
    seen("batch");
    const [one] = readdirSync(p.at("batch/0001"));
    await inShape(p, ["audit", "A.pem", "--envelope", `batch/0001/${one}`, "--batch", "batch/0001.json"]);
    p.put("cut.log", p.get("A.pem.log").subarray(0, -9));
    await inShape(p, ["audit", "cut.log"]);
  });

  it(`verify, inspect, whosigned, install, simulate, bundle${OF_SOME}`, async () => {
    await inShape(p, ["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk"]);
    await inShape(p, ["verify", "fw.suit", "--key", "C.jwk"]);
    p.put("refused.json", JSON.stringify({ ...REFUSED_BY_ONE_CLASS, sequence: 99 }));
    await p.ok(["sign", "refused.json", "--key", "A.pem", "--key", "B.pem", "--out", "refused.suit"]);
    await inShape(p, ["verify", "refused.suit", "--key", "A.jwk"]);
    if (LONG) await inShape(p, ["report", "refused.suit", "--key", "A.jwk", "--out", "refused.html"]);
    p.put("boot.bin", mcubootImage(p.get("A.pem")));
    await inShape(p, ["verify", "boot.bin", "--key", "A.jwk"]);
    await inShape(p, ["verify", "batch", "--key", "A.jwk"]);
    await inShape(p, ["verify", "boot.bin", "--key", "C.jwk"]);
    await inShape(p, ["inspect", "boot.bin"]);
    await inShape(p, ["inspect", "fw.suit"]);
    // a dependency, and what devices refuse: install is element 17
    const common = cbor(
      new Map<Encodable, Encodable>([
        [1, new Map([[0, new Map()]])],
        [2, [[Uint8Array.of(0)]]],
      ]),
    );
    const further = (install: number) =>
      cbor(
        new Map([
          [
            3,
            cbor(
              new Map<Encodable, Encodable>([
                [1, 1],
                [2, 7],
                [3, common],
                [install, cbor([14, 0])],
              ]),
            ),
          ],
        ]),
      );
    p.put("further.suit", further(20));
    await inShape(p, ["inspect", "further.suit"]);
    // a folder that others still have to sign
    for (const command of ["inspect", "explain"]) await inShape(p, [command, "made/1.0.0"]);
    await inShape(p, ["diff", "made/1.0.0", "copy/1.0.0"]);
    await inShape(p, ["extract", "fw.suit", "--key", "A.jwk", "--out", "-"]);
    p.put("old.suit", further(17));
    await inShape(p, ["inspect", "old.suit"]);
    await inShape(p, ["whosigned", "boot.bin", "--key", "A.jwk"]);
    await inShape(p, ["whosigned", "old.suit"]);
    await inShape(p, ["whosigned", "fw.suit", "--keys", "."]);
    await inShape(p, ["whosigned", "fw.suit", "--key", "C.jwk"]);
    await inShape(p, ["whosigned", "made/1.0.0", "--key", "A.jwk"]);
    const missing = ["path", "board", "signed", "needed"].map((member) => `missing?[].${member}`);
    seen("whosigned", "signatures?[].testKey?", ...missing);
    await inShape(p, ["install", "fw.suit", "--key", "A.jwk", ...FACTS, "--dir", "dev"]);
    await inShape(p, ["install", "fw.suit", "--key", "C.jwk", "--dir", "dev"]);
    await inShape(p, ["simulate", "fw.suit", "--key", "A.jwk", "--device", "memory", "--second-cuts", "1"]);
    await inShape(p, ["bundle", "--alg", "ed25519", "--target", "bangle.js2"]);
    if (LONG) {
      await inShape(p, ["bundle", "--alg", "ed25519", "--target", "puck.js", "--machine-code-out", "code.bin", "--out", "verifier.js"]);
      await inShape(p, ["bundle", "--micro", "--alg", "ed25519", "--host", "sha512"]);
      seen("bundle");
    }
    await inShape(p, ["lint", "fw.suit"]);
    await inShape(p, ["lint", "fw.suit", "--fail-on", "note"]);
  });

  it("init, release, withdraw, verify --product, keys move", async () => {
    await inShape(p, ["init", "--vendor", "example.com", "--board", "one=fw.bin", "--key", "C.pem", "--name", "product", "--lone-key"]);
    const list = ["--root", "A.pem", "--root", "B.pem", "--out", "list.toml"];
    await inShape(p, ["init", "--vendor", "example.com", "--board", "one=fw.bin", "--key", "C.pem", "--name", "list", ...list]);
    const given = ["--trust", "list.trust", "--root", "A.pub", "--out", "second.toml"];
    await inShape(p, ["init", "--vendor", "example.com", "--board", "one=fw.bin", "--name", "second", ...given]);
    await inShape(p, ["init", "--vendor", "example.com", "--board", "one=fw.bin"]);
    seen("init");
    await inShape(p, ["doctor"]);
    await inShape(p, ["doctor", "--fail-on", "warning"]);
    await inShape(p, ["doctor", "--product", "gone.toml"]);
    seen("doctor");
    const release = ["release", "--version", "1.0.0"];
    p.put("firmseal.toml", `uri = "https://example.com/{board}.bin"\n${p.get("firmseal.toml")}`);
    await inShape(p, [...release, "--dry-run"]);
    await inShape(p, [...release, "--first"]);
    await inShape(p, ["install", "dist/1.0.0", "--product", "firmseal.toml", "--dir", "released"]);
    await inShape(p, release);
    await inShape(p, ["release", "--version", "0.9.0"]);
    const policy = '[[policy.waivers]]\nrule = "L40"\nreason = "no libraries"\nuntil = 2099-01-01\n';
    const toml = p.get("firmseal.toml").toString();
    p.put("fw.bin", "another image");
    const moved = toml.replace("{board}.bin", "{version}/{board}.bin");
    p.put("firmseal.toml", `${moved}\n${policy}${policy.replace("L40", "L01")}`);
    await inShape(p, ["release", "--version", "1.1.0", "--dry-run", "--diff", "dist/1.0.0"]);
    p.put("firmseal.toml", `${toml}\n[boards.more]\nimage = "fw.bin"\ninside = true\n`);
    await inShape(p, ["release", "--version", "1.1.0", "--dry-run", "--diff", "dist/1.0.0"]);
    p.put("firmseal.toml", toml);
    await inShape(p, ["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
    await inShape(p, ["verify", "dist/1.0.0", "--board", "two"]);
    await inShape(p, ["inspect", "dist/1.0.0/product-one-1.0.0.suit", "--product", "firmseal.toml"]);
    for (const reason of ["bad", "bad", "worse"]) await inShape(p, ["withdraw", "1.0.0", "--reason", reason]);
    seen("withdraw");
    await inShape(p, ["verify", "dist/1.0.0"]);
    await inShape(p, ["release", "--version", "1.0.1"]);
    // diff has these
    const behaviour = "changes?[].difference.behaviour[]";
    seen("release", `${behaviour}.devices[].device?`, `${behaviour}.slot?`, `${behaviour}.has?`);
    await inShape(p, ["verify", "dist"]);
    p.put("next.json", p.get("list.json").toString().replace("C.pub", "new.pub"));
    await p.ok(["trust", "create", "--from", "next.json", "--previous-trust", "list.trust"]);
    await p.ok(["trust", "sign", "next.trust", "--previous-trust", "list.trust", "--key", "A.pem"]);
    const trust = '[trust]\nfile = "next.trust"\nroot = "A.pub"\nearlier = "list.trust"\n';
    p.put("firmseal.toml", toml.replace("C.pem", "new.pem").replace(/(\[trust\]\nkeys = .*\n)?\n\[seq/, `\n${trust}\n[seq`));
    await p.ok(["release", "--version", "1.0.2"]);
    await inShape(p, ["verify", "dist"]);
    p.put("firmseal.toml", toml);
    await inShape(p, ["keys", "move", "C.pem", "A.pem"]);
    await inShape(p, ["keys", "move", "C.pem", "A.pem"]);
    seen("keys move");
  });

  it("trust create, sign, tbs, attach, show, verify, export; verify --trust", async () => {
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"], vendor: "example.com", class: "board-v2", until: 9 },
    ];
    const trust = (sequence: string) => ({
      $schema: "urn:firmseal:trust:1",
      name: "board",
      sequence,
      anchors,
      thresholds: { root: 1, release: 1 },
    });
    p.put("one.json", JSON.stringify(trust("1")));
    p.put("two.json", JSON.stringify(trust("2")));
    await inShape(p, ["trust", "create", "--from", "one.json", "--out", "-"]);
    await inShape(p, ["trust", "create", "--from", "one.json"]);
    seen("trust create");
    await inShape(p, ["trust", "sign", "one.trust", "--key", "B.pem"]);
    await inShape(p, ["trust", "create", "--from", "two.json", "--previous-trust", "one.trust"]);
    const { data } = await inShape(p, ["trust", "tbs", "two.trust", "--key", "B.jwk", "--previous-trust", "one.trust"]);
    seen("trust tbs");
    p.put("two.sig", await signer(keyB).sign(Buffer.from(data as string, "base64")));
    await inShape(p, ["trust", "attach", "two.trust", "--key", "B.jwk", "--signature", "two.sig", "--previous-trust", "one.trust"]);
    await inShape(p, ["approve", "two.trust", "--key", "A.pem", "--previous-trust", "one.trust", "--out", "-"]);
    await inShape(p, ["audit", "two.trust"]);
    await inShape(p, ["trust", "diff", "one.trust", "two.trust"]);
    await inShape(p, ["trust", "merge", "two.trust", "two.trust", "--previous-trust", "one.trust", "--out", "merged.trust"]);
    await inShape(p, ["trust", "chain", "one.trust", "two.trust", "--out", "chain.trust"]);
    await inShape(p, ["trust", "show", "two.trust"]);
    seen("trust show");
    await inShape(p, ["trust", "verify", "two.trust", "--previous-trust", "one.trust"]);
    await inShape(p, ["trust", "verify", "two.trust", "--root", "A.jwk"]);
    seen("trust verify");
    await inShape(p, ["trust", "export", "two.trust", "--root", "B.jwk"]);
    seen("trust export");
    await inShape(p, ["verify", "fw.suit", "--trust", "two.trust", "--root", "B.jwk"]);
    seen("verify");
    await inShape(p, ["install", "fw.suit", "--trust", "two.trust", "--root", "B.jwk", ...FACTS, "--dir", "dev2"]);
    seen("install");
    await inShape(p, ["extract", "fw.suit", "--trust", "two.trust", "--root", "B.jwk", "--out", "-"]);
    seen("extract");
  });

  it("rotate plan, bridge, retire", async () => {
    const { A, B, R } = keysOf("A", "B", "R");
    const q = standard();
    for (const [name, one] of Object.entries({ A, B, R })) q.put(`${name}.pem`, plainPem(one));
    const T1 = await trustFileOf(1, { releases: [A, B], roots: [R, key("S")], threshold: 1 });
    const T2 = await trustFileOf(2, { releases: [A, B], roots: [R, key("S")], threshold: 1 }, T1);
    q.put("t1.trust", T1);
    q.put("t2.trust", T2);
    q.put("app.bin", imageOf("app"));
    const cohort = { devices: 10, vendor: "example.com", class: "board-v2", floor: 10 };
    const fleet = (...cohorts: object[]) => JSON.stringify({ cohorts: cohorts.map((one) => ({ ...cohort, ...one })) });
    q.put("fleet.json", fleet({ name: "old", trust: "t1.trust" }));
    q.put("r.suit", await release({ class: "board-v2", image: imageOf("app"), sequence: 20, keys: [A], trust: T2 }));
    q.put("low.suit", await release({ class: "board-v2", image: imageOf("app"), sequence: 2, keys: [A] }));
    await inShape(q, ["rotate", "plan", "--fleet", "fleet.json", "--release", "r.suit", "--release", "low.suit"]);
    q.put("A.jwk", JSON.stringify(toJwk(A)));
    q.put("keys.csv", "name,class,vendor,floor,keys\nold,board-v2,example.com,10,A.jwk\n");
    await inShape(q, ["rotate", "plan", "--fleet", "keys.csv", "--release", "r.suit", "--release", "t2.trust"]);
    q.folder("bridges");
    q.put("bridges/r.suit", q.get("r.suit"));
    await inShape(q, ["rotate", "next", "--fleet", "fleet.json", "--archive", "bridges"]);
    await inShape(q, ["rotate", "next", "--fleet", "keys.csv", "--archive", "bridges"]);
    const product = `name = "lamp"\nvendor = "example.com"\n[trust]\nfile = "t1.trust"\ncarry = "t2.trust"\n[sequence]\nsource = "given"\n`;
    q.put("lamp.toml", `${product}[boards.main]\nclass = "board-v2"\nimage = "app.bin"\n`);
    const ofProduct = ["--product", "lamp.toml", "--fleet", "fleet.json"];
    await inShape(q, ["rotate", "next", ...ofProduct, "--archive", "bridges"]);
    seen("rotate next");
    await inShape(q, ["rotate", "plan", ...ofProduct, "--release", "r.suit"]);
    await inShape(q, ["rotate", "bridge", "app.bin", ...ofProduct, "--seq", "21", "--out", "of-product.suit"]);
    q.put("T.jwk", JSON.stringify(toJwk(key("T"))));
    const given = ["--key", "A.jwk", "--replacement", "T.jwk", "--trust", "t2.trust", "--fleet", "fleet.json", "--image", "app.bin"];
    await inShape(q, ["incident", "stolen", ...given, "--dir", "night"]);
    await inShape(q, ["incident", "stolen", ...given, "--product", "lamp.toml", "--dir", "day"]);
    const facts = ["--trust", "t1.trust", "--next-trust", "t2.trust", ...FACTS, "--seq", "21", "--key", "A.pem", "--key", "B.pem"];
    await inShape(q, ["rotate", "bridge", "app.bin", ...facts, "--fleet", "fleet.json", "--out", "b.suit"]);
    await inShape(q, ["rotate", "bridge", ...facts, "--out", "-"]);
    const retire = ["rotate", "retire", "B.pem", "--trust", "t2.trust", "--fleet", "fleet.json", "--key", "R.pem"];
    await inShape(q, [...retire, "--out", "t3.trust"]);
    await inShape(q, [...retire, "--until", "30", "--out", "-"]);
  });

  it.skipIf(why !== "")(`token keygen, token list${why}`, async () => {
    const hsm = new SoftHsm(p);
    hsm.init("release");
    const pin = ["--passphrase-env", "PIN"];
    await inShape(p, ["token", "keygen", "pkcs11:token=release;object=fw", ...pin], hsm.env);
    seen("token keygen");
    await inShape(p, ["token", "list", "pkcs11:token=release", "--login", ...pin], hsm.env);
    seen("token list");
  });
});
