// What a person does with a ledger: enters the log of a key, checks the whole, and writes it to a file.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { sha256Hex } from "../../src/files/digest.js";
import { initLedger } from "../../src/ledger/open.js";
import { ledgerPlace, mirrorOf } from "../../src/ledger/place.js";
import { keyName } from "../../src/recording/places.js";
import { type SigningFacts, withSigningLogs } from "../../src/recording/recording.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { exportLedger, importLog, ledgerFacts, verifyLedger } from "../../src/recording/shared.js";
import { type Entry, lineOf, NO_PREVIOUS } from "../../src/signing-log/entry.js";
import { follows, readLog } from "../../src/signing-log/log-file.js";
import { A, B, claim, fact } from "./contract.js";

const MANY = process.env["FIRMSEAL_LONG"] === "1" ? 20_000 : 2000;

describe.skipIf(whyNoPostgres !== "")(`a ledger in PostgreSQL${whyNoPostgres}`, () => {
  let server: Postgres;
  let folder = "";
  let place = "";
  let n = 0;
  beforeAll(async () => {
    server = new Postgres(await closedPort());
    folder = temporaryFolder("firmseal-shared-");
  });
  afterAll(() => {
    server?.remove();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  const as = (user: string) => {
    for (const [name, value] of Object.entries({ ...server.env, PGUSER: user })) vi.stubEnv(name, value);
  };
  const machine = (name: string) => vi.stubEnv("FIRMSEAL_STATE", join(folder, String(n), name));
  const make = async (people = false) => {
    as("owner");
    place = `postgres:///ledgers#example.com/p${n++}`;
    await initLedger(place, { people, signers: "signer" });
    as("signer");
    machine("one");
  };
  beforeEach(() => make());

  /** A log in a file, of one key, with these numbers. */
  const own = async (name: string, key: typeof A, ...numbers: number[]) => {
    const log = join(folder, `${n}-${name}.log`);
    for (const one of numbers)
      await withSigningLogs([key], log, async ({ record }) => record(key, fact(one, { digest: `${name} ${one}` })));
    return log;
  };

  it("enters the log of a key, and continues after its numbers", async () => {
    await make(true);
    const log = await own("a", A, 1, 2, 7);
    expect(await importLog(place, log)).toMatchObject({ added: 3, entries: 3 });
    expect(await claim(place)).toBe(8);
    machine("two");
    expect(await claim(place, B)).toBe(9);
    // nothing is new
    expect(await importLog(place, log)).toMatchObject({ added: 0, entries: 5 });
    expect(await verifyLedger(place)).toMatchObject({ entries: 5, faults: [], conflicts: [] });
  });

  it("enters the log of a second key after that of the first", async () => {
    await make(true);
    await importLog(place, await own("a", A, 1, 2));
    const second = await own("b", B, 3, 5);
    await expect(importLog(place, second)).rejects.toMatchObject({ exit: 3, hint: expect.stringContaining("only the owner") });
    as("owner");
    expect(await importLog(place, second)).toMatchObject({ added: 3, entries: 5 });
    as("signer");
    for (const name of ["one", "two"]) {
      machine(name);
      expect(await claim(place, name === "one" ? A : B)).toBe(name === "one" ? 6 : 7);
    }
    expect(await verifyLedger(place)).toMatchObject({ entries: 7, faults: [], conflicts: [] });
  });

  it("refuses two logs with one number, and has nothing of the second", async () => {
    await make(true);
    await importLog(place, await own("a", A, 1, 2));
    await expect(importLog(place, await own("b", B, 2, 3))).rejects.toMatchObject({
      reason: "LOG",
      message: expect.stringContaining("used twice"),
    });
    expect(await verifyLedger(place)).toMatchObject({ entries: 2, faults: [], conflicts: [] });
  });

  it("refuses a log that names people, unless a person allows it", async () => {
    const log = await own("a", A, 1);
    await expect(importLog(place, log)).rejects.toMatchObject({ reason: "LOG", message: expect.stringContaining("users and hosts") });
    expect(await importLog(place, log, { allowPeople: true })).toMatchObject({ added: 1, people: false });
    await claim(place);
    expect(readLog(mirrorOf(ledgerPlace(place))).entries.map(({ user }) => user === "")).toEqual([false, true]);
  });

  it("comes back from the copy of a machine, after it was restored from an old backup", async () => {
    await claim(place);
    server.stop();
    server.save("backup");
    server.start();
    await claim(place);
    await claim(place);
    machine("two");
    await claim(place, B);
    server.stop();
    server.restore("backup");
    server.start();
    // each machine refuses it, also one that has not signed since
    for (const name of ["one", "two"]) {
      machine(name);
      await expect(claim(place)).rejects.toMatchObject({ exit: 3, reason: "LOG", message: expect.stringContaining("ends before") });
      expect((await verifyLedger(place)).faults).toMatchObject([{ line: 0, what: expect.stringContaining("ends before") }]);
    }
    expect(await importLog(place, mirrorOf(ledgerPlace(place)))).toMatchObject({ added: 3, entries: 4 });
    for (const name of ["one", "two"]) {
      machine(name);
      expect(await claim(place)).toBe(name === "one" ? 5 : 6);
    }
    expect(await verifyLedger(place)).toMatchObject({ entries: 6, faults: [], conflicts: [] });
  });

  it("takes the entries of a machine after a restore, although another machine has used it since", async () => {
    const use = (digest: string) => claim(place, A, { digest });
    expect(await use("d1")).toBe(1);
    server.stop();
    server.save("backup");
    server.start();
    expect(await use("lost 2")).toBe(2);
    expect(await use("lost 3")).toBe(3);
    server.stop();
    server.restore("backup");
    server.start();
    machine("two");
    expect(await use("new 2")).toBe(2);
    machine("one");
    const copy = mirrorOf(ledgerPlace(place));
    await expect(use("d")).rejects.toThrow("what this machine has seen");
    as("owner");
    await expect(importLog(place, copy)).rejects.toMatchObject({
      message: expect.stringContaining("sequence number 2 of key"),
      hint: expect.stringContaining(
        "if the ledger was restored, and another machine has used it since, its owner enters both: `allowSequenceReuse`",
      ),
    });
    const said: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text) => void said.push(String(text)));
    const { added, entries } = await importLog(place, copy, { allowSequenceReuse: true });
    expect([added, entries]).toEqual([3, 5]);
    expect(said).toContainEqual(expect.stringContaining("was entered again, behind entries of other machines"));
    expect(await importLog(place, copy, { allowSequenceReuse: true })).toMatchObject({ added: 0, entries: 5 });
    as("signer");
    for (const name of ["one", "two", "three"]) {
      machine(name);
      expect(await use(`after ${name}`)).toBe(name === "one" ? 4 : name === "two" ? 5 : 6);
    }
    const { faults, conflicts } = await verifyLedger(place);
    expect([faults, conflicts.map(({ what, number }) => `${what} ${number}`)]).toEqual([[], ["sequence 2"]]);
    // another log is refused for what it adds, and the old one is not named
    as("owner");
    await expect(importLog(place, await own("b", B, 1), { allowPeople: true })).rejects.toThrow("sequence number 1 was used twice");
    machine("four");
    expect(await importLog(place, await own("c", B, 9), { allowPeople: true })).toMatchObject({ added: 2 });
  });

  it("has entered a log, even if the copy of the machine cannot be brought up to date", async () => {
    await claim(place);
    await claim(place);
    const log = await own("b", B, 7);
    as("owner");
    const said: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text) => void said.push(String(text)));
    server.sql("DELETE FROM firmseal.line WHERE start > 0");
    expect(await importLog(place, log, { allowPeople: true })).toMatchObject({ added: 2, entries: 3 });
    expect(said).toContainEqual(expect.stringContaining("everything was entered, but the copy of this machine cannot be"));
    machine("three");
    expect(await verifyLedger(place)).toMatchObject({ entries: 3, faults: [] });
  });

  it("is compared with a checkpoint that a witness has kept", async () => {
    await claim(place);
    const { checkpoint } = await verifyLedger(place);
    await claim(place);
    machine("witness");
    expect((await verifyLedger(place, { checkpoint })).faults).toEqual([]);
    const later = await verifyLedger(place);
    expect((await verifyLedger(place, { checkpoint: later.checkpoint })).faults).toEqual([]);
    const other = { ...checkpoint, sha256: "0".repeat(64) };
    expect((await verifyLedger(place, { checkpoint: other })).faults).toMatchObject([
      { what: expect.stringContaining("differs from the") },
    ]);
    const long = { ...checkpoint, bytes: later.bytes + 1 };
    expect((await verifyLedger(place, { checkpoint: long })).faults).toMatchObject([{ what: expect.stringContaining("ends before the") }]);
  });

  it("shows what its owner changed", async () => {
    for (let i = 0; i < 4; i++) await claim(place);
    const out = join(folder, `${n}.exported`);
    expect(await exportLedger(place, out)).toMatchObject({ entries: 4 });
    expect(readLog(out)).toMatchObject({ faults: [], highest: 4 });
    const { checkpoint } = await verifyLedger(place);
    expect(checkpoint).toMatchObject({ bytes: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    server.sql(
      'UPDATE firmseal.line SET line = replace(convert_from(line, \'UTF8\'), \'"sequence":"2"\', \'"sequence":"9"\')::bytea WHERE start > 0',
    );
    const changed = await verifyLedger(place);
    expect(changed.faults.map(({ what }) => what)).toEqual([
      expect.stringContaining("was changed: its hash does not match"),
      expect.stringContaining("differs from what this machine has seen"),
    ]);
    expect(changed.checkpoint).not.toEqual(checkpoint);
    // a command that signs compares its last line; one that shows the log compares all
    await expect(refreshLog(place, { whole: true })).rejects.toThrow("differs from what this machine has seen");
    await expect(exportLedger(place, `${out}2`)).rejects.toMatchObject({ reason: "LOG" });
  });

  it("lets no signer change or remove a line, and refuses one who could", async () => {
    await claim(place);
    await claim(place);
    for (const sql of [
      "DELETE FROM firmseal.line",
      "UPDATE firmseal.line SET line = ''",
      "TRUNCATE firmseal.line",
      "DELETE FROM firmseal.leaf",
    ])
      expect(() => server.sql(`SET ROLE signer; ${sql}`), sql).toThrow(/permission denied/);
    server.sql("GRANT UPDATE, DELETE, TRUNCATE ON firmseal.line TO signer");
    for (const sql of ["DELETE FROM firmseal.line", "UPDATE firmseal.line SET line = ''", "TRUNCATE firmseal.line"])
      expect(() => server.sql(`SET ROLE signer; ${sql}`), sql).toThrow(/the lines of a ledger stay as they are/);
    await expect(claim(place)).rejects.toMatchObject({
      exit: 3,
      message: expect.stringContaining("the role may change what others have entered (line update"),
    });
    server.sql("REVOKE UPDATE, DELETE, TRUNCATE ON firmseal.line FROM signer");
    expect(await claim(place)).toBe(3);
  });

  it.each([
    ["GRANT UPDATE (line) ON firmseal.line TO signer", "REVOKE UPDATE (line) ON firmseal.line FROM signer", "line update"],
    ["GRANT TRIGGER ON firmseal.line TO signer", "REVOKE TRIGGER ON firmseal.line FROM signer", "line trigger"],
    ["GRANT INSERT ON firmseal.signer TO signer", "REVOKE INSERT ON firmseal.signer FROM signer", "signer insert"],
    ["GRANT pg_write_all_data TO signer", "REVOKE pg_write_all_data FROM signer", "line update"],
    ["ALTER ROLE signer NOINHERIT; GRANT owner TO signer", "REVOKE owner FROM signer; ALTER ROLE signer INHERIT", "line update"],
  ])("refuses to sign as a role that may change entries: %s", async (give, take, right) => {
    server.sql(give);
    try {
      await expect(claim(place)).rejects.toMatchObject({
        exit: 3,
        message: expect.stringMatching(`the role may change what others have entered \\(.*${right}`),
      });
    } finally {
      server.sql(take);
    }
    expect(await claim(place)).toBe(1);
  });

  /** What a signer sends who does not use this program. Returns what the server says. */
  const send = (line: Buffer | string, start = readFileSync(mirrorOf(ledgerPlace(place))).length) => {
    const hex = Buffer.from(line).toString("hex");
    const insert = `SET SESSION AUTHORIZATION signer; INSERT INTO firmseal.line SELECT id, ${start}, decode('${hex}', 'hex') FROM firmseal.ledger WHERE name = '${ledgerPlace(place).name}'`;
    try {
      server.sql(insert);
      return "";
    } catch (e) {
      const text = String(e);
      return text.slice(text.lastIndexOf("ERROR:"));
    }
  };
  /** The next entry, as it would be valid. */
  const following = (facts: object, more: object = {}) => {
    const last = readLog(mirrorOf(ledgerPlace(place))).entries.at(-1);
    const base = { time: new Date().toISOString(), user: "", host: "", operation: "sign", key: "00" };
    return lineOf({ v: 1, n: (last?.n ?? 0) + 1, ...base, ...facts, prev: last?.hash ?? NO_PREVIOUS, ...more } as Entry).text;
  };

  it("takes no line of a signer that does not follow, and goes on", async () => {
    await claim(place);
    const good = following({ sequence: "2", digest: "x", scope: ["v/a"] });
    const cut = Buffer.concat([Buffer.from('{"v":1,"n":\0'), Buffer.from(good)]);
    for (const [line, why] of [
      ["", /check constraint|does not follow/],
      ["x\n", /does not follow/],
      [good.slice(0, -1), /check constraint|does not follow/],
      [`${good}${good}`, /check constraint|does not follow/],
      [`{"v":1}\n${good}`, /check constraint|does not follow/],
      ["{}\n", /does not follow/],
      ["[]\n", /does not follow/],
      ["null\n", /does not follow/],
      [good.replace('"x"', '"y"'), /does not follow/],
      [cut, /does not follow/],
      [following({}, { n: 2 ** 53 - 1 }), /does not follow/],
      [following({}, { n: 1 }), /does not follow/],
      [following({}, { prev: NO_PREVIOUS }), /does not follow/],
      [following({ operation: "join" }), /does not follow/],
      [following({ operation: "accept-restored" }), /does not follow/],
      [following({ reason: "x".repeat(2 << 20) }), /check constraint/],
    ] as const)
      expect(send(line), String(line).slice(0, 80)).toMatch(why);
    expect(send(good, 0)).toContain("not at the end");
    expect(send(good)).toBe("");
    expect(await claim(place)).toBe(3);
    expect(await verifyLedger(place)).toMatchObject({ entries: 3, faults: [] });
  });

  it("takes only what every client takes for an entry", async () => {
    await claim(place);
    const facts = { sequence: "2", leaf: "77", tbs: "t", digest: "x", scope: ["v/a"], approvers: ["p"], removed: ["q"], overrides: ["o"] };
    const whole = JSON.parse(following(facts));
    const values = [undefined, null, 1, 1.5, -1, 2 ** 53, "", "x", "1e1", "-1", true, [], [1], ["x"], {}, { x: [[]] }, "9".repeat(70)];
    const lines: string[] = [];
    /** A line with these members, and the hash that belongs to them. */
    const line = (members: object, begin = "") => {
      const body = `${begin}${JSON.stringify(members)}`;
      return `${body.slice(0, -1)},"hash":"${sha256Hex(body)}"}\n`;
    };
    const { hash: _, ...members } = whole;
    for (const name of [...Object.keys(members), "hash", "torn", "other", "job", "version", "key"])
      for (const value of values) lines.push(line({ ...members, [name]: value }));
    lines.push(line(members, " "), line(members).replace('"n":2', '"n":2,"n":3'), line({ ...members, time: "2999-01-01T00:00:00.000Z" }));
    // each alone, and taken back: the next one follows the same entry
    const start = readFileSync(mirrorOf(ledgerPlace(place))).length;
    const last = readFileSync(mirrorOf(ledgerPlace(place)));
    const tries = lines.map(
      (one) => `SAVEPOINT s; DO $do$ BEGIN
        INSERT INTO firmseal.line SELECT id, ${start}, decode('${Buffer.from(one).toString("hex")}', 'hex') FROM firmseal.ledger WHERE name = '${ledgerPlace(place).name}';
        RAISE NOTICE 'taken'; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'refused'; END $do$; ROLLBACK TO s;`,
    );
    const said = server.notices(`SET SESSION AUTHORIZATION signer; BEGIN; ${tries.join("\n")} ROLLBACK;`);
    expect(said.length).toBe(lines.length);
    const taken = lines.filter((_, i) => said[i] === "taken");
    expect(taken.length).toBeGreaterThan(5);
    expect(taken.filter((one) => !follows(place, last.subarray(last.lastIndexOf(10, -2) + 1), Buffer.from(one)))).toEqual([]);
  });

  it("gives no number and no leaf twice, whatever a client sends", async () => {
    await claim(place, A, { leaf: "4", tbs: "t" });
    expect(send(following({ sequence: "1", digest: "other", scope: ["v/a"] }))).toContain("1 has another manifest or image");
    for (const tbs of ["t", "u"])
      expect(send(following({ key: keyName(A.public), leaf: "4", tbs }))).toContain("leaf 4 of the key has signed");
    // the same in another ledger, but for the very same signature: it was moved there
    const log = join(folder, `${n}.exported`);
    await exportLedger(place, log);
    await make();
    expect(send(following({ key: keyName(A.public), leaf: "4", tbs: "u" }), 0)).toContain("leaf 4 of the key has signed");
    expect(await importLog(place, log)).toMatchObject({ added: 1 });
  });

  it("lets a number that was given again be signed by a second key, and withdrawn", async () => {
    const use = (digest: string, more: Partial<SigningFacts> = {}, key = A) =>
      withSigningLogs([key], place, async ({ record }) => record(key, fact(1, { digest, ...more })));
    await use("sha-256:a");
    await expect(use("sha-256:b")).rejects.toMatchObject({ reason: "SEQUENCE" });
    await use("sha-256:b", { overrides: ["allow-sequence-reuse"] });
    await use("sha-256:b", {}, B);
    await use("sha-256:a", { operation: "withdraw", reason: "r" });
    expect(await verifyLedger(place)).toMatchObject({ entries: 4, faults: [] });
  });

  it("makes nobody its owner, and stops for nobody who may not use it", async () => {
    await claim(place);
    server.sql("CREATE ROLE stranger LOGIN");
    const evil = `SET SESSION AUTHORIZATION signer;
      CREATE FUNCTION pg_temp.evil(v pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM firmseal.line; RETURN true; END $$;
      CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.evil(VALUE));
      CREATE DOMAIN pg_temp.json AS pg_catalog.json CHECK (pg_temp.evil(VALUE::pg_catalog.text));`;
    const line = Buffer.from(following({ sequence: "2", digest: "x", scope: ["v/a"] })).toString("hex");
    const start = readFileSync(mirrorOf(ledgerPlace(place))).length;
    server.sql(
      `${evil} INSERT INTO firmseal.line SELECT id, ${start}, decode('${line}', 'hex') FROM firmseal.ledger WHERE name = '${ledgerPlace(place).name}'`,
    );
    expect(await verifyLedger(place)).toMatchObject({ entries: 2, faults: [] });
    for (const sql of ["SELECT * FROM firmseal.line", "SELECT firmseal.turn(1)"])
      expect(() => server.sql(`SET SESSION AUTHORIZATION stranger; ${sql}`), sql).toThrow(/permission denied/);
    const blocker = spawn(
      "psql",
      [
        "-X",
        "-d",
        "ledgers",
        "-c",
        "BEGIN; SELECT pg_advisory_lock(hashtext('firmseal'), id) FROM generate_series(1, 100) AS id; SELECT pg_sleep(20)",
      ],
      {
        env: { ...process.env, ...server.env, PGUSER: "stranger" },
        stdio: "ignore",
      },
    );
    await new Promise((done) => setTimeout(done, 500));
    expect(await claim(place)).toBe(3);
    blocker.kill();
  });

  it("shows a signer nothing of another ledger, nor lets it enter there", async () => {
    await claim(place);
    server.sql("DROP ROLE IF EXISTS other; CREATE ROLE other LOGIN");
    as("owner");
    await initLedger(`postgres:///ledgers#example.com/theirs${n}`, { signers: "other" });
    as("other");
    machine("other");
    await expect(claim(place)).rejects.toMatchObject({
      message: expect.not.stringContaining(ledgerPlace(place).name.replace(/\d+$/, "0")),
    });
    expect(server.sql("SET SESSION AUTHORIZATION other; SELECT count(*) FROM firmseal.line")).toBe("0");
    expect(server.sql("SET SESSION AUTHORIZATION other; SELECT count(*) FROM firmseal.ledger")).toBe("1");
    expect(() => server.sql("SET SESSION AUTHORIZATION other; SELECT firmseal.turn(1)")).toThrow(/not a signer of this ledger/);
    as("signer");
    machine("one");
    expect(send(following({}))).toBe("");
  });

  it("works with the defaults that an owner may have set", async () => {
    server.sql("ALTER DATABASE ledgers SET default_transaction_isolation = 'serializable'");
    server.sql("ALTER DATABASE ledgers SET synchronous_commit = off");
    server.sql("ALTER DATABASE ledgers SET default_transaction_read_only = on");
    const numbers = await Promise.allSettled(["one", "two", "three"].map((_, i) => claim(place, i === 0 ? A : B)));
    for (const name of ["default_transaction_isolation", "default_transaction_read_only", "synchronous_commit"])
      server.sql(`SET default_transaction_read_only = off; ALTER DATABASE ledgers RESET ${name}`);
    expect(numbers.map((one) => (one.status === "fulfilled" ? one.value : one.reason)).toSorted()).toEqual([1, 2, 3]);
  });

  it("refuses a database in another encoding, and a setting that would be lost", async () => {
    as("owner");
    await expect(initLedger(place, { people: true, signers: "signer" })).rejects.toMatchObject({ exit: 2 });
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    await expect(initLedger("postgres:///latin#p")).rejects.toMatchObject({ exit: 3, message: expect.stringContaining("is in LATIN1") });
    as("signer");
  });

  it("continues with a key whose log was entered, wherever the log is", async () => {
    const state = process.env["FIRMSEAL_STATE"] as string;
    await withSigningLogs([A], undefined, async ({ record }) => record(A, fact(3)));
    await expect(claim(place)).rejects.toMatchObject({ hint: expect.stringContaining("ledger import") });
    await importLog(place, join(state, `${keyName(A.public)}.log`), { allowPeople: true });
    expect(await claim(place)).toBe(4);
  });

  it("enters a log with an entry that was cut by a kill", async () => {
    const log = await own("a", A, 1);
    writeFileSync(log, Buffer.concat([readFileSync(log), Buffer.from('{"v":1,"n":2,"time')]));
    await withSigningLogs([A], log, async ({ record }) => record(A, fact(2)));
    as("owner");
    expect(await importLog(place, log, { allowPeople: true })).toMatchObject({ entries: 2 });
    as("signer");
    expect(await claim(place)).toBe(3);
    expect(await verifyLedger(place)).toMatchObject({ entries: 3, faults: [] });
  });

  it("refuses a leaf that another copy of the key used", async () => {
    await claim(place, A, { leaf: "14" });
    machine("two");
    for (const leaf of ["13", "14"])
      await expect(claim(place, A, { leaf })).rejects.toMatchObject({
        exit: 3,
        reason: "KEY_STATE",
        hint: expect.stringContaining("--to 15"),
      });
    expect(await claim(place, A, { leaf: "15" })).toBe(2);
  });

  it("says what it has, and brings the copy up to date", async () => {
    await claim(place);
    machine("two");
    const copy = mirrorOf(ledgerPlace(place));
    expect(await ledgerFacts(place)).toEqual({
      place: ledgerPlace(place).text,
      entries: 1,
      bytes: readFileSync(copy).length,
      people: false,
      copy,
    });
    copyFileSync(copy, `${copy}.old`);
    writeFileSync(copy, "");
    await ledgerFacts(place);
    expect(readFileSync(copy).equals(readFileSync(`${copy}.old`))).toBe(true);
  });

  /** Writes a log of this many entries, each with a reason of so many bytes, at the times given. */
  const writeLog = (entries: number, bytes: number, timeOf: (n: number) => number = () => Date.now()) => {
    const lines: string[] = [];
    let prev = "0".repeat(64);
    for (let i = 1; i <= entries; i++) {
      const facts = { time: new Date(timeOf(i)).toISOString(), user: "", host: "", key: keyName(A.public), ...fact(i) };
      const { text, hash } = lineOf({ v: 1, n: i, ...facts, reason: "x".repeat(bytes), prev });
      lines.push(text);
      prev = hash;
    }
    const log = join(folder, `${n}-long.log`);
    writeFileSync(log, lines.join(""));
    return log;
  };

  it("has images of a boot loader that share a security counter, and no version", async () => {
    const use = (digest: string, version: string, more: object = { sequence: "7" }, scope = "mcuboot:v/a") =>
      withSigningLogs([A], place, async ({ record }) =>
        record(A, { operation: "sign", version, digest: `sha-256:${digest}`, scope: [scope], ...more }),
      );
    await use("1", "1.4.2");
    await use("2", "1.4.3");
    await use("2", "1.4.3");
    await use("3", "1.4.3", {}, "esp32-boot:v/a");
    expect(await verifyLedger(place)).toMatchObject({ entries: 4, faults: [], conflicts: [] });
    for (const more of [{ sequence: "7" }, { sequence: "8" }, {}])
      await expect(use("3", "1.4.3", more)).rejects.toMatchObject({
        code: "ERR_SEQUENCE",
        message: expect.stringContaining("another image under this version"),
      });
    expect(await verifyLedger(place)).toMatchObject({ entries: 4 });
    await use("3", "1.4.3", { sequence: "7", overrides: ["allow-sequence-reuse"] });
    expect(await verifyLedger(place)).toMatchObject({ entries: 5, faults: [] });
    // as if the owner of the database had let it
    server.sql("ALTER TABLE firmseal.line DISABLE TRIGGER enter");
    await use("4", "1.4.3");
    server.sql("ALTER TABLE firmseal.line ENABLE TRIGGER enter");
    expect((await verifyLedger(place)).conflicts).toMatchObject([{ what: "version", number: "1.4.3" }]);
  });

  it("reads no table whole for each line of a long log, whatever the server knows of its tables", async () => {
    await claim(place);
    // what autovacuum does: from then on, the server knows that a table is small enough to be read whole
    server.sql("ANALYZE");
    await make();
    const read = () => Number(server.sql("SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = 'firmseal'"));
    const before = read();
    expect(await importLog(place, writeLog(500, 0))).toMatchObject({ entries: 500 });
    server.sql("SELECT pg_stat_force_next_flush()");
    // once for each line would be 125,000 and more
    expect(read() - before).toBeLessThan(20_000);
  });

  it("enters all parts of a long log, or none", async () => {
    const day = 86_400_000;
    const refused = writeLog(30, 100_000, (i) => Date.now() + (i === 30 ? 2 * day : 0));
    await expect(importLog(place, refused)).rejects.toMatchObject({
      exit: 3,
      message: expect.stringContaining("ahead of the server's clock"),
    });
    expect(await ledgerFacts(place)).toMatchObject({ entries: 0, bytes: 0 });
    expect(await importLog(place, writeLog(30, 100_000))).toMatchObject({ added: 30, entries: 30 });
    expect(await verifyLedger(place)).toMatchObject({ entries: 30, faults: [] });
  });

  it.runIf(existsSync("/proc/self/io"))(`costs a signature as many bytes after 10 entries as after ${MANY}`, async () => {
    const bytesRead = () => Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);
    const cost: number[] = [];
    for (const entries of [10, MANY]) {
      await make();
      // as long as the other log, which is not read whole
      await importLog(place, writeLog(entries, (400 << 10) / Math.min(entries, 1000)));
      // the first ones fill the mark
      for (let i = 0; i < 40; i++) await claim(place);
      const before = bytesRead();
      for (let i = 0; i < 10; i++) await claim(place);
      cost.push(bytesRead() - before);
      expect(await ledgerFacts(place)).toMatchObject({ entries: entries + 50 });
    }
    expect(cost[1]).toBeLessThan(1.1 * (cost[0] as number));
  });

  it.each([
    ["postgres://u:secret@db/x#p", "has a password in it"],
    ["postgres://u:secret@/x#p", "has a password in it"],
    ["postgres://u:secret@db:99999/x#p", "has a password in it"],
    ["postgres://u:secret@[db]/x#p", "has a password in it"],
    ["postgres://u:se#secret@db/x#p", "has a password in it"],
    ["postgres://u:se/secret@db/x#p", "has a password in it"],
    ["postgres://u:se?secret@db/x#p", "has a password in it"],
    ["postgres:u:secret@db/x#p", "has a password in it"],
    ["postgres:/u:secret@db/x#p", "has a password in it"],
    ["postgres://db/x?password=secret#p", "has a password in it"],
    ["s3://AKIA:secret@/b#p", "has a password in it"],
    ["postgres:x#secret", "not the place of a ledger"],
    ["postgres://db/x", "the ledger has no name"],
    ["postgres://db/#p", "not the place of a ledger"],
    ["postgres://db/x?sslmode=disable#p", "has no parameters"],
    ["s3://#p", "not the place of a ledger"],
    ["postgres://db/x#%", "the ledger has no name"],
    ["postgres://db/x#../../etc", "the ledger has no name"],
    ["postgres:/db/x#p", "not the place of a ledger"],
    ["postgres://db/%zz#p", "not the place of a ledger"],
    ["postgres://%zz@db/x#p", "not the place of a ledger"],
  ])("refuses %s", (text, why) => {
    let refused: Error | undefined;
    try {
      ledgerPlace(text);
    } catch (e) {
      refused = e as Error;
    }
    expect(refused).toMatchObject({ exit: 2, message: expect.stringContaining(why) });
    expect(refused?.message).not.toContain("secret");
  });

  it("takes a name with the word password in it", () => {
    expect(ledgerPlace("postgres://db/x#example.com/password vault")).toMatchObject({ name: "example.com/password vault" });
  });

  it("says in one line why it cannot be used", async () => {
    const failing = async (text = place) =>
      await claim(text).then(
        () => "",
        (e) => `${e.exit} ${e.message} | ${e.hint}`,
      );
    expect(await failing(`${place}x`)).toMatch(/the database has no ledger example.com.*, but example.com.*ledger init/);
    expect(await failing(place.replace("/ledgers", "/other"))).toContain("the database does not exist");
    expect(await failing(place.replace("/ledgers", "/postgres"))).toContain("the database has no ledgers");
    vi.stubEnv("PGUSER", "nobody-here");
    expect(await failing()).toContain("the server does not accept the role");
    vi.stubEnv("PGPORT", String(await closedPort()));
    expect(await failing()).toContain("the server has no socket here");
    vi.stubEnv("PGHOST", "127.0.0.1");
    expect(await failing()).toContain("cannot be reached");
    as("signer");
    server.sql("UPDATE firmseal.version SET version = 7");
    expect(await failing()).toContain("its tables are of version 7, and this firmseal knows version 1 | use a newer firmseal");
    server.sql("UPDATE firmseal.version SET version = 1");
    server.sql("REVOKE INSERT ON firmseal.line FROM signer");
    expect(await failing()).toContain("the role may not use the ledger");
    server.sql("GRANT INSERT ON firmseal.line TO signer");
    server.sql("ALTER SYSTEM SET fsync = off");
    server.sql("SELECT pg_reload_conf()");
    await new Promise((done) => setTimeout(done, 300));
    expect(await failing()).toContain("does not write to the disk");
    server.sql("ALTER SYSTEM RESET fsync");
    server.sql("SELECT pg_reload_conf()");
  });
});
