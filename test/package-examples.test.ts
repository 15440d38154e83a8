// The example of each package's README, run as a program outside of the workspace that has the built packages installed.

import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  anchorOf,
  encode,
  identityUuids,
  type PrivateKey,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  singleImage,
} from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { beforeAll, expect, it } from "vitest";
import { encryptedPem } from "../packages/keys/src/formats/pkcs8.js";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PASSPHRASE = "correct horse";
const image = Buffer.from("firmware");
const ids = identityUuids("example.com", "board-v2");
const key: PrivateKey = privateKey("ed25519", new Uint8Array(randomBytes(32)));
let folder: string;
let unsigned: Uint8Array;

const at = (name: string) => join(folder, name);
const array = (bytes: Uint8Array) => `Uint8Array.from(${JSON.stringify([...bytes])})`;

/** The one block of JavaScript in a README, with what it leaves to its reader filled in; what it prints. */
function example(name: string, given: { [text: string]: string } = {}): string {
  const blocks = [...readFileSync(join(ROOT, `packages/${name}/README.md`), "utf8").matchAll(/^```js\n([\s\S]*?)^```$/gm)];
  expect(blocks, name).toHaveLength(1);
  let code = blocks[0]?.[1] ?? "";
  for (const [text, value] of Object.entries(given)) {
    expect(code).toContain(text);
    code = code.replace(text, value);
  }
  writeFileSync(at(`${name}.mjs`), code);
  const { PATH, NODE_OPTIONS } = process.env;
  const env = { PATH, NODE_OPTIONS, FIRMSEAL_STATE: at("state"), RELEASE_PASSPHRASE: PASSPHRASE, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.mjs`], { cwd: folder, env, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

const sequenceIn = (file: string) => open(readFileSync(at(file)), { anchors: [anchorOf(key)] }).sequence;

/** The sequence numbers in the log of the key. */
const numbersInLog = () =>
  readFileSync(at("release.pem.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).sequence);

beforeAll(async () => {
  folder = temporaryFolder("firmseal-examples-");
  mkdirSync(at("node_modules/@firmseal"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "packages"))) symlinkSync(join(ROOT, "packages", name), at(`node_modules/@firmseal/${name}`));
  unsigned = encode(
    singleImage({
      sequence: 7,
      vendor: "example.com",
      class: "board-v2",
      digest: createHash("sha256").update(image).digest("hex"),
      size: image.length,
      uri: "#firmware",
      payload: image,
    }),
  );
  writeFileSync(at("app.bin"), image);
  writeFileSync(at("unsigned.suit"), unsigned);
  writeFileSync(at("pub.raw"), key.key);
  writeFileSync(at("release.pem"), await encryptedPem(key, Buffer.from(PASSPHRASE)), { mode: 0o600 });
});

it("images: a HEX file as bytes", () => {
  writeFileSync(at("app.hex"), ":0400000001020304F2\n:00000001FF\n");
  expect(example("images")).toBe("ihex: 4 bytes, 0 of them gaps filled with ff\n");
  // what app.hex holds is not what the other examples sign
  expect([...readFileSync(at("app.bin"))]).toEqual([1, 2, 3, 4]);
});

it("kernel: machine code as a file", () => {
  const [, length, digest] = /^(\d+) bytes, SHA-256 (\w+)\n$/.exec(example("kernel")) ?? [];
  const bytes = readFileSync(at("kernel.bin"));
  expect([bytes.length, createHash("sha256").update(bytes).digest("hex")]).toEqual([Number(length), digest]);
  expect(bytes.subarray(0, 4).toString("latin1")).toBe("FSK1");
});

it.skipIf(!LONG)(`bundler: the verifier for a board${AT_LENGTH}`, () => {
  example("bundler");
  const exports: { [name: string]: unknown } = {};
  new Function("exports", readFileSync(at("firmseal.js"), "utf8"))(exports);
  expect(typeof exports["open"]).toBe("function");
});

it.skipIf(!LONG)(`report: a page that verifies a release${AT_LENGTH}`, async () => {
  writeFileSync(at("fw.suit"), await signEnvelopeWithoutLog(unsigned, [signer(key)]));
  example("report");
  expect(readFileSync(at("fw.html"), "utf8")).toMatch(
    /^<!doctype html>[\s\S]*Content-Security-Policy[\s\S]*<title>Firmware release<\/title>/,
  );
});

it("behaviour: what a device does with a release", async () => {
  writeFileSync(at("fw.suit"), await signEnvelopeWithoutLog(unsigned, [signer(key)]));
  const out = example("behaviour", { vendorUuid: array(ids.vendor), classUuid: array(ids.class) });
  expect(out).toMatch(/^vendor [\da-f-]{36}, class [\da-f-]{36}[\s\S]*installation:\n {4}1\. /);
});

it("keys: an open key that signs, and whose log has the use", () => {
  example("keys");
  expect(sequenceIn("app.suit")).toEqual([0, 7]);
  expect(numbersInLog()).toEqual(["7"]);
});

it("release: an image with the number of its version, in the log of the key", () => {
  writeFileSync(at("app.bin"), image);
  example("release");
  expect(sequenceIn("app.suit")).toEqual([0x0001_0004, 0x0002_8000]);
  // the same release may be signed again
  example("release");
  expect(sequenceIn("app.suit")).toEqual([0x0001_0004, 0x0002_8000]);
  expect(numbersInLog()).toEqual(["7", "281492156743680", "281492156743680"]);
});

it("simulator: the power cut in an update", async () => {
  writeFileSync(at("app.suit"), await signEnvelopeWithoutLog(unsigned, [signer(key)]));
  const out = example("simulator", { vendorUuid: array(ids.vendor), classUuid: array(ids.class) });
  expect(out).toMatch(/^\d{2,} cuts, 0 of them end badly\n$/);
});
