// firmseal token list.

import { beforeAll, describe, expect, it } from "vitest";
import { ok, setUp, sign } from "../../../keys/test/pkcs11-place.js";
import { expectExit } from "../../../test-support/src/command-line/run.js";
import { why } from "../../../test-support/src/keys/softhsm.js";

describe.skipIf(why !== "")(`firmseal token list${why}`, () => {
  beforeAll(setUp);

  it("lists keys with references that work, and private ones only with the PIN", async () => {
    const shown = (await ok(["token", "list", "pkcs11:token=one", "--json"])).json as {
      tokens: { keys: { uri: string; has: string[] }[] }[];
    };
    expect(shown.tokens).toHaveLength(1);
    expect(shown.tokens[0]?.keys.flatMap((key) => key.has)).not.toContain("private");
    const all = (await ok(["token", "list", "--login", "--json", "--passphrase-env", "PIN"])).json as typeof shown;
    const ours = all.tokens[0]?.keys.find((key) => key.uri.includes("ours-es256")) as { uri: string; has: string[] };
    expect(ours).toMatchObject({ label: "ours-es256", alg: "es256", has: ["private", "public"] });
    expect(all.tokens[0]?.keys.find((key) => key.uri.includes("p384"))).toMatchObject({ alg: null, thumbprint: null });
    expectExit(await sign(ours.uri, "listed.suit"), 0);
    const text = await ok(["token", "list", "pkcs11:object=ours-es256"]);
    const [head, row, ...rest] = text.stdout.trim().split("\n") as [string, string];
    expect(head).toMatch(/^key +algorithm +thumbprint +parts$/);
    expect(row.split(/ +/)[0]).toBe(ours.uri);
    expect(rest).toEqual([]);
  });
});
