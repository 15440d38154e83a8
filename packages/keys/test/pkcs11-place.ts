import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { failureOf } from "../../cli/src/show/failure-of.js";
import { expectExit, expectFailure, FACTS, image, Place, type Result } from "../../test-support/src/command-line/run.js";
import { PIN, SO_PIN, SoftHsm } from "../../test-support/src/keys/softhsm.js";
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

export let p: Place;
export let hsm: SoftHsm;
export const keys = { ed25519: "pkcs11:token=one;object=ours-ed25519", es256: "pkcs11:token=one;object=ours-es256" };

/** Runs a command, which shows no PIN. */
export async function run(args: readonly string[], env: { [name: string]: string } = {}): Promise<Result> {
  const r = await p.run(args, { env: { ...hsm.env, ...env } });
  for (const secret of [PIN, SO_PIN]) expect(r.stdout + r.stderr).not.toContain(secret);
  return r;
}
export async function ok(args: readonly string[], env: { [name: string]: string } = {}): Promise<Result> {
  return expectExit(await run(args, env), 0);
}
export const sign = (
  ref: string,
  out: string,
  env: { [name: string]: string } = {},
  more: readonly string[] = ["--passphrase-env", "PIN"],
) => run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "7", "--out", out, ...more], env);
/** What signing fails with, at the command line: exit 3, one line, one hint, nothing written. */
export async function failsOutside(ref: string, env: { [name: string]: string } = {}, more?: readonly string[]): Promise<string> {
  const r = await sign(ref, "never.suit", env, more);
  const line = expectFailure(r, 3);
  expect(p.has("never.suit")).toBe(false);
  return `${line}\n${r.stderr.split("\n").find((l) => l.startsWith("hint: "))}`;
}
/** Runs it in this process, which takes a tenth of the time. */
export async function fails(ref: string, env: { [name: string]: string } = {}, exit = 3, options: PassphraseOption[] = [{ env: "PIN" }]) {
  const before = { ...process.env };
  Object.assign(process.env, hsm.env, env);
  let e: unknown;
  try {
    const key = await openTokenKey(ref, asking([ref], options));
    try {
      await key.signer?.sign(new Uint8Array(100));
    } finally {
      await key[Symbol.asyncDispose]?.();
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
export async function verifiesOnDevice(file: string, ref: string, alg: string): Promise<void> {
  const raw = (await ok(["pubkey", ref, "--format", "raw", "--passphrase-env", "PIN"])).bytes;
  const device = bundle(alg);
  expect(() => device.open(p.get(file), { anchors: [device.anchor(alg, raw)] })).not.toThrow();
  const damaged = p.get(file);
  // the signature precedes the manifest
  damaged[60] = (damaged[60] as number) ^ 1;
  expect(() => device.open(damaged, { anchors: [device.anchor(alg, raw)] })).toThrow();
}

export async function setUp(): Promise<void> {
  p = new Place();
  hsm = new SoftHsm(p);
  hsm.init("one");
  p.put("fw.bin", image(5000));
  hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "theirs-es256", "--id", "0a");
  hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:edwards25519", "--label", "theirs-ed25519", "--id", "0b");
  hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:secp384r1", "--label", "p384", "--id", "0c");
  hsm.pkcs11Tool("one", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "each-time", "--id", "0d", "--always-auth");
  for (const [alg, ref] of Object.entries(keys)) await ok(["token", "keygen", ref, "--alg", alg, "--passphrase-env", "PIN"]);
}
