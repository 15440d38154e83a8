// Where secrets must not be: anything that is printed, the command line and the environment of the process, files that are left.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { toPrivateCose } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { openSshPrivate } from "../../../../keys/src/formats/openssh.js";
import { plainPem } from "../../../../keys/src/formats/pkcs8.js";
import { withSigners } from "../../../../keys/src/sources/reference.js";
import { expectExit, FACTS, image, type Place, privateJwk, standard } from "../../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason } from "../../../../test-support/src/command-line/terminal.js";
import { minisignSecret } from "../../../../test-support/src/keys/minisign.js";
import {
  CANARY,
  canaryKey,
  encrypted,
  expectFilesSilent,
  expectNone,
  expectSilent,
  forms,
  inside,
  passphrases,
  secretBytes,
  WRONG,
} from "./secrets-place.js";

describe.concurrent("secrets", () => {
  it("the passphrase shows nowhere", async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    p.put("broken.pem", Buffer.concat([encrypted.subarray(0, 100), Buffer.from("AAAA"), encrypted.subarray(104)]));
    const secrets = [...passphrases, ...forms(inside.secret)];
    const sign = ["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "1"];
    const runs: [string[], Parameters<Place["run"]>[1]][] = [];
    for (const json of [[], ["--json"]]) {
      runs.push([[...sign, ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([[...sign, ...json, "--passphrase-fd", "3"], { fds: [CANARY] }]);
      runs.push([[...sign, ...json, "--passphrase-env", "P"], { env: { P: WRONG } }]);
      runs.push([[...sign, ...json, "--passphrase-fd", "3"], { fds: [WRONG.repeat(100)] }]);
      runs.push([["pubkey", "e.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["pubkey", "broken.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["keygen", "--out", `k${json.length}.pem`, ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([[...sign.with(3, `k${json.length}.pem`), ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["keygen", "--out", "e.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
    }
    for (const [args, o] of runs) expectSilent(await p.run(args, o), secrets);
    expectFilesSilent(p, secrets, []);
    expect(p.names().filter((name) => name.startsWith(".") || name.endsWith(".tmp"))).toEqual([]);
  });

  it("the private key shows nowhere, whatever is wrong with its file", async () => {
    const p = standard();
    const pem = plainPem(canaryKey);
    const jwk = privateJwk(canaryKey);
    const cose = toPrivateCose(canaryKey);
    const at = Buffer.from(cose).indexOf(Buffer.from(secretBytes));
    const good = ["good.pem", "good.jwk", "good.cose"];
    p.put("good.pem", pem);
    p.put("good.jwk", jwk);
    p.put("good.cose", cose);
    const bad = {
      "cut.pem": pem.slice(0, -40),
      "line.pem": pem.replace("MC4", "MC5"),
      "cut.jwk": jwk.slice(0, -3),
      "kty.jwk": jwk.replace("Ed25519", "Ed448"),
      "list.jwk": `[${jwk}]`,
      "set.jwk": `{"keys":[${jwk}]}`,
      "mismatch.jwk": jwk.replace(/"x":"./, '"x":"A'),
      "cut.cose": cose.subarray(0, at + 30),
      "raw.bin": secretBytes,
    };
    p.put("description.json", jwk);
    for (const [name, content] of Object.entries(bad)) p.put(name, content);
    const secrets = forms(secretBytes);
    for (const name of good) {
      expectSilent(await p.ok(["sign", "fw.bin", "--key", name, ...FACTS, "--seq", "1", "--json"]), secrets);
      expectSilent(await p.ok(["pubkey", name, "--format", name === "good.pem" ? "h" : "js"]), secrets);
      expectSilent(await p.ok(["verify", "fw.suit", "--key", name, "--json"]), secrets);
    }
    for (const name of Object.keys(bad)) {
      const r = await p.run(["sign", "fw.bin", "--key", name, ...FACTS, "--seq", "1", "--json"]);
      expectExit(r, 2);
      expectSilent(r, secrets);
    }
    for (const name of ["description.json", "cut.jwk"]) expectSilent(await p.run(["create", "--from", name]), secrets);
    expectFilesSilent(p, secrets, [...good, ...Object.keys(bad), "description.json"]);
  });

  it("in every form and by every way in, neither key nor passphrase shows, and convert shows neither of two passphrases", async () => {
    const p = standard();
    const secrets = [...passphrases, ...forms(secretBytes)];
    const texts: { [name: string]: string } = {
      "k.pem": plainPem(canaryKey),
      "k.ssh": await openSshPrivate(canaryKey),
      "k.enc": await openSshPrivate(canaryKey, Buffer.from(CANARY), 1),
      "k.mini": minisignSecret(canaryKey),
      "k.menc": minisignSecret(canaryKey, CANARY),
      "k.jwk": privateJwk(canaryKey),
      "k.b64": Buffer.from(toPrivateCose(canaryKey)).toString("base64"),
    };
    for (const [name, text] of Object.entries(texts)) p.put(name, text);
    p.put("loose.ssh", texts["k.ssh"] as string, 0o644);
    symlinkSync("k.ssh", p.at("link.ssh"));
    const sign = (ref: string) => ["sign", "fw.bin", ...FACTS, "--seq", "1", "--json", "--key", ref];
    const good: [string[], Parameters<Place["run"]>[1]][] = [];
    const bad: typeof good = [];
    for (const [name, text] of Object.entries(texts)) {
      const way = { "k.ssh": "file", "k.mini": "fd", "k.menc": "env", "k.enc": "fd" }[name] ?? "env";
      const ref = { file: name, fd: "fd:3", env: "env:KEY" }[way] as string;
      const o = (content: string, pass = CANARY) => ({ env: { P: pass, ...(way === "env" && { KEY: content }) }, fds: [content] });
      const pass = name.endsWith("enc") ? ["--passphrase-env", "P"] : [];
      good.push([[...sign(ref), ...pass], o(text)]);
      // cut in the middle of the secret, another character in it, and twice in one
      if (way !== "file") {
        bad.push([[...sign(ref), ...pass], o(text.slice(0, -40))]);
        bad.push([[...sign(ref), ...pass], o(`${text}\n${text}`)]);
      }
      if (pass.length > 0) bad.push([[...sign(ref), ...pass], o(text, WRONG)]);
    }
    bad.push([sign("loose.ssh"), {}], [sign("link.ssh"), {}]);
    bad.push([sign(`env:${texts["k.b64"]}`), {}], [sign(texts["k.jwk"] as string), {}]);
    for (const [args, o] of good) expectSilent(await p.ok(args, o), secrets);
    for (const [args, o] of bad) {
      const r = await p.run(args, o);
      expect([2, 3], String(r)).toContain(r.exit);
      expectSilent(r, secrets);
    }
    const again = ["--passphrase-env", "P", "--new-passphrase-env", "Q", "--json"];
    const r = await p.ok(["convert", "k.menc", "--format", "pkcs8", "--out", "new.pem", ...again], { env: { P: CANARY, Q: WRONG } });
    expectSilent(r, secrets);
    expectSilent(
      await p.run(["convert", "k.menc", "--format", "pkcs8", "--out", "new.pem", ...again], { env: { P: WRONG, Q: CANARY } }),
      secrets,
    );
    expectFilesSilent(p, secrets, [...Object.keys(texts), "loose.ssh", "link.ssh"]);
  });

  const hasEnv = spawnSync("env").status === 0;
  // alone: a command line that another test calls in this process has an environment of its own
  it.skipIf(!hasEnv)(
    `a program that is started finds them in no variable${hasEnv ? "" : " (skipped: no program env)"}`,
    { concurrent: false },
    async () => {
      process.env["FIRMSEAL_TEST_KEY"] = minisignSecret(canaryKey, CANARY);
      process.env["FIRMSEAL_TEST_PASS"] = CANARY;
      const before = spawnSync("env").stdout;
      expect(before.includes(CANARY)).toBe(true);
      const options = [{ env: "FIRMSEAL_TEST_PASS" }];
      const keys = await withSigners(["env:FIRMSEAL_TEST_KEY"], options, async ([key]) => {
        const { stdout } = spawnSync("env");
        expectNone("environment", stdout, [...passphrases, ...forms(secretBytes)]);
        expect(stdout.includes("FIRMSEAL_TEST_")).toBe(false);
        return key?.private;
      });
      // and when the work is done, the key is zeros
      expect(keys?.secret).toEqual(new Uint8Array(32));
    },
  );

  const hasProc = existsSync("/proc/self/environ");
  it.skipIf(!hasProc)(`the process shows it in the named variable and nowhere else${hasProc ? "" : " (skipped: no /proc)"}`, async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    for (const byFd of [false, true]) {
      const seen: { cmdline: Buffer; environ: Buffer }[] = [];
      let timer: NodeJS.Timeout | undefined;
      const r = await p.run(
        [
          "sign",
          "-",
          "--key",
          "e.pem",
          ...FACTS,
          "--seq",
          "1",
          "--out",
          "o.suit",
          byFd ? "--passphrase-fd" : "--passphrase-env",
          byFd ? "3" : "P",
        ],
        {
          ...(byFd ? { fds: [CANARY] } : { env: { P: CANARY } }),
          input: image(3000),
          started: (pid) => {
            const look = () => {
              try {
                seen.push({ cmdline: readFileSync(`/proc/${pid}/cmdline`), environ: readFileSync(`/proc/${pid}/environ`) });
              } catch {
                // it has ended
              }
            };
            look();
            timer = setInterval(look, 5);
          },
        },
      );
      clearInterval(timer);
      expectExit(r, 0);
      expect(seen.length).toBeGreaterThan(0);
      for (const { cmdline, environ } of seen) {
        expectNone("cmdline", cmdline, passphrases);
        const others = environ
          .toString("latin1")
          .split("\0")
          .filter((v) => byFd || !v.startsWith("P="));
        expectNone("environ", Buffer.from(others.join("\0"), "latin1"), passphrases);
      }
    }
  });

  it.skipIf(!hasTerminal)(`typed at a terminal, it is not shown${terminalReason}`, async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    const command = `"${process.execPath}" "${new URL("../../../bin/firmseal.js", import.meta.url).pathname}" pubkey e.pem`;
    const r = spawnSync("script", ["-qec", command, "/dev/null"], { cwd: p.path, input: `${CANARY}\n`, encoding: "utf8", timeout: 20_000 });
    // the terminal that script makes echoes what comes before the program has turned that off; the program itself shows nothing of it
    expect(r.stdout).toContain("Passphrase for e.pem: ");
    expect(r.stdout.slice(r.stdout.indexOf("Passphrase for"))).not.toContain(CANARY);
  });
});
