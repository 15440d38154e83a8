// Where private key files may be, and what keygen writes there.

import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, statSync, symlinkSync } from "node:fs";
import { isPrivate, type PrivateKey, toPrivateCose } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import {
  bin,
  expectExit,
  expectFailure,
  FACTS,
  keyA,
  keyB,
  type Place,
  privateJwk,
  quicklyEncrypted,
  standard,
} from "../../test-support/src/command-line/run.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { plainPem } from "../src/formats/pkcs8.js";
import { checkPrivate } from "../src/secrets/private-file.js";
import { openVariable as openEnv } from "../src/sources/env.js";
import { openDescriptor as openFd } from "../src/sources/fd.js";
import { ask, expectSame, forms, PASS, read } from "./key-files-common.js";

describe.concurrent("where a private key may be", () => {
  const sign = (p: Place, ref: string, o: object = {}) => p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"], o);

  it("not where others can read or change it", async () => {
    const p = standard();
    p.put("e.pem", quicklyEncrypted(keyA, PASS));
    for (const [name, mode] of [
      ["A.pem", 0o640],
      ["A.pem", 0o602],
      ["e.pem", 0o644],
    ] as const) {
      chmodSync(p.at(name), mode);
      const r = await sign(p, name);
      expect(expectFailure(r, 3)).toContain(`${name}: a private key that others can read or change (mode 0${mode.toString(8)})`);
      expect(r.stderr).toContain(`hint: chmod 600 ${name}\n`);
      expect(p.has("fw.suit")).toBe(false);
    }
    chmodSync(p.at("A.pem"), 0o400);
    expectExit(await sign(p, "A.pem"), 0);
    chmodSync(p.at("A.pem"), 0o444);
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.pem"]), 3);
    expectFailure(await p.run(["pubkey", "A.pem"]), 3);
    chmodSync(p.at("A.jwk"), 0o666);
    await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
  });

  it("not behind a symbolic link; a public key may", async () => {
    const p = standard();
    symlinkSync("A.pem", p.at("link.pem"));
    symlinkSync("A.jwk", p.at("link.jwk"));
    symlinkSync("loop", p.at("loop"));
    p.folder("real");
    p.put("real/k.pem", p.get("A.pem"));
    symlinkSync("real", p.at("folder"));
    const r = await sign(p, "link.pem");
    expect(expectFailure(r, 3)).toContain("link.pem: a private key behind a symbolic link");
    expectFailure(await sign(p, "loop"), 3);
    expectExit(await sign(p, "folder/k.pem"), 0);
    await p.ok(["verify", "fw.suit", "--key", "link.jwk"]);
  });

  const isRoot = process.getuid?.() === 0;
  const canDrop = isRoot && spawnSync(process.execPath, [bin, "--version"], { uid: 65534, gid: 65534 }).status === 0;
  it.skipIf(!canDrop)(`not in a file of another user${canDrop ? "" : " (skipped: needs root)"}`, async () => {
    const p = standard();
    chownSync(p.at("A.pem"), 65534, 65534);
    expect(expectFailure(await sign(p, "A.pem"), 3)).toContain("another user");
    chownSync(p.at("A.jwk"), 65534, 65534);
    await p.ok(["pubkey", "A.jwk"]);
  });

  it("the check alone", () => {
    const stat = (mode: number, uid: number) => ({ mode: 0o100000 | mode, uid });
    for (const [mode, uid] of [
      [0o600, 7],
      [0o400, 7],
      [0o700, 7],
      [0o600, 0],
    ] as const)
      checkPrivate("k", stat(mode, uid), false, 7);
    for (const [mode, uid] of [
      [0o600, 8],
      [0o640, 7],
      [0o601, 0],
    ] as const)
      expect(() => checkPrivate("k", stat(mode, uid), false, 7)).toThrow(KeyFileError);
    expect(() => checkPrivate("k", stat(0o600, 7), true, 7)).toThrow(KeyFileError);
  });

  it("env: a key in each text form, which is gone from the environment afterwards", async () => {
    for (const [name, content] of Object.entries(await forms(keyA))) {
      if (name === "cose") continue;
      const text = Buffer.from(content).toString();
      for (const value of name === "jwk" ? [text] : [text, text.replaceAll("\n", "\\n"), text.replaceAll("\n", "\\r\\n")]) {
        process.env["FIRMSEAL_TEST_KEY"] = value;
        const key = await openEnv("env:FIRMSEAL_TEST_KEY", { publicOnly: false, secret: ask });
        expectSame(key.private as PrivateKey, keyA);
        expect(key.name).toBe("env:FIRMSEAL_TEST_KEY");
        expect(process.env["FIRMSEAL_TEST_KEY"]).toBeUndefined();
      }
    }
  });

  it("env: on the command line", async () => {
    const p = standard();
    const f = await forms(keyA);
    const args = ["sign", "fw.bin", "--key", "env:KEY", ...FACTS, "--seq", "1", "--passphrase-env", "P", "--json"];
    const r = await p.ok(args, { env: { KEY: Buffer.from(f["encrypted pkcs8"] as Uint8Array).toString(), P: PASS } });
    expect(r.json).toMatchObject({ signers: [{ alg: "ed25519" }] });
    expect(expectFailure(await sign(p, "env:NOT_THERE"), 3)).toContain("NOT_THERE");
    for (const name of ["__proto__", "constructor"]) expect(expectFailure(await sign(p, `env:${name}`), 3)).toContain(name);
    expectFailure(await sign(p, "env:KEY", { env: { KEY: "" } }), 2);
    expectFailure(await sign(p, "env:KEY", { env: { KEY: "x".repeat(100_000) } }), 2);
    for (const ref of [`env:${privateJwk(keyA)}`, "env:", "env:A B", privateJwk(keyA), plainPem(keyA)]) {
      const bad = await sign(p, ref);
      expectFailure(bad, 2);
      expect(bad.stderr).not.toContain(Buffer.from(keyA.secret).toString("base64url").slice(0, 20));
      expect(bad.stderr).not.toContain(Buffer.from(keyA.secret).toString("base64").slice(8, 30));
    }
  });

  it("fd: a key through a descriptor, of any mode", async () => {
    const p = standard();
    expectExit(await sign(p, "fd:3", { fds: [toPrivateCose(keyA)] }), 0);
    expectExit(await sign(p, "fd:0", { input: plainPem(keyA) }), 0);
    const piped = ["sh", "-c", 'cat A.pem | "$@" 3<&0', "sh"];
    expectExit(await sign(p, "fd:3", { through: piped }), 0);
    const two = await p.run(["sign", "fw.bin", "--key", "fd:3", "--key", "fd:4", ...FACTS, "--seq", "1", "--json"], {
      fds: [plainPem(keyA), plainPem(keyB)],
    });
    expect((two.json as { signers: unknown[] }).signers).toHaveLength(2);
    for (const ref of ["fd:x", "fd:1"]) expectFailure(await sign(p, ref), 2);
    for (const ref of ["fd:", "fd:2", "fd:-3", "fd:99999"])
      await expect(openFd(ref, { publicOnly: false, secret: ask })).rejects.toMatchObject({ name: "KeyFileError", exit: 2 });
    await expect(openFd("fd:987", { publicOnly: false, secret: ask })).rejects.toMatchObject({ exit: 3 });
    // Node has these open for itself: a poll, and both ends of a pipe
    for (const fd of [3, 4, 5]) expect(expectFailure(await sign(p, `fd:${fd}`, { program: true }), 3)).toContain("EBADF");
    p.put("e.pem", quicklyEncrypted(keyA, PASS));
    const hangs = ["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "1", "--passphrase-fd"];
    expect(expectFailure(await p.run([...hangs, "4"], { program: true }), 3)).toContain("EBADF");
    expectFailure(await sign(p, "fd:3", { fds: [""] }), 2);
    expect(expectFailure(await sign(p, "fd:3", { fds: [new Uint8Array(200_000)] }), 2)).toContain("too long");
    expectFailure(await sign(p, "fd:3", { through: ["sh", "-c", '"$@" 3</', "sh"] }), 3);
  });
});

describe.concurrent("keygen", () => {
  it("writes each --format, for its owner alone", async () => {
    const p = standard();
    for (const alg of ["ed25519", "es256"]) {
      for (const format of alg === "es256" ? ["openssh"] : ["pkcs8"]) {
        const name = `${alg}.${format}`;
        const args = ["keygen", "--alg", alg, "--format", format, "--out", name, "--passphrase-env", "P", "--json"];
        const r = await p.ok(args, { env: { P: PASS } });
        expect(r.json).toMatchObject({ format, encrypted: true, alg });
        const key = await read(p.get(name), ask);
        expect(isPrivate(key) && key.alg).toBe(alg);
        expect(statSync(p.at(name)).mode & 0o777).toBe(0o600);
      }
      for (const format of alg === "es256" ? ["jwk"] : ["openssh", "cose"]) {
        const name = `${alg}-${format}.plain`;
        await p.ok(["keygen", "--alg", alg, "--format", format, "--out", name, "--no-passphrase"]);
        expect(isPrivate(await read(p.get(name)))).toBe(true);
        expect(statSync(p.at(name)).mode & 0o777).toBe(0o600);
      }
    }
    for (const format of ["jwk", "cose"]) {
      const r = await p.run(["keygen", "--format", format, "--out", "no", "--passphrase-env", "P"], { env: { P: PASS } });
      expect(expectFailure(r, 2)).toContain("is not encrypted");
      expect(r.stderr).toContain("--no-passphrase");
      expect(p.has("no")).toBe(false);
    }
  });
});
