// Keys in a token: SoftHSM, through the command line and in this process.

import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, FACTS, keyB } from "../../test-support/src/command-line/run.js";
import { PIN, why } from "../../test-support/src/keys/softhsm.js";
import { formatPublic } from "../src/formats/format.js";
import { plainPem } from "../src/formats/pkcs8.js";

import { fails, hsm, keys, ok, p, run, setUp, sign, verifiesOnDevice } from "./pkcs11-place.js";
import { refusals } from "./pkcs11-refusals.js";

// one token for all: what is refused is in a file of its own
describe.skipIf(why !== "")(`SoftHSM${why}`, () => {
  beforeAll(setUp);

  it.each([
    ["ours", "ed25519"],
    ["ours", "es256"],
    ["theirs", "ed25519"],
    ["theirs", "es256"],
  ])("signs with the key of %s tool, %s: the device's bundle verifies", async (whose, alg) => {
    const ref = `pkcs11:token=one;object=${whose}-${alg}`;
    expectExit(await sign(ref, `${whose}-${alg}.suit`), 0);
    await verifiesOnDevice(`${whose}-${alg}.suit`, ref, alg);
  });

  it("signs with two keys of a token, and with its PIN from a descriptor, a file and a variable that the URI names", async () => {
    await ok([
      "sign",
      "fw.bin",
      "--key",
      keys.ed25519,
      "--key",
      keys.es256,
      ...FACTS,
      "--seq",
      "1",
      "--out",
      "two.suit",
      "--passphrase-env",
      "PIN",
    ]);
    await ok(["verify", "two.suit", "--key", keys.ed25519, "--key", keys.es256, "--threshold", "2", "--passphrase-env", "PIN"]);
    p.put("pin", `${PIN}\r\n`);
    for (const source of [`file:${p.at("pin")}`, "env:PIN"])
      expectExit(await sign(`${keys.ed25519}?pin-source=${source}`, "source.suit", {}, []), 0);
    const args = ["sign", "fw.bin", ...FACTS, "--seq", "1", "--out", "fd.suit"];
    const env = hsm.env;
    expectExit(await p.run([...args, "--key", keys.ed25519, "--passphrase-fd", "3"], { env, fds: [PIN] }), 0);
    expectExit(await p.run([...args, "--key", `${keys.ed25519}?pin-source=fd:3`], { env, fds: [`${PIN}\n`] }), 0);
  });

  it("a key that requires its PIN for each signature gets it", async () => {
    p.put("log", "");
    const ref = "pkcs11:token=one;object=each-time";
    expectExit(await sign(ref, "each.suit", hsm.shim({ SHIM_LOG: p.at("log") })), 0);
    expect(p.get("log").toString().split("\n")).toContain("C_Login for the key");
    await verifiesOnDevice("each.suit", ref, "es256");
  });

  it("ends the session and the module; a key to verify with proves itself, one that is only named need not", async () => {
    p.put("log", "");
    expectExit(await sign(keys.ed25519, "log.suit", hsm.shim({ SHIM_LOG: p.at("log") })), 0);
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_Login", "C_Sign", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    await ok(["verify", "log.suit", "--key", keys.ed25519, "--passphrase-env", "PIN"], hsm.shim({ SHIM_LOG: p.at("log") }));
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_Login", "C_Sign", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    expect(expectFailure(await run(["audit", keys.ed25519], hsm.shim({ SHIM_LOG: p.at("log") })), 3)).toContain(
      "no signing log for this key",
    );
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    await fails(keys.ed25519, hsm.shim({ SHIM_LOG: p.at("log"), SHIM_FAIL: "43:0x70" }));
    expect(p.get("log").toString().trim().split("\n").slice(-2)).toEqual(["C_CloseSession", "C_Finalize"]);
  });

  it("a token that shows nothing without a PIN is queried with one", async () => {
    const args = ["pubkey", keys.es256, "--passphrase-env", "PIN"];
    const ours = (await ok(args)).stdout;
    expect((await ok(args, hsm.shim({ SHIM_CLOSED: "1" }))).stdout).toBe(ours);
  });

  it("no command trusts a public key that somebody put into the token without a PIN", async () => {
    const ref = "pkcs11:token=one;object=device";
    const made = await ok(["token", "keygen", `${ref};id=%d1`, "--alg", "es256", "--passphrase-env", "PIN"]);
    const thumbprint = /^thumbprint [0-9a-f]{64}$/m.exec(made.stderr)?.[0] as string;
    const pub = ["pubkey", ref, "--passphrase-env", "PIN"];
    const genuine = await ok(pub);
    expect(genuine.stderr).toBe(`${thumbprint}\n`);
    p.put(
      "planted.der",
      Buffer.from(
        Buffer.from(formatPublic(keyB, "pem"))
          .toString()
          .replace(/-.*-|\n/g, ""),
        "base64",
      ),
    );
    const plant = ["--write-object", p.at("planted.der"), "--type", "pubkey", "--label", "device"];
    try {
      // beside it, under its name
      hsm.pkcs11ToolOpen("one", ...plant, "--id", "d2");
      expect((await ok(pub)).stdout).toBe(genuine.stdout);
      expect((await ok([...pub, "--format", "js"])).stderr).toBe(`${thumbprint}\n`);
      // in its place
      for (const id of ["d1", "d2"]) hsm.pkcs11ToolOpen("one", "--delete-object", "--type", "pubkey", "--id", id);
      hsm.pkcs11ToolOpen("one", ...plant, "--id", "d1");
      p.put("B.pem", plainPem(keyB));
      await ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1", "--out", "planted.suit"]);
      for (const args of [
        pub,
        [...pub, "--format", "js"],
        ["verify", "planted.suit", "--key", ref, "--passphrase-env", "PIN"],
        ["whosigned", "planted.suit", "--key", ref, "--passphrase-env", "PIN"],
      ]) {
        const r = await run(args);
        expect(r.stdout, args.join(" ")).toBe("");
        expect(expectFailure(r, 3)).toContain("the returned signature is not by this key");
      }
      expect(expectFailure(await run(["pubkey", `${ref};type=public`]), 2)).toContain("anybody may have put into the token");
    } finally {
      for (const type of ["pubkey", "privkey"]) hsm.pkcs11Tool("one", "--delete-object", "--type", type, "--id", "d1");
    }
  });

  const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;
  it.skipIf(!hasOpenssl)(`takes the public key from a certificate${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
    const ref = "pkcs11:token=one;object=cert-only";
    hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "cert-only", "--id", "0e");
    try {
      const pub = await ok(["pubkey", ref, "--passphrase-env", "PIN"]);
      p.put("pub.pem", pub.bytes);
      p.put("ca.pem", plainPem(keyB));
      const args = "x509 -new -force_pubkey pub.pem -key ca.pem -subj /CN=release -days 30 -outform DER -out cert.der".split(" ");
      expect(spawnSync("openssl", args, { cwd: p.path }).status).toBe(0);
      hsm.pkcs11Tool("one", "--delete-object", "--type", "pubkey", "--id", "0e");
      expect(await fails(ref)).toContain("no public key beside this private one");
      hsm.pkcs11Tool("one", "--write-object", p.at("cert.der"), "--type", "cert", "--label", "cert-only", "--id", "0e");
      expectExit(await sign(ref, "cert.suit"), 0);
      await ok(["verify", "cert.suit", "--key", ref, "--passphrase-env", "PIN"]);
      expect((await ok(["pubkey", ref, "--passphrase-env", "PIN"])).stdout).toBe(pub.stdout);
      // a certificate and a public key that disagree: which one is right cannot be known
      p.put("pub.pem", (await ok(["pubkey", keys.es256, "--passphrase-env", "PIN"])).bytes);
      expect(spawnSync("openssl", args, { cwd: p.path }).status).toBe(0);
      hsm.pkcs11Tool("one", "--write-object", p.at("cert.der"), "--type", "cert", "--label", "cert-only", "--id", "0e");
      expect(await fails(ref, {}, 2)).toContain("2 keys fit");
    } finally {
      for (const type of ["cert", "cert", "privkey"]) hsm.pkcs11Tool("one", "--delete-object", "--type", type, "--id", "0e");
    }
  });

  refusals();

  it("pin-value is refused", async () => {
    expectExit(await sign(`${keys.ed25519}?pin-value=${PIN}`, "never.suit", {}, ["--json"]), 2);
  });
});
