// Options that contradict each other, and names that are meant to deceive: one line that says what is wrong, one hint, nothing written.

import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, expectHarmless, FACTS, words } from "../../../../test-support/src/command-line/run.js";
import { fails, place, signed } from "./bad-input-place.js";

describe.concurrent("refused options", () => {
  const args: [string, string[], string][] = [
    ["an unknown option", ["verify", "fw.suit", "--key", "A.jwk", "--bogus"], "--bogus"],
    ["a misspelt option", ["verify", "fw.suit", "--key", "A.jwk", "--payloads", "x"], "--payload"],
    ["an option without its value", ["verify", "fw.suit", "--key"], "--key"],
    ["a missing option", ["verify", "fw.suit"], "--key"],
    ["another missing option", ["install", "fw.suit", "--key", "A.jwk"], "--dir"],
    ["a missing argument", ["sign", "--key", "A.pem"], "input"],
    ["one argument too many", ["inspect", "fw.suit", "fw.bin"], "argument"],
    ["no --threshold at all", ["verify", "fw.suit", "--key", "A.jwk", "--threshold", "0"], "trust policy"],
    ["a --threshold that nobody can meet", ["verify", "fw.suit", "--key", "A.jwk", "--threshold", "2"], "only one key is given"],
    ["a --threshold that is not a number", ["verify", "fw.suit", "--key", "A.jwk", "--threshold", "-1"], "--threshold"],
    ["an unknown format", ["pubkey", "A.pem", "--format", "der"], "--format"],
    ["a passphrase on the command line", ["pubkey", "A.pem", "--passphrase", "x"], "--passphrase"],
    ["--seq x", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "x"], "--seq"],
    ["--seq -1", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "-1"], "--seq"],
    ["--seq 1e3", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1e3"], "--seq"],
    ["--seq 0x10", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "0x10"], "--seq"],
    ["--seq with nothing", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", ""], "--seq"],
    ["--seq 2^64", ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "18446744073709551616"], "'18446744073709551616' is not valid"],
    ["--floor x", ["verify", "fw.suit", "--key", "A.jwk", "--floor", "x"], "--floor"],
  ];
  for (const [name, list, says] of args) {
    it(name, async () => {
      expect(await fails(place(), 2, list)).toContain(says);
    });
  }
});

