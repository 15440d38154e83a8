// A signed manifest for each device of a list: one number and one entry for each shard, even after a stop.

import { createHash, createHmac } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { unlessThrown } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { expectExit, FACTS, logEntries, type Place, stateOf } from "../../../test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../../../test-support/src/environment/effort.js";
import { batch, batchPlace, deviceLines, devices, envelopes, TEMPLATE } from "./batch-place.js";

const good = async (p: Place, more?: readonly string[]) => expectExit(await batch(p, more), 0);
const indexOf = (p: Place, shard = "0001") => JSON.parse(p.get(`out/${shard}.json`).toString());

describe.concurrent("firmseal batch", () => {
  it("signs a manifest for each device, with one number and one entry", async () => {
    const p = batchPlace();
    const { stderr } = await good(p);
    expect(stderr).toContain("shard 1: 3 manifests, sequence number 1\nout: 3 devices\n");
    expect(readdirSync(p.at("out")).sort()).toEqual(["0001", "0001.json", "batch.json"]);
    const made = envelopes(p);
    const index = indexOf(p);
    expect([...made.keys()]).toEqual(index.manifests.map(({ digest }: { digest: string }) => `${digest.slice(8)}.suit`).sort());
    expect(logEntries(p)).toMatchObject([{ operation: "batch", batch: "3", digest: index.root, sequence: "1" }]);
    for (const name of made.keys()) {
      const verified = await p.ok(["verify", `out/0001/${name}`, "--key", "A.jwk"]);
      expect(verified.stderr).toContain("good, sequence number 1");
    }
    // each is for its device
    for (const { device, digest } of index.manifests) {
      const { stdout } = await p.ok(["inspect", `out/0001/${digest.slice(8)}.suit`]);
      expect(stdout).toContain(device.slice(-4));
    }
  });

  it("has a root that RFC 9162 and HMAC give, and a salt that changes", async () => {
    const [p, q] = [batchPlace(), batchPlace()];
    await good(p);
    await good(q);
    const { salt, root, manifests } = indexOf(p);
    const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
    const [a, b, c] = manifests.map(({ digest }: { digest: string }) => {
      const hidden = createHmac("sha256", Buffer.from(salt, "hex")).update(digest).digest();
      return sha256(Uint8Array.of(0), hidden, Buffer.from(digest));
    }) as [Buffer, Buffer, Buffer];
    expect(root).toBe(`sha-256:${sha256(Uint8Array.of(1), sha256(Uint8Array.of(1), a, b), c).toString("hex")}`);
    // the manifests are the same in every batch, and nobody can try one against the log
    expect(indexOf(q).manifests).toEqual(manifests);
    expect([indexOf(q).salt, indexOf(q).root]).not.toEqual([salt, root]);
    expect(envelopes(q)).toEqual(envelopes(p));
  });

  it("reads JSON Lines, and columns that the template does not use", async () => {
    const [p, q] = [batchPlace(), batchPlace()];
    await good(p);
    q.put("devices.csv", deviceLines(3).replaceAll("}", ',"customer":"somebody"}'));
    await good(q);
    expect(envelopes(q)).toEqual(envelopes(p));
    expect(q.get("out/0001.json").toString() + q.get("A.pem.log").toString()).not.toContain("somebody");
  });

  it("signs with several keys, each with an entry in its log", async () => {
    const p = batchPlace();
    await good(p, ["--key", "B.pem", "--first"]);
    const [[a], [b]] = [logEntries(p), logEntries(p, "B.pem.log")];
    expect(b).toMatchObject({ operation: "batch", batch: "3", digest: a.digest, sequence: "1" });
    expect(b.tbs).not.toBe(a.tbs);
    const [name] = [...envelopes(p).keys()];
    expect((await p.ok(["verify", `out/0001/${name}`, "--key", "A.jwk", "--key", "B.jwk"])).stderr).toMatch(
      /signed by ed25519 \S+, es256 /,
    );
  });

  it("is complete when it runs again, and enters nothing", async () => {
    const p = batchPlace();
    await good(p);
    const before = p.tree();
    const { json } = await p.ok([..."batch template.json --devices devices.csv --key A.pem --out out --json".split(" ")]);
    expect(json).toMatchObject({ devices: 3, shards: [{ shard: 1, sequence: "1", manifests: 3, before: true }], log: [] });
    expect(p.tree()).toEqual(before);
  });

  it("continues what was stopped after the entry, with the same bytes, also behind a later release", async () => {
    const p = batchPlace();
    await good(p);
    const made = envelopes(p);
    rmSync(p.at("out/0001"), { recursive: true });
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "sensor-v1", "--seq", "next"]);
    await good(p, []);
    expect(envelopes(p)).toEqual(made);
    expect(logEntries(p).map(({ operation, sequence }) => [operation, sequence])).toEqual([
      ["batch", "1"],
      ["sign", "2"],
    ]);
  });

  it("makes an index again that no log has, under a number that is free now", async () => {
    const p = batchPlace();
    await good(p);
    const [index, made] = [indexOf(p), envelopes(p)];
    // as if the power was cut between the index and the entry, and another job took the number
    rmSync(p.at("out/0001"), { recursive: true });
    rmSync(p.at("A.pem.log"));
    rmSync(stateOf(p.path), { recursive: true });
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "sensor-v1", "--seq", "1"]);
    await good(p, []);
    expect(indexOf(p).sequence).toBe("2");
    expect(indexOf(p).salt).not.toBe(index.salt);
    expect(envelopes(p).size).toBe(made.size);
    expect(logEntries(p).map(({ digest }) => digest)).not.toContain(index.root);
    expect(logEntries(p).at(-1)).toMatchObject({ operation: "batch", digest: indexOf(p).root, sequence: "2" });
  });

  it("replaces a plan of which no shard was begun, and removes what a killed process was writing", async () => {
    const p = batchPlace();
    await good(p);
    rmSync(p.at("out/0001"), { recursive: true });
    rmSync(p.at("out/0001.json"));
    for (const name of [".0001.0123456789ab.tmp", ".0001.json.0123456789ab.tmp", ".batch.json.0123456789ab.tmp"]) p.put(`out/${name}`, "");
    p.put("devices.csv", devices(2));
    await good(p, []);
    expect(readdirSync(p.at("out")).sort()).toEqual(["0001", "0001.json", "batch.json"]);
    expect(logEntries(p).map(({ batch: of }) => of)).toEqual(["3", "2"]);
  });

  it("reads a byte order mark, and a payload with the name of a file", async () => {
    const p = batchPlace();
    p.put("devices.csv", `\ufeff${deviceLines(2)}`);
    const uri = "https://example.com/file";
    const text = JSON.stringify(TEMPLATE).replaceAll("#calibration", uri);
    p.put("template.json", text);
    await good(p, ["--first"]);
    expect(envelopes(p).size).toBe(2);
  });

  it("takes the number that is given, and the next one by the logs otherwise", async () => {
    const p = batchPlace();
    await good(p, ["--seq", "40"]);
    expect(indexOf(p).sequence).toBe("40");
    p.put("devices.csv", devices(2));
    await p.ok([..."batch template.json --devices devices.csv --key A.pem --out two".split(" ")]);
    expect(JSON.parse(p.get("two/0001.json").toString()).sequence).toBe("41");
    // a release of the same class is after the batch
    const more = ["--vendor", "example.com", "--class", "sensor-v1", "--seq", "41"];
    expect((await p.run(["sign", "fw.bin", "--key", "A.pem", ...more])).stderr).toContain("sequence number 41");
  });

  it("puts files of the template in, the same for all devices", async () => {
    const p = batchPlace();
    p.put("common.bin", Buffer.alloc(64, 7));
    const template = { ...TEMPLATE, payloads: { "#calibration": { file: "common.bin" } } };
    p.put("template.json", JSON.stringify(template));
    await good(p);
    for (const bytes of envelopes(p).values()) expect(bytes.includes(Buffer.alloc(64, 7))).toBe(true);
    // their bytes belong to the inputs of the batch
    p.put("common.bin", Buffer.alloc(64, 8));
    expect((await batch(p, [])).stderr).toContain("this batch was begun with other inputs");
  });

  it("audit finds a manifest in its shard", async () => {
    const p = batchPlace();
    await good(p);
    const [name] = [...envelopes(p).keys()] as [string];
    const asked = ["audit", "A.pem", "--envelope", `out/0001/${name}`];
    const without = expectExit(await p.run(asked), 1);
    expect(without.stderr).toContain("hint: if firmseal batch signed it, give the index of its shard: --batch FILE");
    const { stdout, stderr } = await p.ok([...asked, "--batch", "out/0001.json"]);
    expect(stdout).toMatch(/ batch of 3 /);
    expect(stderr).toContain("entry 1");
    const { json } = await p.ok([...asked, "--batch", "out/0001.json", "--json"]);
    expect(json).toMatchObject({ envelope: { shard: indexOf(p).root, signed: [{ entry: 1 }] } });
    // one that somebody else has signed
    await p.ok(["sign", "fw.bin", "--key", "C.pem", ...FACTS, "--seq", "1", "--out", "other.suit"]);
    const other = await p.run(["audit", "A.pem", "--envelope", "other.suit", "--batch", "out/0001.json"]);
    expect(expectExit(other, 1).stderr).toContain("out/0001.json: the shard does not have other.suit");
    expect(expectExit(await p.run(["audit", "A.pem", "--batch", "out/0001.json"]), 2).stderr).toContain("hint: name the envelope");
  });
});

