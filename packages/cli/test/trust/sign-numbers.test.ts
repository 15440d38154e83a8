import { toHex } from "@firmseal/verifier/tools";
import { markText } from "../../../keys/src/signing-log/last-seen.js";
import { shortKey } from "./trust-place.js";
// What a root signs has a number, and the rule for it is that for releases; and what it changes is shown before.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type PrivateKey, privateKey, signer, thumbprint } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  expectHarmless,
  keyC,
  logEntries,
  type Place,
  quicklyEncrypted,
  type Result,
  standard,
  stateOf,
} from "../../../test-support/src/command-line/run.js";

const key = (text: string): PrivateKey => privateKey("ed25519", new TextEncoder().encode(`trust numbers test, ${text}`.padEnd(32, ".")));
const KEYS = { r1: key("r1"), r2: key("r2"), r3: key("r3") };

interface Anchor {
  key: string;
  roles: string[];
  [limit: string]: unknown;
}

const ANCHORS: Anchor[] = [
  { key: "r1.jwk", roles: ["root"] },
  { key: "r2.jwk", roles: ["root"] },
  { key: "A.jwk", roles: ["release"] },
];

/** standard() with three roots, and logs that are kept. */
function place(): Place {
  const p = standard();
  p.keepsLogs = true;
  p.putKeys(KEYS);
  return p;
}

let files = 0;
/** A trust file that nobody has signed; its name. */
async function list(
  p: Place,
  sequence: number,
  change: Partial<{ anchors: Anchor[]; name: string; thresholds: object }> = {},
): Promise<string> {
  const name = `list-${files++}`;
  const whole = { $schema: "urn:firmseal:trust:1", name: "board", anchors: ANCHORS, thresholds: { root: 2, release: 1 }, ...change };
  p.put(`${name}.json`, JSON.stringify({ ...whole, sequence: String(sequence) }));
  await p.ok(["trust", "create", "--from", `${name}.json`, "--out", `${name}.trust`]);
  return `${name}.trust`;
}

/** Another list with the same number. */
const other = (p: Place, sequence: number, change = {}) =>
  list(p, sequence, { anchors: [...ANCHORS, { key: "B.jwk", roles: ["release"] }], ...change });

const sign = (p: Place, file: string, more: readonly string[] = [], by = ["r1.pem"]) =>
  p.run(["trust", "sign", file, ...by.flatMap((name) => ["--key", name]), ...more]);

/** Refused by number 212, and nothing is written. */
async function refused(p: Place, args: readonly string[], line: string, hint: string): Promise<void> {
  const before = p.tree();
  const r = await p.run(args);
  expect(expectFailure(r, 1), args.join(" ")).toContain(line);
  expect(r.stderr).toContain(hint);
  expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: false, code: 212, reason: "SEQUENCE", exit: 1 });
  expect(p.tree()).toEqual(before);
}

function expectGood(r: Result): void {
  expectExit(r, 0);
  expect(r.stderr.split("\n").filter((l) => l.startsWith("firmseal:"))).toEqual([]);
}

const changesOf = (r: Result) =>
  r.stderr
    .split("\n")
    .filter((l) => l.startsWith("change: "))
    .map((l) => l.slice(8));

