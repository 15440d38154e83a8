// Signed files where a command reads or writes a different kind: it says what they are, and does not replace them.

import { toPrivateCose } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, image, keyB, type Place, standard } from "../../../../test-support/src/command-line/run.js";
import { OF_SOME, some } from "../../../../test-support/src/environment/effort.js";
import { description } from "../command-place.js";

let p: Place;
/** A file of each kind, and what messages call it. */
const FILES = { "fw.suit": "a SUIT envelope", "fleet.trust": "a trust file", "fw.approval": "an approval or a status" } as const;
type Name = keyof typeof FILES;
const NAMES = Object.keys(FILES) as Name[];
const without = (...names: Name[]) => NAMES.filter((name) => !names.includes(name));

const TRUST = {
  $schema: "urn:firmseal:trust:1",
  name: "fleet",
  sequence: 1,
  anchors: [{ key: "B.jwk", roles: ["root"] }],
  thresholds: { root: 1 },
};

beforeAll(async () => {
  p = standard();
  p.put("fw.bin", image(300));
  p.put("trust.json", JSON.stringify(TRUST));
  await p.ok(["trust", "create", "--from", "trust.json", "--out", "fleet.trust"]);
  await p.ok(["trust", "sign", "fleet.trust", "--key", "B.pem"]);
  await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "7"]);
  await p.ok(["approve", "fw.suit", "--key", "B.pem"]);
});

/** What a refused command says. It leaves all files as they were. */
async function refused(args: readonly string[], exit: number): Promise<string> {
  const before = p.tree();
  const said = expectFailure(await p.run(args), exit);
  expect(p.tree()).toEqual(before);
  return said;
}

