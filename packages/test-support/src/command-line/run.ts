// Folders in which tests run the command line, and what most of them need there.

import { createPrivateKey, randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PrivateKey, privateKey, toJwk, toPrivateJwk } from "@firmseal/signer";
import { expect } from "vitest";
import { plainPem } from "../../../keys/src/formats/pkcs8.js";
import { ALL } from "../environment/effort.js";
import { temporaryFolder } from "../environment/folders.js";
import { randomOctets } from "../randoms.js";
import { call } from "./in-process.js";
import { needsProcess, start } from "./program.js";
import { environmentOf, type Result, type RunOptions } from "./result.js";

export { bin, main } from "./program.js";
export { Result, type RunOptions } from "./result.js";

const states = new Map<string, string>();

/** Where commands keep their last-seen marks: not in their own folder, whose files are compared. */
export function stateOf(cwd: string): string {
  let folder = states.get(cwd);
  // it is removed when a test file ends, and the next one may run in the same process
  if (folder === undefined || !existsSync(folder)) {
    folder = temporaryFolder("firmseal-state-");
    states.set(cwd, folder);
  }
  return folder;
}

let descriptors = 0;

function openContent(content: string | Uint8Array): number {
  const path = join(temporaryFolder("firmseal-fd-"), String(descriptors++));
  writeFileSync(path, content);
  return openSync(path, "r");
}

/**
 * Runs `firmseal ARGS`: in this process, or in one of its own if the options need that. With FIRMSEAL_LONG=2 every
 * command is a process: the results must be the same.
 */
export function firmseal(args: readonly string[], o: RunOptions = {}): Promise<Result> {
  const env = environmentOf(o, stateOf(o.cwd ?? ""));
  const opened = (o.fds ?? []).map(openContent);
  const isProcess = needsProcess(o) || (ALL && o.columns === undefined);
  return isProcess ? start(args, env, opened, o) : call(args, env, opened, o);
}

function forget(folder: string): void {
  // newer versions of Node follow links to folders: what is in one is listed twice, and gone the second time
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (/\.log(\.last-seen(\.claims)?)?$/.test(entry.name)) rmSync(join(entry.parentPath, entry.name), { recursive: true, force: true });
}

const written = new WeakMap<PrivateKey, { pem: string; jwk: string }>();

/** A key as files, made once: most places have the same three. */
function keyFiles(key: PrivateKey): { pem: string; jwk: string } {
  const known = written.get(key) ?? { pem: plainPem(key), jwk: JSON.stringify(toJwk(key)) };
  written.set(key, known);
  return known;
}

/** A temporary folder, which is removed with the test file. */
export class Place {
  keepsLogs = false;
  readonly path = temporaryFolder("firmseal-cli-");
  at(...names: string[]): string {
    return join(this.path, ...names);
  }
  put(name: string, content: string | Uint8Array, mode = 0o600): string {
    writeFileSync(this.at(name), content, { mode });
    return name;
  }
  /** NAME.pem: private, not encrypted; NAME.jwk: public. */
  putKeys(keys: { readonly [name: string]: PrivateKey }): void {
    for (const [name, key] of Object.entries(keys)) {
      const { pem, jwk } = keyFiles(key);
      this.put(`${name}.pem`, pem);
      this.put(`${name}.jwk`, jwk);
    }
  }
  folder(name: string): string {
    mkdirSync(this.at(name), { recursive: true });
    return name;
  }
  get(name: string): Buffer {
    return readFileSync(this.at(name));
  }
  has(name: string): boolean {
    return existsSync(this.at(name));
  }
  /**
   * Runs a command. Removes the logs of the keys afterwards, unless they are kept: most tests sign one number again and
   * again, which the logs would refuse.
   */
  async run(args: readonly string[], o: RunOptions = {}): Promise<Result> {
    const r = await firmseal(args, { cwd: this.path, ...o });
    if (!this.keepsLogs) for (const folder of [this.path, stateOf(this.path)]) forget(folder);
    return r;
  }
  /** Runs a command that must succeed. */
  async ok(args: readonly string[], o: RunOptions = {}): Promise<Result> {
    return expectExit(await this.run(args, o), 0);
  }
  /** Every file and folder below, with the content, size and mode of each. */
  tree(): string[] {
    const walk = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        const { size, mode, ino } = lstatSync(path);
        const name = path.slice(this.path.length + 1);
        if (entry.isDirectory()) return [`${name}/ ${mode}`, ...walk(path)];
        const content = entry.isFile() && (mode & 0o400) !== 0 ? readFileSync(path).toString("base64") : "";
        return [`${name} ${mode} ${size} ${ino} ${content}`];
      });
    return walk(this.path).sort();
  }
  names(): string[] {
    return readdirSync(this.path).sort();
  }
}

/** The exit code. The message of a failure has the command line, and what was printed. Returns the result. */
export function expectExit(r: Result, exit: number): Result {
  expect(r.exit, String(r)).toBe(exit);
  return r;
}

/** stderr without its warnings and what a trust file changes, line by line. */
export function words(r: Result): string[] {
  return r.stderr.split("\n").filter((line) => line !== "" && !/^(warning|change): /.test(line));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const RAW_CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Expects nothing that could control a terminal. */
export function expectHarmless(text: string): void {
  expect(text).not.toMatch(RAW_CONTROL);
}

/** Expects one line that says what is wrong, one hint, the exit code, and nothing on stdout. Returns the first line. */
export function expectFailure(r: Result, exit: number): string {
  const lines = words(r);
  expect({ exit: r.exit, stdout: r.stdout, lines }, String(r)).toEqual({
    exit,
    stdout: "",
    lines: [expect.stringMatching(/^firmseal: \S/), expect.stringMatching(/^hint: \S/)],
  });
  expect(r.stderr.endsWith("\n")).toBe(true);
  expectHarmless(r.stderr);
  expect(lines[0]).not.toContain("internal error");
  return lines[0] as string;
}

/** New ones each time: everybody has a key that is in a repository. */
const secret = () => new Uint8Array(randomBytes(32));
export const keyA: PrivateKey = privateKey("ed25519", secret());
export const keyB: PrivateKey = privateKey("es256", secret());
export const keyC: PrivateKey = privateKey("ed25519", secret());

/** A.pem, B.pem, C.pem: private, not encrypted; A.jwk …: public; fw.bin: an image. */
export function standard(): Place {
  const p = new Place();
  p.putKeys({ A: keyA, B: keyB, C: keyC });
  p.put("fw.bin", image(5000));
  return p;
}

/** Encrypted as Node does it: a passphrase is tried in a hundredth of the time that our own files take. */
export function quicklyEncrypted(key: PrivateKey, passphrase: string): string {
  const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
  return createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" })
    .export(options)
    .toString();
}

export function privateJwk(key: PrivateKey): string {
  return JSON.stringify(toPrivateJwk(key));
}

/** Bytes that are not text and begin like none of the known formats. */
export function image(n: number, seed = 1): Uint8Array {
  const out = randomOctets(seed, n);
  out[0] = 0x00;
  return out;
}

export const FACTS = ["--vendor", "example.com", "--class", "board-v2"] as const;
export const DEVICE = ["--dir", "dev", "--key", "A.jwk"] as const;

/** Signs fw.bin, or another image, with A.pem. */
export function signImage(p: Place, seq: number | string, out: string, more: readonly string[] = []): Promise<Result> {
  return p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", String(seq), "--out", out, ...more]);
}

/** The entries of a signing log, or none if there is no log. */
export const logEntries = (p: Place, name = "A.pem.log") =>
  p.has(name)
    ? p
        .get(name)
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
