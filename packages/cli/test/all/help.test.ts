// Help in all its forms, and wrong use.

import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, standard, words } from "../../../test-support/src/command-line/run.js";
import { optionsOf } from "../../src/command.js";
import { COMMANDS } from "../../src/commands.generated.js";

it("--help and --version that cannot be written end in one line", async () => {
  const p = standard();
  for (const args of [["--help"], ["--version"], ["verify", "--help"], ["token", "--help"], ["help", "sign"]]) {
    const r = await p.run(args, { stdout: "/dev/full" });
    expect(expectFailure(r, 3)).toContain("stdout: the disk is full");
    expect(words(r)).toHaveLength(2);
  }
});

describe("a mistyped option", () => {
  for (const [line, option, meant, place] of [
    ["keygen --ouput k9.pem", "--ouput", "--output|--out", "keygen"],
    ["sign fw.bin --ky A.pem", "--ky", "--key", "sign"],
    ["install --dirr hub", "--dirr", "--dir", "install"],
    ["verify fw.suit -key A.jwk", "-key", "--key", "verify"],
    ["keygen -out k9.pem", "-out", "--out", "keygen"],
    ["token list --logn", "--logn", "--login", "token list"],
  ] as const)
    it(`is reported before a missing required one: ${line}`, async () => {
      const r = await standard().run(line.split(" "));
      expect(expectFailure(r, 2)).toMatch(new RegExp(`unknown option '${option}'; did you mean "(${meant})"\\?`));
      expect(words(r)[1]).toBe(`hint: firmseal ${place} --help shows how it is used`);
    });

  it("names the group, if the command in it is missing or unknown", async () => {
    for (const line of [["token"], ["token", "nonsense"], ["token", "nonsense", "--help"], ["help", "token", "nonsense"]]) {
      const r = await standard().run(line);
      expectFailure(r, 2);
      expect(words(r)[1]).toBe("hint: firmseal token --help shows how it is used");
    }
  });
});

/** A word with its second and third letter exchanged. */
const slip = (word: string) => `${word[0]}${word[2]}${word[1]}${word.slice(3)}`;

describe("a value that is not one of the choices", () => {
  it("is reported with the nearest choice, for each option and argument that has choices", async () => {
    const p = standard();
    let tried = 0;
    for (const { name, load } of COMMANDS) {
      const command = (await load()).default;
      const ofOptions = optionsOf(command).map((one) => ({ of: `option '${one.flags}'`, line: [one.long as string], others: [], ...one }));
      // a missing argument after them would be reported first
      const others = (command.arguments ?? []).slice(1).map(() => "x");
      const ofArguments = (command.arguments ?? []).map((one) => ({ of: `argument '${one.name()}'`, line: [], others, ...one }));
      for (const { of, line, others, argChoices } of [...ofOptions, ...ofArguments]) {
        const choice = argChoices?.find((word) => word.length > 2 && word[1] !== word[2]);
        if (!argChoices || choice === undefined) continue;
        tried++;
        const r = await p.run([...name.split(" "), ...line, slip(choice), ...others]);
        const [message, hint] = words(r);
        const wrong = `'${slip(choice)}' is not one of ${argChoices.join(", ")}; did you mean "${choice}"?`;
        expectExit(r, 2);
        expect([message, hint]).toEqual([`firmseal: ${of}: ${wrong}`, `hint: firmseal ${name} --help shows how it is used`]);
      }
    }
    expect(tried).toBeGreaterThan(25);
  });

  it.each([
    [["lint", "--policy", "CNSA2"], 'did you mean "cnsa2"?'],
    [["sign", "fw.bin", "--for", "ariel"], 'did you mean "ariel-os"?'],
    [["bundle", "--alg", "ed2519", "--out", "b.js"], '--alg: unknown name ed2519; did you mean "ed25519"?'],
    [["simulate", "fw.suit", "--key", "A.jwk", "--device", "flsh"], '--device flsh: unknown device; did you mean "flash"?'],
    [["keygen", "--target", "puk.js", "--out", "k.pem"], 'unknown target puk.js; did you mean "puck.js"?'],
    [["verify", "fw.suit", "--key", "vualt:x"], 'vualt: not a key source, and no file has this name; did you mean "vault"?'],
    [["sign", "fw.bin", "--key", "A.pem", "--seq", "nxt"], "option '--seq <n>': 'nxt' is not valid"],
    [["bundle", "--format", "nonsense"], "is not one of umd, espruino, script, module, boot"],
  ])("%j: %s", async (args, message) => {
    const p = standard();
    const before = p.tree();
    expect(expectFailure(await p.run(args), 2)).toContain(message);
    expect(p.tree()).toEqual(before);
  });
});

