// Incidents, from the moment when somebody is paged to a fleet that is safe: each line that a person types, and devices that follow.

import { spawn } from "node:child_process";
import {
  encodeTrust,
  type PrivateKey,
  type PublicKey,
  privateKey,
  signer,
  signTrustWithoutLog,
  type TrustEntry,
  toJwk,
  twinsOf,
} from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { bin, expectExit, expectFailure, Place, stateOf } from "../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason } from "../../../test-support/src/command-line/terminal.js";
import { Device, imageOf, key, release } from "../../../test-support/src/rotation-world.js";

const NAMES = ["A", "B", "C", "D", "G", "H", "R1", "R2", "R3", "R4"] as const;
const K = Object.fromEntries(NAMES.map((name) => [name, key(name)])) as { [name in (typeof NAMES)[number]]: PrivateKey };

let list: Uint8Array;
/** Like the one above, with a release key that counts up to 20. */
let ending: Uint8Array;
let running: Uint8Array;
beforeAll(async () => {
  const roots = [K.R1, K.R2, K.R3].map((k): TrustEntry => ({ key: k, roles: ["root"] }));
  const releases = [K.A, K.B, K.C].map((k): TrustEntry => ({ key: k, roles: ["release"] }));
  const debug: TrustEntry = { key: K.G, roles: ["debug"] };
  const thresholds = { root: 2, release: 2, debug: 1 };
  const by = [K.R1, K.R2, K.R3].map(signer);
  list = await signTrustWithoutLog(encodeTrust({ name: "board", sequence: 1n, anchors: [...roots, ...releases, debug], thresholds }), by);
  const ends = releases.map((a, i) => (i === 0 ? { ...a, until: 20n } : a));
  ending = await signTrustWithoutLog(encodeTrust({ name: "board", sequence: 1n, anchors: [...roots, ...ends, debug], thresholds }), by);
  running = await release({ sequence: 20, class: "board-v2", keys: [K.B, K.C], image: imageOf("app") });
});

const fleet = (trust: string, floor: number) =>
  JSON.stringify({
    cohorts: ["field", "shelf"].map((name) => ({
      name,
      devices: 500,
      trust,
      vendor: "example.com",
      class: "board-v2",
      floor,
      release: floor === 20 ? "running.suit" : "night/bridge-1.suit",
    })),
  });

/** The same fleet, in which nobody has said which release runs. */
const unnamed = (trust: string, floor: number) => fleet(trust, floor).replace(/,"release":"[^"]*"/g, "");

function place(first = list): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.putKeys(K);
  p.put("1.trust", first);
  p.put("app.bin", imageOf("app"));
  p.put("running.suit", running);
  p.put("fleet.json", fleet("1.trust", 20));
  return p;
}

interface Case {
  what: string;
  key: (typeof NAMES)[number];
  replacement?: (typeof NAMES)[number];
  roots: readonly (typeof NAMES)[number][];
  signers: readonly (typeof NAMES)[number][];
  first?: () => Uint8Array;
  /** What the person reads before anything is signed. */
  says: RegExp;
}

/** Plays a case as a person does: types what the command says, until the fleet is safe. Counts the lines, and the time that the tool takes. */
async function play({ what, key: bad, replacement, roots, signers, first, says }: Case) {
  const p = place(first?.() ?? list);
  let lines = 0;
  let time = 0;
  const type = async (...args: string[]) => {
    const begun = performance.now();
    const r = await p.ok(args);
    time += performance.now() - begun;
    lines++;
    return r;
  };
  const incident = () =>
    type(
      ...["incident", what, "--key", `${bad}.jwk`, "--trust", "1.trust", "--fleet", "fleet.json", "--image", "app.bin", "--dir", "night"],
      ...(replacement ? ["--replacement", `${replacement}.jwk`] : []),
    );
  const begun = await incident();
  expect(begun.stdout).toMatch(/^stage: list: the roots must sign the next trust file$/m);
  expect(begun.stdout).toMatch(says);
  // rehearsed on copies, before anybody has signed
  expect(begun.stdout).toMatch(/^becomes: field and 1 more, 1,000 devices: moved/m);
  expect(p.names().filter((name) => name.endsWith(".log"))).toEqual([]);
  for (const root of roots) await type("trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", `${root}.pem`);
  expect((await incident()).stdout).toMatch(/^stage: bridges: /m);
  for (const one of signers)
    await type("sign", "night/bridge-1.suit", "--key", `${one}.pem`, "--trust", "1.trust", "--trust", "night/next.trust");
  const out = await incident();
  expect(out.stdout).toMatch(/^stage: roll-out: /m);
  expect(out.stdout).toMatch(/^becomes: .*1,000 devices: moved/m);

  // a device follows
  const device = new Device("board-v2", p.get("1.trust"));
  expect(device.dryRun(running)).toBe(true);
  expect(device.dryRun(p.get("night/bridge-1.suit"))).toBe(true);
  expect(Buffer.from(device.kept)).toEqual(p.get("night/next.trust"));
  p.put("fleet.json", fleet("night/next.trust", 21));
  const done = await incident();
  expect(done.stdout).toMatch(/^stage: safe: the fleet is safe$/m);
  expect(done.stdout).not.toContain("NOT SAFE NOW");
  // both cohorts are in one state, of which the first gives the name
  expect(done.stdout).toMatch(/^is: field and 1 more, 1,000 devices: unaffected/m);
  for (const page of ["management", "auditor"]) expect(p.get(`night/${page}.md`).toString()).toContain("| field and 1 more | 1,000 |");
  expect(p.get("night/management.md").toString()).toContain("Every device of this line has the next trust file.");
  expect(p.get("night/auditor.md").toString()).toMatch(/night\/next\.trust: sha-256 [0-9a-f]{64}/);
  console.log(`${what} ${bad}: ${lines} commands, ${(time / 60_000).toFixed(2)} minutes of tool time`);
  expect(lines).toBeLessThanOrEqual(10);
  return { p, device };
}