describe("a signed file is not signed as an image", () => {
  it.each(without("fw.suit"))("%s", async (name) => {
    // under any name
    p.put("copy.bin", p.get(name));
    for (const given of [name, "copy.bin"])
      for (const args of [
        ["sign", given, "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "x.suit"],
        ["tbs", given, "--key", "A.jwk", ...FACTS, "--seq", "8", "--envelope-out", "x.suit"],
      ])
        expect(await refused(args, 2)).toContain(`${given} is ${FILES[name]}, not an image`);
  });

  it("from stdin, or under the name of an envelope", async () => {
    const piped = await p.run(["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "x.suit"], { input: p.get("fleet.trust") });
    expect(expectFailure(piped, 2)).toContain("stdin is a trust file, not an image");
    p.put("named.suit", p.get("fleet.trust"));
    expect(await refused(["sign", "named.suit", "--key", "A.pem", "--out", "x.suit"], 1)).toContain(
      "named.suit is a trust file, not a SUIT envelope",
    );
  });

  it("nor as the image of a product, which starts, but as a further component", async () => {
    const product = (main: string, other: string) =>
      `name = "lock"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n[boards.b]\nimage = "${main}"\n[[boards.b.components]]\nname = "more"\nimage = "${other}"\n`;
    for (const [name, what] of [...Object.entries(FILES), ["B.jwk", "a public key"], ["firmseal.toml", "a product file"]] as const) {
      p.put("firmseal.toml", product(name, "fw.bin"));
      expect(await refused(["release", "--version", "1.0.0", "--dry-run"], 2)).toContain(`${name} is ${what}, not an image`);
    }
    for (const name of ["fleet.trust", "B.jwk"]) {
      p.put("firmseal.toml", product("fw.bin", name));
      await p.ok(["release", "--version", "1.0.0", "--dry-run"]);
    }
  });

  it("but an image that begins with the same tag is", async () => {
    // the initial stack pointer of a Cortex-M, little-endian
    p.put("d862.bin", Buffer.concat([Buffer.from("d8620020d1000000", "hex"), image(100)]));
    await p.ok(["sign", "d862.bin", "--key", "A.pem", ...FACTS, "--seq", "20", "--out", "d862.suit"]);
  });

  it("and a description sends one on purpose", async () => {
    const release = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 21,
      components: [[{ hex: "00" }]],
      install: [{ "directive-override-parameters": { uri: "#t", "image-digest": { file: "fleet.trust" } } }, "directive-fetch"],
      payloads: { "#t": { file: "fleet.trust" } },
    };
    p.put("carried.json", JSON.stringify(release));
    await p.ok(["sign", "carried.json", "--key", "A.pem", "--allow-no-device"]);
  });
});

describe("a file that firmseal writes or reads for itself", () => {
  const HASH = "0123456789abcdef".repeat(4);
  /** What messages call it, its content, and what distinguishes it from another row. */
  const OWN: readonly (readonly [what: string, content: () => string | Uint8Array, form?: string])[] = [
    ["a trust description", () => p.get("trust.json")],
    ["a trust description", () => JSON.stringify({ name: "x", $schema: "../schema/trust.schema.json" }), "with a path of its schema"],
    ["a fleet file", () => `{ "$schema": "urn:firmseal:fleet:1", "cohorts": [] }`],
    ["a fleet file", () => "name,devices,trust,vendor,class,floor\nfield,8000,fleet.trust,example.com,board-v2,10\n", "in CSV"],
    ["a product file", () => p.get("new.toml")],
    [
      "a product file",
      () =>
        p
          .get("new.toml")
          .toString()
          .replace(/^"\$schema".*\n/m, ""),
      "without a schema",
    ],
    ["the record of a release", () => p.get("dist/1.0.0/release.json")],
    ["a signing log", () => p.get("kept-log")],
    ["a last-seen mark", () => `{"v":1,"key":"${HASH}","count":"1","hash":"${HASH}","path":"/k.log","sum":"${HASH}"}\n`],
    ["a C header with a trust list", () => p.get("t.h")],
    ["the bytes that a key on another machine has to sign", () => p.get("fw.tbs")],
    ["the bytes that a key on another machine has to sign", () => p.get("t.tbs"), "for a trust file"],
  ];
  const titled = OWN.map(([what, content, form]) => [form ? `${what} ${form}` : what, what, content] as const);

  beforeAll(async () => {
    p.keepsLogs = true;
    await p.ok(["init", "--vendor", "example.com", "--board", "b=fw.bin", "--key", "A.pem", "--lone-key", "--out", "new.toml"]);
    await p.ok(["release", "--product", "new.toml", "--version", "1.0.0", "--first"]);
    p.put("kept-log", p.get("A.pem.log"));
    p.keepsLogs = false;
    await p.ok(["trust", "export", "fleet.trust", "--root", "B.jwk", "--format", "h", "--out", "t.h"]);
    await p.ok(["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "8", "--envelope-out", "t.suit", "--out", "fw.tbs"]);
    await p.ok(["trust", "tbs", "fleet.trust", "--key", "B.jwk", "--out", "t.tbs"]);
  });

  it.each(some(titled, 2))(`is not signed as an image: %s${OF_SOME}`, async (_, what, content) => {
    for (const name of ["own.bin", "own.json", "own"]) {
      p.put(name, content());
      expect(await refused(["sign", name, "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "x.suit"], 2)).toContain(
        `${name} is ${what}, not an image`,
      );
    }
    expect(expectFailure(await p.run(["sign", "-", "--key", "A.pem", "--out", "x.suit"], { input: content() }), 2)).toContain(
      `stdin is ${what}, not an image`,
    );
  });

  it.each(some(titled, 3))(`may be named inside an image: %s${OF_SOME}`, async (_, _what, content) => {
    const app = Buffer.concat([Buffer.from("start();\n"), Buffer.from(content()), Buffer.from("\0")]);
    p.put("app.bin", app);
    await p.ok(["sign", "app.bin", "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "app.suit"]);
  });
});

describe("a command that reads one kind says what it was given", () => {
  it.each(without("fw.suit"))("%s is not an envelope", async (name) => {
    for (const args of [
      ["verify", name, "--key", "A.jwk"],
      ["inspect", name],
      ["explain", name],
      ["lint", name],
    ])
      expect(await refused(args, 1)).toContain(`${name} is ${FILES[name]}, not a SUIT envelope`);
  });

  it.each(without("fleet.trust"))("%s is not a trust file", async (name) => {
    for (const args of [
      ["trust", "show", name],
      ["trust", "verify", name, "--root", "B.jwk"],
      ["trust", "sign", name, "--key", "B.pem"],
      ["verify", "fw.suit", "--trust", name, "--root", "B.jwk"],
    ])
      expect(await refused(args, 1)).toContain(`${name} is ${FILES[name]}, not a trust file`);
  });

  it.each(NAMES)("%s is not a key", async (name) => {
    expect(await refused(["pubkey", name], 2)).toContain(`${name} is ${FILES[name]}, not a key`);
  });
});

describe("a signed file is replaced only by one of its kind", () => {
  const signing = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "30"];

  it.each<[string, readonly string[], readonly Name[]]>([
    ["an envelope", [...signing, "--out"], without("fw.suit")],
    ["an image", [...signing, "--out", "y.suit", "--image-out"], NAMES],
    ["an approval", ["approve", "fw.suit", "--key", "B.pem", "--out"], ["fleet.trust"]],
    ["a trust file", ["trust", "sign", "fleet.trust", "--key", "B.pem", "--out"], without("fleet.trust")],
    ["a trust list for C", ["trust", "export", "fleet.trust", "--format", "bin", "--out"], without("fleet.trust")],
    ["a public key", ["pubkey", "A.pem", "--out"], NAMES],
  ])("not by %s", async (_, args, kept) => {
    for (const name of kept) expect(await refused([...args, name], 2)).toMatch(/ exists and is (a SUIT envelope|a trust file|an approval)/);
  });

  it("whatever its name is", async () => {
    p.put("other.suit", p.get("fleet.trust"));
    expect(await refused([...signing, "--out", "other.suit"], 2)).toContain("other.suit exists and is a trust file");
    expect(p.get("other.suit")).toEqual(p.get("fleet.trust"));
  });

  it("and an approval replaces nothing but an approval", async () => {
    p.put("notes.txt", "notes");
    expect(await refused(["approve", "fw.suit", "--key", "B.pem", "--out", "notes.txt"], 2)).toContain("is not an approval or a status");
    await p.ok(["approve", "fw.suit", "--key", "B.pem", "--out", "fw.approval"]);
  });
});

describe("no output replaces a key, its state or what it has signed", () => {
  const HASH = "0123456789abcdef".repeat(4);
  const signing = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "30"];
  /** Every command that may replace a file, without the name of the output. */
  const WRITERS: readonly (readonly string[])[] = [
    [...signing, "--out"],
    [...signing, "--replace", "--out"],
    [...signing, "--out", "y.suit", "--image-out"],
    ["create", "--from", "d.json", "--out"],
    ["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "30", "--out", "z.tbs", "--envelope-out"],
    ["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "30", "--envelope-out", "z.suit", "--out"],
    ["attach", "fw.suit", "--key", "A.jwk", "--signature", "fw.bin", "--out"],
    ["approve", "fw.suit", "--key", "A.pem", "--out"],
    ["keygen", "--no-passphrase", "--out"],
    ["pubkey", "A.pem", "--out"],
    ["convert", "A.pem", "--no-passphrase", "--format", "jwk", "--out"],
    ["bundle", "--alg", "ed25519", "--out"],
    ["bundle", "--alg", "ed25519", "--out", "b.js", "--source-out"],
    ["report", "fw.suit", "--out"],
    ["init", "--vendor", "example.com", "--board", "b=fw.bin", "--key", "A.pem", "--lone-key", "--out"],
    ["release", "--product", "new.toml", "--version", "3.0.0", "--dry-run", "--sarif-out"],
    ["status", "ask", "--fleet", "fleet.csv", "--out"],
    ["status", "collect", "s.jsonl", "--nonces", "n.jsonl", "--trust", "fleet.trust", "--fleet", "fleet.csv", "--out"],
    ["trust", "create", "--from", "trust.json", "--out"],
    ["trust", "sign", "fleet.trust", "--key", "B.pem", "--out"],
    ["trust", "tbs", "fleet.trust", "--key", "B.jwk", "--out"],
    ["trust", "attach", "fleet.trust", "--key", "A.jwk", "--signature", "fw.bin", "--out"],
    ["trust", "merge", "fleet.trust", "fleet.trust", "--out"],
    ["trust", "chain", "fleet.trust", "fleet.trust", "--out"],
    ["trust", "export", "fleet.trust", "--root", "B.jwk", "--out"],
    [
      "rotate",
      "bridge",
      "fw.bin",
      ...FACTS,
      "--seq",
      "9",
      "--trust",
      "fleet.trust",
      "--fleet",
      "fleet.csv",
      "--next-trust",
      "fleet.trust",
      "--out",
    ],
    ["rotate", "retire", "A.jwk", "--trust", "two.trust", "--fleet", "two.csv", "--out"],
  ];
  const KEPT: readonly (readonly [what: string, content: () => string | Uint8Array])[] = [
    ["a private key in PEM", () => p.get("C.pem")],
    ["a private key as COSE_Key", () => toPrivateCose(keyB)],
    ["a private key of ML-DSA as JWK", () => p.get("ml.jwk")],
    ["the state of an HSS/LMS key", () => "firmseal hss state 1\n"],
    ["secrets of devices", () => JSON.stringify({ keys: [{ kty: "oct", kid: "1", k: "A".repeat(43) }] })],
    ["a signing log", () => p.get("kept-log")],
    ["a last-seen mark", () => `{"v":1,"key":"${HASH}","count":"1","sum":"${HASH}"}\n`],
  ];

  beforeAll(async () => {
    p.put("d.json", description({ payloads: { "#fw": { file: "fw.bin" } } }));
    p.put("fleet.csv", "name,devices,trust,vendor,class,floor\nfield,8,fleet.trust,example.com,board-v2,1\n");
    const roots = ["A.jwk", "B.jwk"].map((key) => ({ key, roles: ["root"] }));
    p.put("two.json", JSON.stringify({ ...TRUST, anchors: roots }));
    await p.ok(["trust", "create", "--from", "two.json", "--out", "two.trust"]);
    await p.ok(["trust", "sign", "two.trust", "--key", "B.pem"]);
    p.put("two.csv", "name,devices,trust,vendor,class,floor\nfield,8,two.trust,example.com,board-v2,1\n");
    for (const name of ["s.jsonl", "n.jsonl"]) p.put(name, "{}\n");
    await p.ok(["keygen", "--alg", "ml-dsa-44", "--format", "jwk", "--no-passphrase", "--out", "ml.jwk"]);
  });

  it.each(some(KEPT, 3))(`%s${OF_SOME}`, async (_, content) => {
    // some outputs must have a name of their kind
    for (const name of ["kept.suit", "kept.html", "kept.js"]) p.put(name, content());
    const reached = new Set<string>();
    for (const writer of WRITERS)
      for (const name of ["kept.suit", "kept.html", "kept.js"]) {
        const before = p.get(name);
        const said = expectFailure(await p.run([...writer, name]), 2);
        expect(p.get(name), writer.join(" ")).toEqual(before);
        if (/ is a private key, or the state of a key$| is never (overwritten|replaced)$|, which is never replaced$/.test(said))
          reached.add(writer.join(" "));
      }
    // nothing else was wrong
    expect(WRITERS.map((writer) => writer.join(" ")).filter((line) => !reached.has(line))).toEqual([]);
  });

  it("but entries are appended to a log", async () => {
    p.keepsLogs = true;
    p.put("shared-log", p.get("kept-log"));
    p.put("mark", `{"v":1,"key":"${HASH}","count":"1","sum":"${HASH}"}\n`);
    for (const [name, exit] of [
      ["C.pem", 2],
      ["fleet.trust", 2],
      ["mark", 3],
    ] as const)
      await refused([...signing, "--log", name, "--out", "logged.suit"], exit);
    await p.ok(["sign", "fw.bin", "--key", "C.pem", ...FACTS, "--seq", "40", "--log", "shared-log", "--out", "logged.suit"]);
    const lines = (name: string) => p.get(name).toString().trim().split("\n").length;
    expect(lines("shared-log")).toBe(lines("kept-log") + 1);
    p.keepsLogs = false;
  });
});
