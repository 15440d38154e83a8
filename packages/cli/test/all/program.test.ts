// The program: version, help, wrong use, and one JSON object whatever happens.

import { testKeyName } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import {
  DEVICE,
  expectExit,
  expectFailure,
  FACTS,
  keyA,
  keyB,
  keyC,
  type Place,
  type Result,
  words,
} from "../../../test-support/src/command-line/run.js";
import { description, place } from "./command-place.js";

describe("the program", () => {
  it("shows its version and its commands", async () => {
    const p = place();
    expect((await p.ok(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await p.ok(["--help"]);
    expect(help.stderr).toBe("");
    for (const name of ["keygen", "pubkey", "create", "sign", "verify", "inspect", "install"]) {
      expect(help.stdout).toContain(name);
      expect((await p.ok([name, "--help"])).stdout).toContain(`firmseal ${name}`);
    }
  });

  it("lists commands in the order of a user's day", async () => {
    const { stdout } = await place().ok(["--help"]);
    const headings = [...stdout.matchAll(/^(\w.*):\n((?: {2,}.*\n)*)/gm)].map(([, heading, rows = ""]) => [
      heading,
      [...rows.matchAll(/^ {2}([a-z]\w*)/gm)].map(([, name]) => name).join(" "),
    ]);
    expect(headings.slice(1)).toEqual([
      ["Releases", "init doctor release withdraw extract batch verify lint explain diff report inspect whosigned"],
      ["Signatures, one by one", "sign approve attach audit create tbs"],
      ["Keys", "keygen pubkey convert hss keys ledger token"],
      ["Trust and rotation", "trust rotate incident"],
      ["Devices", "bundle install simulate status"],
      ["More", "completion help"],
    ]);
  });

  it("says in --help which options are required", async () => {
    const { stdout } = await place().ok(["rotate", "retire", "--help"]);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("-o, --out <file> output file, or - for stdout (required)");
    expect(text).not.toContain("--until <release> keep the key for releases up to this version or sequence number (required)");
  });

  it("no command, an unknown command", async () => {
    const p = place();
    expectFailure(await p.run([]), 2);
    expectFailure(await p.run(["frobnicate"]), 2);
    expect((await p.run(["frobnicate", "--json"])).json).toMatchObject({ ok: false, code: 200, reason: "USAGE", exit: 2 });
  });

  it("continues if stdout is closed early, and if nobody can read the words", async () => {
    const p = place();
    const r = await p.run(["verify", "fw.suit", "--key", "A.jwk"], { stderr: "/dev/full" });
    expectExit(r, 0);
    expectExit(await p.run(["verify", "fw.suit", "--key", "B.jwk"], { stderr: "/dev/full" }), 1);
    const head = await p.run(["inspect", "fw.suit", "--diag"], { through: ["/bin/sh", "-c", '"$@" | true', "-"] });
    expect(head).toMatchObject({ exit: 0, stderr: "" });
    // set -o pipefail is not in every sh: the program prints its own exit code
    const toHead = ["/bin/sh", "-c", '{ "$@"; echo "exit $?" >&2; } | true', "-"];
    for (const args of [["--help"], ["sign", "--help"]])
      expect(await p.run(args, { through: toHead })).toMatchObject({ exit: 0, stderr: "exit 0\n" });
  });
});

describe("--json gives one object on stdout, whatever happens", () => {
  const cases: { [name: string]: (p: Place) => readonly string[] } = {
    "keygen 0": () => ["keygen", "--out", "k.pem", "--no-passphrase"],
    "keygen 2": () => ["keygen", "--out", "fw.bin", "--no-passphrase"],
    "keygen 3": () => ["keygen", "--out", "gone/k.pem", "--no-passphrase"],
    "pubkey 0": () => ["pubkey", "A.pem"],
    "pubkey 2": () => ["pubkey", "fw.bin"],
    "pubkey 3": () => ["pubkey", "gone.pem"],
    "create 0": (p) => ["create", "--from", p.put("d.json", description())],
    "create 1": (p) => ["create", "--from", p.put("d.json", "{}")],
    "create 2": () => ["create"],
    "create 3": () => ["create", "--from", "gone.json"],
    "sign 0": () => ["sign", "fw.suit", "--key", "B.pem"],
    "sign 1": () => ["sign", "fw.suit", "--key", "A.pem"],
    "sign 2": () => ["sign", "fw.suit", "--key", "A.jwk"],
    "sign 3": () => ["sign", "fw.suit", "--key", "one.pem"],
    "verify 0": () => ["verify", "fw.suit", "--key", "A.pem"],
    "verify 1": () => ["verify", "fw.bin", "--key", "A.pem"],
    "verify 2": () => ["verify", "fw.suit", "--key", "fw.bin"],
    "verify 3": () => ["verify", "gone.suit", "--key", "A.pem"],
    "inspect 0": () => ["inspect", "fw.suit"],
    "inspect 1": () => ["inspect", "fw.bin"],
    "inspect 2": () => ["inspect", "fw.suit", "--diag"],
    "inspect 3": () => ["inspect", "gone.suit"],
    "install 0": () => ["install", "fw.suit", ...DEVICE, ...FACTS],
    "install 1": () => ["install", "fw.bin", ...DEVICE, ...FACTS],
    "install 2": () => ["install", "fw.suit", ...DEVICE, ...FACTS, "--bogus"],
    "install 3": () => ["install", "fw.suit", ...DEVICE],
  };
  for (const [name, args] of Object.entries(cases)) {
    it(name, async () => {
      const p = place();
      const exit = Number(name.slice(-1));
      const given = args(p);
      const r: Result = await p.run([...given, "--json"]);
      expectExit(r, exit);
      const object = r.json;
      expect(r.stdout.endsWith("}\n")).toBe(true);
      if (exit === 0) {
        expect(object).toMatchObject({ ok: true, code: 0 });
        expect(words(r).filter((line) => line.startsWith("firmseal:"))).toEqual([]);
        return;
      }
      const lines = words(r);
      expect(lines).toHaveLength(2);
      expect(object).toMatchObject({
        ok: false,
        exit,
        code: expect.any(Number),
        reason: expect.stringMatching(/^[A-Z_0-9]+$/),
        message: expect.any(String),
        hint: expect.any(String),
      });
      expect(lines).toEqual([`firmseal: ${object["message"] as string}`, `hint: ${object["hint"] as string}`]);
      expect(object["code"]).not.toBe(299);
    });
  }
});

it("keys of the tests are not published ones", () => {
  for (const key of [keyA, keyB, keyC]) expect(testKeyName(key)).toBeUndefined();
});
