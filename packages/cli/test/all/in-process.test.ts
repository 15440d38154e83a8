// The command line called in the process of the tests gives what a process of its own gives.

import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readVectors } from "../../../../test-vectors/index.mjs";
import { plainPem } from "../../../keys/src/formats/pkcs8.js";
import { hex } from "../../../test-support/src/bytes.js";
import { program, startWorker } from "../../../test-support/src/command-line/processes.js";
import {
  DEVICE,
  expectExit,
  FACTS,
  firmseal,
  image,
  keyA,
  keyB,
  type Place,
  privateJwk,
  quicklyEncrypted,
  type Result,
  type RunOptions,
  signImage,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { OF_SOME, some } from "../../../test-support/src/environment/effort.js";
import { description } from "./command-place.js";

const PASS = "correct horse ✓";
const SIGN = ["sign", "fw.bin", ...FACTS, "--seq", "7", "--log", "x.log", "--key"];
const KEY = ["--key", "A.jwk"];

/** Name, arguments, options; `made` is a file that must be the same. */
const ROWS: [string, string[], RunOptions?, string?][] = [
  ["version", ["--version"]],
  ["help", ["--help"]],
  ["help of a command", ["sign", "--help"]],
  ["help of a command of a group", ["rotate", "plan", "--help"]],
  ["nothing", []],
  ["an unknown command", ["sing"]],
  ["an unknown command, in JSON", ["sing", "--json"]],
  ["an unknown option", ["verify", "fw.suit", "--kee", "A.jwk"]],
  ["an option without its argument", ["verify", "fw.suit", "--key"]],
  ["a missing option", ["verify", "fw.suit"]],
  ["an argument that is not text", ["inspect", "\ud800.suit"]],
  ["verify", ["verify", "fw.suit", ...KEY]],
  ["verify, in JSON", ["verify", "fw.suit", ...KEY, "--json"]],
  ["verify with another key", ["verify", "fw.suit", "--key", "B.jwk"]],
  ["verify with another key, in JSON", ["verify", "fw.suit", "--key", "B.jwk", "--json"]],
  ["verify a file that is not there", ["verify", "none.suit", ...KEY]],
  ["verify a folder", ["verify", ".", ...KEY]],
  ["verify an image", ["verify", "fw.bin", ...KEY]],
  ["verify stdin that is empty", ["verify", "-", ...KEY]],
  ["verify stdin of 200 kB", ["verify", "-", ...KEY], { input: image(200_000) }],
  ["verify above a floor", ["verify", "fw.suit", ...KEY, "--floor", "9"]],
  ["verify with two of one key", ["verify", "fw.suit", ...KEY, "--threshold", "2"]],
  ["verify with a payload that nothing fetches", ["verify", "fw.suit", ...KEY, "--payload", "fw.bin"]],
  ["verify for a consumer", ["verify", "fw.suit", ...KEY, "--for", "libcsuit"]],
  ["verify with a file that is not a key", ["verify", "fw.suit", "--key", "fw.bin"]],
  ["verify for a board without a product", ["verify", "fw.suit", "--board", "a"]],
  ["inspect", ["inspect", "fw.suit"]],
  ["inspect --diag", ["inspect", "fw.suit", "--diag"]],
  ["inspect --json", ["inspect", "fw.suit", "--json"]],
  ["whosigned", ["whosigned", "fw.suit", ...KEY]],
  ["sign to a file", [...SIGN, "A.pem", "--out", "o.suit"], {}, "o.suit"],
  ["sign to stdout", [...SIGN, "A.pem", "--out", "-"]],
  ["sign from stdin", ["sign", "-", ...FACTS, "--seq", "8", "--key", "B.pem", "--out", "-"], { input: image(100_000) }],
  ["sign into no folder", [...SIGN, "A.pem", "--out", "no/o.suit"]],
  ["sign, the passphrase from a variable", [...SIGN, "E.pem", "--passphrase-env", "P", "--out", "o.suit"], { env: { P: PASS } }, "o.suit"],
  ["sign, no variable", [...SIGN, "E.pem", "--passphrase-env", "P", "--out", "o.suit"]],
  ["sign, another passphrase", [...SIGN, "E.pem", "--passphrase-env", "P", "--out", "o.suit"], { env: { P: "no" } }],
  [
    "sign, the passphrase from a descriptor",
    [...SIGN, "E.pem", "--passphrase-fd", "3", "--out", "o.suit"],
    { fds: [`${PASS}\n`] },
    "o.suit",
  ],
  ["sign, a descriptor that is not open", [...SIGN, "E.pem", "--passphrase-fd", "43", "--out", "o.suit"]],
  ["sign, a passphrase and no terminal", [...SIGN, "E.pem", "--out", "o.suit"]],
  ["sign, the passphrase from stdin", [...SIGN, "E.pem", "--passphrase-fd", "0", "--out", "o.suit"], { input: PASS }, "o.suit"],
  ["sign, the key from a variable", [...SIGN, "env:K", "--out", "o.suit"], { env: { K: privateJwk(keyA) } }, "o.suit"],
  ["sign, the key from a descriptor", [...SIGN, "fd:3", "--out", "o.suit"], { fds: [plainPem(keyB)] }, "o.suit"],
  [
    "sign, two passphrases for two keys",
    [...SIGN, "E.pem", "--key", "E2.pem", "--passphrase-fd", "3", "--passphrase-env", "P", "--out", "-"],
    {
      fds: [PASS],
      env: { P: "other" },
    },
  ],
  ["sign, two passphrases for one key", [...SIGN, "E.pem", "--passphrase-fd", "3", "--passphrase-env", "P", "--out", "-"]],
  ["sign, a public key", [...SIGN, "A.jwk", "--out", "o.suit"]],
  ["sign, a key that is not there", [...SIGN, "none.pem", "--out", "o.suit"]],
  ["sign, a source of keys that is none", [...SIGN, "kms:a", "--out", "o.suit"]],
  ["sign a private key", ["sign", "B.pem", ...FACTS, "--seq", "7", "--key", "A.pem", "--out", "o.suit"]],
  ["sign a file that is not there", ["sign", "none.bin", ...FACTS, "--seq", "7", "--key", "A.pem", "--out", "o.suit"]],
  ["sign a file over itself", [...SIGN, "A.pem", "--out", "fw.bin"]],
  ["sign a signed file again", ["sign", "fw.suit", "--key", "A.pem", "--out", "o.suit"]],
  ["sign without a number", ["sign", "fw.bin", ...FACTS, "--key", "A.pem", "--out", "o.suit"]],
  ["sign with a number that is none", ["sign", "fw.bin", ...FACTS, "--seq", "x", "--key", "A.pem", "--out", "o.suit"]],
  ["sign with 2^64", ["sign", "fw.bin", ...FACTS, "--seq", "18446744073709551616", "--key", "A.pem", "--out", "o.suit"]],
  ["sign with the next number of an empty log", ["sign", "fw.bin", ...FACTS, "--seq", "next", "--key", "A.pem", "--out", "o.suit"]],
  ["sign for a class that is none", ["sign", "fw.bin", "--vendor", "a", "--class", "", "--seq", "7", "--key", "A.pem", "--out", "o.suit"]],
  ["create from stdin", ["create", "--from", "-", "--out", "-"], { input: description() }],
  ["create from what is no JSON", ["create", "--from", "-", "--out", "-"], { input: "{" }],
  ["pubkey", ["pubkey", "A.pem"]],
  ["pubkey --format jwk", ["pubkey", "B.pem", "--format", "jwk"]],
  ["pubkey --format raw", ["pubkey", "B.pem", "--format", "raw"]],
  ["install", ["install", "fw.suit", ...DEVICE, ...FACTS]],
  ["install for another device", ["install", "fw.suit", ...DEVICE, "--vendor", "example.com", "--class", "other"]],
  ["audit without a log", ["audit", "A.pem"]],
  ["bundle", ["bundle", "--format", "boot"]],
  ["bundle for an algorithm that is none", ["bundle", "--alg", "rot13"]],
];

async function folder(): Promise<Place> {
  const p = standard();
  p.put("E.pem", quicklyEncrypted(keyA, PASS));
  p.put("E2.pem", quicklyEncrypted(keyB, "other"));
  await signImage(p, 7, "fw.suit");
  return p;
}

async function outcome(args: string[], o: RunOptions, made: string | undefined) {
  const p = await folder();
  const r = await p.run(args, o);
  const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  return {
    exit: r.exit,
    signal: r.signal,
    stdout: r.stdout.slice(0, 1000).replaceAll(p.path, "PLACE"),
    bytes: sum(r.bytes),
    stderr: r.stderr.replaceAll(p.path, "PLACE"),
    made: made && sum(p.get(made)),
  };
}

describe("a call gives what a process gives", () => {
  it.each(some(ROWS, 10))("%s", async (_, args, o = {}, made) => {
    const called = await outcome(args, o, made);
    expect(called.exit).not.toBeNull();
    expect(called).toEqual(await outcome(args, { ...o, program: true }, made));
  });
});

/** An envelope for each number of a refusal, and the key that may sign it. Nothing else decides. */
const REFUSED = new Map(
  readVectors("refused").flatMap(({ action, envelope, expected, trust, memory }) => {
    const [anchor, ...others] = trust?.anchors ?? [];
    if (action !== "open" || envelope === undefined || anchor?.alg !== "ed25519" || others.length > 0) return [];
    if ([trust?.floor, trust?.threshold, anchor.since, anchor.until, memory].some((one) => one !== undefined)) return [];
    return [[/\d+ \w+/.exec(expected)?.[0] ?? "", { envelope, key: anchor.key }] as const];
  }),
);

it.each(some([...REFUSED], 48))(`verify refuses %s with the same words${OF_SOME}`, async (_, { envelope, key }) => {
  const p = standard();
  p.put("v.suit", hex(envelope));
  p.put("v.pub", hex(key));
  const by = async (o: RunOptions) => {
    const { exit, stderr, stdout } = await p.run(["verify", "v.suit", "--key", "v.pub", "--json"], o);
    return { exit, stderr, stdout };
  };
  const called = await by({});
  expect(called).toMatchObject({ exit: 1, stdout: expect.stringMatching(/"code": [1-9]/) });
  expect(await by({ program: true })).toEqual(called);
});

describe("a call", () => {
  const state = () => ({
    cwd: process.cwd(),
    env: { ...process.env },
    exitCode: process.exitCode,
    listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
    write: [process.stdout.write, process.stderr.write],
    isTTY: [process.stdout.isTTY, process.stderr.isTTY],
    openSync,
  });

  it("leaves this process as it was", async () => {
    const p = await folder();
    const before = state();
    await p.run([...SIGN, "E.pem", "--passphrase-env", "P", "--out", "o.suit"], { env: { P: PASS, OTHER: "1" } });
    await p.run(["sing"]);
    expect(state()).toEqual(before);
  });

  it("has the environment and the secrets of no other", async () => {
    const p = await folder();
    const args = [...SIGN, "E.pem", "--passphrase-env", "P", "--out", "o.suit"];
    await p.ok(args, { env: { P: PASS } });
    const empty = await p.run([...SIGN, "env:K", "--out", "o.suit"], { env: { K: "" } });
    expect(empty.stderr).toContain("environment variable K is empty\nhint: set it: K=… firmseal …");
    expect((await p.run(args)).stderr).toContain("environment variable P is not set");
    process.env["P"] = PASS;
    try {
      expect((await p.run(args)).stderr).toContain("environment variable P is not set");
      expect(process.env["P"]).toBe(PASS);
    } finally {
      delete process.env["P"];
    }
  });

  it("sees no descriptor of this process", async () => {
    const p = await folder();
    p.put("pass", PASS);
    const fd = openSync(p.at("pass"), "r");
    try {
      const r = await p.run([...SIGN, "E.pem", "--passphrase-fd", String(fd), "--out", "o.suit"]);
      expect(r.stderr).toContain(`file descriptor ${fd} cannot be read (EBADF)`);
    } finally {
      closeSync(fd);
    }
  });

  it("waits for the previous one", async () => {
    const places = await Promise.all([folder(), folder(), folder()]);
    const results = await Promise.all(places.map((p, i) => p.run(["inspect", `no-${i}.suit`])));
    for (const [i, r] of results.entries()) expect(r.stderr).toContain(`no-${i}.suit`);
    const [a, b] = await Promise.all([firmseal(["--version"]), firmseal(["sing"])]);
    expectExit(a, 0);
    expectExit(b, 2);
    expect(a.stderr).toEqual("");
  });

  it("that hangs ends the process", async () => {
    const path = await program(
      'import { watch } from "../../../test-support/src/environment/watch.js"; watch(100); for (;;);',
      import.meta.url,
    );
    const end = await startWorker(path, []).end;
    expect([end.signal, end.stderr]).toEqual(["SIGKILL", "a command hangs in the process of a test\n"]);
  });

  it("has a terminal where the test gives one", async () => {
    const p = await folder();
    const longest = (r: Result) => Math.max(...r.stdout.split("\n").map((line) => line.length));
    const without = longest(await p.run(["sign", "--help"]));
    expect(without).toBeLessThanOrEqual(80);
    expect(longest(await p.run(["sign", "--help"], { columns: 200 }))).toBeGreaterThan(without);
  });
});
