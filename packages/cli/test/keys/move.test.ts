// firmseal keys move: another key continues the numbers.

import { beforeAll, describe, expect, it } from "vitest";
import { keys, ok, setUp, p as tokenPlace } from "../../../keys/test/pkcs11-place.js";
import { expectExit, expectFailure, FACTS, keyC, logEntries, quicklyEncrypted } from "../../../test-support/src/command-line/run.js";
import { why } from "../../../test-support/src/keys/softhsm.js";
import { PRODUCT, refusal, release, released, world } from "../product/product-place.js";

describe("firmseal keys move", () => {
  const log = PRODUCT.replace("[keys]", '[sequence]\nsource = "log"\n\n[keys]');

  it("lets the other key continue the numbers, and the old one does not sign alone", async () => {
    const p = world(log);
    await released(p, "1.0.0", "--first");
    await released(p, "1.0.1");
    const moved = await p.ok(["keys", "move", "A.pem", "C.pem", "--json"]);
    expect(moved.json["numbers"]).toHaveLength(2);
    expect(logEntries(p).at(-1)).toMatchObject({ operation: "move", to: (moved.json["to"] as { thumbprint: string }).thumbprint });
    expect(logEntries(p, "C.pem.log")).toMatchObject([
      { operation: "move", sequence: "2" },
      { operation: "move", sequence: "2" },
    ]);
    expect(refusal(await release(p, "1.0.2"), 1)).toContain("continues its numbers, so it does not sign alone");
    p.put("firmseal.toml", log.replace("A.pem", "C.pem"));
    expect((await released(p, "1.0.2", "--json")).json["sequence"]).toBe("3");
    const twice = await p.run(["keys", "move", "A.pem", "C.pem"]);
    expect(expectFailure(twice, 1)).toMatch(/^firmseal: A\.pem: key [0-9a-f]{16}… continues its numbers since an earlier move$/);
    expect(twice.stderr).toContain("hint: move on from that key: firmseal keys move THAT_KEY NEW; ");
    expect(expectFailure(await p.run(["keys", "move", "C.pem", "C.pem"]), 1)).toContain("both are the same key");
    expect(expectFailure(await p.run(["keys", "move", "B.pem", "C.pem"]), 1)).toContain("its log has no number to continue");
    // an entry of a move is not a signature
    await p.ok(["audit", "A.pem", "C.pem"]);
    // what a move does not do
    expect((await p.ok(["keys", "move", "C.pem", "B.pem"])).stderr).toContain(
      "only the numbers: devices accept what the new key signs once they trust it; then name it in [keys] of the product file\n",
    );
    expectExit(await p.run(["audit", "C.pem", "--envelope", "dist/1.0.1/gateway-puck-1.0.1.suit"]), 1);
  });
});

describe.skipIf(why !== "")(`firmseal keys move to a token${why}`, () => {
  beforeAll(setUp);

  it("gives the passphrase to the file and the PIN to the token, in audit too", async () => {
    const p = tokenPlace;
    p.keepsLogs = true;
    p.put("old.pem", quicklyEncrypted(keyC, "the passphrase"));
    const env = { OLD: "the passphrase" };
    const sign = ["sign", "fw.bin", ...FACTS, "--seq", "3"];
    await ok([...sign, "--key", "old.pem", "--out", "old.suit", "--passphrase-env", "OLD"], env);
    const both = ["--passphrase-env", "OLD", "--passphrase-env", "PIN"];
    // a PIN that is wrong would end each of them, and cost a try
    await ok(["keys", "move", "old.pem", keys.es256, ...both], env);
    await ok(["audit", "old.pem", keys.es256, ...both], env);
  });
});
