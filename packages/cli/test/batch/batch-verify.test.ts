// firmseal verify for the folder of a batch: every envelope, against the keys and the index of its shard.

import { cpSync, readdirSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place } from "../../../test-support/src/command-line/run.js";
import { batch, batchPlace, envelopes } from "./batch-place.js";

let made: Place;
beforeAll(async () => {
  made = batchPlace(5);
  expectExit(await batch(made, ["--key", "B.pem", "--first", "--shard-size", "2"]), 0);
});

const verify = (p: Place, ...more: string[]) => p.run(["verify", "out", "--key", "A.jwk", ...more]);

/** A copy of the batch. */
function copy(): Place {
  const p = batchPlace(5);
  cpSync(made.at("out"), p.at("out"), { recursive: true });
  for (const name of ["A.jwk", "B.jwk", "C.jwk"]) p.put(name, made.get(name));
  return p;
}

describe("firmseal verify", () => {
  it("verifies all envelopes of a batch", async () => {
    const { stderr } = expectExit(await verify(made), 0);
    expect(stderr).toMatch(/^out: good, 5 devices in 3 shards, sequence numbers 1, 2, 3, signed by ed25519 /m);
    const { json } = await verify(made, "--json");
    expect(json).toMatchObject({
      sequence: "3",
      signers: [{ alg: "ed25519" }],
      batch: { devices: 5, count: 3, shards: [{ sequence: "1", manifests: 2 }, { sequence: "2" }, { shard: 3, manifests: 1 }] },
    });
    const all = await verify(made, "--key", "B.jwk", "--threshold", "2");
    expect(expectExit(all, 0).stderr).toMatch(/signed by ed25519 [^,]+, es256 /);
  });

  it("verifies a part of one", async () => {
    const p = copy();
    rmSync(p.at("out/0002"), { recursive: true });
    rmSync(p.at("out/0002.json"));
    expect(expectExit(await verify(p), 0).stderr).toContain("out: good, 3 devices in 2 of 3 shards, sequence numbers 1, 3, signed by");
  });

  it("names only keys that have signed every envelope", async () => {
    const p = copy();
    const q = batchPlace(5);
    for (const name of ["A.pem", "A.jwk"]) q.put(name, made.get(name));
    const [name, bytes] = [...envelopes(p, "0003")][0] as [string, Buffer];
    // the same manifest, signed by one key
    expectExit(await batch(q, ["--seq", "1", "--shard-size", "2"]), 0);
    const [, one] = [...envelopes(q, "0003")][0] as [string, Buffer];
    expect(one.length).toBeLessThan(bytes.length);
    p.put(`out/0003/${name}`, one);
    const { json } = expectExit(await verify(p, "--key", "B.jwk", "--json"), 0);
    expect(json).toMatchObject({ signers: [{ alg: "ed25519" }] });
    expect(expectFailure(await verify(p, "--key", "B.jwk", "--threshold", "2"), 1)).toContain(name);
  });

  it.each<[string, (p: Place, names: string[]) => void, number, string]>([
    ["an envelope that is missing", (p, [name]) => rmSync(p.at(`out/0001/${name}`)), 1, "does not have the envelopes of its index"],
    [
      "one that replaces another",
      (p, [one, other]) => p.put(`out/0001/${one}`, p.get(`out/0001/${other}`)),
      1,
      "does not have the manifest that it is named after",
    ],
    [
      "a signature that was changed",
      (p, [name]) => {
        const bytes = p.get(`out/0001/${name}`);
        const at = bytes.indexOf(Buffer.from("5840", "hex")) + 10;
        bytes[at] = (bytes[at] as number) ^ 1;
        p.put(`out/0001/${name}`, bytes);
      },
      1,
      "SIGNATURE",
    ],
    [
      "a file that the index does not have",
      (p) => p.put("out/0001/other.suit", "x"),
      1,
      "out/0001 does not have the envelopes of its index, and no other file",
    ],
    ["a shard that is not complete", (p) => rmSync(p.at("out/0001"), { recursive: true }), 1, "out: shard 1 of 3 is not complete"],
    ["an index that is missing", (p) => rmSync(p.at("out/0001.json")), 3, "out/0001.json is missing"],
    ["a plan of something else", (p) => p.put("out/batch.json", "{}"), 1, "out/batch.json is not the plan of a batch"],
  ])("refuses %s", async (_, change, exit, words) => {
    const p = copy();
    change(p, readdirSync(p.at("out/0001")).sort());
    const r = await verify(p, "--threshold", "1", "--json");
    expect({ exit: r.exit, said: `${r.json["message"]} ${r.json["reason"]}` }).toEqual({ exit, said: expect.stringContaining(words) });
  });

  it("refuses other keys, a floor above a number, and options for products", async () => {
    expect(expectFailure(await made.run(["verify", "out", "--key", "C.jwk"]), 1)).toContain("out/0001/");
    expect(expectFailure(await verify(made, "--floor", "2"), 1)).toContain("out/0001/");
    expect(expectFailure(await made.run(["verify", "out", "--product", "firmseal.toml"]), 2)).toContain("out is the folder of a batch");
    expect(expectFailure(await verify(made, "--expect-version", "1.0.0"), 2)).toContain("--expect-version is for releases of a product");
    expect(expectFailure(await made.run(["verify", "out"]), 2)).toContain("no trusted keys");
  });
});
