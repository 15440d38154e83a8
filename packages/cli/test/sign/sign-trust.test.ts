// Which key may sign a release: by a trust file, before anything is signed or entered; and that a root may not.

import { type PrivateKey, privateKey, signer } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, type Place, standard, stateOf } from "../../../test-support/src/command-line/run.js";

const key = (text: string): PrivateKey => privateKey("ed25519", new TextEncoder().encode(`coverage test, ${text}`.padEnd(32, ".")));
const KEYS = { root: key("root"), debug: key("debug"), limited: key("limited"), scoped: key("scoped"), stranger: key("stranger") };

/** standard() with the keys above, and board.trust, in which A and B sign releases. */
async function place(): Promise<Place> {
  const p = standard();
  p.keepsLogs = true;
  p.putKeys(KEYS);
  const anchors = [
    { key: "root.jwk", roles: ["root"] },
    { key: "A.jwk", roles: ["release"] },
    { key: "B.jwk", roles: ["release", "recovery"] },
    { key: "limited.jwk", roles: ["release"], since: 5, until: 9 },
    { key: "scoped.jwk", roles: ["release"], vendor: "example.com", class: "board-v2" },
    { key: "debug.jwk", roles: ["debug"] },
  ];
  const list = {
    $schema: "urn:firmseal:trust:1",
    name: "board",
    sequence: 1,
    anchors,
    thresholds: { root: 1, release: 2, recovery: 1, debug: 1 },
  };
  p.put("board.json", JSON.stringify(list));
  await p.ok(["trust", "create", "--from", "board.json"]);
  p.put("unsigned.trust", p.get("board.trust"));
  await p.ok(["trust", "sign", "board.trust", "--key", "root.pem"]);
  return p;
}

const V3 = ["--vendor", "example.com", "--class", "board-v3"];
const sign = (by: string, seq: number, more: readonly string[] = [], facts: readonly string[] = FACTS) => [
  "sign",
  "fw.bin",
  "--key",
  by,
  ...facts,
  "--seq",
  String(seq),
  "--trust",
  "board.trust",
  ...more,
];

/** Refused as key of the wrong kind, and neither a file nor a log is written. */
async function refused(p: Place, args: readonly string[], line: RegExp): Promise<void> {
  const before = p.tree();
  const r = await p.run(args);
  expect(expectFailure(r, 1), args.join(" ")).toMatch(line);
  expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: false, code: 214, reason: "KEY_ROLE", exit: 1 });
  expect(p.tree()).toEqual(before);
}

