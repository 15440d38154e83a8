// firmseal token keygen.

import { beforeAll, describe, expect, it } from "vitest";
import { hsm, keys, run, setUp } from "../../../keys/test/pkcs11-place.js";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { why } from "../../../test-support/src/keys/softhsm.js";

describe.skipIf(why !== "")(`firmseal token keygen${why}`, () => {
  beforeAll(setUp);

  it("makes a key that cannot be extracted, can only sign, and never takes an existing name", async () => {
    const r = hsm.pkcs11Tool("one", "--list-objects", "--type", "privkey");
    const ours = r.slice(r.indexOf("ours-ed25519"));
    expect(ours).toMatch(
      /^ours-ed25519\n[\s\S]*?Usage: {6}sign(, signRecover)?\n\s*Access: {5}sensitive, always sensitive, never extractable, local\n/,
    );
    const again = await run(["token", "keygen", keys.ed25519, "--passphrase-env", "PIN"]);
    expect(expectFailure(again, 2)).toContain("already has an object named ours-ed25519");
    const id = await run(["token", "keygen", "pkcs11:token=one;object=new;id=%0a", "--passphrase-env", "PIN"]);
    expect(expectFailure(id, 2)).toContain("its id is taken");
    const locked = await run(["token", "keygen", "pkcs11:token=one;object=new", "--passphrase-env", "PIN"], hsm.shim({ SHIM_FLIP: "1" }));
    expectFailure(locked, 3);
    expect(hsm.pkcs11Tool("one", "--list-objects")).not.toMatch(/label: +new\n/);
  });
});
