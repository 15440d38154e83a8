// The kernel (packages/kernel) decides as the verifier does: compiled for this machine with sanitizers, and as its
// images under qemu.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { COMPILER, IMAGES } from "../../packages/kernel/src/images.generated.ts";
import { tables } from "../../packages/kernel/tools/tables.mjs";
import { AT_LENGTH, LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { haveVectors, vectorJson } from "../../packages/test-support/src/vectors.ts";
import { ed25519 } from "../../packages/verifier/src/alg/ed25519.ts";
import { ed25519Contest } from "../../packages/verifier/test/rivals/ed25519.ts";
import { Random } from "../../packages/verifier/test/rivals/random.ts";
import * as kernel from "../kernel.mjs";
import { BATCH, CASES, casesOf, EMULATED, VALID, words } from "../testing/kernel-cases.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(new URL("../../docs/guides/kernel.md", import.meta.url), "utf8");
const folder = temporaryFolder("firmseal-kernel-");

const hex = (text) => Buffer.from(text, "hex");
const verified = new WeakMap();
/** What the verifier decides, once for each case. */
function ours(c) {
  if (!verified.has(c)) verified.set(c, ed25519.verify(c.key, c.message, c.signature, {}));
  return verified.get(c);
}
const recordOf = (c) => kernel.record(0, Buffer.concat([c.key, c.signature, c.message]));

const contest = ed25519Contest(new Random("kernel"), {});
const openssl = contest.rivals["node:crypto"];
const { random, good, differences } = casesOf(contest, recordOf, ours);

/** Third-party cases with the result that our rule gives, by source. */
function published() {
  const wycheproof = vectorJson("crypto/ed25519_test.json").testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ msg, sig, result }) => ({ key: hex(publicKey.pk), message: hex(msg), signature: hex(sig), valid: result === "valid" })),
  );
  const speccheck = vectorJson("crypto/ed25519-speccheck.json").map((one, i) => ({
    key: hex(one.pub_key ?? one.pk),
    message: hex(one.message ?? one.msg),
    signature: hex(one.signature ?? one.sig),
    valid: i === 3,
  }));
  return { wycheproof: wycheproof.filter(({ signature }) => signature.length === 64), speccheck };
}

const vectors = process.env["FIRMSEAL_VECTORS"] ?? resolve(ROOT, "../shared/vectors");
const cctv = existsSync(join(vectors, "crypto/cctv-ed25519.json")) && join(vectors, "crypto/cctv-ed25519.json");

/**
 * C2SP's CCTV: what our rule refuses are points of small order, encodings that are not canonical, and residues of small
 * order.
 */
function fromCctv() {
  const refused = /^(low_order_[AR]|non_canonical_[AR]|low_order_residue)$/;
  return JSON.parse(readFileSync(cctv, "utf8")).map(({ key, sig, msg, flags }) => ({
    key: hex(key),
    message: Buffer.from(msg),
    signature: hex(sig),
    valid: !(flags ?? []).some((flag) => refused.test(flag)),
  }));
}

/** Lengths around the ends of blocks, in pieces of many sizes. */
const INPUTS = [0, 1, 3, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 1000].flatMap((length) =>
  [1, 7, 64, 128, 1000].map((piece) => ({ data: new Random(`${length}`).octets(length), piece })),
);

function checkHashes(play) {
  for (const [kind, name] of [
    [1, "sha256"],
    [2, "sha512"],
  ]) {
    const out = play(Buffer.concat(INPUTS.map(({ data, piece }) => kernel.record(kind, Buffer.from(data), piece))));
    const expected = INPUTS.map(({ data }) => createHash(name).update(data).digest());
    expect(out.equals(Buffer.concat(expected)), name).toBe(true);
  }
}

function checkKeys(play) {
  const keys = random(200).map(({ key }) => Buffer.from(key));
  const said = words(play(Buffer.concat(keys.map((key) => kernel.record(3, key)))));
  expect(said.map((word) => word === VALID)).toEqual(keys.map((key) => ed25519.valid(key)));
  expect(new Set(said)).toEqual(new Set([0, VALID]));
}

function checkSample(play) {
  expect(words(play(Buffer.concat([kernel.record(4, Buffer.alloc(1)), kernel.record(4, Buffer.alloc(0))])))).toEqual([VALID, 0]);
}

