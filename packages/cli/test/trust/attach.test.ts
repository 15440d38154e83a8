// firmseal trust tbs and trust attach, with openssl on the other machine.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errors } from "@firmseal/verifier";
import { describe, it } from "vitest";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { place, ROOTS, refused } from "./trust-place.js";

describe("firmseal trust attach", () => {
  const hasOpenssl = hasProgram("openssl", "version");
  it.skipIf(!hasOpenssl)(`accepts a signature from elsewhere if it is valid${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
    const p = place();
    await p.ok(["trust", "create", "--from", "board.json"]);
    for (const root of ["r1", "r2"]) {
      await p.ok(["trust", "tbs", "board.trust", "--key", `${root}.jwk`, "--out", `${root}.tbs`]);
      execFileSync("openssl", ["pkeyutl", "-sign", "-inkey", `${root}.pem`, "-rawin", "-in", `${root}.tbs`, "-out", `${root}.sig`], {
        cwd: p.path,
      });
    }
    const attach = (root: string, signature: string) => [
      "trust",
      "attach",
      "board.trust",
      "--key",
      `${root}.jwk`,
      "--signature",
      signature,
    ];
    await refused(p, attach("r1", "r2.sig"), errors.SIGNATURE_INVALID, /r2\.sig is not a signature of r1\.jwk over board\.trust/);
    await refused(p, attach("A", "r1.sig"), errors.TRUST_SIGNERS, /A\.jwk is not a root key of board\.trust/);
    await p.ok(attach("r1", "r1.sig"));
    await refused(p, attach("r1", "r1.sig"), 203, /already signed it/);
    p.put("words.sig", "no signature!");
    await refused(p, attach("r2", "words.sig"), errors.SIGNATURE_INVALID, /words\.sig is text, but neither hex nor base64/);
    // as it comes by mail
    p.put("r2.b64", readFileSync(join(p.path, "r2.sig")).toString("base64"));
    await p.ok(attach("r2", "r2.b64"));
    await p.ok(["trust", "verify", "board.trust", ...ROOTS]);
  });
});