describe("what commander refuses", () => {
  it("has a whole line to type, for each command that needs something", async () => {
    const p = standard();
    let tried = 0;
    for (const { name, load } of COMMANDS) {
      const command = (await load()).default;
      const isNeeding = [...optionsOf(command).map((one) => one.mandatory && one.defaultValue === undefined)];
      if (!isNeeding.includes(true) && !(command.arguments ?? []).some(({ required }) => required)) continue;
      tried++;
      const r = await p.run(name.split(" "));
      expectExit(r, 2);
      expect(words(r)[1]).toBe(`hint: firmseal ${name} --help shows how it is used; for example: ${command.examples[0][0]}`);
    }
    expect(tried).toBeGreaterThan(20);
    // what a product file would say, or the folder of a release answers
    for (const line of ["sign fw.bin", "attach fw.suit", "rotate bridge --out b.suit"]) {
      p.put("fw.suit", "");
      const r = await p.run(line.split(" "));
      expect(expectFailure(r, 2), line).toContain("is missing");
      expect(words(r)[1], line).toMatch(/^hint: firmseal (\w+(?: \w+)?) --help shows how it is used; for example: firmseal \1 /);
    }
  });

  it.each([
    ["vefiry fw.suit", `unknown command 'vefiry'; did you mean "verify"?`, "firmseal --help lists the commands"],
    ["verify", "argument 'envelope' is missing", "firmseal verify --help"],
    ["verify fw.suit A.jwk", "too many arguments: 2 instead of 1", "firmseal verify --help"],
    ["verify fw.suit --key", "option '-k, --key <key>': its value is missing", "firmseal verify --help"],
    ["keygen", "option '-o, --out <file>' is missing", "firmseal keygen --help"],
    ["verify fw.suit --key A.jwk --threshold two", "option '--threshold <n>': 'two' is not valid", "give a whole number"],
    ["sign fw.bin --key A.pem --seq 3x", "option '--seq <n>': '3x' is not valid", 'give a decimal number, or "next"'],
    [
      "sign fw.bin --key A.pem --seq 18446744073709551616",
      "option '--seq <n>': '18446744073709551616' is not valid",
      "give a number below 2^64",
    ],
    ["sign fw.bin --key A.pem --uri #a", "option '--uri <uri>': '#a' is not valid", "give a URI outside the envelope"],
    // the value may be the passphrase itself
    ["sign fw.bin --key A.pem --passphrase-fd s3cret", "option '--passphrase-fd <n>': its value is not valid", "give a whole number"],
  ])("firmseal %s: in the words of the other messages, with advice", async (line, message, hint) => {
    const p = standard();
    const r = await p.run(line.split(" "));
    expectExit(r, 2);
    expect(words(r)[0]).toBe(`firmseal: ${message}`);
    expect(words(r)[1]?.startsWith(`hint: ${hint}`), words(r)[1]).toBe(true);
    expect(r.stderr).not.toContain("s3cret");
  });
});

describe("help", () => {
  it("has the same text in every form", async () => {
    const p = standard();
    const text = async (line: string) => (await p.ok(line.split(" "))).stdout;
    const program = await text("--help");
    for (const line of ["help", "help help", "-h", "help --help"]) expect(await text(line), line).toBe(program);
    const verify = await text("verify --help");
    for (const line of ["help verify", "verify --help=1", "verify -h", "verify fw.suit --key --help", "verify fw.suit --help --bogus"])
      expect(await text(line), line).toBe(verify);
    expect(await text("help token keygen")).toBe(await text("token keygen --help"));
    expect(await text("help rotate plan")).toBe(await text("rotate plan --help"));
    expect(await text("help token")).toBe(await text("token --help"));
    expect(await text("token help keygen")).toContain("firmseal token keygen");
  });

  it("fits into 60 columns, except for examples", async () => {
    for (const name of ["verify", "sign", "rotate bridge"]) {
      const { stdout } = await standard().ok([...name.split(" "), "--help"], { columns: 60 });
      const [options] = stdout.split("\nExamples:\n");
      for (const line of String(options).split("\n")) expect(line.length, line).toBeLessThanOrEqual(60);
    }
  });

  it("of an unknown command is refused", async () => {
    for (const line of [
      ["help", "nonsense"],
      ["nonsense", "--help"],
    ])
      expect(expectFailure(await standard().run(line), 2)).toContain("unknown command 'nonsense'");
  });
});