describe("from the page at night to a fleet that is safe", () => {
  it("a release key was stolen", async () => {
    const { device } = await play({
      what: "stolen",
      key: "A",
      replacement: "D",
      roots: ["R1", "R2"],
      signers: ["B", "C"],
      says: /^safe now: 1,000 devices: the key alone can sign nothing for them/m,
    });
    // the thief, with one more key of today
    expect(device.dryRun(await release({ sequence: 22, class: "board-v2", keys: [K.A, K.B], image: imageOf("thief") }))).toBe(false);
  });

  it("a release key was lost", async () => {
    await play({
      what: "lost",
      key: "C",
      replacement: "D",
      roots: ["R1", "R3"],
      signers: ["A", "B"],
      says: /^change: removes ed25519 .*: loses release$/m,
    });
  });

  it("a root was stolen", async () => {
    await play({
      what: "stolen",
      key: "R1",
      replacement: "R4",
      roots: ["R2", "R3"],
      signers: ["A", "B"],
      says: /^change: adds ed25519 .*: gains root$/m,
    });
  });

  it("a release key has expired", async () => {
    await play({
      what: "expired",
      key: "A",
      replacement: "D",
      roots: ["R1", "R2"],
      signers: ["B", "C"],
      first: () => ending,
      says: /^change: adds ed25519 .*: gains release$/m,
    });
  });

  it("a debug key has leaked, and is the last of its role", async () => {
    await play({
      what: "debug-leaked",
      key: "G",
      roots: ["R1", "R2"],
      signers: ["A", "B"],
      says: /^NOT SAFE NOW: .*1,000 devices: a thief with the key can sign debug manifests for them now$/m,
    });
  });
});