describe.concurrent("names and texts that are meant to deceive", () => {
  it("names that begin with a hyphen", async () => {
    const p = place();
    p.put("-fw.bin", p.get("fw.bin"));
    p.put("--json", p.get("A.pem"));
    p.put("-v.suit", signed);
    expectExit(await p.run(["sign", "--key", "--json", ...FACTS, "--seq", "7", "--", "-fw.bin"]), 2);
    await p.ok(["sign", "--key=--json", ...FACTS, "--seq", "7", "--", "-fw.bin"]);
    expect(p.get("-fw.suit").equals(signed)).toBe(true);
    await p.ok(["verify", "--key", "A.jwk", "--", "-v.suit"]);
    await p.ok(["verify", "./-v.suit", "--key", "A.jwk"]);
    await p.ok(["inspect", "--", "-v.suit"]);
    await p.ok(["create", "--from", "-d.json", "--out", "-d.suit"], {
      input: p.put("-d.json", '{"$schema":"urn:firmseal:manifest:1","sequence":1,"components":[[]]}'),
    });
    await fails(p, 2, ["verify", "-v.suit", "--key", "A.jwk"]);
    // after --, it is not an option
    const r = await p.run(["inspect", "--", "--json"]);
    expectFailure(r, 1);
  });

  const NASTY = "a\u001b]0;owned\u0007\u001b[31m\r\n\u009b2J\u202e\u2066\u0000b".replaceAll("\u0000", "");

  it("control characters and escapes in file names", async () => {
    const p = place();
    const file = `${NASTY}.suit`;
    const key = `${NASTY}.pem`;
    p.put(file, signed);
    p.put(key, p.get("B.pem"), 0o644);
    p.put(`${NASTY}.bin`, p.get("fw.bin"));
    const seen: string[] = [];
    for (const args of [
      ["inspect", file],
      ["verify", file, "--key", key],
      ["verify", file, "--key", "A.jwk"],
      ["sign", file, "--key", key],
      ["sign", `${NASTY}.bin`, "--key", "A.pem", ...FACTS, "--seq", "1"],
      ["install", file, "--key", "A.jwk", "--dir", `${NASTY}.dev`, ...FACTS],
      ["install", file, "--key", "A.jwk", "--dir", `${NASTY}.dev`, ...FACTS],
      ["keygen", "--out", `${NASTY}.new`, "--no-passphrase"],
      ["keygen", "--out", `${NASTY}.new`, "--no-passphrase"],
      ["keygen", "--out", `${NASTY}.new`],
      ["pubkey", `${NASTY}.gone`],
      ["create", "--from", file],
      ["verify", file, "--key", "A.jwk", "--payload", NASTY],
      ["verify", file, "--key", "A.jwk", `--${NASTY}`],
      ["verify", file, "--key", "A.jwk", "--threshold", NASTY],
      ["pubkey", key, "--format", NASTY],
      ["pubkey", key, "--passphrase-env", NASTY],
      [NASTY],
    ]) {
      for (const more of [[], ["--json"]]) {
        const r = await p.run([...args, ...more]);
        expectHarmless(r.stdout);
        expectHarmless(r.stderr);
        if (r.exit !== 0) expect(words(r), args.join(" ")).toHaveLength(2);
        if (more.length > 0) expect(r.json).toHaveProperty("ok", r.exit === 0);
        seen.push(r.stderr, r.stdout);
      }
    }
    expect(seen.join("")).toContain("\\u{1b}]0;owned\\u{7}\\u{1b}[31m\\u{d}\\u{a}\\u{9b}2J\\u{202e}\\u{2066}b");
    expect(seen.join("")).toContain("\\u001b]0;owned\\u0007\\u001b[31m\\r\\n\\u009b2J\\u202e\\u2066b");
  });

  it("the same in the texts of a manifest", async () => {
    const p = place();
    p.put(
      "d.json",
      JSON.stringify({
        $schema: "urn:firmseal:manifest:1",
        sequence: 1,
        components: [[NASTY]],
        validate: [{ "directive-override-parameters": { content: NASTY, "invoke-args": NASTY } }, "condition-check-content"],
        text: {
          en: {
            "manifest-description": NASTY,
            "update-description": `${NASTY}\u2028\u{e0041}`,
            components: [{ component: 0, "vendor-name": NASTY }],
          },
        },
      }),
    );
    const made = await p.ok(["create", "--from", "d.json"]);
    expectHarmless(made.stderr);
    for (const more of [[], ["--diag"], ["--json"]]) {
      const r = await p.ok(["inspect", "d.suit", ...more]);
      expectHarmless(r.stdout);
      expect(r.stdout).not.toMatch(/[\u2028\u{e0041}]/u);
      expect(r.stdout).toContain("owned");
    }
    const json = (await p.ok(["inspect", "d.suit", "--json"])).json as { text: object[] };
    // escaped, and lost to nobody
    expect(json.text[0]).toMatchObject({ "manifest-description": NASTY, "update-description": `${NASTY}\u2028\u{e0041}` });
  });

  it("the same in a description that is refused", async () => {
    const p = place();
    p.put("d.json", JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 1, components: [[]], [NASTY]: 1 }));
    expect(await fails(p, 1, ["create", "--from", "d.json"])).toContain("owned");
    p.put(
      "d.json",
      JSON.stringify({ "manifest-version": 1, "manifest-sequence-number": 1, components: [{ "install-id": ["00"], [NASTY]: 1 }] }),
    );
    expect(await fails(p, 1, ["create", "--from", "d.json"])).toContain("owned");
    p.put("d.json", `{"a": ${NASTY}`);
    await fails(p, 1, ["create", "--from", "d.json"]);
    p.put(
      "d.json",
      JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 1, components: [[]], payloads: { "#x": { file: NASTY } } }),
    );
    await fails(p, 3, ["create", "--from", "d.json"]);
    p.put(
      "d.json",
      JSON.stringify({
        "manifest-version": 1,
        "manifest-sequence-number": 1,
        components: [{ "install-id": ["00"] }],
        description: { en: { [NASTY]: "x" } },
      }),
    );
    const r = await p.run(["create", "--from", "d.json", "--out", "o.suit"]);
    expectHarmless(r.stderr);
  });
});
