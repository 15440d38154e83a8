// Tokens, modules and PINs with which nothing is signed, and the messages.

import { chmodSync, chownSync, copyFileSync, readdirSync, symlinkSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { expectExit, expectFailure, FACTS, keyA, keyB, stateOf } from "../../test-support/src/command-line/run.js";
import { some } from "../../test-support/src/environment/effort.js";
import { module, PIN } from "../../test-support/src/keys/softhsm.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";

import { fails, failsOutside, hsm, keys, ok, p, run, sign } from "./pkcs11-place.js";

export function refusals(): void {
  it("several matching keys are refused, and so are references that match none", async () => {
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

  it("no token, no module, and a file that is not a module", async () => {
    const absent = /no such token\nhint: insert it, or name one that the module sees: one$/;
    expect(await failsOutside("pkcs11:token=absent;object=a")).toMatch(absent);
    p.folder("nothing");
    p.put("empty.conf", `directories.tokendir = ${p.at("nothing")}\n`);
    const noTokens = "the module reports no tokens (with SoftHSM: set SOFTHSM2_CONF)";
    expect(await fails(keys.ed25519, { SOFTHSM2_CONF: p.at("empty.conf") })).toContain(noTokens);
    // the list helps as much
    const listed = async (ref: string[], conf = {}) => {
      const r = await run(["token", "list", ...ref], { ...hsm.env, ...conf });
      expectFailure(r, 3);
      return r.stderr.trimEnd();
    };
    expect(await listed(["pkcs11:token=absent"])).toMatch(absent);
    expect(await listed([], { SOFTHSM2_CONF: p.at("empty.conf") })).toBe(
      `firmseal: pkcs11: no token found\nhint: insert the token; ${noTokens}`,
    );
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: "/nowhere/token.so" })).toContain("PKCS#11 module not found");
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: p.at("fw.bin") })).toContain("not a PKCS#11 module that can be loaded");
    expect(await fails(`${keys.ed25519}?module-name=nowhere`)).toContain("no module nowhere in the usual places");
    expect(await fails(keys.ed25519, { FIRMSEAL_PKCS11_MODULE: "token.so" }, 2)).toContain("not an absolute path");
    expectExit(await sign(`${keys.ed25519}?module-path=${module}`, "path.suit", { FIRMSEAL_PKCS11_MODULE: "" }), 0);
  });

  it("a module that others can write or replace is not loaded", async () => {
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
    expect(p.get("loaded").toString()).toBe("");
    // in a sticky folder others cannot replace what is there
    p.folder("sticky");
    copyFileSync(from, p.at("sticky/good.so"));
    chmodSync(p.at("sticky"), 0o1777);
    symlinkSync("good.so", p.at("closed/well.so"));
    for (const path of ["closed/well.so", "sticky/good.so"]) {
      p.put("loaded", "");
      expectExit(await sign(`${keys.ed25519}?module-path=${p.at(path)}`, "well.suit", shim), 0);
      expect(p.get("loaded").toString(), path).toContain("C_Sign");
    }
    if (process.geteuid?.() !== 0) return;
    chownSync(p.at("closed/good.so"), 12345, 0);
    expect(await fails(`${keys.ed25519}?module-path=${p.at("closed/good.so")}`, shim)).toContain("belongs to another user");
  });

  it("a wrong PIN, a locked one, and a missing one", async () => {
    expect(await failsOutside(keys.ed25519, { PIN: "wrong-CANARY" })).toMatch(/: wrong PIN; few tries are left\nhint: /);
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_FLAGS: "0x20000", PIN: "wrong-CANARY" }))).toContain(
      "one try is left before the token locks",
    );
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FLAGS: "0x40000" }))).toContain("the PIN is locked");
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FAIL: "19:0xa4" }))).toContain("the PIN is locked");
    expect(await fails(keys.ed25519, {}, 3, [{ env: "NO_PIN_IS_THERE" }])).toContain("environment variable NO_PIN_IS_THERE is not set");
    expectExit(await sign(keys.ed25519, "after.suit"), 0);
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
    p.put("enc.pem", await encryptedPem(keyA, Buffer.from("FILE-CANARY"), 1));
    p.put("plain.pem", plainPem(keyB));
    const env = { FILE: "FILE-CANARY" };
    for (const file of ["enc.pem", "plain.pem"])
      for (const refs of [
        [file, keys.ed25519],
        [keys.ed25519, file],
      ]) {
        const { r, logins } = await tries(refs, ["FILE"], env);
        expect(expectFailure(r, 2)).toContain("one passphrase is given for 2 keys, in files and tokens");
        expect(r.stderr).toContain("pin-source=env:NAME");
        expect(logins).toBe(0);
        // each by its place, whether the file needs its own or not
        const right = await tries(refs, refs[0] === file ? ["FILE", "PIN"] : ["PIN", "FILE"], env);
        expect({ exit: right.r.exit, logins: right.logins }, String(right.r)).toEqual({ exit: 0, logins: 1 });
      }
    const named = await tries(["enc.pem", `${keys.ed25519}?pin-source=env:PIN`], ["FILE"], env);
    expectExit(named.r, 0);
    expect(expectFailure((await tries(["enc.pem", "plain.pem", keys.ed25519], ["FILE", "PIN"], env)).r, 2)).toContain("2 passphrases are");
    hsm.init("two");
    try {
      const other = "pkcs11:token=two;object=other";
      await ok(["token", "keygen", other, "--passphrase-env", "PIN"]);
      const { r, logins } = await tries([keys.ed25519, other], ["PIN"], {});
      expect(expectFailure(r, 2)).toContain("is for another token");
      expect(logins).toBe(1);
      expectExit((await tries([keys.ed25519, other], ["PIN", "PIN"], {})).r, 0);
      const listed = await run(["token", "list", "--login", "--passphrase-env", "PIN"], hsm.env);
      expect(expectFailure(listed, 2)).toContain("is for another token");
    } finally {
      hsm.remove("two");
    }
  });

  it("a pin-source that others can read, that is behind a link, empty, or missing", async () => {
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
    expect(await fails(`${keys.ed25519}?pin-source=file:${p.at("absent")}`)).toContain("file not found");
    for (const source of [PIN, "file:pin", "%7Ccat%20pin", "https://example.com/pin"])
      expect(await fails(`${keys.ed25519}?pin-source=${source}`, {}, 2)).toContain("unsupported pin-source");
  });

  it("a full session table", async () => {
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_SESSIONS: "0" }))).toMatch(/no session left .*\nhint: end other programs/);
    // the second key of one command takes the last session but one
    const both = ["--key", keys.es256, "--passphrase-env", "PIN"];
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_SESSIONS: "1" }), both)).toContain("no session left");
    expectExit(await sign(keys.ed25519, "sessions.suit", hsm.shim({ SHIM_SESSIONS: "2" }), both), 0);
  });

  // places in CK_FUNCTION_LIST: 1 C_Initialize, 5 C_GetSlotList, 13 C_OpenSession, 25 C_GetAttributeValue, 27 C_FindObjectsInit, 43 C_SignInit, 44 C_Sign
  it.each([
    ["the module does not start", "1:0x5", "reports a fault"],
    ["no slots are listed", "5:0x191", "refuses (PKCS#11 error 0x191)"],
    ["the token is taken away before", "13:0xe0", "was removed"],
    ["the token is taken away before signing", "27:0x32", "was removed"],
    ["the token is taken away while its keys are examined", "25:0x32", "was removed"],
    ["the token is taken away while signing", "44:0x32", "was removed"],
    ["nobody touches it", "44:0x50", "not touched in time"],
    ["the mechanism is not there", "43:0x70", "does not support the needed mechanism"],
    ["the key may not sign", "43:0x68", "not allowed to sign"],
    ["an error of the maker's own", "44:0x80000001", "refuses (PKCS#11 error 0x80000001)"],
  ])("when %s", async (_, SHIM_FAIL, words) => {
    expect(await fails(keys.ed25519, hsm.shim({ SHIM_FAIL }))).toContain(words);
  });

  // SIGINT is Ctrl-C. Before C_Sign the log and its last-seen mark were written; what holds signals back for that must be gone by then
  const blocking: readonly [string, number, NodeJS.Signals][] = [
    ["C_Initialize", 1, "SIGINT"],
    ["C_GetSlotList", 5, "SIGTERM"],
    ["C_OpenSession", 13, "SIGHUP"],
    ["C_Login", 19, "SIGINT"],
    ["C_Sign", 44, "SIGHUP"],
    ["C_FindObjectsInit", 27, "SIGTERM"],
    ["C_Sign", 44, "SIGTERM"],
    ["C_SignInit", 43, "SIGHUP"],
    ["C_Sign", 44, "SIGINT"],
  ];
  // by default every second one: each signal, and a place in each part of the course
  it.each(some(blocking, 2))("a module that never returns from %s (%i) is ended by %s, and leaves no lock", async (_, place, signal) => {
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
    expectExit(await sign(keys.ed25519, "after.suit"), 0);
  });

  it("a wrong signature is not returned", async () => {
    expect(await failsOutside(keys.ed25519, hsm.shim({ SHIM_FLIP: "1" }))).toContain("not by this key");
    expect(await fails(keys.es256, hsm.shim({ SHIM_FLIP: "1" }))).toContain("not by this key");
  });
}
