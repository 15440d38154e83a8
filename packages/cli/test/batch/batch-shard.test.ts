// A batch that several machines make: each its shards, with one log; then the parts are joined.

import { cpSync, readdirSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, logEntries, type Place, type RunOptions } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "../ledger/ledger-place.js";
import { batch, batchPlace, devices, envelopes } from "./batch-place.js";

const SIZE = ["--shard-size", "2"];

/** Makes one part of a batch of five devices, which has three shards. */
const part = (p: Place, which: string, more: readonly string[] = ["--first"], o: RunOptions = {}) =>
  p.run([..."batch template.json --devices devices.csv --key A.pem --shard".split(" "), which, ...SIZE, ...more], o);
const join = (p: Place, parts: string, out = "all") => p.run(["batch", "--join", ...parts.split(" "), "--out", out]);
const manifests = (p: Place, shard: string, folder = "all") => JSON.parse(p.get(`${folder}/${shard}.json`).toString()).manifests;

async function twoParts(): Promise<Place> {
  const p = batchPlace(5);
  expectExit(await part(p, "2/2", ["--first", "--out", "two"]), 0);
  expectExit(await part(p, "1/2", ["--first", "--out", "one"]), 0);
  return p;
}

describe.concurrent("a batch in parts", () => {
  it("has all shards once, each with a number of its own, and is joined in any order", async () => {
    const p = await twoParts();
    expect([readdirSync(p.at("one")).sort(), readdirSync(p.at("two")).sort()]).toEqual([
      ["0001", "0001.json", "0003", "0003.json", "batch.json"],
      ["0002", "0002.json", "batch.json"],
    ]);
    expect(logEntries(p).map(({ sequence, batch: of }) => [sequence, of])).toEqual([
      ["1", "2"],
      ["2", "2"],
      ["3", "1"],
    ]);
    const { stderr } = expectExit(await join(p, "two one"), 0);
    expect(stderr).toContain("all: 5 devices");
    expect(["0001", "0002", "0003"].flatMap((shard) => manifests(p, shard))).toHaveLength(5);
    for (const [shard, from] of [
      ["0001", "one"],
      ["0002", "two"],
    ] as const)
      for (const { digest } of manifests(p, shard)) {
        const name = `${shard}/${digest.slice(8)}.suit`;
        expect(p.get(`all/${name}`)).toEqual(p.get(`${from}/${name}`));
      }
    // again, and with what a stopped join has left
    rmSync(p.at("all/0002"), { recursive: true });
    expectExit(await join(p, "one two"), 0);
    expect(readdirSync(p.at("all/0002"))).toHaveLength(2);
    // it is the batch: another run has nothing to do
    const again = await p.ok([..."batch template.json --devices devices.csv --key A.pem --out all --json".split(" "), ...SIZE]);
    expect(again.json).toMatchObject({ count: 3, log: [], shards: [{ before: true }, { before: true }, { before: true }] });
  });

  it("says what is in one part", async () => {
    const p = batchPlace(5);
    const { stderr } = expectExit(await part(p, "2/2", ["--first", "--out", "two"]), 0);
    expect(stderr).toContain("two: 1 of 3 shards; join all parts: firmseal batch --join FOLDERS --out FOLDER");
    // more machines than shards
    expect(expectExit(await part(p, "4/4", ["--out", "none"]), 0).stderr).toContain("none: 0 of 3 shards");
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ["auto", { AWS_BATCH_JOB_ARRAY_INDEX: "1", AWS_BATCH_JOB_ARRAY_SIZE: "2" }],
    ["auto", { CI_NODE_INDEX: "2", CI_NODE_TOTAL: "2" }],
    ["auto/2", { JOB_COMPLETION_INDEX: "1" }],
    ["2/2", { CI_NODE_INDEX: "1", CI_NODE_TOTAL: "2" }],
  ])("is part 2 of 2 by %s and %j", async (which, env) => {
    const p = batchPlace(5);
    const made = await part(p, which, ["--first", "--out", "two", "--json"], { env: env as { [name: string]: string } });
    expect(expectExit(made, 0).json).toMatchObject({ count: 3, shards: [{ shard: 2 }] });
  });
});

