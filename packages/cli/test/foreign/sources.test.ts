// sign --format with keys in a token (SoftHSM), and in a program (exec).

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { espImage } from "../../../formats/test/esp32/compose.js";
import { hsm, ok, run, setUp, p as tokenPlace } from "../../../keys/test/pkcs11-place.js";
import { FACTS, type Place } from "../../../test-support/src/command-line/run.js";
import { why } from "../../../test-support/src/keys/softhsm.js";
import { place } from "../all/command-place.js";

/** Each format, with the keys that it has and what it needs. */
const FORMATS: readonly [format: string, alg: "ed25519" | "es256", input: string, more: readonly string[]][] = [
  ["mcuboot", "ed25519", "fw.bin", [...FACTS, "--version", "1.4.2", "--seq", "7", "--header-size", "0x200", "--pad-header"]],
  ["mcuboot", "es256", "fw.bin", [...FACTS, "--version", "1.4.2", "--seq", "7", "--header-size", "0x200", "--pad-header"]],
  ["esp32", "es256", "esp.bin", [...FACTS, "--allow-sequence-jump"]],
  ["minisign", "ed25519", "fw.bin", []],
  ["signify", "ed25519", "fw.bin", []],
  ["sshsig", "ed25519", "fw.bin", ["--namespace", "fw"]],
  ["sshsig", "es256", "fw.bin", ["--namespace", "fw"]],
  ["raw", "ed25519", "fw.bin", []],
  ["der", "es256", "fw.bin", []],
  ["aws", "es256", "fw.bin", []],
];
const isImage = (format: string) => format === "mcuboot" || format === "esp32";

/** The command that verifies what sign has written. */
function verify(out: string, format: string, input: string, key: string, more: readonly string[]): string[] {
  if (isImage(format)) return ["verify", out, "--key", key];
  return [
    "verify",
    input,
    "--signature",
    out,
    "--key",
    key,
    ...(format === "sshsig" ? more : []),
    ...(format === "raw" ? ["--format", format] : []),
  ];
}

/** What the log must say. */
function expectEntry(log: string, format: string): void {
  const entry = JSON.parse(log.trim().split("\n").at(-1) as string);
  if (format === "mcuboot") expect(entry).toMatchObject({ sequence: "7", version: "1.4.2" });
  if (format === "esp32") expect(entry).toMatchObject({ sequence: "7", version: "1.2.3" });
  if (!isImage(format)) expect(entry).not.toHaveProperty("sequence");
  expect(entry.scope).toEqual([expect.stringContaining(isImage(format) ? `${format}:` : `file:${format}`)]);
}

describe.skipIf(why !== "")(`a key in a token${why}`, () => {
  beforeAll(async () => {
    await setUp();
    tokenPlace.keepsLogs = true;
    tokenPlace.put("esp.bin", espImage({ chip: 16 }));
  });

  it.each(FORMATS)("signs %s with %s", async (format, alg, input, more) => {
    // one log for each format and key, as one key has one purpose
    const kind = isImage(format) ? "image" : "file";
    const ref = `pkcs11:token=one;object=${kind}-${alg}`;
    const known = await run(["pubkey", ref, "--passphrase-env", "PIN"]);
    if (known.exit !== 0) await ok(["token", "keygen", ref, "--alg", alg, "--passphrase-env", "PIN"]);
    tokenPlace.put(`${kind}-${alg}.pub`, (await ok(["pubkey", ref, "--passphrase-env", "PIN"])).stdout);
    const log = `${kind}-${alg}.log`;
    const out = `${format}-${alg}`;
    await ok(["sign", input, "--format", format, "--key", ref, "--passphrase-env", "PIN", ...more, "--log", log, "--out", out]);
    expectEntry(tokenPlace.get(log).toString(), format);
    await tokenPlace.ok(verify(out, format, input, `${kind}-${alg}.pub`, more), { env: hsm.env });
  });
});

/** A program that signs with a key in a file, which it gets from OpenSSL. */
function program(p: Place, alg: "ed25519" | "es256", pub: Buffer): string {
  const how = alg === "ed25519" ? "sign(null, m, k)" : 'sign("sha256", m, { key: k, dsaEncoding: "ieee-p1363" })';
  p.put(
    `${alg}.mjs`,
    `#!${process.execPath}
import { sign, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
const k = createPrivateKey(readFileSync(${JSON.stringify(p.at(`${alg}.pem`))}));
const r = JSON.parse(readFileSync(0, "utf8"));
const m = Buffer.from(r.message ?? "", "base64");
const answer = r.operation === "describe-key"
  ? { contractVersion: 1, alg: ${JSON.stringify(alg)}, publicKey: ${JSON.stringify(pub.toString("base64"))} }
  : { contractVersion: 1, signature: ${how}.toString("base64") };
process.stdout.write(JSON.stringify(answer) + "\\n");
`,
    0o755,
  );
  return `exec:${p.at(`${alg}.mjs`)}`;
}

describe.skipIf(process.platform === "win32")("a key in a program", () => {
  it.each(FORMATS)("signs %s with %s", async (format, alg, input, more) => {
    const p = place();
    p.keepsLogs = true;
    p.put("esp.bin", espImage({ chip: 16 }));
    await p.ok(["keygen", "--alg", alg, "--no-passphrase", "--out", `${alg}.pem`]);
    const raw = (await p.ok(["pubkey", `${alg}.pem`, "--format", "raw"])).bytes;
    const ref = program(p, alg, Buffer.from(raw));
    await p.ok(["sign", input, "--format", format, "--key", ref, ...more, "--log", "exec.log", "--out", "out"]);
    expectEntry(readFileSync(p.at("exec.log"), "utf8"), format);
    await p.ok(verify("out", format, input, `${alg}.pub`, more));
  });
});
