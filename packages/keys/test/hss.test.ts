// HSS/LMS keys on the command line: made, used, used up; and understood by others.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { cachedCount, cachedNodes, hssTop, hssTrees, lmsPublicKey, parseHss, rootOf } from "@firmseal/signer";
import { hsslms } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure } from "../../test-support/src/command-line/run.js";
import { LONG, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { hasProgram } from "../../test-support/src/environment/programs.js";
import { claimIn, HssPlace, leavesOf } from "../../test-support/src/keys/hss-place.js";
import { readHssFile, unlockHss, writeHssFile } from "../src/hss/file.js";
import { readTreeFile } from "../src/hss/tree-file.js";

describe("an HSS/LMS key", () => {
  it("is made encrypted, signs, verifies and counts; every file of it but the public key is for its owner alone", async () => {
    const p = new HssPlace();
    const pass = { env: { P: "a passphrase" } };
    const made = await p.ok(
      ["keygen", "--alg", "hsslms", "--hss", "n24:5/4,5/2", "--out", "k.hss", "--passphrase-env", "P", "--json"],
      pass,
    );
    expect(made.json).toMatchObject({
      encrypted: true,
      alg: "hsslms",
      parameters: "n24:5/4,5/2",
      signatures: "1024",
      signatureBytes: 4012,
    });
    const thumbprint = made.json["thumbprint"] as string;
    expect(p.names()).toEqual(["fw.bin", "k.hss", "k.hss.state", "k.hss.tree0", "k.pub", "machine"]);
    for (const name of ["k.hss", "k.hss.state", "k.hss.tree0", `machine/${thumbprint}.leaves.last-seen`])
      expect(statSync(p.at(name)).mode & 0o777).toBe(0o600);
    expect(statSync(p.at("machine")).mode & 0o777).toBe(0o700);
    await p.ok([...p.signArgs("one.suit"), "--passphrase-env", "P"], pass);
    for (const format of ["pem", "raw", "cose", "js", "h"])
      p.put(`k.${format}`, (await p.ok(["pubkey", "k.hss", "--format", format])).bytes);
    for (const key of ["k.pem", "k.raw", "k.cose", "k.hss"]) {
      const r = await p.ok(["verify", "one.suit", "--key", key, "--json"]);
      expect(r.json["signers"]).toEqual([{ kid: null, alg: "hsslms", thumbprint }]);
    }
    expect(p.get("k.h").toString()).toContain("FIRMSEAL_KEY_COSE_ALG (-46)");
    expect(p.get("k.js").toString()).toContain('alg: "hsslms"');
    expect(expectFailure(await p.run(["pubkey", "k.hss", "--format", "jwk"]), 2)).toContain("no JWK");
    expect((await p.ok(["hss", "status", "k.hss", "--json"])).json).toMatchObject({
      used: "1",
      left: "1023",
      nearlyUsed: false,
      thumbprint,
    });
    // the state is not touched by what does not come to a signature
    expect(expectFailure(await p.run([...p.signArgs("x.suit"), "--passphrase-env", "P"], { env: { P: "another" } }), 3)).toContain(
      "wrong passphrase",
    );
    expectFailure(await p.run([...p.signArgs("x.suit", "k.hss"), "--passphrase-env", "P", "--image-out", "fw.bin"], pass), 2);
    expect(p.next()).toBe(1);
    expect(p.has("x.suit")).toBe(false);
  });

  it("is never written over anything, and wrong parameters make no file", async () => {
    const p = new HssPlace();
    await p.keygen("5/2");
    const before = p.tree();
    const again = ["keygen", "--alg", "hsslms", "--hss", "5/2", "--no-passphrase", "--out"];
    expect(expectFailure(await p.run([...again, "k.hss"]), 2)).toContain("exists already");
    for (const levels of ["6/4", "5/3", "", Array(9).fill("5/8").join(","), "25/1,25/1"])
      expectFailure(await p.run(["keygen", "--alg", "hsslms", "--hss", levels, "--no-passphrase", "--out", "n.hss"]), 2);
    expectFailure(await p.run(["keygen", "--hss", "5/4", "--no-passphrase", "--out", "n.pem"]), 2);
    expectFailure(await p.run([...again, "nowhere/k.hss"]), 3);
    expectFailure(await p.run([...again, "-"]), 2);
    expect(expectFailure(await p.run([...again, "n.hss", "--format", "jwk"]), 2)).toContain("has its own format");
    expect(p.tree()).toEqual(before);
    p.put("other.pem", "-----BEGIN PUBLIC KEY-----");
    expect(expectFailure(await p.run(["hss", "status", "other.pem"]), 2)).toContain("not an HSS/LMS private key");
    p.put("n.hss.state", "left over");
    expect(expectFailure(await p.run([...again, "n.hss"]), 2)).toContain("n.hss.state exists");
    symlinkSync("nowhere", p.at("link.hss"));
    expect(expectFailure(await p.run([...again, "link.hss"]), 2)).toContain("link.hss is a symbolic link to nowhere");
  });

  it("is made by several threads as by one", async () => {
    const p = new HssPlace();
    await p.keygen("n24:10/1");
    const file = readHssFile(p.get("k.hss").toString(), "k.hss");
    const seed = await unlockHss(file, "k.hss", () => Promise.reject(new Error("not encrypted")));
    const top = hssTop(file.params, file.public.key.subarray(12, 28), seed);
    expect(readTreeFile(p.at("k.hss.tree0"), top)).toEqual(Buffer.from(cachedNodes(top, 0, cachedCount(top))));
  });

  it("says how long a large tree takes, and leaves nothing when that is too long", async () => {
    const p = new HssPlace();
    const told = join(temporaryFolder("firmseal-told-"), "stderr");
    let timer: NodeJS.Timeout | undefined;
    const args = ["keygen", "--alg", "hsslms", "--hss", "20/8", "--out", "k.hss", "--no-passphrase"];
    const r = await p
      .run(args, {
        stderr: told,
        started: (pid) => {
          // until it has reported, and from then on, it keeps all processors busy. While its threads start, a signal may
          // be lost: it is sent again
          timer = setInterval(() => {
            try {
              if (readFileSync(told, "utf8").includes("making the key")) process.kill(pid, "SIGINT");
            } catch {
              /* it has ended */
            }
          }, 50);
        },
      })
      .finally(() => clearInterval(timer));
    expect([r.signal, r.exit]).not.toEqual([null, 0]);
    // the end of its time
    expect(r.signal).not.toBe("SIGKILL");
    expect(readFileSync(told, "utf8")).toMatch(/making the key: about .* (minutes|hours) with \d+ threads?/);
    expect(p.names()).toEqual(["fw.bin"]);
  });
});

describe("the file of a key", () => {
  const params = parseHss("n24:5/4,10/8");
  const key = new Uint8Array(Buffer.from(`000000020000000a00000007${"ab".repeat(40)}`, "hex"));
  const seed = new Uint8Array(24).fill(9);
  const pass = () => Promise.resolve(Buffer.from("passphrase"));

  it.each([undefined, Buffer.from("passphrase")])(
    "gives back what was put into it, and nothing after any change (%s)",
    async (passphrase) => {
      const text = await writeHssFile(params, key, seed, passphrase);
      const file = readHssFile(text.replaceAll("\n", "\r\n"), "k");
      expect(file.params).toEqual(params);
      expect(file.public.key).toEqual(key);
      expect(await unlockHss(file, "k", pass)).toEqual(seed);
      // a character of every part; scrypt takes its time, so not all of them
      for (let at = 0; at < text.length; at += passphrase ? (LONG ? 37 : 97) : 1) {
        const other = text[at] === "0" ? "1" : "0";
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        await expect(
          Promise.resolve(changed).then((t) => unlockHss(readHssFile(t, "k"), "k", pass)),
          `${at}: ${text[at]}`,
        ).rejects.toThrow(/^k: /);
      }
      for (const end of [0, 10, text.length - 30, text.length - 1]) expect(() => readHssFile(text.slice(0, end), "k")).toThrow(/^k: /);
      expect(() => readHssFile(text + text, "k")).toThrow(/^k: /);
    },
  );
});

const hasBotan = hasProgram("botan", "version");

describe.skipIf(!hasBotan)("botan (skipped when it is not installed)", () => {
  const botan = (...args: string[]) => execFileSync("botan", args, { stdio: ["ignore", "pipe", "pipe"] });
  const accepts = (...args: string[]) =>
    /^Signature is valid$/m.test(spawnSync("botan", ["verify", "--hash=", ...args], { encoding: "utf8" }).stdout);

  it.each(some(["5/1", "10/4,5/2", "n24:5/8,5/4,5/1"], 2))("verifies what is signed with a key of %s, and nothing else", async (levels) => {
    const p = new HssPlace();
    await p.keygen(levels);
    await p.ok(["hss", "skip", "k.hss", "--to", "17"]);
    await p.ok(p.signArgs("a.suit"));
    p.put("k.pem", (await p.ok(["pubkey", "k.hss"])).bytes);
    const { message, signature } = claimIn(p.get("a.suit"), await p.raw());
    p.put("message", message);
    p.put("signature", signature.toString("base64"));
    expect(accepts(p.at("k.pem"), p.at("message"), p.at("signature"))).toBe(true);
    p.put("message", Buffer.concat([message, Buffer.of(0)]));
    expect(accepts(p.at("k.pem"), p.at("message"), p.at("signature"))).toBe(false);
  });

  it.each([
    ["SHA-256,HW(5,8)", "5/8"],
    ["Truncated(SHA-256,192),HW(5,4),HW(5,2)", "n24:5/4,5/2"],
  ])("%s: its signatures verify here, its keys are read, and its stack is ours", async (params, levels) => {
    const p = new HssPlace();
    p.put("b.pem", botan("keygen", "--algo=HSS-LMS", `--params=${params}`));
    p.put("b.pub", botan("pkcs8", "--pub-out", p.at("b.pem")));
    p.put("message", "a message");
    const { n } = parseHss(levels);
    // PKCS#8 around: levels, number, types, SEED, I
    const secret = Buffer.from(
      p
        .get("b.pem")
        .toString()
        .replace(/-----.*-----|\s/g, ""),
      "base64",
    ).subarray(-16 - n);
    const key = (await p.ok(["pubkey", "b.pub", "--format", "raw"])).bytes;
    const top = hssTop(parseHss(levels), secret.subarray(n), secret.subarray(0, n));
    // the three leaves are in one lower tree
    const known = new Map<string, string>();
    const publicOf = (tree: typeof top) => {
      const name = Buffer.from(tree.id).toString("hex");
      const found =
        known.get(name) ?? Buffer.from(lmsPublicKey(tree, rootOf(tree, cachedNodes(tree, 0, cachedCount(tree))))).toString("hex");
      known.set(name, found);
      return found;
    };
    for (let i = 0; i < 3; i++) {
      const signature = Buffer.from(botan("sign", "--hash=", p.at("b.pem"), p.at("message")).toString(), "base64");
      expect(hsslms.verify(key, p.get("message"), signature, {})).toBe(true);
      expect(leavesOf(key, signature).map((level) => level.key)).toEqual(hssTrees(parseHss(levels), top, BigInt(i)).map(publicOf));
    }
  });
});