it("has the constants of the field, of the curve and of SHA-2", () => {
  expect(readFileSync(join(ROOT, "packages/kernel/src/tables.h"), "utf8")).toBe(tables());
});

const noHost = kernel.hasHostCompiler ? "" : " (skipped: no C compiler)";
describe.skipIf(noHost !== "")(`compiled for this machine, with sanitizers${noHost}`, () => {
  let play;
  beforeAll(() => {
    const program = kernel.hostPlayer(folder);
    play = (input) => kernel.play(program, input);
  });

  it(`decides our vectors as the verifier does${OF_SOME}`, async () => {
    const { vectorCalls } = await import("../testing/vector-calls.mjs");
    const cases = some(vectorCalls(ed25519, "ed25519", 32, 64), 4);
    for (const c of cases) if (c.valid !== undefined) verified.set(c, c.valid);
    expect(cases.length).toBeGreaterThan(LONG ? 100 : 25);
    const { different, accepted } = differences(play, cases);
    expect(different).toEqual([]);
    expect(accepted).toBeGreaterThan(LONG ? 50 : 10);
    expect(accepted).toBeLessThan(cases.length);
  });

  it.skipIf(!haveVectors)(`decides Wycheproof and speccheck as published${haveVectors ? "" : " (skipped: no vectors)"}`, () => {
    for (const [name, cases] of Object.entries(published())) {
      const said = words(play(Buffer.concat(cases.map(recordOf))));
      expect(
        said.map((word) => word === VALID),
        name,
      ).toEqual(cases.map(({ valid }) => valid));
    }
  });

  const noCctv = cctv ? "" : " (skipped: set FIRMSEAL_VECTORS=/path/to/vectors that have crypto/cctv-ed25519.json)";
  it.skipIf(!cctv)(`decides CCTV's edge cases as our rule says${noCctv}`, () => {
    const cases = fromCctv();
    expect(cases).toHaveLength(914);
    const expected = cases.map(({ valid }) => valid);
    expect(words(play(Buffer.concat(cases.map(recordOf)))).map((word) => word === VALID)).toEqual(expected);
    expect(cases.map(ours)).toEqual(expected);
  });

  // as the verifier, and as OpenSSL but for what we refuse by decision
  it(`decides ${CASES} cases that an attacker made`, { timeout: 14_400_000 }, () => {
    let total = 0;
    for (let left = CASES; left > 0; left -= BATCH) {
      const cases = random(Math.min(left, BATCH));
      const { different, accepted } = differences(play, cases, (c) => !contest.refuses(c) && openssl.verify(c));
      expect(different).toEqual([]);
      total += accepted;
    }
    expect(total).toBeGreaterThan(CASES / 10);
  });

  it("hashes in pieces of every size", () => checkHashes(play));
  it("knows the keys under which a signature can be valid", () => checkKeys(play));
  it("has a sample, which is valid, and not valid when it is cut", () => checkSample(play));

  it("compiles what its guide shows", () => {
    const page = readFileSync(join(ROOT, "docs/guides/kernel.md"), "utf8");
    const blocks = [...page.matchAll(/^```c\n([\s\S]*?)^```$/gm)].map(([, text]) => text.replace('#include "kernel.h"', ""));
    expect(blocks).toHaveLength(2);
    const head = '#include "kernel.h"\n#define KERNEL_ADDRESS 0x8000\n';
    const functions = blocks.map((text, i) => `void f${i}(const uint8_t *message, uint32_t length) {\n${text}}\n`);
    writeFileSync(join(folder, "guide.c"), head + functions.join(""));
    execFileSync("cc", ["-std=c99", "-w", "-c", "-I", join(ROOT, "packages/kernel/src"), "guide.c"], { cwd: folder });
  });
});

