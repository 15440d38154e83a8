// Completion and the manual page, from the commands.

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { bin, standard } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { COMMANDS } from "../../src/commands.generated.js";
import { SHELLS } from "../../src/show/completion.js";

const values = async (...words: string[]) =>
  (await standard().ok(["complete", "--", ...words])).stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0]]));

describe("what a shell offers", () => {
  it.each([
    [["ro"], ["rotate"]],
    [
      ["rotate", ""],
      ["bridge", "next", "plan", "retire"],
    ],
    [["token", "l"], ["list"]],
    [
      ["sign", "--passphrase"],
      ["--passphrase-env", "--passphrase-fd"],
    ],
    [
      ["pubkey", "--format", "j"],
      ["jwk", "js"],
    ],
    [["completion", "po"], ["powershell"]],
    [["--q"], ["--quiet"]],
    // files
    [["sign", "--key", ""], []],
    [["sign", ""], []],
    [["sign", "--", "--p"], []],
    [["nonsense", "x"], []],
  ])("%j", async (words, expected) => {
    expect(await values(...words)).toEqual(expected);
  });

  it.skipIf(!existsSync("/dev/full"))("are silently left out if they cannot be written", async () => {
    const { exit, stderr } = await standard().run(["complete", "--", "ro"], { stdout: "/dev/full" });
    expect([exit, stderr]).toEqual([3, ""]);
  });

  it("are all commands at the beginning", async () => {
    expect(await values("")).toEqual([...new Set(COMMANDS.map(({ name }) => name.split(" ")[0]))]);
    expect(await values()).toEqual(await values(""));
  });
});

describe("the script", () => {
  it.each(SHELLS)("for %s asks the program", async (shell) => {
    const { stdout } = await standard().ok(["completion", shell]);
    expect(stdout).toMatch(/firmseal complete/);
    expect(stdout).not.toMatch(/\beval\b|Invoke-Expression/);
  });

  it("completes in bash, and runs nothing that is typed", async () => {
    const p = standard();
    writeFileSync(p.at("firmseal"), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 });
    p.put("c.bash", (await p.ok(["completion", "bash"])).stdout);
    const words = (line: string, n: number) => `COMP_WORDS=(${line}); COMP_CWORD=${n}; _firmseal; printf '%s\\n' "\${COMPREPLY[@]}" .\n`;
    const script = [
      "source ./c.bash\n",
      words("firmseal rotate p", 2),
      words(`firmseal sign '$(touch ran)' '\`touch ran\`' '; touch ran' --passphrase-e`, 5),
      words("firmseal sign --key ''", 3),
      "complete -p firmseal\n",
    ].join("");
    const r = spawnSync("bash", ["-c", script], {
      cwd: p.path,
      encoding: "utf8",
      env: { ...process.env, PATH: `${p.path}:${process.env["PATH"]}` },
    });
    expect(r.stdout).toBe("plan\n.\n--passphrase-env\n.\n.\ncomplete -o default -F _firmseal firmseal\n");
    expect(existsSync(p.at("ran"))).toBe(false);
  });

  for (const [shell, program] of [
    ["zsh", "zsh"],
    ["fish", "fish"],
  ] as const) {
    const has = hasProgram(program);
    it.skipIf(!has)(`for ${shell} is valid${has ? "" : ` (skipped: no ${program})`}`, async () => {
      const p = standard();
      p.put("c", (await p.ok(["completion", shell])).stdout);
      expect(spawnSync(program, ["-n", "c"], { cwd: p.path, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    });
  }
});

const page = new URL("../../dist/man/firmseal.1", import.meta.url).pathname;
const hasMan = hasProgram("groff");
it.skipIf(!hasMan)(`the manual page has every command, and no fault${hasMan ? "" : " (skipped: no groff)"}`, () => {
  const r = spawnSync("groff", ["-man", "-Tutf8", "-ww", page], { encoding: "utf8" });
  expect({ status: r.status, stderr: r.stderr }).toEqual({ status: 0, stderr: "" });
  const text = stripVTControlCharacters(r.stdout);
  for (const { name } of COMMANDS) expect(text).toContain(`firmseal ${name}`);
});
