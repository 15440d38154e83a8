// firmseal status collect: answers of many devices become a fleet file, whatever is among them.

import { collectStatuses } from "@firmseal/release";
import { type Device as AnyDevice, hmac256, macAttester, open, policyOf, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../test-support/src/bytes.js";
import { expectExit, expectFailure, Place, type Result } from "../../../test-support/src/command-line/run.js";
import { Device, host, imageOf, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";
import command from "../../src/commands/status/collect.js";
import { FAILURE, optional, SUCCESS } from "../../src/common/shapes.js";
import { differences, unseen } from "../all/shape.js";

const { A, B, C, R1, R2, R3 } = keysOf("A", "B", "C", "R1", "R2", "R3");
const roots = [R1, R2, R3];
const secretOf = (serial: string) => Uint8Array.from({ length: 32 }, (_, i) => (serial.charCodeAt(i % serial.length) * 7 + i) & 255);
const jwk = (serial: string) => ({ kty: "oct", kid: serial, k: Buffer.from(secretOf(serial)).toString("base64url") });

let T: { [name: string]: Uint8Array };
let R: { [name: string]: Uint8Array };
beforeAll(async () => {
  const T1 = await trustFileOf(1, { releases: [A, B], roots });
  const T2 = await trustFileOf(2, { releases: [A, B, C], roots }, T1);
  T = { T1, T2, other: await trustFileOf(2, { releases: [A, B], roots }, T1), far: await trustFileOf(7, { releases: [A, B], roots }, T1) };
  const facts = { class: "board-v2" } as const;
  R = {
    r10: await release({ ...facts, sequence: 10, keys: [A, B], image: imageOf("10") }),
    b20: await release({ ...facts, sequence: 20, keys: [A, B], image: imageOf("20"), trust: T2 }),
    r21: await release({ ...facts, sequence: 21, keys: [B, C], image: imageOf("21") }),
  };
});

/** A device that has taken these releases. */
function device(...releases: string[]): Device {
  const out = new Device("board-v2", T["T1"] as Uint8Array);
  for (const name of releases) expect(out.dryRun(R[name] as Uint8Array)).toBe(true);
  return out;
}

interface Answering {
  kid?: string | Uint8Array;
  key?: Uint8Array;
  list?: boolean;
}

/** What a device answers. */
function answer(
  serial: string,
  d: Device,
  nonce: string,
  { kid = serial, key = secretOf(serial), list = true }: Answering = {},
): Uint8Array {
  const { store, memory } = d;
  const runs = memory.envelope && open(memory.envelope, policyOf(store, 2, memory.identity), host, true);
  const name = typeof kid === "string" ? utf8(kid) : kid;
  const by = macAttester(key, name.length > 0 ? name : undefined);
  return Uint8Array.from(status(Buffer.from(nonce, "hex"), memory as AnyDevice, runs, list ? store : null, by));
}

const lines = (...all: object[]) => all.map((one) => `${JSON.stringify(one)}\n`).join("");
const said = (...all: Uint8Array[]) => lines(...all.map((bytes) => ({ status: Buffer.from(bytes).toString("base64") })));
const nonceOf = (n: number) => n.toString(16).padStart(32, "0");
const SENT = "2026-02-01T08:00:00.000Z";
const sent = (n: number, more: object = {}) => ({ device: `serial-${n}`, nonce: nonceOf(n), sent: SENT, ...more });

const row = (name: string, more: object = {}) => ({
  name,
  vendor: "example.com",
  class: "board-v2",
  trust: "t1.trust",
  floor: 10,
  ...more,
});

let p: Place;
function fresh(...rows: object[]): Place {
  p = new Place();
  p.put("t1.trust", T["T1"] as Uint8Array);
  p.put("t2.trust", T["T2"] as Uint8Array);
  p.folder("published");
  p.put("published/r10.suit", R["r10"] as Uint8Array);
  p.put("published/b20.suit", R["b20"] as Uint8Array);
  p.put("devices.jwks", JSON.stringify({ keys: [1, 2, 3, 4].map((n) => jwk(`serial-${n}`)) }));
  p.put(
    "fleet.jsonl",
    lines(...(rows.length > 0 ? rows : [row("serial-1"), row("serial-2", { seen: "2026-01-01" }), row("field", { devices: 500 })])),
  );
  p.put("sent.jsonl", lines(sent(1), sent(2), sent(3)));
  return p;
}

const COLLECT = { "--nonces": "sent.jsonl", "--secret": "devices.jwks", "--fleet": "fleet.jsonl", "--out": "new.jsonl" };
const collect = (...more: string[]) => {
  const defaults = Object.entries(COLLECT).filter(([name]) => !more.includes(name));
  return p.run(["status", "collect", "answers.jsonl", ...defaults.flat(), ...more]);
};
const rowsOf = (name: string) =>
  p
    .get(name)
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
const printed: object[] = [];

/** The JSON of a command, which has its shape. */
function told(r: Result): { [member: string]: unknown } {
  const json = r.json as { [member: string]: unknown };
  const shape = r.exit === 0 ? { ...SUCCESS, ...command.json } : { ...FAILURE, ...optional(command.json) };
  expect(differences(shape, json)).toEqual([]);
  printed.push(json);
  return json;
}

describe("firmseal status collect", () => {
  it("asks, hears, and writes what the devices say into their rows", async () => {
    fresh();
    await p.ok(["status", "ask", "--fleet", "fleet.jsonl", "--out", "asked.jsonl"]);
    const asked = rowsOf("asked.jsonl");
    // a row of 500 devices is nobody who can answer
    expect(asked.map((one) => one.device)).toEqual(["serial-1", "serial-2"]);
    expect(new Set(asked.map((one) => one.nonce)).size).toBe(2);
    const [first, second] = asked;
    p.put("answers.jsonl", said(answer("serial-1", device("r10", "b20"), first.nonce), answer("serial-2", device("r10"), second.nonce)));
    const r = await collect("--nonces", "asked.jsonl", "--trust", "t2.trust", "--archive", "published", "--json");
    expectExit(r, 0);
    expect(told(r)).toMatchObject({
      heard: 2,
      added: 0,
      states: { confirmed: 2, trial: 0, "rolled-back": 0 },
      refused: [],
      fell: { rows: 0 },
      unheard: [{ days: null, rows: 1, names: ["field"] }],
    });
    expect(rowsOf("new.jsonl")).toEqual([
      { ...row("serial-1"), trust: "t2.trust", floor: 20, release: "published/b20.suit", since: first.sent, seen: first.sent },
      { ...row("serial-2"), release: "published/r10.suit", since: "2026-01-01", seen: second.sent },
      row("field", { devices: 500 }),
    ]);
    // other commands read it
    const plan = await p.ok(["rotate", "plan", "--fleet", "new.jsonl", "--release", "published/b20.suit", "--json"]);
    expect(plan.json).toMatchObject({ devices: { total: 502, moved: 502 } });
  });

  it("writes in place, in JSON, and beside other files", async () => {
    fresh();
    p.put("answers.cbor", answer("serial-1", device("r10"), nonceOf(1)));
    const one = ["status", "collect", "answers.cbor", "--nonces", "sent.jsonl", "--secret", "devices.jwks", "--fleet", "fleet.jsonl"];
    p.folder("state");
    await p.ok([...one, "--out", "state/fleet.json"]);
    const { cohorts } = JSON.parse(p.get("state/fleet.json").toString());
    expect(cohorts[0]).toMatchObject({ name: "serial-1", trust: "../t1.trust", seen: SENT });
    expectExit(await p.run(["rotate", "plan", "--fleet", "state/fleet.json", "--release", "published/b20.suit"]), 0);
    await p.ok([...one, "--out", "fleet.jsonl"]);
    // the same answer once more says nothing new
    const before = p.get("fleet.jsonl");
    await p.ok([...one, "--out", "fleet.jsonl"]);
    expect(p.get("fleet.jsonl")).toEqual(before);
  });

  it("makes a fleet file of answers alone", async () => {
    fresh();
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1)), answer("serial-3", device("r10", "b20"), nonceOf(3))));
    const r = await p.ok(
      "status collect answers.jsonl --nonces sent.jsonl --secret devices.jwks --trust t1.trust --trust t2.trust --vendor example.com --class board-v2 --out new.jsonl --json".split(
        " ",
      ),
    );
    expect(r.json).toMatchObject({ heard: 2, added: 2 });
    expect(rowsOf("new.jsonl")).toMatchObject([
      { ...row("serial-1"), seen: SENT },
      { name: "serial-3", floor: 20, trust: "t2.trust" },
    ]);
  });

  const other = (d: Device) => answer("serial-2", d, nonceOf(2), { key: secretOf("serial-1") });
  const WRONG: [what: string, make: () => Uint8Array, words: string][] = [
    ["the status of another device", () => other(device("r10")), "serial-2: no trusted key made this signature"],
    ["an old nonce", () => answer("serial-2", device("r10"), nonceOf(9)), "or the status answers another nonce"],
    ["the nonce of another device", () => answer("serial-2", device("r10"), nonceOf(1)), "or the status answers another nonce"],
    ["a device that was not asked", () => answer("serial-4", device("r10"), nonceOf(4)), "serial-4: no nonce was sent to this device"],
    ["a device whose key nobody has", () => answer("serial-9", device("r10"), nonceOf(9)), "serial-9: no key of this device is given"],
    ["a device without a name", () => answer("serial-2", device("r10"), nonceOf(2), { kid: "" }), "the status names no device"],
    [
      "a name that drives a terminal",
      () => answer("serial-2", device("r10"), nonceOf(2), { kid: "\u001b[31m" }),
      "1b5b33316d: no key of this device",
    ],
    ["garbage", () => Uint8Array.of(0xd1, 0x84, 0x00), "answers.jsonl, line 2"],
    ["a device without a row", () => answer("serial-3", device("r10"), nonceOf(3)), "serial-3: the fleet file has no row of this name"],
    [
      "a list that no file is",
      () => answer("serial-2", device("r10", "b20"), nonceOf(2)),
      "has trust file board 2, which is not among the given files",
    ],
    ["keys in the firmware", () => answer("serial-2", device("r10"), nonceOf(2), { list: false }), "has keys in its firmware"],
  ];
  it.each(WRONG)("names, and does not accept: %s", async (_, make, expected) => {
    fresh();
    const good = answer("serial-1", device("r10"), nonceOf(1));
    p.put("answers.jsonl", said(good, make()));
    const r = await collect();
    expectExit(r, 1);
    expect(r.stderr).toContain(expected);
    expect(r.stderr).toMatch(/^firmseal: 1 status is refused; answers\.jsonl, line 2/m);
    expect(r.stderr).toContain("hint: new.jsonl has the others");
    // the good one counts, and the row of the other is as it was
    const [one, two] = rowsOf("new.jsonl");
    expect([one.seen, two]).toEqual([SENT, row("serial-2", { seen: "2026-01-01" })]);
    // by itself it changes nothing
    p.put("answers.jsonl", said(make()));
    const alone = await collect("--out", "alone.jsonl");
    expect(expectFailure(alone, 1)).toContain(expected.replace("line 2", "line 1"));
    expect(p.has("alone.jsonl")).toBe(false);
  });

  it("does not accept a second answer of a device, or an answer that is older than the fleet file", async () => {
    fresh(row("serial-1", { seen: "2026-03-01" }), row("serial-2"), row("serial-3", { devices: 3 }));
    const [two, three] = [answer("serial-2", device("r10"), nonceOf(2)), answer("serial-3", device("r10"), nonceOf(3))];
    p.put("answers.jsonl", said(two, answer("serial-1", device("r10"), nonceOf(1)), two, three));
    const r = await collect("--json");
    expectExit(r, 1);
    expect(told(r)).toMatchObject({
      reason: "STATUS",
      code: 242,
      heard: 1,
      refused: [
        { where: "answers.jsonl, line 2", device: "serial-1", why: "older than what the fleet file knows of this device" },
        { where: "answers.jsonl, line 3", device: "serial-2", why: "the device answers twice" },
        { where: "answers.jsonl, line 4", device: "serial-3", why: "its row is about 3 devices" },
      ],
    });
  });

  it("names a device that stays behind what is published, and one that has gone back", async () => {
    fresh(row("serial-1"), row("serial-2", { floor: 21, trust: "t2.trust", seen: "2026-01-15" }));
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1)), answer("serial-2", device("r10"), nonceOf(2))));
    const first = await collect("--archive", "published", "--json", "--out", "fleet.jsonl");
    const behind = { trust: "1", newest: "2", floor: { lowest: "10", highest: "10" }, next: "published/b20.suit", since: SENT };
    // the answers are months old, so both have been there for long
    expect(told(first)).toMatchObject({
      behind: [{ ...behind, rows: 2, names: ["serial-1", "serial-2"], frozen: { rows: 2 } }],
      fell: { rows: 1, names: ["serial-2"] },
    });
    expect(first.stderr).toContain("serial-2 has a lower floor or trust file than before");
    expect(first.stderr).toContain(
      `serial-1 and 1 more: frozen at floor 10, trust file 1 since ${SENT}: published/b20.suit is its next file`,
    );
    // asked again: still there, since then
    await p.ok(["status", "ask", "--fleet", "fleet.jsonl", "--out", "again.jsonl"]);
    const [one, two] = rowsOf("again.jsonl");
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), one.nonce), answer("serial-2", device("r10", "b20", "r21"), two.nonce)));
    const second = await collect("--nonces", "again.jsonl", "--archive", "published", "--trust", "t2.trust", "--json");
    expect(told(second)).toMatchObject({ behind: [{ ...behind, rows: 1, frozen: { rows: 1, names: ["serial-1"] } }], fell: { rows: 0 } });
    // serial-2 has a trust file that no file here is: the archive carries it, and a row needs the file
    const early = await collect("--nonces", "again.jsonl", "--archive", "published", "--json", "--frozen-after", "99999");
    expect(told(early)).toMatchObject({ behind: [{ rows: 1, frozen: { rows: 0 } }] });
    // a trust number that does not follow is seen without an archive too
    const bare = await collect("--nonces", "again.jsonl", "--json", "--trust", "t2.trust");
    expect(told(bare)).toMatchObject({ behind: [{ names: ["serial-1"], trust: "1", newest: "2", next: null }] });
    const inWords = await collect("--nonces", "again.jsonl", "--archive", "published");
    expect(inWords.stdout).toMatch(/^behind +devices +trust +next +since\nserial-1 +1 +1 of 2 +published\/b20\.suit +2026-02-01/m);
  });

  it("reads no nonces of another form", async () => {
    fresh();
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1))));
    for (const [text, expected] of [
      [lines(sent(1), sent(1, { nonce: nonceOf(2) })), "line 2: serial-1 has two nonces"],
      [lines(sent(1), sent(2, { nonce: nonceOf(1) })), "line 2: two devices have this nonce"],
      [lines(sent(1, { sent: "2999-01-01T00:00:00Z" })), '"sent" is in the future'],
      [lines(sent(1, { sent: "yesterday" })), '"sent" is not a time'],
      [lines(sent(1, { nonce: "0011" })), '"nonce" is not 8 to 64 bytes in hex'],
      [lines(sent(1, { device: "" })), '"device" is not the name of a device'],
      [lines(sent(1, { secret: 1 })), 'the unknown member "secret"'],
      ["[1]\n", "line 1 is not an object"],
      ["{\n", "line 1: not JSON"],
      ["", "has no nonce"],
      [`{"device":"${"x".repeat(2000)}"}\n`, "line 1 is too long"],
    ] as const) {
      p.put("sent.jsonl", text);
      const before = p.tree();
      expect(expectFailure(await collect(), 1)).toContain(expected);
      expect(p.tree()).toEqual(before);
    }
  });

  it("reads no answers of another form, and replaces nothing but a fleet file", async () => {
    fresh();
    p.put("answers.jsonl", "[\n");
    expect(expectFailure(await collect(), 1)).toContain("answers.jsonl: line 1: not JSON");
    p.put("answers.jsonl", lines({ status: "0oQ", device: "serial-1" }, { status: 7 }, { status: "*" }));
    const r = await collect("--json");
    expect(told(r)).toMatchObject({ heard: 0, refused: [1, 2, 3].map(() => ({ device: null, why: "not a status in base64" })) });
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1))));
    p.put("notes.txt", "mine");
    expect(expectFailure(await collect("--out", "notes.txt"), 2)).toContain("exists and is not a fleet file");
    expect(expectFailure(await collect("--out", "new.csv"), 2)).toContain("a fleet file in CSV is read, not written");
    expect(expectFailure(await collect("--out", "sent.jsonl"), 2)).toContain("which this command uses");
    p.put("rival.trust", T["other"] as Uint8Array);
    expect(expectFailure(await collect("--trust", "t2.trust", "--trust", "rival.trust"), 1)).toContain(
      "different trust files with one name",
    );
    const bare = ["status", "collect", "answers.jsonl", "--nonces", "sent.jsonl", "--out", "new.jsonl"];
    expect(expectFailure(await p.run([...bare, "--fleet", "fleet.jsonl"]), 2)).toContain("give the device's secret");
    const secret = ["--secret", "devices.jwks"];
    expect(expectFailure(await p.run([...bare, ...secret]), 2)).toContain("no fleet file is given");
    expect(expectFailure(await p.run([...bare, ...secret, "--vendor", "example.com"]), 2)).toContain("belong together");
  });

  it("counts the devices that run a withdrawn release of the product", async () => {
    fresh();
    const digest = decodeEnvelope(R["r10"] as Uint8Array).digest?.bytes as Uint8Array;
    const manifest = `sha-256:${Buffer.from(digest).toString("hex")}`;
    const artifact = {
      ...{ kind: "envelope", file: "x.suit", digest: `sha-256:${"0".repeat(64)}`, size: 1, uri: null, board: "b", revisions: [] },
      ...{ component: null, slot: null, vendorId: "x", classes: [{ name: "board-v2", id: "y" }], version: "0.0.1", sequence: "10" },
      ...{ envelope: "x.suit", manifest, signers: [], testKeys: [] },
    };
    const about = { product: "acme", vendor: "example.com", version: "0.0.1", role: "release", sequence: "10" };
    const record = { $schema: "urn:firmseal:release:1", ...about, missing: [], signatures: [], withdrawn: [], artifacts: [artifact] };
    const mark = { $schema: "urn:firmseal:withdrawn:1", ...about, time: "2026-11-30T10:00:00.000Z", reason: "does not start" };
    p.folder("dist");
    p.folder("dist/0.0.1");
    p.put("dist/0.0.1/release.json", JSON.stringify(record));
    p.put("acme.toml", 'name = "acme"\nvendor = "example.com"\nkeys.release = "A.pem"\nboards.b = { class = "board-v2", image = "x" }\n');
    p.put(
      "answers.jsonl",
      said(...([1, 2] as const).map((n) => answer(`serial-${n}`, n === 1 ? device("r10") : device("r10", "b20"), nonceOf(n)))),
    );
    const more = ["--trust", "t2.trust", "--product", "acme.toml"];
    expect(told(await collect(...more, "--json"))).toMatchObject({ heard: 2, withdrawn: [] });
    p.put("dist/0.0.1/withdrawn.json", JSON.stringify(mark));
    expect(told(await collect(...more, "--json"))).toMatchObject({
      withdrawn: [{ version: "0.0.1", sequence: "10", reason: "does not start", rows: 1, names: ["serial-1"] }],
    });
    expect((await collect(...more)).stderr).toContain(
      "serial-1 runs a withdrawn release: version 0.0.1 was withdrawn on 2026-11-30: does not start",
    );
    // what cannot be read is said, and the devices are heard all the same
    p.put("dist/0.0.1/withdrawn.json", "{");
    expect((await collect(...more)).stderr).toMatch(/which releases of acme were withdrawn is not known: .*is not the mark/);
  });

  it("distinguishes two devices: a key identifier that is the text of another's bytes", async () => {
    fresh();
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1))));
    const anchors = [utf8("ab12"), Uint8Array.of(0xab, 0x12)].map((kid) => ({ alg: hmac256, key: secretOf("x"), kid }));
    const o = { nonces: p.at("sent.jsonl"), out: p.at("new.jsonl"), frozenAfter: 7 };
    await expect(collectStatuses([p.at("answers.jsonl")], { ...o, anchors })).rejects.toThrow("two devices have the name ab12");
  });

  it("declares each member of its JSON, and writes them to stdout with the file", async () => {
    fresh();
    p.put("answers.jsonl", said(answer("serial-1", device("r10"), nonceOf(1))));
    const r = told(await collect("--out", "-", "--json"));
    expect(Buffer.from(String(r["data"]), "base64").toString()).toContain('"serial-1"');
    expect(unseen(command.json, printed)).toEqual([]);
  });

  it("accepts the answer of a device that never had a release", async () => {
    fresh(row("serial-1", { floor: 0 }));
    const bare = new Device("board-v2", T["T1"] as Uint8Array);
    expect(memoryDevice(bare.memory.identity, [], 0).floor()).toEqual([0, 0]);
    p.put("answers.jsonl", said(answer("serial-1", bare, nonceOf(1))));
    expectExit(await collect(), 0);
    expect(rowsOf("new.jsonl")).toEqual([{ ...row("serial-1", { floor: 0 }), since: SENT, seen: SENT }]);
  });
});
