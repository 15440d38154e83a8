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
        publicKey: "new.pub",
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

  it("writes the public key beside the private one, as pubkey writes it, for everybody", async () => {
    const p = place();
    for (const [name, publicKey, alg] of [
      ["release.pem", "release.pub", "ed25519"],
      ["id", "id.pub", "es256"],
      ["key.2026.jwk", "key.2026.pub", "ml-dsa-44"],
    ] as const) {
      const r = await p.ok(["keygen", "--alg", alg, "--no-passphrase", "--out", name], {
        through: ["/bin/sh", "-c", 'umask 022; exec "$@"', "-"],
      });
      expect(r.stderr).toContain(`${publicKey}: its public key\n`);
      expect(p.get(publicKey).toString()).toBe((await p.ok(["pubkey", name])).stdout);
      expect(statSync(p.at(publicKey)).mode & 0o777).toBe(0o644);
    }
    const { json } = await p.ok(["keygen", "--alg", "ed25519+ml-dsa-44", "--no-passphrase", "--out", "pair.pem", "--json"]);
    expect(json).toMatchObject({ publicKey: "pair.pub", keys: [{ publicKey: "pair.pub" }, { publicKey: "pair.pq.pub" }] });
    for (const name of ["pair", "pair.pq"]) expect(p.get(`${name}.pub`).toString()).toBe((await p.ok(["pubkey", `${name}.pem`])).stdout);
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--no-passphrase", "--out", "one.hss"]);
    expect(p.get("one.pub").toString()).toBe((await p.ok(["pubkey", "one.hss"])).stdout);
  });

  it("never replaces a public key, and asks for no passphrase before it says so", async () => {
    const p = place();
    p.put("other.pub", "of another key");
    p.put("pair.pq.pub", "of another key");
    symlinkSync("elsewhere", p.at("link.pub"));
    const before = p.tree();
    const keygen = (...more: string[]) => p.run(["keygen", ...more]);
    for (const more of [[], ["--no-passphrase"], ["--alg", "hsslms", "--hss", "5/2"]]) {
      expect(expectFailure(await keygen("--out", "other.pem", ...more), 2)).toMatch(/other\.pub exists already and is never overwritten$/);
      expectFailure(await keygen("--out", "link.pem", ...more), 2);
      for (const name of ["x.pub", "x.PUB"])
        expect(expectFailure(await keygen("--out", name, ...more), 2)).toContain(`--out ${name}: a private key is not called .pub`);
    }
    expect(expectFailure(await keygen("--alg", "ed25519+ml-dsa-44", "--out", "pair.pem"), 2)).toContain("pair.pq.pub exists already");
    expect(p.tree()).toEqual(before);
  });

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
