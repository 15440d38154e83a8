// firmseal rotate plan on fleet files of every form: what is read, what is refused, and the messages.

import { encodeTrust, thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place, quicklyEncrypted, type Result, words } from "../../../test-support/src/command-line/run.js";
import { repositoryText } from "../../../test-support/src/repository.js";
import { trustFileOf } from "../../../test-support/src/rotation-world.js";
import { A, B, cohort, csv, D, fleetPlace, header, K, roots, row } from "./fleet-place.js";

let p: Place;
beforeAll(async () => {
  p = await fleetPlace();
});

const planOf = (fleet: string, ...more: string[]) =>
  p.run(["rotate", "plan", "--fleet", fleet, "--release", "bridges/b20.suit", "--release", "bridges/r21.suit", ...more]);
const put = (name: string, text: string | Uint8Array) => {
  p.put(name, text);
  return name;
};
const cohortsOf = (r: Result) => (r.json as { cohorts: { name: string; rows: number; names: string[]; verdict: string }[] }).cohorts;

describe("docs/reference/fleet.md", () => {
  it("has each member of the schema", () => {
    const { properties } = JSON.parse(repositoryText("packages/release/schema/fleet.schema.json")).$defs.cohort;
    const table = repositoryText("docs/reference/fleet.md").split("## Members")[1]?.split("##")[0] ?? "";
    const members = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) =>
      [...(cell as string).matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(members.sort()).toEqual(Object.keys(properties).sort());
  });

  it("has a CSV file that is read", async () => {
    const [, text] = /^```text\n(name,[\s\S]*?)^```$/m.exec(repositoryText("docs/reference/fleet.md")) as unknown as [string, string];
    put("docs.csv", text.replaceAll("first.trust", "t1.trust"));
    expect((await planOf("docs.csv", "--json")).json).toMatchObject({ devices: { total: 10000, moved: 10000 } });
  });
});