describe.concurrent("the number of a trust file", () => {
  it("is signed for one list only, and for none below: each is refused, and allowed by its name", async () => {
    for (const [sequence, option, line] of [
      [5, "--allow-sequence-reuse", "sequence number 5 was signed for another trust file"],
      [4, "--allow-lower-sequence", "sequence number 4 is lower than 5, which was already signed: devices refuse it"],
      [6 + 2 ** 32, "--allow-sequence-jump", "sequence number 4294967302 is more than 2^32 higher than the last, 5"],
    ] as const) {
      const p = place();
      const first = await list(p, 5);
      expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
      expect(logEntries(p, "r1.pem.log")).toMatchObject([{ operation: "trust sign", sequence: "5", scope: ["trust:board"] }]);
      const file = await other(p, sequence);
      for (const more of [[], ["--previous-trust", first]])
        await refused(p, ["trust", "sign", file, "--key", "r1.pem", ...more], line, option);
      // one of two roots is enough to know it
      await refused(p, ["trust", "sign", file, "--key", "r2.pem", "--key", "r1.pem"], line, option);
      const allowed = await sign(p, file, [option, "--previous-trust", first]);
      expectGood(allowed);
      expect(allowed.stderr).toContain(`warning: sequence number ${sequence} is signed because of ${option}`);
      expect(logEntries(p, "r1.pem.log").at(-1)).toMatchObject({ sequence: String(sequence), overrides: [option.slice(2)] });
    }
  });

  it("is that of its line: another name has numbers of its own, and so have releases", async () => {
    const p = place();
    expectGood(await sign(p, await list(p, 5)));
    expectGood(await sign(p, await list(p, 1, { name: "lock" })));
    expectGood(await sign(p, await list(p, 2 ** 40, { name: "a\u001b[2Jz" })));
    await refused(
      p,
      ["trust", "sign", await other(p, 1, { name: "lock" }), "--key", "r1.pem"],
      "was signed for another",
      "--allow-sequence-reuse",
    );
    expect(logEntries(p, "r1.pem.log").map((e) => e.scope)).toEqual([["trust:board"], ["trust:lock"], ["trust:a\u001b[2Jz"]]);
    expectHarmless((await p.ok(["audit", "r1.pem"])).stdout);
  });

  it("may be signed again for the same list, by any root", async () => {
    const p = place();
    const file = await list(p, 5);
    p.put("copy.trust", p.get(file));
    for (const by of ["r1.pem", "r2.pem"]) expectGood(await sign(p, file, [], [by]));
    expectGood(await sign(p, "copy.trust"));
    expect(logEntries(p, "r1.pem.log").map((e) => e.digest)).toEqual([
      logEntries(p, "r1.pem.log")[0].digest,
      logEntries(p, "r1.pem.log")[0].digest,
    ]);
  });

  it("is also compared with the previous file, by a root that has signed nothing yet", async () => {
    const p = place();
    const first = await list(p, 5);
    expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
    const three = { anchors: [...ANCHORS, { key: "r3.jwk", roles: ["root"] }] };
    await refused(
      p,
      ["trust", "sign", await list(p, 5, three), "--key", "r3.pem", "--previous-trust", first],
      `for another trust file (${first})`,
      "--allow-sequence-reuse",
    );
    await refused(
      p,
      ["trust", "sign", await list(p, 4, three), "--key", "r3.pem", "--previous-trust", first],
      "4 is lower than 5",
      "--allow-lower-sequence",
    );
    expect(p.has("r3.pem.log")).toBe(false);
  });

  it("is looked up in older logs, whose entries of trust files have no scope", async () => {
    const p = place();
    const first = await list(p, 5);
    expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
    const { hash: _, scope: __, ...old } = logEntries(p, "r1.pem.log")[0];
    const body = JSON.stringify(old);
    const hash = createHash("sha256").update(body).digest("hex");
    p.put("r1.pem.log", `${body.slice(0, -1)},"hash":"${hash}"}\n`);
    const name = toHex(thumbprint(KEYS.r1));
    writeFileSync(`${stateOf(p.path)}/${name}.log.last-seen`, markText(name, { count: 1n, hash, path: p.at("r1.pem.log") }));
    await p.ok(["audit", "r1.pem"]);
    await refused(p, ["trust", "sign", await other(p, 5), "--key", "r1.pem"], "5 was signed for another", "--allow-sequence-reuse");
    await refused(p, ["trust", "sign", await other(p, 4), "--key", "r1.pem"], "4 is lower than 5", "--allow-lower-sequence");
    const next = await other(p, 6);
    expectGood(await sign(p, next, ["--previous-trust", first]));
  });

  it("is kept by tbs and attach, for a root that is elsewhere", async () => {
    const p = place();
    const tbs = (file: string, ...more: string[]) => ["trust", "tbs", file, "--key", "r1.jwk", ...more];
    const first = await list(p, 5);
    const told = await p.ok([...tbs(first, "--out", "r1.tbs"), "--json"]);
    expect(told.json).toMatchObject({ ok: true, log: [{ entry: 1, path: `${stateOf(p.path)}/${toHex(thumbprint(KEYS.r1))}.log` }] });
    const second = await other(p, 5);
    await refused(p, tbs(second, "--out", "again.tbs"), "5 was signed for another trust file", "--allow-sequence-reuse");
    await refused(p, tbs(await other(p, 4), "--out", "again.tbs"), "4 is lower than 5", "--allow-lower-sequence");
    const elsewhere = async (from: string, to: string) => void p.put(to, await signer(KEYS.r1).sign(Uint8Array.from(p.get(from))));
    await elsewhere("r1.tbs", "r1.sig");
    const attach = (file: string, signature: string) => ["trust", "attach", file, "--key", "r1.jwk", "--signature", signature];
    expect((await p.ok([...attach(first, "r1.sig"), "--json"])).json).toMatchObject({
      ok: true,
      log: [{ entry: 2 }],
      changes: expect.any(Array),
    });
    // made on another machine
    const q = place();
    for (const name of [second, first]) q.put(name, p.get(name));
    await q.ok(tbs(second, "--out", "second.tbs"));
    p.put("second.tbs", q.get("second.tbs"));
    await elsewhere("second.tbs", "second.sig");
    await refused(p, attach(second, "second.sig"), "5 was signed for another trust file", "--allow-sequence-reuse");
    // the key itself continues in the same log
    await refused(p, ["trust", "sign", second, "--key", "r1.pem"], "5 was signed for another trust file", "--allow-sequence-reuse");
    const audit = await p.ok(["audit", "r1.jwk", "--json"]);
    expect((audit.json["logs"] as { entries: { operation: string }[] }[])[0]?.entries.map((e) => e.operation)).toEqual([
      "trust tbs",
      "trust attach",
    ]);
  });

  it("is kept by rotate retire", async () => {
    const p = place();
    const first = await other(p, 1);
    expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
    p.put(
      "fleet.json",
      JSON.stringify({ cohorts: [{ name: "all", devices: 3, trust: first, vendor: "example.com", class: "x", floor: 0 }] }),
    );
    const retire = (which: string, out: string) => [
      "rotate",
      "retire",
      which,
      "--trust",
      first,
      "--key",
      "r1.pem",
      "--key",
      "r2.pem",
      "--fleet",
      "fleet.json",
      "--out",
      out,
    ];
    const done = await p.ok([...retire("B.jwk", "second.trust"), "--json"]);
    expect(done.json).toMatchObject({
      sequence: "2",
      changes: [
        { what: "removed", key: { thumbprint: expect.any(String), roles: ["release"] } },
        { what: "threshold", role: "release", before: { needed: 1, of: 2 }, after: { needed: 1, of: 1 } },
        { what: "sequence", before: "1", after: "2" },
      ],
    });
    // another number 2
    await refused(p, retire("A.jwk", "third.trust"), "2 was signed for another trust file", "--allow-sequence-reuse");
    // the second is the last one that these roots have signed, and what changes since then is not shown
    const reused = [...retire("A.jwk", "third.trust"), "--allow-sequence-reuse"];
    await refused(p, reused, "trust file 2 was signed last with this key", "firmseal trust sign --previous-trust FILE");
    await p.ok([...reused, "--allow-no-previous-trust"]);
    expect(logEntries(p, "r1.pem.log").at(-1)).toMatchObject({
      operation: "rotate retire",
      overrides: ["allow-sequence-reuse", "allow-no-previous-trust"],
    });
  });
});