describe("a batch that is killed at each call that changes a file", () => {
  const CUTS = pathToFileURL(fileURLToPath(new URL("../all/parallel/cut-calls.mjs", import.meta.url))).href;

  /** The entries of the log. Not a line that was cut. */
  const whole = (p: Place): unknown[] =>
    p.has("A.pem.log")
      ? p
          .get("A.pem.log")
          .toString()
          .split("\n")
          .flatMap((line) => unlessThrown(() => JSON.parse(line)) ?? [])
      : [];

  it.skipIf(!LONG)(
    `continues, with no number twice${AT_LENGTH}`,
    async () => {
      let at = 1;
      for (; ; at++) {
        const p = batchPlace();
        const env = { NODE_OPTIONS: `--import=${CUTS}`, CUT_AT: `${at}`, CUT_TORN: `${at % 2}` };
        const { signal } = await batch(p, ["--first"], { env });
        const entered = whole(p).length;
        expectExit(await batch(p, entered > 0 || signal === null ? [] : ["--first"]), 0);
        const { root, sequence } = indexOf(p);
        expect(envelopes(p).size).toBe(3);
        // what was entered is what was signed, and nothing else was entered
        expect(whole(p)).toMatchObject([{ operation: "batch", digest: root, sequence }]);
        // a lock that was being made, under a name of its own, stays
        const names = readdirSync(p.at("out")).filter((name) => !/^\.batch\.lock\.[0-9a-f]+$/.test(name));
        expect(names.sort()).toEqual(["0001", "0001.json", "batch.json"]);
        if (signal === null) break;
      }
      // locks, plan, index, entry, mark, and the folder
      expect(at).toBeGreaterThan(20);
    },
    900_000,
  );

  it.skipIf(!LONG)(
    `of several shards, each with the next number, in time that grows with the devices${AT_LENGTH}`,
    async () => {
      const time: number[] = [];
      for (const count of [2500, 5000, 10_000]) {
        const p = batchPlace(count);
        const began = process.cpuUsage();
        await good(p);
        const { user, system } = process.cpuUsage(began);
        time.push((user + system) / 1000 / count);
        expect(logEntries(p).map(({ sequence, batch: of }) => [sequence, of])).toEqual(
          Array.from({ length: Math.ceil(count / 4096) }, (_, i) => [String(i + 1), String(Math.min(4096, count - i * 4096))]),
        );
      }
      console.log(
        `milliseconds of processor time a manifest, for 2,500, 5,000 and 10,000: ${time.map((one) => one.toFixed(2)).join(", ")}`,
      );
    },
    900_000,
  );
});