describe.concurrent("sign --trust", () => {
  it("accepts a key in its role, for its devices and numbers, even if others have to sign after it", async () => {
    const p = await place();
    await p.ok(sign("A.pem", 1));
    await p.ok(["sign", "fw.suit", "--key", "B.pem", "--trust", "board.trust"]);
    await p.ok(["verify", "fw.suit", "--trust", "board.trust", "--root", "root.jwk"]);
    await p.ok(sign("limited.pem", 5, ["--out", "5.suit"]));
    await p.ok(sign("limited.pem", 9, ["--out", "9.suit"]));
    await p.ok(sign("scoped.pem", 9, ["--out", "scoped.suit"]));
    await p.ok(sign("debug.pem", 1, ["--role", "debug", "--out", "debug.suit"]));
    await p.ok(sign("B.pem", 10, ["--role", "recovery", "--out", "recovery.suit"]));
  });

  it("refuses any other before it signs, and enters nothing in its log", async () => {
    const p = await place();
    await refused(p, sign("root.pem", 1), /root\.pem has the role root in board\.trust, not release/);
    await refused(p, sign("debug.pem", 1), /debug\.pem has the role debug in board\.trust, not release/);
    await refused(p, sign("A.pem", 1, ["--role", "recovery"]), /A\.pem has the role release in board\.trust, not recovery/);
    await refused(p, sign("A.pem", 1, ["--role", "debug"]), /A\.pem has the role release/);
    await refused(p, sign("stranger.pem", 1), /stranger\.pem is not a key of board\.trust/);
    await refused(p, sign("limited.pem", 4), /is trusted by board\.trust for sequence numbers since 5 until 9, but this is 4/);
    await refused(p, sign("limited.pem", 10), /is trusted by board\.trust for sequence numbers since 5 until 9, but this is 10/);
    await refused(
      p,
      sign("scoped.pem", 1, [], V3),
      /is trusted by board\.trust for vendor cfbff0d1-.*, class 7ef25e26-.* only, but this manifest is for others/,
    );
    // one of several
    await refused(p, sign("A.pem", 1, ["--key", "debug.pem"]), /debug\.pem has the role debug/);
    expect(p.names().filter((name) => name.endsWith(".log"))).toEqual(["root.pem.log"]);
    // a manifest for two classes is for both, and one that names none is for everybody
    const shared = (...classes: string[]) =>
      classes.flatMap((name) => [
        { "directive-override-parameters": { "class-identifier": { domain: "example.com", name } } },
        "condition-class-identifier",
      ]);
    const two = (list: unknown[]) =>
      JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 5, components: [[{ hex: "00" }]], "shared-sequence": list });
    const vendor = [{ "directive-override-parameters": { "vendor-identifier": { domain: "example.com" } } }, "condition-vendor-identifier"];
    for (const [name, list] of [
      ["two", [...vendor, { "directive-try-each": [shared("board-v2"), shared("board-v3")] }]],
      ["none", vendor.slice(0, 1)],
    ] as const) {
      p.put(`${name}.json`, two([...list]));
      await refused(
        p,
        ["sign", `${name}.json`, "--key", "scoped.pem", "--trust", "board.trust", "--allow-no-device"],
        /scoped\.pem is trusted by board\.trust for/,
      );
      await p.ok([
        "sign",
        `${name}.json`,
        "--key",
        "A.pem",
        "--allow-no-device",
        "--trust",
        "board.trust",
        "--log",
        "team.log",
        "--out",
        `${name}.suit`,
      ]);
    }
  });

  it("accepts no trust file that its roots have not signed, and --role only with one", async () => {
    const p = await place();
    const unsigned = await p.run(sign("A.pem", 1).with(-1, "unsigned.trust"));
    expect(expectFailure(unsigned, 1)).toContain("unsigned.trust: refused: not signed");
    expect(expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--role", "debug"]), 2)).toContain(
      "--role is for a trust file",
    );
    expect(p.has("fw.suit")).toBe(false);
    const clash = await p.run(sign("A.pem", 1, ["--out", "board.trust"]));
    expect(expectFailure(clash, 2)).toContain("board.trust");
  });

  it("is the same for tbs and attach", async () => {
    const p = await place();
    const tbs = (by: string, seq: number, more: readonly string[] = [], facts: readonly string[] = FACTS) => [
      "tbs",
      "fw.bin",
      "--key",
      by,
      ...facts,
      "--seq",
      String(seq),
      "--out",
      "x.tbs",
      "--envelope-out",
      "x.suit",
      "--trust",
      "board.trust",
      ...more,
    ];
    await refused(p, tbs("debug.jwk", 1), /debug\.jwk has the role debug in board\.trust, not release/);
    await refused(p, tbs("stranger.jwk", 1), /stranger\.jwk is not a key of board\.trust/);
    await refused(p, tbs("limited.jwk", 10), /but this is 10/);
    await refused(p, tbs("scoped.jwk", 1, [], V3), /only, but this manifest is for others/);
    await p.ok(tbs("debug.jwk", 1, ["--role", "debug"]));
    p.put("x.sig", await signer(KEYS.debug).sign(Uint8Array.from(p.get("x.tbs"))));
    const attach = ["attach", "x.suit", "--key", "debug.jwk", "--signature", "x.sig", "--trust", "board.trust"];
    await refused(p, attach, /debug\.jwk has the role debug in board\.trust, not release/);
    await p.ok([...attach, "--role", "debug"]);
  });

  it("is the same for rotate bridge, which has two trust files: a key that counts under neither is refused", async () => {
    const p = await place();
    const bridge = (...keys: string[]) => [
      ...["rotate", "bridge", "fw.bin", "--trust", "board.trust", "--next-trust", "board.trust", ...FACTS, "--seq", "3", "--out", "b.suit"],
      ...keys.flatMap((name) => ["--key", name]),
    ];
    await refused(p, bridge("A.pem", "B.pem", "debug.pem"), /debug\.pem has the role debug in board\.trust, not release/);
    await refused(p, bridge("A.pem", "B.pem", "stranger.pem"), /stranger\.pem is not a key of board\.trust/);
    await p.ok(bridge("A.pem", "B.pem"));
  });

  it("skips the ML-DSA half of a hybrid release, which no trust file can list", async () => {
    const p = await place();
    await p.ok(["keygen", "--alg", "ml-dsa-44", "--no-passphrase", "--out", "pq.pem"]);
    await p.ok(sign("A.pem", 1, ["--key", "pq.pem"]));
    await refused(p, sign("pq.pem", 2), /pq\.pem is not a key of board\.trust/);
  });
});

