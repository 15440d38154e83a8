import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { failureOf } from "../../cli/src/show/failure-of.js";
import { expectFailure, FACTS, image, keyA, keyB, Place, type Result, stateOf } from "../../test-support/src/run.js";
import { module, PIN, SO_PIN, SoftHsm, why } from "../../test-support/src/softhsm.js";
import { formatPublic } from "../src/formats/format.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";
import type { PassphraseOption } from "../src/secrets/hand-out.js";
import { openTokenKey } from "../src/sources/pkcs11/pkcs11.js";
import { asking } from "../src/sources/reference.js";

interface Bundle {
  open(envelope: Uint8Array, trust: { anchors: unknown[]; threshold?: number }): unknown;
  anchor(alg: string, key: Uint8Array): unknown;
}
/** What a device runs. */
function bundle(name: string): Bundle {
  return createRequire(import.meta.url)(fileURLToPath(new URL(`../../verifier/dist/firmseal-${name}.js`, import.meta.url)));
}
describe.skipIf(why !== "")(`SoftHSM${why}`, () => {
  const p = new Place();
  let hsm: SoftHsm;
  const keys = { ed25519: "pkcs11:token=one;object=ours-ed25519", es256: "pkcs11:token=one;object=ours-es256" };
  const everything: Result[] = [];

  async function run(args: readonly string[], env: { [name: string]: string } = {}): Promise<Result> {
    const r = await p.run(args, { env: { ...hsm.env, ...env } });
    everything.push(r);
    return r;
  }
  async function ok(args: readonly string[], env: { [name: string]: string } = {}): Promise<Result> {
    const r = await run(args, env);
    expect({ exit: r.exit, stderr: r.exit === 0 ? "" : r.stderr }, args.join(" ")).toEqual({ exit: 0, stderr: "" });
    return r;
  }
  const sign = (ref: string, out: string, env: { [name: string]: string } = {}, more: readonly string[] = ["--passphrase-env", "PIN"]) =>
    run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "7", "--out", out, ...more], env);
  /** What signing fails with, at the command line: exit 3, one line, one hint, nothing written. */
  async function failsOutside(ref: string, env: { [name: string]: string } = {}, more?: readonly string[]): Promise<string> {
    const r = await sign(ref, "never.suit", env, more);
    const line = expectFailure(r, 3);
    expect(p.has("never.suit")).toBe(false);
    return `${line}\n${r.stderr.split("\n").find((l) => l.startsWith("hint: "))}`;
  }
  /** The same in this process, which takes a tenth of the time. */
  async function fails(ref: string, env: { [name: string]: string } = {}, exit = 3, options: PassphraseOption[] = [{ env: "PIN" }]) {
    const before = { ...process.env };
    Object.assign(process.env, hsm.env, env);
    let e: unknown;
    try {
      const key = await openTokenKey(ref, asking([ref], options, false));
      try {
        await key.signer?.sign(new Uint8Array(100));
      } finally {
        await key.close?.();
      }
    } catch (x) {
      e = x;
    } finally {
      for (const name of Object.keys({ ...hsm.env, ...env })) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    const failure = failureOf(e ?? new Error("it signed"));
    const text = `${failure.message}\nhint: ${failure.hint}`;
    expect({ exit: failure.exit, reason: failure.reason }, text).toEqual({ exit, reason: expect.stringMatching(/^(KEY|ENVIRONMENT)$/) });
    expect(text.split("\n")).toHaveLength(2);
    for (const secret of [PIN, SO_PIN, "wrong-CANARY"]) expect(text).not.toContain(secret);
    return text;
  }
  async function verifiesOnDevice(file: string, ref: string, alg: string): Promise<void> {
    const raw = (await ok(["pubkey", ref, "--format", "raw", "--passphrase-env", "PIN"])).bytes;
    const device = bundle(alg);
    expect(() => device.open(p.get(file), { anchors: [device.anchor(alg, raw)] })).not.toThrow();
    const damaged = p.get(file);
    // the signature stands before the manifest
    damaged[60] = (damaged[60] as number) ^ 1;
    expect(() => device.open(damaged, { anchors: [device.anchor(alg, raw)] })).toThrow();
  }

  beforeAll(async () => {
    hsm = new SoftHsm(p);
    hsm.init("one");
    p.put("fw.bin", image(5000));
    hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "theirs-es256", "--id", "0a");
    hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:edwards25519", "--label", "theirs-ed25519", "--id", "0b");
    hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:secp384r1", "--label", "p384", "--id", "0c");
    hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "each-time", "--id", "0d", "--always-auth");
    for (const [alg, ref] of Object.entries(keys)) await ok(["token", "keygen", ref, "--alg", alg, "--passphrase-env", "PIN"]);
  });

  it.each([
    ["ours", "ed25519"],
    ["ours", "es256"],
    ["theirs", "ed25519"],
    ["theirs", "es256"],
  ])("signs with the key of %s tool, %s: the device's bundle verifies", async (whose, alg) => {
    const ref = `pkcs11:token=one;object=${whose}-${alg}`;
    expect((await sign(ref, `${whose}-${alg}.suit`)).exit).toBe(0);
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
      expect((await sign(`${keys.ed25519}?pin-source=${source}`, "source.suit", {}, [])).exit, source).toBe(0);
    const args = ["sign", "fw.bin", ...FACTS, "--seq", "1", "--out", "fd.suit"];
    const env = hsm.env;
    expect((await p.run([...args, "--key", keys.ed25519, "--passphrase-fd", "3"], { env, fds: [PIN] })).exit).toBe(0);
    expect((await p.run([...args, "--key", `${keys.ed25519}?pin-source=fd:3`], { env, fds: [`${PIN}\n`] })).exit).toBe(0);
  });

  it("a key that wants its PIN at each signature gets it", async () => {
    p.put("log", "");
    const ref = "pkcs11:token=one;object=each-time";
    expect((await sign(ref, "each.suit", hsm.shim({ SHIM_LOG: p.at("log") }))).exit).toBe(0);
    expect(p.get("log").toString().split("\n")).toContain("C_Login for the key");
    await verifiesOnDevice("each.suit", ref, "es256");
  });

  it("ends the session and the module; a key to verify with proves itself, one that is only named need not", async () => {
    p.put("log", "");
    expect((await sign(keys.ed25519, "log.suit", hsm.shim({ SHIM_LOG: p.at("log") }))).exit).toBe(0);
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_Login", "C_Sign", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    await ok(["verify", "log.suit", "--key", keys.ed25519, "--passphrase-env", "PIN"], hsm.shim({ SHIM_LOG: p.at("log") }));
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_Login", "C_Sign", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    expect(expectFailure(await run(["audit", keys.ed25519], hsm.shim({ SHIM_LOG: p.at("log") })), 3)).toContain(
      "no signing log of this key",
    );
    expect(p.get("log").toString().trim().split("\n")).toEqual(["C_OpenSession", "C_CloseSession", "C_Finalize"]);
    p.put("log", "");
    await fails(keys.ed25519, hsm.shim({ SHIM_LOG: p.at("log"), SHIM_FAIL: "43:0x70" }));
    expect(p.get("log").toString().trim().split("\n").slice(-2)).toEqual(["C_CloseSession", "C_Finalize"]);
  });

  it("a token that shows nothing without a PIN is asked with one", async () => {
    const args = ["pubkey", keys.es256, "--passphrase-env", "PIN"];
    const ours = (await ok(args)).stdout;
    expect((await ok(args, hsm.shim({ SHIM_CLOSED: "1" }))).stdout).toBe(ours);
  });

  it("a public key that somebody put into the token without a PIN is believed by no command", async () => {
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
      expect((await sign(ref, "cert.suit")).exit).toBe(0);
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

  it("lists keys with references that work, private ones with the PIN only", async () => {
    const shown = (await ok(["token", "list", "pkcs11:token=one", "--json"])).json as {
      tokens: { keys: { uri: string; has: string[] }[] }[];
    };
    expect(shown.tokens).toHaveLength(1);
    expect(shown.tokens[0]?.keys.flatMap((key) => key.has)).not.toContain("private");
    const all = (await ok(["token", "list", "--login", "--json", "--passphrase-env", "PIN"])).json as typeof shown;
    const ours = all.tokens[0]?.keys.find((key) => key.uri.includes("ours-es256")) as { uri: string; has: string[] };
    expect(ours).toMatchObject({ label: "ours-es256", alg: "es256", has: ["private", "public"] });
    expect(all.tokens[0]?.keys.find((key) => key.uri.includes("p384"))).toMatchObject({ alg: null, thumbprint: null });
    expect((await sign(ours.uri, "listed.suit")).exit).toBe(0);
    const text = await ok(["token", "list", "pkcs11:object=ours-es256"]);
    const [head, row, ...rest] = text.stdout.trim().split("\n") as [string, string];
    expect(head).toMatch(/^key +algorithm +thumbprint +parts$/);
    expect(row.split(/ +/)[0]).toBe(ours.uri);
    expect(rest).toEqual([]);
  });

  it("a key made here cannot be read out, does nothing but sign, and takes no name that is taken", async () => {
    const r = hsm.pkcs11Tool("one", "--list-objects", "--type", "privkey");
    const ours = r.slice(r.indexOf("ours-ed25519"));
    expect(ours).toMatch(
      /^ours-ed25519\n[\s\S]*?Usage: {6}sign(, signRecover)?\n\s*Access: {5}sensitive, always sensitive, never extractable, local\n/,
    );
    const again = await run(["token", "keygen", keys.ed25519, "--passphrase-env", "PIN"]);
    expect(expectFailure(again, 2)).toContain("called ours-ed25519 already");
    const id = await run(["token", "keygen", "pkcs11:token=one;object=new;id=%0a", "--passphrase-env", "PIN"]);
    expect(expectFailure(id, 2)).toContain("its id is taken");
    const locked = await run(["token", "keygen", "pkcs11:token=one;object=new", "--passphrase-env", "PIN"], hsm.shim({ SHIM_FLIP: "1" }));
    expectFailure(locked, 3);
    expect(hsm.pkcs11Tool("one", "--list-objects")).not.toMatch(/label: +new\n/);
  });

  it("several keys that fit are refused, and none", async () => {
    expect(await fails("pkcs11:token=one", {}, 2)).toContain("keys fit");
    expect(await fails("pkcs11:token=one;object=nothing")).toMatch(/has no such private key\nhint: it has .*ours-es256.*theirs-es256/);
    expect(await fails("pkcs11:token=one;object=p384", {}, 2)).toContain("not a key for Ed25519 or P-256");
    hsm.init("two");
    try {
      expect(await fails("pkcs11:object=ours-es256", {}, 2)).toContain(": 2 tokens fit\n");
      expect(await fails("pkcs11:token=two;object=a")).toContain("it has none: make one");
    } finally {
      hsm.remove("two");
    }
  });

  it("no token, no module, no file that is one", async () => {
    const absent = /no such token\nhint: put it in, or name one that the module sees: one$/;
    expect(await failsOutside("pkcs11:token=absent;object=a")).toMatch(absent);
    p.folder("nothing");
    p.put("empty.conf", `directories.tokendir = ${p.at("nothing")}\n`);
    expect(await fails(keys.ed25519, { SOFTHSM2_CONF: p.at("empty.conf") })).toContain("the module sees none");
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: "/nowhere/token.so" })).toContain("there is no such PKCS#11 module");
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: p.at("fw.bin") })).toContain("not a PKCS#11 module that can be loaded");
    expect(await fails(`${keys.ed25519}?module-name=nowhere`)).toContain("no module nowhere in the usual places");
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: "token.so" }, 2)).toContain("not an absolute path");
    expect((await sign(`${keys.ed25519}?module-path=${module}`, "path.suit", { FIRMSEAL_PKCS11_MODULE: "" })).exit).toBe(0);
  });

  it("a module that others can write, or put another one in the place of, is not loaded", async () => {
    const shim = hsm.shim({ SHIM_LOG: p.at("loaded") });
    p.put("loaded", "");
    const from = shim["FIRMSEAL_PKCS11_MODULE"] as string;
    p.folder("open/inner");
    p.folder("closed");
    for (const name of ["open/inner/m.so", "closed/group.so", "closed/others.so", "closed/good.so"]) copyFileSync(from, p.at(name));
    chmodSync(p.at("open"), 0o777);
    chmodSync(p.at("closed/group.so"), 0o775);
    chmodSync(p.at("closed/others.so"), 0o757);
    symlinkSync(p.at("open/inner/m.so"), p.at("closed/link.so"));
    // the link can be changed, what it leads to cannot
    symlinkSync(p.at("closed/good.so"), p.at("open/link.so"));
    symlinkSync(p.at("open"), p.at("closed/folder"));
    for (const [path, place] of [
      ["closed/group.so", "closed/group.so"],
      ["closed/others.so", "closed/others.so"],
      ["open/inner/m.so", "open"],
      ["closed/link.so", "open"],
      ["open/link.so", "open"],
      ["closed/folder/inner/m.so", "open"],
    ] as const) {
      const words = await fails(`${keys.ed25519}?module-path=${p.at(path)}`, shim);
      expect(words, path).toContain(`can be written by others`);
      expect(words).toMatch(/code that runs here\nhint: chmod go-w /);
      expect(words.split("hint: ")[1]).toContain(p.at(place));
      expect(await fails(keys.ed25519, { ...shim, FIRMSEAL_PKCS11_MODULE: p.at(path) })).toContain("can be written by others");
    }
    // in a sticky folder (that of this test is in one) others cannot replace what is there
    expect(statSync(tmpdir()).mode & 0o1002).toBe(0o1002);
    expect(p.get("loaded").toString()).toBe("");
    symlinkSync("good.so", p.at("closed/well.so"));
    expect((await sign(`${keys.ed25519}?module-path=${p.at("closed/well.so")}`, "well.suit", shim)).exit).toBe(0);
    expect(p.get("loaded").toString()).toContain("C_Sign");
    if (process.geteuid?.() !== 0) return;
    chownSync(p.at("closed/good.so"), 12345, 0);
    expect(await fails(`${keys.ed25519}?module-path=${p.at("closed/good.so")}`, shim)).toContain("belongs to another user");
  });

  it("a wrong PIN, one that is locked, and one that is not there", async () => {
    expect(await failsOutside(keys.ed25519, { PIN: "wrong-CANARY" })).toMatch(/: wrong PIN; few tries are left\nhint: /);
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_FLAGS: "0x20000", PIN: "wrong-CANARY" }))).toContain(
      "one try is left before the token locks",
    );
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FLAGS: "0x40000" }))).toContain("the PIN is locked");
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FAIL: "19:0xa4" }))).toContain("the PIN is locked");
    expect(await fails(keys.ed25519, {}, 3, [{ env: "NO_PIN_IS_THERE" }])).toContain("no variable NO_PIN_IS_THERE");
    expect((await sign(keys.ed25519, "after.suit")).exit).toBe(0);
  });

  it("the passphrase of a file is not offered to a token, nor the PIN of one token to another", async () => {
    const tries = async (refs: string[], options: string[], env: { [name: string]: string }) => {
      p.put("log", "");
      const args = ["sign", "fw.bin", ...refs.flatMap((ref) => ["--key", ref]), ...options.flatMap((name) => ["--passphrase-env", name])];
      const r = await run([...args, ...FACTS, "--seq", "1", "--out", "mixed.suit"], hsm.shim({ SHIM_LOG: p.at("log"), ...env }));
      const logins = p
        .get("log")
        .toString()
        .split("\n")
        .filter((line) => line === "C_Login").length;
      return { r, logins };
    };
    p.put("enc.pem", await encryptedPem(keyA, Buffer.from("FILE-CANARY")));
    p.put("plain.pem", plainPem(keyB));
    const env = { FILE: "FILE-CANARY" };
    for (const file of ["enc.pem", "plain.pem"])
      for (const refs of [
        [file, keys.ed25519],
        [keys.ed25519, file],
      ]) {
        const { r, logins } = await tries(refs, ["FILE"], env);
        expect(expectFailure(r, 2)).toContain("one passphrase is given for files and tokens");
        expect(r.stderr).toContain("pin-source=env:NAME");
        expect(logins).toBe(0);
        // each by its place, whether the file needs its own or not
        const right = await tries(refs, refs[0] === file ? ["FILE", "PIN"] : ["PIN", "FILE"], env);
        expect({ exit: right.r.exit, logins: right.logins }, right.r.stderr).toEqual({ exit: 0, logins: 1 });
      }
    const named = await tries(["enc.pem", `${keys.ed25519}?pin-source=env:PIN`], ["FILE"], env);
    expect(named.r.exit, named.r.stderr).toBe(0);
    expect(expectFailure((await tries(["enc.pem", "plain.pem", keys.ed25519], ["FILE", "PIN"], env)).r, 2)).toContain("2 passphrases are");
    hsm.init("two");
    try {
      const other = "pkcs11:token=two;object=other";
      await ok(["token", "keygen", other, "--passphrase-env", "PIN"]);
      const { r, logins } = await tries([keys.ed25519, other], ["PIN"], {});
      expect(expectFailure(r, 2)).toContain("is for another token");
      expect(logins).toBe(1);
      expect((await tries([keys.ed25519, other], ["PIN", "PIN"], {})).r.exit).toBe(0);
      const listed = await run(["token", "list", "--login", "--passphrase-env", "PIN"], hsm.env);
      expect(expectFailure(listed, 2)).toContain("is for another token");
    } finally {
      hsm.remove("two");
    }
  });

  it("a pin-source that others can read, is behind a link, is empty, or is none", async () => {
    p.put("tight", PIN);
    symlinkSync(p.at("tight"), p.at("pin-link"));
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("pin-link")}`)).toContain("a PIN behind a symbolic link");
    if (process.geteuid?.() === 0) {
      chownSync(p.at("tight"), 12345, 0);
      expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("tight")}`)).toContain("a PIN in a file of another user");
    }
    p.put("long", "1".repeat(2000));
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("long")}`, {}, 2)).toContain("too long for a PIN");
    p.put("loose", PIN, 0o644);
    p.put("none", "\n");
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("loose")}`)).toContain("a PIN that others can read or change (mode 0644)");
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("none")}`)).toContain("the PIN is empty");
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("absent")}`)).toContain("there is no such file");
    for (const source of [PIN, "file:pin", "%7Ccat%20pin", "https://example.com/pin"])
      expect(await fails(`${keys.ed25519}?pin-source=${source}`, {}, 2)).toContain("unsupported pin-source");
  });

  it("a full session table", async () => {
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_SESSIONS: "0" }))).toMatch(/no session left .*\nhint: end other programs/);
    // the second key of one command takes the last session but one
    const both = ["--key", keys.es256, "--passphrase-env", "PIN"];
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_SESSIONS: "1" }), both)).toContain("no session left");
    expect((await sign(keys.ed25519, "sessions.suit", hsm.shim({ SHIM_SESSIONS: "2" }), both)).exit).toBe(0);
  });

  // places in CK_FUNCTION_LIST: 1 C_Initialize, 5 C_GetSlotList, 13 C_OpenSession, 25 C_GetAttributeValue, 27 C_FindObjectsInit, 43 C_SignInit, 44 C_Sign
  it.each([
    ["the module does not start", "1:0x5", "reports a fault"],
    ["no slots are told", "5:0x191", "refuses (PKCS#11 error 0x191)"],
    ["the token is taken away before", "13:0xe0", "was removed"],
    ["the token is taken away before signing", "27:0x32", "was removed"],
    ["the token is taken away while its keys are looked at", "25:0x32", "was removed"],
    ["the token is taken away while signing", "44:0x32", "was removed"],
    ["nobody touches it", "44:0x50", "not touched in time"],
    ["the mechanism is not there", "43:0x70", "does not support the needed mechanism"],
    ["the key may not sign", "43:0x68", "not allowed to sign"],
    ["an error of the maker's own", "44:0x80000001", "refuses (PKCS#11 error 0x80000001)"],
  ])("when %s", async (_, SHIM_FAIL, words) => {
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FAIL }))).toContain(words);
  });

  // SIGINT is Ctrl-C. Before C_Sign the log and its last-seen mark were written; what holds signals back for that must be gone by then
  it.each<[string, number, NodeJS.Signals]>([
    ["C_Initialize", 1, "SIGINT"],
    ["C_GetSlotList", 5, "SIGTERM"],
    ["C_OpenSession", 13, "SIGHUP"],
    ["C_Login", 19, "SIGINT"],
    ["C_FindObjectsInit", 27, "SIGTERM"],
    ["C_SignInit", 43, "SIGHUP"],
    ["C_Sign", 44, "SIGINT"],
    ["C_Sign", 44, "SIGTERM"],
    ["C_Sign", 44, "SIGHUP"],
  ])("a module that never returns from %s (%i) is ended by %s, and leaves no lock", async (_, place, signal) => {
    p.put("log", "");
    const env = hsm.shim({ SHIM_LOG: p.at("log"), SHIM_BLOCK: String(place) });
    const args = ["sign", "fw.bin", "--key", keys.ed25519, ...FACTS, "--seq", "1", "--out", "never.suit", "--passphrase-env", "PIN"];
    const r = await p.run(args, {
      env,
      started: (pid) => {
        const timer = setInterval(() => {
          if (!p.get("log").toString().includes("blocked")) return;
          clearInterval(timer);
          process.kill(pid, signal);
        }, 20);
        onTestFinished(() => clearInterval(timer));
      },
    });
    expect({ signal: r.signal, stdout: r.stdout, stderr: r.stderr }).toEqual({ signal, stdout: "", stderr: "" });
    expect(p.has("never.suit")).toBe(false);
    expect(readdirSync(stateOf(p.path)).filter((name) => !/\.log(\.last-seen)?$/.test(name))).toEqual([]);
    expect((await sign(keys.ed25519, "after.suit")).exit).toBe(0);
  });

  it("a wrong signature does not leave", async () => {
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_FLIP: "1" }))).toContain("not by this key");
    expect(await fails(keys.es256, hsm.shim({ SHIM_FLIP: "1" }))).toContain("not by this key");
  });

  it("the PIN is in nothing that was printed, and pin-value is refused", async () => {
    const r = await sign(`${keys.ed25519}?pin-value=${PIN}`, "never.suit", {}, ["--json"]);
    everything.push(r);
    expect(r.exit).toBe(2);
    expect(everything.length).toBeGreaterThan(30);
    for (const { stdout, stderr } of everything) {
      expect(stdout + stderr).not.toContain(PIN);
      expect(stdout + stderr).not.toContain(SO_PIN);
    }
  });
});
