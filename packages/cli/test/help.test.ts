// Help in all its forms, and wrong use.

import { describe, expect, it } from "vitest";
import { expectFailure, standard, words } from "../../test-support/src/run.js";

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
    ["install --devise hub", "--devise", "--device", "install"],
    ["verify fw.suit -key A.jwk", "-key", "--key", "verify"],
    ["keygen -out k9.pem", "-out", "--out", "keygen"],
    ["token list --logn", "--logn", "--login", "token list"],
  ] as const)
    it(`is told before a required one is missed: ${line}`, async () => {
      const r = await standard().run(line.split(" "));
      expect(expectFailure(r, 2)).toMatch(new RegExp(`unknown option '${option}' \\(Did you mean (${meant})\\?\\)`));
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

  it("of an unknown command is refused", async () => {
    for (const line of [
      ["help", "nonsense"],
      ["nonsense", "--help"],
    ])
      expect(expectFailure(await standard().run(line), 2)).toContain("unknown command 'nonsense'");
  });
});
