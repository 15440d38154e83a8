// firmseal trust chain: several lists in one file, and the release that brings them to devices that were away.

import { errors } from "@firmseal/verifier";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, Place } from "../../../test-support/src/command-line/run.js";
import { keysOf, trustFileOf } from "../../../test-support/src/rotation-world.js";

const K = keysOf("A", "B", "R1", "R2", "R3", "R4");
const files: { [name: string]: Uint8Array } = {};

beforeAll(async () => {
  const releases = [K.A, K.B];
  // from R1 and R2 to R3 and R4: nobody who signs the last list is known to devices with the first
  files["t1.trust"] = await trustFileOf(1, { releases, roots: [K.R1, K.R2] });
  files["t2.trust"] = await trustFileOf(2, { releases, roots: [K.R1, K.R2] }, files["t1.trust"]);
  files["t3.trust"] = await trustFileOf(3, { releases, roots: [K.R3, K.R4], signers: [K.R1, K.R2, K.R3, K.R4] }, files["t2.trust"]);
  files["t4.trust"] = await trustFileOf(4, { releases, roots: [K.R3, K.R4] }, files["t3.trust"]);
  files["fork.trust"] = await trustFileOf(3, { releases: [K.A], threshold: 1, roots: [K.R1, K.R2] });
  files["other.trust"] = await trustFileOf(2, { releases, roots: [K.R1, K.R2] }, undefined, "other");
  files["stranger.trust"] = await trustFileOf(2, { releases, roots: [K.R3, K.R4] });
});

function place(): Place {
  const p = new Place();
  p.putKeys(K);
  for (const [name, bytes] of Object.entries(files)) p.put(name, bytes);
  p.put("fw.bin", new Uint8Array(500).fill(7));
  return p;
}

const fleet = (trust: string) => ({
  cohorts: [{ name: "away", devices: 1, trust, vendor: "example.com", class: "board-v2", floor: 0 }],
});

describe("firmseal trust chain", () => {
  it("makes one file of several, in the order of their numbers", async () => {
    const p = place();
    const r = await p.ok(["trust", "chain", "t3.trust", "t2.trust", "t4.trust", "--out", "chain.trust", "--json"]);
    expect(r.json).toMatchObject({ ok: true, name: "board", first: "2", last: "4", files: ["t2.trust", "t3.trust", "t4.trust"] });
    expect(p.get("chain.trust")).toEqual(Buffer.concat([files["t2.trust"], files["t3.trust"], files["t4.trust"]] as Uint8Array[]));
    expect((await p.ok(["trust", "chain", "t2.trust", "t3.trust", "--out", "c.trust"])).stderr).toMatch(
      /^c\.trust: 2 trust files of board, from sequence number 2 to 3, [\d,]+ bytes\n$/,
    );
  });

  it("moves a device over a change of all roots, with one release", async () => {
    const p = place();
    await p.ok(["trust", "chain", "t2.trust", "t3.trust", "t4.trust", "--out", "chain.trust"]);
    const bridge = (from: string, next: string, out: string) =>
      p.run([
        "rotate",
        "bridge",
        "fw.bin",
        "--trust",
        from,
        "--next-trust",
        next,
        ...FACTS,
        "--seq",
        "9",
        "--key",
        "A.pem",
        "--key",
        "B.pem",
        "--out",
        out,
        "--json",
      ]);
    expect((await bridge("t1.trust", "t4.trust", "no.suit")).json).toMatchObject({ ok: false, code: errors.TRUST_PREVIOUS });
    expect((await bridge("t1.trust", "chain.trust", "b.suit")).json).toMatchObject({ ok: true });
    for (const from of ["t1.trust", "t2.trust", "t3.trust", "t4.trust"]) {
      p.put("fleet.json", JSON.stringify(fleet(from)));
      const plan = await p.ok(["rotate", "plan", "--fleet", "fleet.json", "--release", "b.suit", "--json"]);
      expect(JSON.stringify(plan.json), from).toContain('"verdict":"moved"');
    }
    p.put("fleet.json", JSON.stringify(fleet("t1.trust")));
    const unsigned = [
      "rotate",
      "bridge",
      "fw.bin",
      "--trust",
      "t1.trust",
      "--next-trust",
      "chain.trust",
      ...FACTS,
      "--seq",
      "10",
      "--fleet",
      "fleet.json",
    ];
    await p.ok([...unsigned, "--out", "turns.suit"]);
  });

  it.each([
    ["a missing file", ["t2.trust", "t4.trust"], "TRUST_CHAIN", /t4\.trust has the sequence number 4, and t2\.trust 2/],
    ["a file twice", ["t2.trust", "t2.trust"], "TRUST_CHAIN", /t2\.trust has the sequence number 2, and t2\.trust 2/],
    ["two files of one number", ["t2.trust", "t3.trust", "fork.trust"], "TRUST_CHAIN", / has the sequence number 3, and/],
    ["another line", ["t1.trust", "other.trust"], "TRUST_NAME", /is for "other"/],
    ["roots that have not signed the next", ["t1.trust", "stranger.trust"], "TRUST_PREVIOUS", /^firmseal: stranger\.trust: refused/],
    ["a chain", ["chain.trust", "t4.trust"], "CBOR_TRAILING", /^firmseal: chain\.trust: refused/],
    ["something else", ["fw.bin"], "TRUST_NONE", /^firmseal: fw\.bin: not a trust file/],
  ])("refuses %s, and writes nothing", async (_, names, reason, line) => {
    const p = place();
    p.put("chain.trust", Buffer.concat([files["t2.trust"], files["t3.trust"]] as Uint8Array[]));
    const before = p.tree();
    const args = ["trust", "chain", ...names, "--out", "out.trust"];
    expect(expectFailure(await p.run(args), 1)).toMatch(line);
    expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: false, reason });
    expect(p.tree()).toEqual(before);
  });

  it("refuses more than 16 files, and a bridge with a damaged chain", async () => {
    const p = place();
    let last = files["t1.trust"] as Uint8Array;
    const names: string[] = [];
    for (let n = 2; n < 19; n++) {
      last = await trustFileOf(n, { releases: [K.A, K.B], roots: [K.R1, K.R2] }, last);
      p.put(`n${n}.trust`, last);
      names.push(`n${n}.trust`);
    }
    expect((await p.run(["trust", "chain", ...names, "--out", "many.trust", "--json"])).json).toMatchObject({ reason: "TRUST_LIMIT" });
    await p.ok(["trust", "chain", ...names.slice(0, 16), "--out", "many.trust"]);
    const whole = Uint8Array.from(p.get("many.trust"));
    const bridge = [
      "rotate",
      "bridge",
      "fw.bin",
      "--trust",
      "t1.trust",
      "--next-trust",
      "bad.trust",
      ...FACTS,
      "--seq",
      "9",
      "--out",
      "b.suit",
    ];
    for (const [bytes, reason] of [
      [whole.subarray(0, whole.length - 1), "CBOR_TRUNCATED"],
      [Uint8Array.of(...(files["t2.trust"] as Uint8Array), 0), "CBOR_TRAILING"],
      [Uint8Array.of(...whole, ...last), "TRUST_LIMIT"],
      [whole.map((b, i) => (i === whole.length - 1 ? b ^ 1 : b)), "TRUST_PREVIOUS"],
    ] as const) {
      p.put("bad.trust", bytes);
      expect((await p.run([...bridge, "--json"])).json).toMatchObject({ ok: false, reason });
    }
  });
});