describe.concurrent("what a root is shown", () => {
  it("is each key that comes, goes or changes, roles, thresholds, limits and the number, before it signs", async () => {
    const p = place();
    const first = await list(p, 5, { anchors: [...ANCHORS, { key: "C.jwk", roles: ["release"], until: 9 }] });
    expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
    const second = await list(p, 7, {
      anchors: [
        { key: "r1.jwk", roles: ["root"] },
        { key: "r3.jwk", roles: ["root"] },
        { key: "A.jwk", roles: ["release", "recovery"], vendor: "example.com" },
        { key: "C.jwk", roles: ["release"], since: 3 },
      ],
      thresholds: { root: 1, release: 2, recovery: 1 },
    });
    const r = await sign(p, second, ["--previous-trust", first]);
    expectGood(r);
    const lines = changesOf(r);
    expect(lines).toEqual([
      `${second}: board, sequence number 7; against ${first}`,
      `removes ${shortKey(KEYS.r2)}: loses root`,
      `adds ${shortKey(KEYS.r3)}: gains root`,
      expect.stringMatching(/^ed25519 [0-9a-f]{16}…: gains recovery$/),
      expect.stringMatching(/^ed25519 [0-9a-f]{16}…: vendor cfbff0d193755685968c48ce8b15ae17, before none$/),
      expect.stringMatching(/^ed25519 [0-9a-f]{16}…: since 3, before none$/),
      expect.stringMatching(/^ed25519 [0-9a-f]{16}…: until none, before 9$/),
      "role root: 1 of 2 needed, before 2 of 2: LOWERED, fewer stolen keys are enough",
      "role release: 2 of 2 needed, before 1 of 2",
      "role recovery: new, 1 of 1 needed",
      "sequence number 7, before 5",
    ]);
    // before anything else is said of the signature
    expect(r.stderr.indexOf("change: sequence")).toBeLessThan(r.stderr.indexOf("signed by"));
    p.put("again.trust", p.get(second));
    const json = await p.run(["trust", "tbs", "again.trust", "--key", "r3.jwk", "--previous-trust", first, "--json"]);
    expect(json.json["changes"]).toMatchObject([
      { what: "removed", key: { roles: ["root"], thumbprint: toHex(thumbprint(KEYS.r2)) } },
      { what: "added", key: { roles: ["root"], thumbprint: toHex(thumbprint(KEYS.r3)) } },
      { what: "changed", member: "roles", before: ["release"], after: ["release", "recovery"] },
      { what: "changed", member: "vendor", before: null },
      { what: "changed", member: "since", before: null, after: "3" },
      { what: "changed", member: "until", before: "9", after: null },
      { what: "threshold", role: "root", before: { needed: 2, of: 2 }, after: { needed: 1, of: 2 } },
      { what: "threshold", role: "release" },
      { what: "threshold", role: "recovery", before: null },
      { what: "sequence", before: "5", after: "7" },
    ]);
    expect(changesOf(json)).toEqual([`again.trust: board, sequence number 7; against ${first}`, ...lines.slice(1)]);
  });

  it("is shown before the prompt for a passphrase, in full if there is nothing to compare it with", async () => {
    const p = place();
    const first = await list(p, 1);
    // nobody gives the passphrase: there is no terminal
    p.put("locked.pem", quicklyEncrypted(keyC, "x"));
    const r = await p.run(["trust", "sign", first, "--key", "locked.pem"]);
    expectExit(r, 3);
    expect(changesOf(r)).toEqual([
      `${first}: board, sequence number 1; no previous file is given, so everything in it is new`,
      `adds ${shortKey(KEYS.r1)}: gains root`,
      `adds ${shortKey(KEYS.r2)}: gains root`,
      expect.stringMatching(/^adds ed25519 .*: gains release$/),
      "role root: new, 2 of 2 needed",
      "role release: new, 1 of 1 needed",
    ]);
  });

  it("is required of a root that has signed a file of this line before: --previous-trust, or a logged override", async () => {
    const p = place();
    const first = await list(p, 1);
    expectGood(await sign(p, first, [], ["r1.pem", "r2.pem"]));
    const second = await other(p, 2);
    await refused(p, ["trust", "sign", second, "--key", "r1.pem"], "trust file 1 was signed last with this key", "--previous-trust FILE");
    await refused(
      p,
      ["trust", "tbs", second, "--key", "r1.jwk", "--out", "x.tbs"],
      "trust file 1 was signed last with this key",
      "--allow-no-previous-trust",
    );
    expectGood(await sign(p, second, ["--previous-trust", first]));
    const third = await list(p, 3);
    const r = await sign(p, third, ["--allow-no-previous-trust"]);
    expectGood(r);
    expect(logEntries(p, "r1.pem.log").at(-1)).toMatchObject({ sequence: "3", overrides: ["allow-no-previous-trust"] });
    expect(r.stderr).toContain("is signed because of --allow-no-previous-trust");
    // a line of another name is not the previous one
    const lock = await list(p, 4, { name: "lock" });
    const wrong = await p.run(["trust", "sign", lock, "--key", "r1.pem", "--previous-trust", first]);
    expect(expectFailure(wrong, 1)).toContain(`${lock} is for "lock", and ${first} for "board"`);
    expect((await p.run(["trust", "sign", lock, "--key", "r1.pem", "--previous-trust", first, "--json"])).json).toMatchObject({
      code: errors.TRUST_NAME,
    });
  });

  it("says so if a root has signed releases", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "r1.pem", "--vendor", "example.com", "--class", "x", "--seq", "1"]);
    const r = await sign(p, await list(p, 1));
    expectGood(r);
    expect(r.stderr).toContain("warning: r1.pem has signed a release (entry 1 of its log), but a root signs only trust files");
    expect(readFileSync(p.at("r1.pem.log"), "utf8").trim().split("\n")).toHaveLength(2);
  });
});