describe("a key without which no release can be signed", () => {
  interface Few {
    readonly releases: readonly (typeof NAMES)[number][];
    /** The last number of the first release key. */
    readonly until?: number;
    readonly roots?: readonly (typeof NAMES)[number][];
  }
  /** A fleet whose release at 20 is signed by all release keys. */
  async function fewKeys({ releases, until, roots = ["R1", "R2", "R3"] }: Few): Promise<Place> {
    const anchors = [
      ...roots.map((name): TrustEntry => ({ key: K[name], roles: ["root"] })),
      ...releases.map((name, i): TrustEntry => ({ key: K[name], roles: ["release"], ...(i === 0 && until && { until: BigInt(until) }) })),
    ];
    const d = { name: "board", sequence: 1n, anchors, thresholds: { root: 2, release: releases.length } };
    const p = place(
      await signTrustWithoutLog(
        encodeTrust(d),
        roots.map((name) => signer(K[name])),
      ),
    );
    p.put("running.suit", await release({ sequence: 20, class: "board-v2", keys: releases.map((name) => K[name]), image: imageOf("app") }));
    return p;
  }
  const args = (what: string, bad: string, ...replacements: string[]) => [
    ...["incident", what, "--key", `${bad}.jwk`, "--trust", "1.trust", "--fleet", "fleet.json", "--image", "app.bin", "--dir", "night"],
    ...replacements.flatMap((name) => ["--replacement", `${name}.jwk`]),
  ];

  describe.each([
    ["rows that name their release", false],
    ["rows that do not name their release", true],
  ])("%s", (_, isUnnamed) => {
    it.each([
      ["lost", { releases: ["A"] }, ["D"]],
      ["lost", { releases: ["A", "B"] }, ["D", "B"]],
      ["expired", { releases: ["A"], until: 20 }, ["D"]],
    ] as const)("%s of %j: devices get the list without a release", async (what, few, later) => {
      const p = await fewKeys(few);
      if (isUnnamed) p.put("fleet.json", unnamed("1.trust", 20));
      const run = () => p.ok(args(what, "A", "D"));
      const begun = await run();
      expect(begun.stdout).toMatch(/^stage: list: /m);
      expect(begun.stdout).toMatch(/^becomes: field and 1 more, 1,000 devices: moved/m);
      for (const root of ["R1", "R2"])
        await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", `${root}.pem`]);
      const out = await run();
      expect(out.stdout).toMatch(/^stage: roll-out: /m);
      expect(out.stdout).toMatch(/^1\. send night\/next\.trust to field, shelf without a release, and keep it$/m);
      expect(p.has("night/bridge-1.suit")).toBe(false);

      const device = new Device("board-v2", p.get("1.trust"));
      expect(device.dryRun(p.get("running.suit"))).toBe(true);
      expect(device.offerTrust(p.get("night/next.trust"))).toBe(true);
      const keys = later.map((name) => K[name]);
      const newer = await release({ sequence: 21, class: "board-v2", keys, image: imageOf("later") });
      expect(device.dryRun(newer)).toBe(true);
      p.put("later.suit", newer);
      // half of them have it, and a floor above that with which the list was made
      const rows = (name: string, trust: string, floor: number) =>
        (JSON.parse(fleet(trust, floor)) as { cohorts: { name: string; release: string }[] }).cohorts
          .filter((row) => row.name === name)
          .map((row) => ({ ...row, release: floor === 20 ? "running.suit" : "later.suit" }));
      p.put("fleet.json", JSON.stringify({ cohorts: [...rows("field", "night/next.trust", 21), ...rows("shelf", "1.trust", 20)] }));
      expect((await run()).stdout).toMatch(/^stage: roll-out: /m);
      p.put("fleet.json", JSON.stringify({ cohorts: ["field", "shelf"].flatMap((name) => rows(name, "night/next.trust", 21)) }));
      expect((await run()).stdout).toMatch(/^stage: safe: /m);
    });
  });

  it("fails with --fail-on assumed while rows do not name their release, and tells what it assumes of each", async () => {
    const p = await fewKeys({ releases: ["A"] });
    const strict = [...args("lost", "A", "D"), "--fail-on", "assumed"];
    const verdicts = (json: unknown) => (json as { cohorts: object[] }).cohorts;
    p.put("fleet.json", unnamed("1.trust", 20));
    expect(expectExit(await p.run(strict), 1).stderr).toMatch(/^firmseal: the verdict on 1,000 devices is assumed: field, shelf; field: /m);
    expect(p.has("night/management.md"), "the pages are written all the same").toBe(true);
    const told = expectExit(await p.run([...strict, "--json"]), 1).json;
    expect(verdicts(told)).toMatchObject([{ name: "field", rows: 2, verdict: "moved", why: null, assumes: expect.any(String) as string }]);
    await p.ok(args("lost", "A", "D"));
    p.put("fleet.json", fleet("1.trust", 20));
    expect(verdicts((await p.ok([...strict, "--json"])).json)).toMatchObject([{ verdict: "moved", why: null, assumes: null }]);
    expect(expectFailure(await p.run([...args("lost", "A", "D"), "--fail-on", "safe"]), 2)).toContain("--fail-on: unknown name safe");
  });

  it("lost, of a family of its own: the list keeps the key, whether rows name their release or not", async () => {
    const [E, F] = [31, 32].map((fill) => privateKey("es256", new Uint8Array(32).fill(fill))) as [PrivateKey, PrivateKey];
    const anchors: TrustEntry[] = [
      { key: K.R1, roles: ["root"] },
      ...[E, K.A, K.B].map((k): TrustEntry => ({ key: k, roles: ["release"] })),
    ];
    const families = { release: (["ed25519", "es256"] as const).map((alg) => ({ algorithms: [alg], threshold: 1 })) };
    const d = { name: "board", sequence: 1n, anchors, thresholds: { root: 1, release: 2 }, families };
    for (const isUnnamed of [false, true]) {
      const p = place(await signTrustWithoutLog(encodeTrust(d), [signer(K.R1)]));
      p.put("running.suit", await release({ sequence: 20, class: "board-v2", keys: [E, K.A], image: imageOf("app") }));
      for (const [name, k] of Object.entries({ E, F })) p.put(`${name}.jwk`, JSON.stringify(toJwk(k)));
      if (isUnnamed) p.put("fleet.json", unnamed("1.trust", 20));
      const begun = await p.ok(args("lost", "E", "F"));
      expect(begun.stdout).not.toMatch(/^change: removes/m);
      expect(begun.stdout).toMatch(/^becomes: field and 1 more, 1,000 devices: moved/m);
      await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
      // the plan says the same about the release that they run
      p.put("fleet.json", fleet("1.trust", 20));
      await p.ok(["rotate", "plan", "--fleet", "fleet.json", "--release", "night/next.trust", "--lost", "E.jwk"]);
    }
  });

  it("lost, and the signed list is good for no release that devices can run: nobody is told to send it", async () => {
    const p = await fewKeys({ releases: ["A"] });
    p.put("fleet.json", unnamed("1.trust", 20));
    await p.ok(args("lost", "A", "D"));
    const roots = [K.R1, K.R2, K.R3].map((k): TrustEntry => ({ key: k, roles: ["root"] }));
    const d = { name: "board", sequence: 2n, anchors: [...roots, { key: K.D, roles: ["release"] }] as TrustEntry[] };
    const next = encodeTrust({ ...d, thresholds: { root: 2, release: 1 } });
    p.put("night/next.trust", await signTrustWithoutLog(next, [K.R1, K.R2].map(signer)));
    const before = p.tree();
    expect(expectFailure(await p.run(args("lost", "A", "D")), 1)).toContain("no device would accept the next trust file");
    expect(p.tree()).toEqual(before);
  });

  it("lost without a replacement: nobody is asked to sign, and nothing is written", async () => {
    const p = await fewKeys({ releases: ["A", "B"] });
    const before = p.tree();
    expect(expectFailure(await p.run(args("lost", "A")), 1)).toContain("1 release key is left, and 2 are needed");
    expect(p.tree()).toEqual(before);
  });

  it("lost, and no device would accept the list: nobody is asked to sign, and nothing is written", async () => {
    const p = await fewKeys({ releases: ["A", "B"], roots: ["R1", "R2"] });
    const before = p.tree();
    expect(expectFailure(await p.run(args("lost", "R1", "R4")), 1)).toContain(
      "no device would accept the next trust file: no later trust file can reach it: 1 of its root keys remain, and 2 are needed",
    );
    expect(p.tree()).toEqual(before);
  });
});

