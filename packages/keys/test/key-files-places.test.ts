// Where private key files may be, and what keygen and convert write there.

import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, statSync, symlinkSync } from "node:fs";
import { isPrivate, type PrivateKey, toPrivateCose, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import {
  bin,
  expectFailure,
  FACTS,
  keyA,
  keyB,
  type Place,
  privateJwk,
  quicklyEncrypted,
  standard,
} from "../../test-support/src/command-line/run.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { canEncrypt, formatPublic, privateFormats } from "../src/formats/format.js";
import { plainPem } from "../src/formats/pkcs8.js";
import { checkPrivate } from "../src/secrets/private-file.js";
import { openVariable as openEnv } from "../src/sources/env.js";
import { openDescriptor as openFd } from "../src/sources/fd.js";
import { algs, ask, expectSame, forms, PASS, read } from "./key-files-common.js";

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
    expect((await sign(p, "A.pem")).exit).toBe(0);
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
    expect((await sign(p, "folder/k.pem")).exit).toBe(0);
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
    expect((await sign(p, "fd:3", { fds: [toPrivateCose(keyA)] })).exit).toBe(0);
    expect((await sign(p, "fd:0", { input: plainPem(keyA) })).exit).toBe(0);
    const piped = ["sh", "-c", 'cat A.pem | "$@" 3<&0', "sh"];
    expect((await sign(p, "fd:3", { through: piped })).exit).toBe(0);
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
describe.concurrent("keygen and convert", () => {
  it("keygen --format", async () => {
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
        const name = `${alg}.plain.${format}`;
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

  it("convert: from forms that other tools write, to each form", async () => {
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

  it("convert: public keys", async () => {
    const p = standard();
    for (const format of ["openssh", "raw"] as const) {
      await p.ok(["convert", "B.jwk", "--format", format, "--out", `B.${format}.out`]);
      expect(p.get(`B.${format}.out`)).toEqual(Buffer.from(formatPublic(keyB, format)));
    }
  });

  it("convert: what is refused, with nothing written", async () => {
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