describe("the forms of a fleet file", () => {
  it("say the same", async () => {
    const rows = [
      { name: "one", devices: 10, floor: 10 },
      { name: "two", devices: 10, floor: "11" },
      { name: "new", devices: 10, trust: "t2.trust", floor: 20 },
      { name: "far", devices: 10, floor: 30 },
    ].map((r) => ({ ...cohort, ...r }));
    put("fleet.json", JSON.stringify({ $schema: "urn:firmseal:fleet:1", cohorts: rows }));
    put("fleet.jsonl", rows.map((r) => `${JSON.stringify(r)}\r\n\n`).join(""));
    put(
      "quoted.csv",
      `\ufeff"floor", name,devices,trust,"class",vendor\r\n${rows.map((r) => `"${r.floor}",${r.name},10,${r.trust},board-v2,example.com\r\n`).join("")}`,
    );
    const told = await planOf("fleet.csv", "--json", "--fail-on", "none");
    expectExit(told, 0);
    expect(cohortsOf(told).map(({ name, rows: n, verdict }) => [name, n, verdict])).toEqual([
      ["one", 2, "moved"],
      ["new", 1, "moved"],
      ["far", 1, "behind"],
    ]);
    expect(cohortsOf(told)[0]?.names).toEqual(["one", "two"]);
    for (const name of ["fleet.json", "fleet.jsonl", "quoted.csv"])
      expect((await planOf(name, "--json", "--fail-on", "none")).json).toEqual(told.json);
  });

  it("have members for every kind of device", async () => {
    const fleet = put(
      "kinds.csv",
      [
        "name,vendor,class,floor,floors.debug,keys,threshold,algorithms,features,engine,start,seen",
        "a,example.com|acquired.example,board-v2,10,9,A.jwk|B.jwk,2,ed25519|es256,install|copy,puck.js,own,2026-01-02",
        "b,example.com,board-v2|board-v3,10,,A.jwk,,,,,,2026-01-02T03:04:05Z",
      ].join("\n"),
    );
    const r = await p.run(["rotate", "plan", "--fleet", fleet, "--release", "bridges/r21.suit", "--fail-on", "none", "--json"]);
    expectExit(r, 0);
    expect(r.json).toMatchObject({
      cohorts: [
        { name: "a", devices: 1, trust: { before: null }, left: { release: { needed: 2, of: 2 }, root: null } },
        { name: "b", left: { release: { left: 1, needed: 1, of: 1 } } },
      ],
    });
  });

  const long = "x".repeat(1_000_000);
  it.each([
    ["a cohort twice", csv(row("one"), row("one")), "two cohorts have the name one", "csv"],
    ["half a device", csv(row("one", { devices: 0.5 })), 'line 2: "devices" is not a whole number', "csv"],
    ["a floor in words", csv(row("one", { floor: "ten" })), 'line 2: "floor" is not a sequence number', "csv"],
    ["a floor below nothing", csv(row("one", { floor: -1 })), 'line 2: "floor" is not a sequence number', "csv"],
    ["a floor of 65 bits", csv(row("one", { floor: "18446744073709551616" })), '"floor" is not a sequence number of up to 64 bits', "csv"],
    ["a name that drives a terminal", csv(row("\u001b[31mred")), 'line 2: "name" is not a name', "csv"],
    ["a NUL in a file name", csv(row("one", { trust: "t1\0.trust" })), 'line 2: "trust"', "csv"],
    ["a column that nobody knows", `${header},x\n${row("one")},1\n`, 'line 2 has the unknown member "x"', "csv"],
    ["a column for the prototype", `${header},__proto__\n${row("one")},x\n`, 'line 2 has the unknown member "__proto__"', "csv"],
    ["a component for the prototype", `${header},floors.__proto__\n${row("one")},x\n`, 'unknown member "__proto__" in "floors"', "csv"],
    ["a column twice", `${header},floor\n${row("one")},1\n`, 'two columns have the name "floor"', "csv"],
    ["a cell too many", `${header}\n${row("one")},1\n`, "line 2 does not have as many cells as the first line", "csv"],
    ["a quotation without an end", `${header}\n"one,1\n`, "begins a quotation that does not end", "csv"],
    ["a field of a megabyte", csv(row(long)), "is too long", "csv"],
    ["bytes that are not text", Uint8Array.of(0x6e, 0xff, 0xfe), "is not text in UTF-8", "csv"],
    ["no row", `${header}\n`, "has no cohort", "csv"],
    ["nothing", "", "has no cohort", "csv"],
    ["a formula", csv(row("=cmd()")), 'line 2: "name" is not a name', "csv"],
    ["a line that is not JSON", `${JSON.stringify({ name: "one", ...cohort, floor: 1 })}\n{]\n`, "line 2: not JSON", "jsonl"],
    ["a line that is a list", "[]\n", "line 1 is not an object", "jsonl"],
    ["a line of a megabyte", `{"name":"${long}"}\n`, "line 1 is too long", "jsonl"],
    ["a line without a floor", `${JSON.stringify({ name: "one", ...cohort })}\n`, 'line 1 lacks "floor"', "jsonl"],
    [
      "a file of the future",
      JSON.stringify({ $schema: "urn:firmseal:fleet:2", cohorts: [] }),
      '"$schema" is not "urn:firmseal:fleet:1"',
      "json",
    ],
    [
      "a cohort of the future",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, seen: "2999-01-01" }] }),
      'cohort 1: "seen" is in the future: 2999-01-01',
      "json",
    ],
    [
      "an invalid date",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, seen: "2026-13-41" }] }),
      '"seen" is not a date',
      "json",
    ],
    [
      "keys and a trust file",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, keys: ["A.jwk"] }] }),
      'needs either "trust" or "keys"',
      "json",
    ],
    [
      "a threshold without keys",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, threshold: 2 }] }),
      'has "threshold" without "keys"',
      "json",
    ],
    [
      "an engine that nobody knows",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, engine: "abacus" }] }),
      '"engine" is not one of',
      "json",
    ],
    [
      "a trust file, and a verifier that reads none",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, features: ["install"] }] }),
      '"features" without it',
      "json",
    ],
    [
      "an algorithm that nobody knows",
      JSON.stringify({ cohorts: [{ name: "one", ...cohort, floor: 1, algorithms: ["rot13"] }] }),
      "is not one of ed25519",
      "json",
    ],
  ])("refuses %s, and writes nothing", async (_, text, message, ending) => {
    const fleet = put(`bad.${ending}`, text);
    const before = p.tree();
    const line = expectFailure(await planOf(fleet), 1);
    expect(line).toContain(message);
    expect(line.length).toBeLessThan(600);
    expect(p.tree()).toEqual(before);
  });

  it("names no program, and asks for no passphrase", async () => {
    put("told", "");
    p.put("plug-in", "#!/bin/sh\necho started > told\n", 0o755);
    put("exec.json", JSON.stringify({ cohorts: [{ name: "one", vendor: "example.com", class: "b", floor: 1, keys: ["exec:./plug-in"] }] }));
    expectFailure(await planOf("exec.json"), 3);
    expect(p.get("told").toString()).toBe("");
    p.put("A.pem", quicklyEncrypted(A, "correct horse"));
    put("secret.json", p.get("exec.json").toString().replace("exec:./plug-in", "A.pem"));
    expect(expectFailure(await planOf("secret.json"), 2)).toContain("A.pem is encrypted");
  });
});