describe("an incident", () => {
  it("asks for missing facts, and without a terminal says what is missing", async () => {
    const p = place();
    expect(expectFailure(await p.run(["incident", "stolen"]), 2)).toBe("firmseal: --key is missing");
    expect(expectFailure(await p.run(["incident", "stolen", "--key", "A.jwk", "--trust", "1.trust"]), 2)).toContain("--fleet is missing");
  });

  it.skipIf(!hasTerminal)(`asks on a terminal, one thing after the other${terminalReason}`, async () => {
    const p = place();
    const line = `'${process.execPath}' '${bin}' incident stolen --image app.bin --replacement D.jwk`;
    const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: p.path, env: { ...process.env, FIRMSEAL_STATE: stateOf(p.path) } });
    const answers = ["A.jwk", "1.trust", "fleet.json", "night"];
    let shown = "";
    let asked = 0;
    const status = await new Promise((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        shown += text;
        // each answer when its question is there
        const questions = shown.match(/^(Which|In which) .*[?:]\r?$/gm)?.length ?? 0;
        while (asked < questions && asked < answers.length) child.stdin.write(`${answers[asked++]}\n`);
      });
      child.on("close", resolve);
    });
    expect([status, asked], shown).toEqual([0, 4]);
    expect(shown).toContain("stage: list");
    expect(p.has("night/next.trust")).toBe(true);
  });

  const GIVEN = { "--trust": "1.trust", "--fleet": "fleet.json", "--dir": "night" };
  const given = (what: string, ...more: string[]) => {
    const defaults = Object.entries(GIVEN).filter(([name]) => !more.includes(name));
    return ["incident", what, ...defaults.flat(), ...more];
  };
  it.each([
    ["a key that is on no list", given("stolen", "--key", "D.jwk", "--image", "app.bin"), 2, "no trust file here lists this key"],
    ["no image", given("stolen", "--key", "A.jwk"), 2, "cohort field: a bridge without an image leaves nothing to start"],
    ["a key that is not a debug key", given("debug-leaked", "--key", "A.jwk", "--image", "app.bin"), 2, "has the role release, not debug"],
    [
      "a key that does not expire",
      given("expired", "--key", "A.jwk", "--image", "app.bin", "--replacement", "D.jwk"),
      2,
      "has no last sequence number, so it does not expire",
    ],
    [
      "a role that would have too few keys",
      given("stolen", "--key", "A.jwk", "--image", "app.bin", "--trust", "few.trust"),
      1,
      "1 release key is left, and 2 are needed",
    ],
    ...(["stolen", "lost", "expired", "debug-leaked"] as const).flatMap((what): [string, string[], number, string][] => {
      const bad = what === "debug-leaked" ? "G" : "A";
      const list = what === "expired" ? ["--trust", "ending.trust"] : [];
      const using = (...refs: string[]) =>
        given(what, "--key", `${bad}.jwk`, "--image", "app.bin", ...list, ...refs.flatMap((ref) => ["--replacement", ref]));
      const is = (ref: string, why: string): [number, string] => [2, `--replacement ${ref}: ${why}`];
      return [
        [`${what}: the key itself`, using(`${bad}.jwk`), ...is(`${bad}.jwk`, "this is the same key as --key")],
        [`${what}: its negative`, using("D.jwk", `${bad}-negative.jwk`), ...is(`${bad}-negative.jwk`, "this is the same key as --key")],
        [`${what}: a listed key`, using("B.pem"), ...is("B.pem", "the trust file already lists this key")],
        [`${what}: the negative of a listed key`, using("R1-negative.jwk"), ...is("R1-negative.jwk", "the trust file already lists")],
        [`${what}: a key twice`, using("D.jwk", "D.pem"), ...is("D.pem", "this is the same key as --replacement D.jwk")],
        [`${what}: a key and its negative`, using("D-negative.jwk", "D.jwk"), ...is("D.jwk", "this is the same key as --replacement D-")],
      ];
    }),
    [
      "a root as its own replacement",
      given("stolen", "--key", "R1.jwk", "--replacement", "R1.pem", "--image", "app.bin"),
      2,
      "same key as --key",
    ],
    ["an unsigned list", given("lost", "--key", "A.jwk", "--image", "app.bin", "--trust", "unsigned.trust"), 1, "not signed"],
  ])("refuses %s: one line, one hint, nothing written", async (_, args, exit, line) => {
    const p = place();
    const d = { name: "board", sequence: 1n, thresholds: { root: 1, release: 2 } };
    const anchors: TrustEntry[] = [
      { key: K.R1, roles: ["root"] },
      { key: K.A, roles: ["release"] },
      { key: K.B, roles: ["release"] },
    ];
    p.put("unsigned.trust", encodeTrust({ ...d, anchors }));
    p.put("few.trust", await signTrustWithoutLog(encodeTrust({ ...d, anchors }), [signer(K.R1)]));
    p.put("ending.trust", ending);
    for (const name of ["A", "D", "G", "R1"] as const)
      p.put(`${name}-negative.jwk`, JSON.stringify(toJwk(twinsOf(K[name])[0] as PublicKey)));
    const before = p.tree();
    expect(expectFailure(await p.run(args), exit)).toContain(line);
    expect(p.tree()).toEqual(before);
  });

  it("knows each bridge by the devices that it is for, in any order of rows, and makes another one for devices that have passed it", async () => {
    const p = place();
    const camera = await release({ sequence: 20, class: "board-v3", keys: [K.B, K.C], image: imageOf("camera") });
    p.put("camera.suit", camera);
    const row = (name: string, more: object = {}) => ({
      name,
      devices: 10,
      trust: "1.trust",
      vendor: "example.com",
      class: name === "board" ? "board-v2" : "board-v3",
      floor: 20,
      release: name === "board" ? "running.suit" : "camera.suit",
      ...more,
    });
    const run = async (...rows: object[]) => {
      p.put("fleet.json", JSON.stringify({ cohorts: rows }));
      return (await p.ok([...given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"), "--json"])).json;
    };
    await run(row("board"), row("camera"));
    for (const root of ["R1", "R2"])
      await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", `${root}.pem`]);
    await run(row("board"), row("camera"));
    for (const bridge of ["1", "2"])
      for (const one of ["B", "C"])
        await p.ok(["sign", `night/bridge-${bridge}.suit`, "--key", `${one}.pem`, "--trust", "1.trust", "--trust", "night/next.trust"]);
    const published = (json: { [member: string]: unknown }) => (json["todo"] as string[]).filter((line) => line.startsWith("publish"));
    const [board, other] = ["publish night/bridge-1.suit for board, and keep it", "publish night/bridge-2.suit for camera, and keep it"];
    expect(published(await run(row("camera"), row("board")))).toEqual([other, board]);
    const moved = { trust: "night/next.trust", floor: 21, release: "night/bridge-1.suit" };
    expect(published(await run(row("board", moved), row("camera")))).toEqual([other]);
    p.put("25.suit", await release({ sequence: 25, class: "board-v2", keys: [K.B, K.C], image: imageOf("app 25") }));
    const passed = await run(row("board", { floor: 25, release: "25.suit" }), row("camera"));
    expect(passed["stage"]).toBe("bridges");
    expect((passed["todo"] as string[])[0]).toContain("firmseal sign night/bridge-3.suit");
  });

  it("publishes no ordinary release in place of its bridge", async () => {
    const p = place();
    const run = () => p.run(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    await run();
    for (const root of ["R1", "R2"])
      await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", `${root}.pem`]);
    p.put("night/bridge-1.suit", await release({ sequence: 21, class: "board-v2", keys: [K.B, K.C], image: imageOf("app") }));
    expect(expectFailure(await run(), 1)).toContain("night/bridge-1.suit does not bring the next trust file of this incident");
  });

  /** A list with one release key of two as its threshold, and jumps of 1,000. */
  const limited = (first: (typeof NAMES)[number]) => {
    const anchors = [...[K.R1, K.R2].map((k): TrustEntry => ({ key: k, roles: ["root"] }))];
    const releases = [K[first], K.B].map((k): TrustEntry => ({ key: k, roles: ["release"] }));
    const d = { name: "board", sequence: 1n, anchors: [...anchors, ...releases], thresholds: { root: 1, release: 1 } };
    return signTrustWithoutLog(encodeTrust({ ...d, jumps: { release: 1000n } }), [K.R1, K.R2].map(signer));
  };
  const rows = (more: { new?: object; old?: object } = {}) =>
    JSON.stringify({
      cohorts: (["new", "old"] as const).map((name) => ({
        ...{ name, devices: name === "new" ? 160 : 40, trust: "1.trust", vendor: "example.com", class: "board-v2" },
        ...{ floor: name === "new" ? 4600 : 2500, ...more[name] },
      })),
    });

  it("makes the bridges in between that a limit on jumps needs, and leads devices over them", async () => {
    const p = place(await limited("A"));
    p.put("fleet.json", rows());
    const run = () => p.ok(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    expect((await run()).stdout).toMatch(/^becomes: new, 160 devices: moved\nbecomes: old, 40 devices: moved$/m);
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
    const signing = (await run()).stdout;
    const lines = [...signing.matchAll(/firmseal (sign night\/bridge-\d\.suit .*)$/gm)].map(([, line]) => (line as string).split(" "));
    expect(lines.map((line) => [line[1], line.includes("--allow-lower-sequence")])).toEqual([
      ["night/bridge-1.suit", true],
      ["night/bridge-2.suit", true],
      ["night/bridge-3.suit", false],
    ]);
    for (const line of lines) await p.ok(line.map((word) => (word === "KEY" ? "B.pem" : word)));
    const out = (await run()).stdout;
    const lists = [1, 2].map((n) => `publish night/bridge-${n}.suit for old, and keep it`);
    for (const line of [...lists, "publish night/bridge-3.suit for new, old, and keep it"]) expect(out).toContain(line);
    const device = new Device("board-v2", p.get("1.trust"));
    expect(device.dryRun(await release({ sequence: 2500, class: "board-v2", keys: [K.A], image: imageOf("app") }))).toBe(true);
    expect(device.dryRun(p.get("night/bridge-3.suit"))).toBe(false);
    expect([1, 2, 3].map((n) => device.dryRun(p.get(`night/bridge-${n}.suit`)))).toEqual([true, true, true]);
    expect(Buffer.from(device.kept)).toEqual(p.get("night/next.trust"));

    // one that has the list, and is too far below the others, goes on
    const moved = { trust: "night/next.trust", floor: 4601, release: "night/bridge-3.suit" };
    p.put("fleet.json", rows({ new: moved, old: { ...moved, floor: 3500, release: "night/bridge-1.suit" } }));
    const late = (await run()).stdout;
    expect(late).toMatch(/^stage: roll-out/m);
    expect(late.match(/publish .*/g)).toEqual([2, 3].map((n) => `publish night/bridge-${n}.suit for old, and keep it`));
    p.put("fleet.json", rows({ new: moved, old: moved }));
    expect((await run()).stdout).toMatch(/^stage: safe/m);
  });

  it("fails if devices stay behind, unless they are given up by name, and tells nobody to publish what they refuse", async () => {
    const p = place(await limited("A"));
    // 64 steps of 1,000 are fewer than these
    p.put("fleet.json", rows({ new: { floor: 90_000 } }));
    const run = (...more: string[]) => p.run(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin", ...more));
    const failed = await run();
    expect(failed.exit, failed.stderr).toBe(1);
    expect(failed.stderr).toContain("40 devices would be left behind: old; old: it does not accept bridge 1");
    expect(failed.stdout).toMatch(/^becomes: old, 40 devices: stranded: /m);
    expect((await run("--allow-stranded", "old")).exit).toBe(0);
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
    await run();
    await p.ok(["sign", "night/bridge-1.suit", "--key", "B.pem", "--trust", "1.trust", "--trust", "night/next.trust"]);
    const out = await run("--json");
    expect(out.exit, out.stderr).toBe(1);
    expect((out.json["todo"] as string[])[0]).toBe("publish night/bridge-1.suit for new, and keep it");
  });

  it("sends the list alone if that leaves fewer devices behind, even after a theft", async () => {
    const p = place(await limited("A"));
    for (const floor of [90_000, 2500])
      p.put(`${floor}.suit`, await release({ sequence: floor, class: "board-v2", keys: [K.B], image: imageOf("app") }));
    p.put("fleet.json", rows({ new: { floor: 90_000, release: "90000.suit" }, old: { release: "2500.suit" } }));
    const run = () => p.ok(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    expect((await run()).stdout).toMatch(/^becomes: new, 160 devices: moved\nbecomes: old, 40 devices: moved$/m);
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
    expect((await run()).stdout).toContain("send night/next.trust to new, old without a release, and keep it");
  });

  it.each(["stolen", "lost"])("%s: continues with its bridge when some devices have moved", async (what) => {
    const three = [K.A, K.B, K.C].map((k): TrustEntry => ({ key: k, roles: ["release"] }));
    const d = { name: "board", sequence: 1n, anchors: [{ key: K.R1, roles: ["root"] }, ...three] as TrustEntry[] };
    const p = place(await signTrustWithoutLog(encodeTrust({ ...d, thresholds: { root: 1, release: 1 } }), [signer(K.R1)]));
    p.put("running.suit", await release({ sequence: 20, class: "board-v2", keys: [K.A], image: imageOf("app") }));
    const run = () => p.ok(given(what, "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    p.put("fleet.json", unnamed("1.trust", 20));
    await run();
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
    await run();
    await p.ok(["sign", "night/bridge-1.suit", "--key", "B.pem", "--trust", "1.trust", "--trust", "night/next.trust"]);
    expect((await run()).stdout).toContain("1. publish night/bridge-1.suit for field, shelf, and keep it");
    const [moved] = (JSON.parse(unnamed("night/next.trust", 21)) as { cohorts: object[] }).cohorts;
    for (const rest of [unnamed, fleet]) {
      const [, late] = (JSON.parse(rest("1.trust", 20)) as { cohorts: object[] }).cohorts;
      p.put("fleet.json", JSON.stringify({ cohorts: [{ ...moved, devices: 8000 }, late] }));
      const out = (await run()).stdout;
      expect(out).toContain("1. publish night/bridge-1.suit for shelf, and keep it");
      expect(out).toMatch(/^becomes: shelf, 500 devices: moved$/m);
    }
  });

  it("goes on over jumps when some devices have moved, and no row names its release", async () => {
    const p = place(await limited("A"));
    p.put("fleet.json", rows());
    const run = () => p.ok(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    await run();
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "1.trust", "--key", "R1.pem"]);
    await run();
    for (const n of [1, 2, 3]) {
      const lower = n < 3 ? ["--allow-lower-sequence"] : [];
      await p.ok(["sign", `night/bridge-${n}.suit`, "--key", "B.pem", "--trust", "1.trust", "--trust", "night/next.trust", ...lower]);
    }
    const next = { trust: "night/next.trust" };
    for (const [reported, left] of [
      [{ new: { ...next, floor: 4601 } }, [1, 2, 3]],
      [{ new: { ...next, floor: 4601 }, old: { ...next, floor: 3500 } }, [2, 3]],
      [{ old: { ...next, floor: 3500 } }, [2, 3]],
    ] as const) {
      p.put("fleet.json", rows(reported));
      const out = (await run()).stdout;
      expect(out).toMatch(/^stage: roll-out/m);
      expect(
        out.match(/night\/bridge-\d\.suit for [a-z, ]*old/g)?.map((line) => Number(line[13])),
        out,
      ).toEqual(left);
    }
  });

  it("fails while a thief can sign for devices of another line, which this incident does not reach", async () => {
    const p = place();
    const anchors = [K.R1, K.A].map((k, i): TrustEntry => ({ key: k, roles: [i === 0 ? "root" : "release"] }));
    const d = { name: "camera", sequence: 1n, anchors, thresholds: { root: 1, release: 1 } };
    p.put("camera.trust", await signTrustWithoutLog(encodeTrust(d), [signer(K.R1)]));
    const camera = { name: "camera", devices: 7, trust: "camera.trust", vendor: "example.com", class: "board-v3", floor: 5 };
    const { cohorts } = JSON.parse(fleet("1.trust", 20)) as { cohorts: object[] };
    p.put("fleet.json", JSON.stringify({ cohorts: [...cohorts, camera] }));
    const failed = await p.run(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    expect(failed.exit, failed.stdout).toBe(1);
    expect(failed.stderr).toContain("7 devices would be exposed: camera; camera: the stolen keys alone can sign releases for it");
    // what can be done for the others is done
    expect(failed.stdout).toMatch(/^becomes: field and 1 more, 1,000 devices: moved$/m);
    expect(p.has("night/next.trust")).toBe(true);
  });

  it("names the family, and its key, that a list would lack", async () => {
    const es256 = privateKey("es256", new Uint8Array(32).fill(7));
    const d = { name: "board", sequence: 1n, thresholds: { root: 1, release: 2 } };
    const anchors: TrustEntry[] = [
      { key: K.R1, roles: ["root"] },
      ...[K.A, K.B, es256].map((k): TrustEntry => ({ key: k, roles: ["release"] })),
    ];
    const families = { release: [{ algorithms: ["es256"] as const, threshold: 1 }] };
    const p = place(await signTrustWithoutLog(encodeTrust({ ...d, anchors, families }), [signer(K.R1)]));
    p.put("E.jwk", JSON.stringify(toJwk(es256)));
    const cohort = { name: "new", devices: 10, trust: "1.trust", vendor: "example.com", class: "board-v2", floor: 100 };
    p.put("fleet.json", JSON.stringify({ cohorts: [cohort] }));
    const before = p.tree();
    for (const what of ["lost", "stolen"]) {
      const failed = await p.run(given(what, "--key", "E.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
      expect(expectFailure(failed, 1)).toMatch(
        /without the es256 key [0-9a-f]{64} 0 release keys of the family es256 are left, and 1 is needed/,
      );
    }
    expect(p.tree()).toEqual(before);
  });

  it("prints commands that can be typed, whatever the names of files and folders", async () => {
    const p = place();
    const trust = p.put("it's 1.trust", list);
    p.put("fleet.json", fleet(trust, 20));
    const dir = "a night; in May";
    const run = () =>
      p.ok(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin", "--trust", trust, "--dir", dir));
    /** The words that a shell makes of the command in a line. */
    const words = (line: string) =>
      [...line.slice(line.indexOf("firmseal ") + 9).matchAll(/(?:[^\s'"\\]|'[^']*'|"[^"]*"|\\')+/g)].map(([word]) =>
        word.replace(/\\'|["']/g, (c) => (c === "\\'" ? "'" : "")),
      );
    const typed = (out: string) =>
      out
        .split("\n")
        .filter((line) => /^\d+\. .*firmseal /.test(line))
        .map(words);
    const [diff, sign] = typed((await run()).stdout) as [string[], string[]];
    await p.ok(diff);
    for (const root of ["R1", "R2"]) await p.ok(sign.map((word) => (word === "ROOT" ? `${root}.pem` : word)));
    const [bridge] = typed((await run()).stdout) as [string[]];
    for (const one of ["B", "C"]) await p.ok(bridge.map((word) => (word === "KEY" ? `${one}.pem` : word)));
    expect((await run()).stdout).toContain(`publish ${dir}/bridge-1.suit for field, shelf, and keep it`);
  });

  it("keeps the list that its folder has", async () => {
    const p = place();
    await p.ok(given("stolen", "--key", "A.jwk", "--replacement", "D.jwk", "--image", "app.bin"));
    const before = p.get("night/next.trust");
    expect(expectFailure(await p.run(given("stolen", "--key", "A.jwk", "--replacement", "H.jwk", "--image", "app.bin")), 1)).toContain(
      "night/next.trust is not the next trust file of this incident",
    );
    expect(p.get("night/next.trust")).toEqual(before);
  });
});
