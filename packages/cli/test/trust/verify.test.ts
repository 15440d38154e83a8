// firmseal trust verify: from one trust file to the next.

import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { board, refused, release, signed } from "./trust-place.js";

describe("firmseal trust verify", () => {
  it("carries a device from one set of roots to another, forward only and within its line", async () => {
    const p = await signed();
    const next = board();
    next.anchors = [{ key: "r3.jwk", roles: ["root"] }, ...next.anchors.slice(3)];
    next.thresholds = { root: 1, release: 1, debug: 1 };
    delete next["sequence"];
    p.put("next.json", JSON.stringify(next));
    expect((await p.ok(["trust", "create", "--from", "next.json", "--previous-trust", "board.trust", "--json"])).json).toMatchObject({
      sequence: "2",
    });
    await refused(p, ["trust", "sign", "next.trust", "--key", "r1.pem"], errors.TRUST_SIGNERS, /r1\.pem is not a root key of next\.trust/);
    await p.ok(["trust", "sign", "next.trust", "--key", "r3.pem"]);
    await refused(
      p,
      ["trust", "verify", "next.trust", "--previous-trust", "board.trust"],
      errors.TRUST_PREVIOUS,
      /roots of the previous trust file/,
    );
    const r = await p.ok([
      "trust",
      "sign",
      "next.trust",
      "--key",
      "r1.pem",
      "--key",
      "r2.pem",
      "--previous-trust",
      "board.trust",
      "--json",
    ]);
    expect(r.json).toMatchObject({ roots: { signed: 1, needed: 1 }, rootsBefore: { signed: 2, needed: 2 } });
    await p.ok(["trust", "verify", "next.trust", "--previous-trust", "board.trust"]);
    await refused(
      p,
      ["trust", "verify", "board.trust", "--previous-trust", "next.trust"],
      errors.TRUST_PREVIOUS,
      /roots of the previous trust file/,
    );
    // by a release that one key of it has signed
    await release(p, "B.pem", 12, "b.suit");
    await p.ok(["verify", "b.suit", "--trust", "next.trust", "--previous-trust", "board.trust"]);
    // under the same roots: an older file, and one of another line
    const same = { ...board(), sequence: 5 };
    p.put("same.json", JSON.stringify(same));
    p.put("lock.json", JSON.stringify({ ...same, name: "lock", sequence: 6 }));
    for (const name of ["same", "lock"]) {
      await p.ok(["trust", "create", "--from", `${name}.json`]);
      await p.ok(["trust", "sign", `${name}.trust`, "--key", "r1.pem", "--key", "r2.pem"]);
    }
    await p.ok(["trust", "verify", "same.trust", "--previous-trust", "board.trust"]);
    await refused(p, ["trust", "verify", "board.trust", "--previous-trust", "same.trust"], errors.TRUST_ROLLBACK, /not newer/);
    await refused(p, ["trust", "verify", "lock.trust", "--previous-trust", "same.trust"], errors.TRUST_NAME, /another product line/);
    await refused(
      p,
      ["trust", "create", "--from", "board.json", "--previous-trust", "same.trust", "--out", "x.trust"],
      204,
      /sequence 1 is not above 5/,
    );
    await refused(
      p,
      ["trust", "create", "--from", "lock.json", "--previous-trust", "same.trust", "--out", "x.trust"],
      204,
      /the name is not "board"/,
    );
  }, 120_000);
});