describe.concurrent("a key that has signed trust files", () => {
  it("signs no release, with or without a trust file, unless that is allowed by name", async () => {
    const p = await place();
    const plain = ["sign", "fw.bin", "--key", "root.pem", ...FACTS, "--seq", "1"];
    const line = /root\.pem has signed a trust file as a root \(entry 1 of its log, 20\d\d-\d\d-\d\d\), and a root signs no manifests/;
    await refused(p, plain, line);
    await p.ok(["create", "--from", "-", "--out", "u.suit"], {
      input: '{"$schema":"urn:firmseal:manifest:1","sequence":1,"components":[[]]}',
    });
    await refused(p, ["sign", "u.suit", "--key", "root.pem", "--allow-no-device"], line);
    // by its log as well where only its public half is here
    await refused(
      p,
      ["tbs", "u.suit", "--key", "root.jwk", "--allow-no-device", "--out", "u.tbs"],
      /root\.jwk has signed a trust file as a root/,
    );
    await refused(
      p,
      [
        "rotate",
        "bridge",
        "fw.bin",
        "--trust",
        "board.trust",
        "--next-trust",
        "board.trust",
        ...FACTS,
        "--seq",
        "3",
        "--out",
        "b.suit",
        "--key",
        "A.pem",
        "--key",
        "B.pem",
        "--key",
        "root.pem",
      ],
      /root\.pem has the role root/,
    );
    const allowed = await p.ok([...plain, "--allow-root-key"]);
    expect(allowed.stderr).toContain("because of --allow-root-key");
    expect(
      p
        .get("root.pem.log")
        .toString()
        .trim()
        .split("\n")
        .map((l) => JSON.parse(l))
        .at(-1),
    ).toMatchObject({
      operation: "sign",
      overrides: ["allow-root-key"],
    });
    expect((await p.run(["verify", "fw.suit", "--trust", "board.trust", "--root", "root.jwk", "--json"])).json).toMatchObject({
      code: errors.SIGNATURE_INVALID,
    });
    await p.ok(["tbs", "u.suit", "--key", "root.jwk", "--out", "u.tbs", "--allow-root-key", "--allow-no-device"]);
  });

  it("is known by its own entries, not by those of others in one log", async () => {
    const p = standard();
    p.keepsLogs = true;
    const anchors = [
      { key: "A.jwk", roles: ["root"] },
      { key: "B.jwk", roles: ["release"] },
    ];
    p.put(
      "t.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "board", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
    );
    await p.ok(["trust", "create", "--from", "t.json"]);
    await p.ok(["trust", "sign", "t.trust", "--key", "A.pem", "--log", "team.log"]);
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1", "--log", "team.log"]);
    const r = await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--log", "team.log"]);
    expect(expectFailure(r, 1)).toContain("A.pem has signed a trust file as a root");
    expect(stateOf(p.path)).not.toBe("");
  });
});
