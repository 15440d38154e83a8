// Signed files where a command reads or writes a different kind: it says what they are, and does not replace them.

import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, image, type Place, standard } from "../../test-support/src/command-line/run.js";

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
        ["tbs", given, "--key", "A.jwk", ...FACTS, "--seq", "8", "--envelope", "x.suit"],
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
    await p.ok(["sign", "carried.json", "--key", "A.pem"]);
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