const noArm = kernel.hasCompiler && kernel.hasQemu ? "" : " (skipped: no gcc-arm-none-eabi or no qemu-user)";
describe.skipIf(noArm !== "").each(Object.keys(kernel.ARCHITECTURES))(`%s${noArm}`, (name) => {
  const limits = kernel.ALGORITHMS.ed25519.limits[name];
  const place = join(folder, name);
  let image;
  let program;
  let play;
  beforeAll(() => {
    image = kernel.build("ed25519", name, place);
    program = kernel.player(name, place);
    play = (input) => kernel.playQemu(name, program, input);
  });

  it("is built to the same bytes", () => {
    expect(kernel.build("ed25519", name, join(folder, "again", name)).bytes.equals(image.bytes)).toBe(true);
    // another compiler may choose other instructions, and CI has the one that made the images
    if (process.env["CI"] === undefined && kernel.compiler() !== COMPILER) return;
    expect(kernel.compiler()).toBe(COMPILER);
    expect(image.bytes.toString("base64")).toBe(IMAGES.ed25519[name].base64);
    expect(createHash("sha256").update(image.bytes).digest("hex")).toBe(IMAGES.ed25519[name].digest);
  });

  it("stays within its size and its stack, and says so in its table", () => {
    expect(image.bytes.length).toBeLessThanOrEqual(limits.bytes);
    expect(image.bytes.readUInt32LE(8)).toBe(image.bytes.length);
    for (const [entry, bytes] of Object.entries(image.stack)) expect(bytes, entry).toBeLessThanOrEqual(limits.stack);
    const measured = words(play(Buffer.concat([recordOf(good()), kernel.record(5, Buffer.alloc(0))])))[1];
    // the player's own frame comes on top of what is computed
    expect(measured).toBeGreaterThan(1500);
    expect(measured).toBeLessThanOrEqual(image.stack.ed25519_verify + 64);
  });

  it("decides as the verifier does", () => {
    const { different, accepted } = differences(play, random(EMULATED));
    expect(different).toEqual([]);
    expect(accepted).toBeGreaterThan(EMULATED / 20);
  });

  it("hashes in pieces of every size", () => checkHashes(play));
  it("knows the keys under which a signature can be valid", () => checkKeys(play));
  it("has a sample, which is valid, and not valid when it is cut", () => checkSample(play));

  it.skipIf(!haveVectors)(`decides published cases as published${haveVectors ? "" : " (skipped: no vectors)"}`, () => {
    const cases = [...Object.values(published()).flat(), ...(cctv ? fromCctv() : [])].filter((_, i) => LONG || i % 8 === 0);
    expect(words(play(Buffer.concat(cases.map(recordOf)))).map((word) => word === VALID)).toEqual(cases.map(({ valid }) => valid));
  });

  // qemu takes a second for a million
  const isShort = LONG || limits.instructions < 4_000_000;
  it.skipIf(!isShort)(`verifies within its number of instructions${isShort ? "" : AT_LENGTH}`, () => {
    const n = kernel.instructions(name, program, recordOf(good()));
    expect(n).toBeGreaterThan(100_000);
    expect(n).toBeLessThanOrEqual(limits.instructions);
  });
});

describe.skipIf(noArm !== "").each(some(Object.keys(kernel.ARCHITECTURES), 2))(`the hashes alone on %s${OF_SOME}${noArm}`, (name) => {
  const limits = kernel.ALGORITHMS.sha2.limits[name];
  const place = join(folder, "sha2", name);
  let image;
  beforeAll(() => {
    image = kernel.build("sha2", name, place);
  });

  it("are built to the same bytes, within their size and stack", () => {
    expect(image.bytes.length).toBeLessThanOrEqual(limits.bytes);
    expect(image.bytes.readUInt32LE(8)).toBe(image.bytes.length);
    for (const [entry, bytes] of Object.entries(image.stack)) expect(bytes, entry).toBeLessThanOrEqual(limits.stack);
    if (process.env["CI"] === undefined && kernel.compiler() !== COMPILER) return;
    expect(image.bytes.toString("base64")).toBe(IMAGES.sha2[name].base64);
    expect(createHash("sha256").update(image.bytes).digest("hex")).toBe(IMAGES.sha2[name].digest);
  });

  it("hash in pieces of every size, and have nothing else", () => {
    checkHashes((input) => kernel.playQemu(name, kernel.player(name, place), input));
    for (const at of [12, 16, 44]) expect(image.bytes.readUInt32LE(at)).toBe(0);
  });

  it("take the instructions of a block of SHA-256 that the guide gives", () => {
    const block = Math.round(kernel.counts("sha2", name, place)["block of SHA-256"]);
    expect(block).toBeLessThanOrEqual(limits.block);
    if (kernel.compiler() !== COMPILER) return;
    const [, ...cells] = GUIDE.match(/^\| Instructions of a block of SHA-256 .*?\| ([\d,]+) \| ([\d,]+) \|$/m) ?? [];
    expect(block).toBe(Number(cells[Object.keys(kernel.ARCHITECTURES).indexOf(name)]?.replace(",", "")));
  });
});
