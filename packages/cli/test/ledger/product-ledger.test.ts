// A product file that names a ledger: each command that signs or reads logs uses it.

import { sign } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineOf, NO_PREVIOUS } from "../../../keys/src/signing-log/entry.js";
import { expectFailure, type Place } from "../../../test-support/src/command-line/run.js";
import { type Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { brief, PRODUCT, refusal, world } from "../product/product-place.js";
import { machines, startServer } from "./ledger-place.js";

const product = (ledger: string, more = "") => brief(PRODUCT).replace("[keys]", `[sequence]\nledger = "${ledger}"\n${more}\n[keys]`);

describe("a product file names a ledger", () => {
  it.each([
    ["a path", "release.log", "firmseal.toml:5:1: this is not the place of a ledger"],
    ["a password", "postgres://u:secret@db/x", "firmseal.toml:5:1: the place of the ledger has a password in it"],
    ["no database", "postgres://db", "firmseal.toml:5:1: "],
    ["no host", "postgres:///db", "firmseal.toml:5:1: the place of the ledger names no host"],
    ["parameters", "postgres://db/x?sslmode=disable", "has no parameters"],
    ["no bucket", "s3://", "not the place of a ledger"],
  ])("and is refused with %s", async (_, ledger, why) => {
    const p = world(product(ledger));
    const r = await p.run(["release", "--version", "1.0.0", "--first"]);
    expect(refusal(r, 1)).toContain(why);
    expect(`${r.stdout}${r.stderr}`).not.toContain("secret");
  });

  it("and a person sees that before a key signs", async () => {
    const p = world(product("postgres://127.0.0.2:1/db"));
    const failed = await p.run(["release", "--version", "1.0.0", "--first", "--dry-run"]);
    expect(refusal(failed, 3)).toContain("postgres://127.0.0.2:1/db#example.com/gateway: the service cannot be reached");
    expect(failed.stderr).toContain("firmseal tbs");
    // a log that is given comes first
    const shown = await p.ok(["release", "--version", "1.0.0", "--first", "--dry-run", "--json", "--log", "own.log"]);
    expect((shown.json["references"] as { members: object[] }).members).toContainEqual(
      expect.objectContaining({ member: "/sequence/ledger", refersTo: "ledger", value: "postgres://127.0.0.2:1/db", path: null }),
    );
  });
});

describe.skipIf(whyNoPostgres !== "")(`a product with a ledger${whyNoPostgres}`, () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  const made = async (name: string, more = ""): Promise<{ p: Place; m: ReturnType<typeof machines> }> => {
    const p = world(product("postgres://localhost/ledgers", more).replace('name = "gateway"', `name = "${name}"`));
    const m = machines(server, p, name);
    await m.ok("owner", "ledger init --signers signer", { env: { PGUSER: "owner" } });
    return { p, m };
  };

  it("is released on two machines, verified, withdrawn and examined by it", async () => {
    const { p, m } = await made("gateway");
    expect((await m.ok("one", "release --version 1.0.0 --first")).stderr).toContain(`${m.place}: entry 1`);
    expect(readdirSync(p.path).filter((name) => name.endsWith(".log"))).toEqual([]);
    await m.ok("two", "verify dist/1.0.0 --role release".split(" ").slice(0, 2));
    await m.ok("two", "release --version 1.1.0");
    await m.ok("two", ["withdraw", "1.1.0", "--reason", "loses its settings"]);
    // what another machine withdrew is known here, also without its folder
    rmSync(p.at("dist/1.1.0"), { recursive: true });
    expect(refusal(await m.on("one", "release --version 1.1.0"), 1)).toContain("withdrawn");
    const signed = await m.ok("one", "sign --board puck --version 1.2.0 --out x.suit");
    expect(signed.stderr).toContain(`${m.place}: entry`);
    const doctor = await m.on("one", "doctor");
    expect(doctor.stdout).toMatch(/^ok +ledger postgres:\/\/localhost\/ledgers#example\.com\/gateway: whole, entry \d+ of /m);
    expect((await m.ok("one", "ledger verify")).stdout).toMatch(/^checkpoint \d+ /);
    const facts = { time: "2026-12-01T00:00:00.000Z", user: "u", host: "h", operation: "sign", sequence: "9" };
    p.put("A.pem.log", lineOf({ v: 1, n: 1, ...facts, prev: NO_PREVIOUS }).text);
    expect((await m.on("one", "doctor")).stdout).toContain("fails        log A.pem.log: this log of the key is not in the ledger");
    expect(refusal(await m.on("one", "release --version 1.3.0"), 3)).toContain("this log of the key is not in the ledger");
  });

  it("is what keys sign with in its folder, also without --board", async () => {
    const { p, m } = await made("plain");
    await m.ok("one", "release --version 1.0.0 --first");
    const more = ["--vendor", "example.com", "--class", "plain"];
    const signed = await m.ok("one", ["sign", "fw.bin", "--key", "A.pem", ...more, "--seq", "9", "--out", "x.suit"]);
    expect(signed.stderr).toContain(`${m.place}: entry`);
    await m.ok("one", ["tbs", "fw.bin", "--key", "B.jwk", ...more, "--seq", "10", "--out", "x.tbs", "--envelope-out", "y.suit"]);
    expect((await m.ok("two", ["audit", m.place])).stdout).toMatch(/ tbs .* 10 /);
    const number = await m.on("two", ["sign", "fw.bin", "--key", "B.pem", ...more, "--seq", "9", "--out", "z.suit", "--uri", "other"]);
    expect(expectFailure(number, 1)).toContain("sequence number 9");
    expect(readdirSync(p.path).filter((name) => name.endsWith(".log"))).toEqual([]);
    // another log is possible, and said
    const apart = await m.ok("two", ["sign", "fw.bin", "--key", "C.pem", ...more, "--seq", "11", "--out", "c.suit", "--log", "c.log"]);
    expect(apart.stderr).not.toContain("warning");
    const own = await m.on("two", "release --version 1.1.0 --log own.log --first");
    expect(own.stderr).toContain(
      `warning: own.log is used instead of the ledger of the product file, so other machines do not learn of it: ${m.place}`,
    );
  });

  it("gives numbers of the log to two machines, one after the other", async () => {
    const { m } = await made("counted", 'source = "log"');
    await m.ok("one", "release --version 1.0.0 --first");
    const second = await m.ok("two", "release --version 1.1.0 --json");
    expect(second.json).toMatchObject({ sequence: "2" });
  });

  it("claims its numbers for a signer without a network", async () => {
    const { p, m } = await made("offline");
    p.put("firmseal.toml", p.get("firmseal.toml").toString().replace('release = "A.pem"', "") + '\n[trust]\nkeys = "A.jwk"\n');
    await m.ok("one", "release --version 1.0.0 --first --unsigned");
    p.folder("usb");
    await m.ok("one", "tbs dist/1.0.0 --key A.jwk --out usb --first");
    const claimed = ((await m.ok("two", ["audit", m.place, "--json"])).json["logs"] as { entries: object[] }[])[0]?.entries;
    expect(claimed?.length).toBeGreaterThan(0);
    for (const entry of claimed ?? []) expect(entry).toMatchObject({ operation: "tbs", version: "1.0.0" });
    for (const name of readdirSync(p.at("usb")))
      p.put(join("usb", name.replace(/\.tbs$/, ".sig")), sign(null, p.get(join("usb", name)), p.get("A.pem")));
    await m.ok("one", "attach dist/1.0.0 --key A.jwk --signature usb");
    await m.ok("two", "verify dist/1.0.0");
    // nothing more was entered
    expect(((await m.ok("two", ["audit", m.place, "--json"])).json["logs"] as { entries: object[] }[])[0]?.entries).toEqual(claimed);
  });

  it("is not signed while the ledger is away, and verified with a warning", async () => {
    const { p, m } = await made("away");
    await m.ok("one", "release --version 1.0.0 --first");
    const gone = { env: { PGPORT: "1", PGHOST: "127.0.0.1" } };
    const before = p.tree();
    for (const line of ["release --version 1.1.0", "sign --board puck --version 1.1.0 --out x.suit", "ledger status"]) {
      const r = await m.on("one", line, gone);
      expect(refusal(r, 3), line).toContain("cannot be reached");
      expect(p.tree()).toEqual(before);
    }
    const failed = await m.on("one", ["withdraw", "1.0.0", "--reason", "bad"], gone);
    expect(expectFailure(failed, 3)).toContain("cannot be reached");
    const verified = await m.ok("one", "verify dist/1.0.0", gone);
    expect(verified.stderr).toMatch(/warning: postgres:.*cannot be reached: what other machines have withdrawn/);
    expect((await m.on("one", "doctor", gone)).stdout).toMatch(/^fails +ledger postgres:.*cannot be reached/m);
  });

  it("has a ledger of its own beside a product of another vendor with the same name", async () => {
    const { p, m } = await made("twin");
    await m.ok("one", "release --version 1.0.0 --first");
    p.put("other.toml", p.get("firmseal.toml").toString().replace("example.com", "example.org"));
    const r = await m.on("one", "ledger status --product other.toml");
    expect(expectFailure(r, 3)).toContain("the database has no ledger example.org/twin");
  });
});
