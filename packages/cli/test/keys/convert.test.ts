import { statSync } from "node:fs";
import { toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { canEncrypt, formatPublic, privateFormats } from "../../../keys/src/formats/format.js";
import { algs, expectSame, forms, PASS, read } from "../../../keys/test/key-files-common.js";
import { utf8 } from "../../../test-support/src/bytes.js";
import { expectFailure, keyA, keyB, quicklyEncrypted, standard } from "../../../test-support/src/command-line/run.js";
import { LONG } from "../../../test-support/src/environment/effort.js";

describe.concurrent("firmseal convert", () => {
  it("goes from forms that other tools write, to each form", async () => {
    const p = standard();
    const env = { OLD: PASS, NEW: "another passphrase" };
    for (const key of algs)
      for (const [from, content] of Object.entries(await forms(key))) {
        if (!(from.startsWith("encrypted") || from === "pkcs8")) continue;
        p.put("in", content);
        const old = from.startsWith("encrypted") ? ["--passphrase-env", "OLD"] : [];
        for (const to of from === "encrypted pkcs8" ? privateFormats : (["jwk"] as const)) {
          // half a second of bcrypt, which keygen spends for this algorithm above
          if (to === "openssh" && key.alg === "es256" && !LONG) continue;
          const out = `${key.alg} ${from} ${to}`;
          const how = canEncrypt(to) ? ["--new-passphrase-env", "NEW"] : ["--no-passphrase"];
          const r = await p.ok(["convert", "in", "--format", to, "--out", out, ...old, ...how, "--json"], { env });
          expect(r.json).toMatchObject({ ok: true, format: to, private: true, encrypted: canEncrypt(to), alg: key.alg });
          expect(statSync(p.at(out)).mode & 0o777).toBe(0o600);
          expectSame(await read(p.get(out), async () => utf8(env.NEW)), key);
        }
      }
  });

  it("writes public keys", async () => {
    const p = standard();
    for (const format of ["openssh", "raw"] as const) {
      await p.ok(["convert", "B.jwk", "--format", format, "--out", `B.${format}.out`]);
      expect(p.get(`B.${format}.out`)).toEqual(Buffer.from(formatPublic(keyB, format)));
    }
  });

  it("refuses what it cannot read or write, and writes nothing", async () => {
    const p = standard();
    p.put("taken", "x");
    p.put("e.pem", quicklyEncrypted(keyA, PASS));
    const before = p.tree();
    const env = { P: PASS, Q: "wrong", EMPTY: "", BOM: "\ufeffx", CR: "x\r" };
    const run = (...args: string[]) => p.run(["convert", ...args], { env });
    const to = (format: string, out = "new") => ["--format", format, "--out", out];
    expect(expectFailure(await run("A.pem", ...to("jwk")), 2)).toContain("is not encrypted");
    expectFailure(await run("A.pem", ...to("jwk"), "--new-passphrase-env", "P"), 2);
    const asked = await run("A.pem", ...to("openssh"));
    expect(expectFailure(asked, 3)).toBe("firmseal: the new passphrase for new is needed, and there is no terminal to ask for it");
    expect(asked.stderr).toContain("--new-passphrase-env NAME");
    expectFailure(await run("A.pem", ...to("pkcs8", "taken"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8", "A.pem"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8", "-"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pem")), 2);
    expectFailure(await run("A.pem", ...to("raw"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("pkcs8"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("pem"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("jwk"), "--new-passphrase-env", "P"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8"), "--no-passphrase", "--new-passphrase-env", "P"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8"), "--new-passphrase-fd", "3", "--new-passphrase-env", "P"), 2);
    for (const name of ["EMPTY", "BOM", "CR", "NOT_THERE"])
      expectFailure(await run("A.pem", ...to("pkcs8"), "--new-passphrase-env", name), 3);
    expectFailure(await run("e.pem", ...to("pkcs8"), "--passphrase-env", "Q", "--new-passphrase-env", "P"), 3);
    expectFailure(await run("gone.pem", ...to("pkcs8"), "--new-passphrase-env", "P"), 3);
    expectFailure(await run("A.pem", "--out", "new"), 2);
    expectFailure(await run("A.pem", "--format", "jwk"), 2);
    expect(p.tree()).toEqual(before);
    const e = p.get("e.pem");
    for (const n of [0, 1, 27, 60, 150, e.length - 30]) {
      p.put("cut", e.subarray(0, n));
      expectFailure(await run("cut", ...to("pkcs8"), "--passphrase-env", "P", "--new-passphrase-env", "P"), 2);
    }
    expect(p.has("new")).toBe(false);
    p.put("kid.jwk", JSON.stringify({ ...toPrivateJwk(keyA), kid: "release" }));
    const r = await p.ok(["convert", "kid.jwk", ...to("pkcs8", "no-kid.pem"), "--new-passphrase-env", "P"], { env });
    expect(r.stderr).toContain("has no place for it");
  });
});