describe.concurrent("a part is refused", () => {
  it.each<[string, NodeJS.ProcessEnv, string]>([
    ["0/2", {}, "--shard 0/2: part 0 of 2"],
    ["3/2", {}, "--shard 3/2: part 3 of 2"],
    ["1", {}, "--shard 1 is not a part"],
    ["1/0", {}, "--shard 1/0: part 1 of 0"],
    ["a/b", {}, "--shard a/b is not a part"],
    ["auto", {}, "no variable of a job array is set"],
    ["auto", { JOB_COMPLETION_INDEX: "0" }, "JOB_COMPLETION_INDEX does not say how many jobs there are"],
    ["auto/2", { JOB_COMPLETION_INDEX: "2" }, "part 3 of 2"],
    ["auto", { JOB_COMPLETION_INDEX: "0", CI_NODE_INDEX: "1", CI_NODE_TOTAL: "2" }, "are both set"],
    ["auto", { CI_NODE_INDEX: "0", CI_NODE_TOTAL: "2" }, "part 0 of 2"],
  ])("%s with %j", async (which, env, said) => {
    const p = batchPlace(5);
    const r = await part(p, which, ["--first", "--out", "two"], { env: env as { [name: string]: string } });
    expect(expectFailure(r, 2)).toContain(said);
    expect(p.has("two") || p.has("A.pem.log")).toBe(false);
  });

  it("with the number of the first shard, which only one machine could count from", async () => {
    const p = batchPlace(5);
    expect(expectFailure(await part(p, "1/2", ["--seq", "7", "--out", "one"]), 2)).toContain(
      "several machines make the shards in any order",
    );
  });

  it("with another shard size than the batch, and one that is out of range", async () => {
    const p = batchPlace(5);
    expectExit(await batch(p, ["--first", ...SIZE]), 0);
    expect(envelopes(p, "0003").size).toBe(1);
    expect(expectFailure(await batch(p, ["--shard-size", "3"]), 1)).toContain("out: this batch was begun with shards of 2");
    for (const size of ["0", "4097", "x"]) expect(expectFailure(await batch(p, ["--shard-size", size]), 2)).toContain("--shard-size");
  });
});

describe.concurrent("a join is refused", () => {
  it("of parts that are missing, twice, not complete, or of another batch", async () => {
    const p = await twoParts();
    const refused = async (parts: string, exit: number, words: string) => {
      expect(expectFailure(await join(p, parts), exit)).toContain(words);
      expect(p.has("all")).toBe(false);
    };
    await refused("two", 1, "shard 1 of 3 is missing");
    await refused("one", 1, "shard 2 of 3 is missing");
    await refused("one two one", 1, "one and one both have shard 1");
    await refused("one gone", 3, "gone");
    await refused("one .", 3, "batch.json");
    cpSync(p.at("two"), p.at("begun"), { recursive: true });
    rmSync(p.at("begun/0002"), { recursive: true });
    await refused("one begun", 1, "begun: shard 2 of 3 is not complete");
    const q = batchPlace(4);
    expectExit(await part(q, "2/2", ["--first", "--out", "two"]), 0);
    cpSync(q.at("two"), p.at("other"), { recursive: true });
    await refused("one other", 1, "other: this batch was begun with other inputs");
  });

  it("of envelopes that were exchanged or changed", async () => {
    const p = await twoParts();
    const [first, second] = readdirSync(p.at("one/0001")).sort() as [string, string];
    const right = p.get(`one/0001/${first}`);
    p.put(`one/0001/${first}`, p.get(`one/0001/${second}`));
    expect(expectFailure(await join(p, "one two"), 1)).toContain("does not have the manifest that it is named after");
    p.put(`one/0001/${first}`, "junk");
    expect(expectFailure(await join(p, "one two"), 1)).toContain(first);
    rmSync(p.at(`one/0001/${first}`));
    expect(expectFailure(await join(p, "one two"), 3)).toContain(first);
    p.put(`one/0001/${first}`, right);
    expectExit(await join(p, "one two"), 0);
  });

  it("with options of a batch, without folders, and in a folder of something else", async () => {
    const p = await twoParts();
    const more = await p.run(["batch", "--join", "one", "two", "--out", "all", "--key", "A.pem"]);
    expect(expectFailure(more, 2)).toContain("--key is not for --join, which signs nothing");
    expect(expectFailure(await p.run(["batch", "--join", "--out", "all"]), 2)).toContain("no folder is given");
    expect(expectFailure(await p.run(["batch", "one", "two", "--out", "all"]), 2)).toContain("two: a batch has one template");
    expect(expectFailure(await p.run(["batch", "--out", "all"]), 2)).toContain("'template' is missing");
    p.folder("full");
    p.put("full/notes.txt", "mine");
    expect(expectFailure(await join(p, "one two", "full"), 2)).toContain("full is not the folder of a batch, and not empty");
  });
});

describeAtLedger("firmseal batch --shard", (here) => {
  it("gives each shard a number of its own, on machines that share a ledger", async () => {
    const { on, ok, p, place } = here();
    const q = batchPlace(5);
    for (const name of ["template.json", "devices.csv"]) p.put(name, q.get(name));
    p.put("devices.csv", devices(9));
    const made = (machine: string, which: string) =>
      on(machine, [
        ..."batch template.json --devices devices.csv --key A.pem --first --shard".split(" "),
        ...[which, ...SIZE, "--out", machine, "--log", place],
      ]);
    for (const one of await Promise.all([made("one", "1/2"), made("two", "2/2")])) expectExit(one, 0);
    await ok("one", "batch --join one two --out all");
    const numbers = ["0001", "0002", "0003", "0004", "0005"].map((shard) => JSON.parse(p.get(`all/${shard}.json`).toString()).sequence);
    expect([...numbers].sort()).toEqual(["1", "2", "3", "4", "5"]);
    await ok("one", ["ledger", "verify", "--ledger", place]);
  });
});
