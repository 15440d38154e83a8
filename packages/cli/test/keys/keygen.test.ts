// firmseal keygen: a key, encrypted unless it is asked for plainly, and never over another file.

import { spawnSync } from "node:child_process";
import { statSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { ONE, place, placeOfTwo, TWO } from "../all/command-place.js";

const hasOpenssl = hasProgram("openssl", "version");

describe("keygen", () => {
  for (const alg of ["ed25519", "es256"] as const) {
    it(`${alg}: encrypted, mode 0600, and never over another file`, async () => {
      const p = await placeOfTwo();
      const name = alg === "ed25519" ? "one.pem" : "two.pem";
      const pass = alg === "ed25519" ? ONE : TWO;
      expect(p.get(name).toString()).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
      const r = await p.run(["keygen", "--alg", alg, "--out", "new.pem", "--passphrase-env", "P", "--json"], { env: { P: pass } });
      expect(r.json).toEqual({
        ok: true,
        code: 0,
        reason: "OK",
        out: "new.pem",
        format: "pkcs8",
        encrypted: true,
        kid: null,
        alg,
        thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(r.stderr).toBe("");
      expect(statSync(p.at("new.pem")).mode & 0o777).toBe(0o600);
      expect(p.get("new.pem").equals(p.get(name))).toBe(false);
      const before = p.tree();
      for (const again of ["new.pem", "fw.bin"]) {
        expect(expectFailure(await p.run(["keygen", "--alg", alg, "--out", again, "--no-passphrase"]), 2)).toContain(again);
        expect((await p.run(["keygen", "--out", again, "--no-passphrase", "--json"])).json).toMatchObject({
          ok: false,
          exit: 2,
          reason: "USAGE",
        });
      }
      expect(p.tree()).toEqual(before);
      // the key that was written signs
      await p.ok(["sign", "fw.bin", "--key", "new.pem", ...FACTS, "--seq", "1", "--out", "new.suit", "--passphrase-fd", "3"], {
        fds: [pass],
      });
    });
  }

  it("--no-passphrase: a plain key, with a warning", async () => {
    const p = place();
    const r = await p.ok(["keygen", "--no-passphrase", "--out", "plain.pem"], { through: ["/bin/sh", "-c", 'umask 0; exec "$@"', "-"] });
    expect(p.get("plain.pem").toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(statSync(p.at("plain.pem")).mode & 0o777).toBe(0o600);
    expect(r.stdout).toBe("");
    expect(r.stderr).toMatch(/^warning: plain\.pem is not encrypted/);
  });

  it.skipIf(!hasOpenssl)(`openssl reads the keys${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
    const p = await placeOfTwo();
    for (const [name, pass] of [
      ["one.pem", ONE],
      ["two.pem", TWO],
    ] as const) {
      const pub = (await p.ok(["pubkey", name, "--passphrase-env", "P"], { env: { P: pass } })).stdout;
      const theirs = spawnSync("openssl", ["pkey", "-in", p.at(name), "-passin", "env:P", "-pubout"], {
        env: { ...process.env, P: pass },
        encoding: "utf8",
      });
      expect(theirs.stdout).toBe(pub);
    }
  });

  it("a passphrase that is missing, or not unique", async () => {
    const p = place();
    const before = p.tree();
    const keygen = (...more: string[]) => p.run(["keygen", "--out", "k.pem", ...more], { env: { EMPTY: "", P: "x" } });
    expect(expectFailure(await keygen(), 3)).toContain("terminal");
    expect(expectFailure(await keygen("--passphrase-env", "NOT_THERE"), 3)).toContain("NOT_THERE");
    expectFailure(await keygen("--passphrase-env", "EMPTY"), 3);
    expectFailure(await keygen("--passphrase-fd", "9"), 3);
    expectFailure(await keygen("--passphrase-fd", "x"), 2);
    expectFailure(await keygen("--passphrase-env", "P", "--passphrase-fd", "3"), 2);
    expectFailure(await keygen("--passphrase-env", "P", "--no-passphrase"), 2);
    expectFailure(await p.run(["keygen", "--out", "-", "--no-passphrase"]), 2);
    expectFailure(await p.run(["keygen", "--no-passphrase"]), 2);
    expectFailure(await p.run(["keygen", "--alg", "rsa", "--out", "k.pem", "--no-passphrase"]), 2);
    expect(p.tree()).toEqual(before);
  });

  it("does not follow a symbolic link", async () => {
    const p = place();
    symlinkSync("elsewhere", p.at("link.pem"));
    expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "link.pem"]), 2);
    expect(p.has("elsewhere")).toBe(false);
  });
});