describe("rotate plan", () => {
  it("fails on the requested verdicts", async () => {
    expectExit(await planOf("fleet.csv"), 0);
    const r = await planOf("fleet.csv", "--fail-on", "stranded,behind", "--json");
    expectExit(r, 1);
    expect(r.json).toMatchObject({ ok: false, reason: "STRANDED", code: 241, exit: 1, devices: { behind: 10, moved: 30 } });
    expect((r.json as { message: string }).message).toMatch(/^10 devices would be behind: far; far: it keeps trust file 1/);
    expect(expectFailure(await planOf("fleet.csv", "--fail-on", "lost"), 2)).toContain("--fail-on: unknown name lost");
    const exposed = await planOf("fleet.csv", "--stolen", "A.jwk", "--stolen", "B.jwk", "--fail-on", "exposed");
    expectExit(exposed, 1);
    expect(exposed.stderr).toContain("the stolen keys alone can sign releases for it");
    expectExit(await planOf("fleet.csv", "--stolen", "A.jwk", "--stolen", "B.jwk"), 0);
    expectExit(await planOf("fleet.csv", "--lost", "A.jwk", "--lost", "B.jwk", "--lost", "C.jwk"), 1);
    expectExit(await planOf("fleet.csv", "--lost", "A.jwk", "--lost", "B.jwk", "--lost", "C.jwk", "--fail-on", "none"), 0);
  });

  it("gives up rows by their names, even if several are in the same state", async () => {
    const lost = ["--lost", "A.jwk", "--lost", "B.jwk"];
    const allow = (...names: string[]) => names.flatMap((name) => ["--allow-stranded", name]);
    expect((await planOf("fleet.csv", ...lost, ...allow("one", "new", "far"))).stderr).toMatch(/left behind: two; one: no later release/);
    expectExit(await planOf("fleet.csv", ...lost, ...allow("one", "two", "new", "far")), 0);
  });

  it("takes keys by file, thumbprint and kid, and trust files as steps", async () => {
    const fleet = put("kid.csv", csv(row("one", { trust: "kid.trust" })));
    const plan = ["rotate", "plan", "--fleet", fleet, "--release", "r11.suit", "--json"];
    const print = toHex(thumbprint(K));
    const told = (await p.run([...plan, "--lost", print])).json;
    expect(told).toMatchObject({ cohorts: [{ left: { release: { left: 2, of: 3 } } }] });
    expect((await p.run([...plan, "--lost", "abcdef"])).json).toEqual(told);
    expect(expectFailure(await p.run([...plan.slice(0, 6), "--stolen", "abcd00"]), 2)).toContain("no trust file here lists this key");
    const alone = await p.run(["rotate", "plan", "--fleet", "fleet.csv", "--release", "t2.trust", "--json"]);
    expect(alone.json).toMatchObject({ cohorts: [{ name: "one", trust: { before: "1", after: "2" }, verdict: "moved" }, { name: "new" }] });
    expect(alone.stderr).toContain("if the release that they run is good under it");
    expect(alone.json).toMatchObject({ cohorts: [{ releases: [{ assumed: true }], assumes: expect.stringContaining("only if") }, {}] });
    const strict = await p.run(["rotate", "plan", "--fleet", "fleet.csv", "--release", "t2.trust", "--fail-on", "assumed"]);
    expectExit(strict, 1);
    expect(strict.stderr).toMatch(/the verdict on \d+ devices is assumed: one.*; one: t2\.trust is accepted only if /);
    expect(strict.stderr).toContain('hint: name the release that they run in the fleet file: "release"');
  });

  it("refuses steps that no device could check", async () => {
    const plan = (...files: string[]) =>
      p.run(["rotate", "plan", "--fleet", "fleet.csv", ...files.flatMap((file) => ["--release", file]), "--json"]);
    p.put("unsigned.trust", encodeTrust({ name: "board", sequence: 3n, anchors: [{ key: A, roles: ["root"] }], thresholds: { root: 1 } }));
    expect((await plan("unsigned.trust")).json).toMatchObject({ ok: false, exit: 1, reason: "TRUST_SIGNERS" });
    expect((await plan("fleet.csv")).json).toMatchObject({ ok: false, exit: 1, reason: "ENVELOPE_NONE" });
    expect((await plan(...Array.from({ length: 65 }, () => "r11.suit"))).json).toMatchObject({ ok: false, exit: 1, reason: "LIMIT" });
    // the same release again is nothing new, but a fork is
    const T2 = p.get("t2.trust");
    p.put("fork.trust", await trustFileOf(2, { releases: [A, B, D], roots }, p.get("t1.trust")));
    expect((await plan("fork.trust", "t2.trust")).json).toMatchObject({ ok: false, exit: 1, reason: "FLEET" });
    expect(p.get("t2.trust").equals(T2)).toBe(true);
  });

  it("is correct on a terminal of 60 columns", async () => {
    const r = await p.run(["rotate", "plan", "--fleet", "fleet.csv", "--release", "bridges/b20.suit", "--release", "bridges/r21.suit"], {
      columns: 60,
    });
    const lines = r.stdout.trimEnd().split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(lines.join("\n")).toContain("moved");
    expect(words(r).at(-1)).toBe("40 devices: 30 moved, 10 behind");
  });
});
