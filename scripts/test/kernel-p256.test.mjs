// P-256 of the kernel (packages/kernel) decides as the verifier's ES256 does: compiled for this machine with
// sanitizers, and as its images under qemu.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { COMPILER, IMAGES } from "../../packages/kernel/src/images.generated.ts";
import { p256Tables } from "../../packages/kernel/tools/p256.mjs";
import { AT_LENGTH, LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { haveVectors, vectorJson } from "../../packages/test-support/src/vectors.ts";
import { es256 } from "../../packages/verifier/src/alg/es256.ts";
import { bytes, encode, G, inverse, mod, N, number, P, signature, times } from "../../packages/verifier/test/p256.ts";
import { es256Contest } from "../../packages/verifier/test/rivals/es256.ts";
import { Random } from "../../packages/verifier/test/rivals/random.ts";
import * as kernel from "../kernel.mjs";
import { BATCH, CASES, casesOf, EMULATED, VALID, words } from "../testing/kernel-cases.mjs";
import { vectorCalls } from "../testing/vector-calls.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = temporaryFolder("firmseal-kernel-p256-");

const sha256 = (message) => createHash("sha256").update(message).digest();
const digestOf = (c) => c.digest ?? sha256(c.message);
/** What the verifier decides, also of a digest that has no message. */
const ours = (c) => es256.verify(c.key, c.message ?? [], c.signature, c.digest ? { sha256: { once: () => c.digest } } : {});
const recordOf = (c) => kernel.record(6, Buffer.concat([c.key, c.signature, digestOf(c)]));

const contest = es256Contest(new Random("kernel"), {});
const openssl = contest.rivals["node:crypto"];
const { random, good, differences } = casesOf(contest, recordOf, ours);

const numbers = new Random("collisions");
const scalar = () => mod(number(numbers.octets(32)), N - 1n) + 1n;

/** Signed windows of n: pairs of a place and an odd digit, from the highest. */
function windows(n, width) {
  const found = [];
  for (let at = 0; n > 0n; ) {
    if (n & 1n) {
      const low = n & (2n ** width - 1n);
      const digit = low >> (width - 1n) ? low - 2n ** width : low;
      found.unshift([at, digit]);
      n -= digit;
    }
    n >>= 1n;
    at++;
  }
  return found;
}

/**
 * A valid signature for which the sum of u1 G + u2 Q meets, at a window in its middle, the point that it adds there, or
 * the opposite one. Q = d G, for the d that makes it so. `base`: at a window of u1, and otherwise of u2, whose windows
 * come after those of u1.
 */
function collision(base, sign) {
  for (;;) {
    const [u1, u2] = [scalar(), scalar()];
    const [of1, of2] = [windows(u1, 4n), windows(u2, 5n)];
    const [at, digit] = numbers.one((base ? of1 : of2).slice(1));
    // the sum of the windows from `from` on, as a multiple of 2^at
    const above = (list, from) => list.reduce((sum, [i, d]) => (i >= from ? sum + d * 2n ** BigInt(i - at) : sum), 0n);
    const [p1, p2] = [above(of1, base ? at + 1 : at), above(of2, at + 1)];
    const [a, b] = base ? [sign * digit - p1, p2] : [-p1, p2 - sign * digit];
    if (mod(b, N) === 0n || mod(a, N) === 0n) continue;
    const d = mod(a * inverse(b, N), N);
    const r = mod(times(mod(u1 + u2 * d, N), G)?.x ?? 0n, N);
    if (r === 0n) continue;
    const s = mod(r * inverse(u2, N), N);
    return { key: encode(times(d, G)), signature: signature(r, s), digest: bytes(mod(u1 * s, N)) };
  }
}
const collisions = (n) =>
  Array.from({ length: n }, (_, i) => collision(i % 2 === 0, i % 4 < 2 ? 1n : -1n)).flatMap((c) => {
    const other = Uint8Array.from(c.signature);
    other[31] ^= 1;
    return [c, { ...c, signature: other }];
  });

/** Keys in other forms, and points that are not on the curve. */
const KEYS = random(100).flatMap(({ key }) => {
  const changed = (at, by) => key.map((x, i) => (i === at ? x ^ by : x));
  const x = number(key.subarray(1, 33)) + P;
  return [
    key,
    ...[1, 2, 6, 7, 0x84].map((by) => changed(0, by)),
    changed(64, 1),
    ...(x < 2n ** 256n ? [Uint8Array.of(4, ...bytes(x), ...key.subarray(33))] : []),
  ];
});
function checkKeys(play) {
  const said = words(play(Buffer.concat(KEYS.map((key) => kernel.record(7, Buffer.from(key))))));
  expect(said.map((word) => word === VALID)).toEqual(KEYS.map((key) => es256.valid(key)));
  expect(new Set(said)).toEqual(new Set([0, VALID]));
}

function checkSample(play) {
  // the second digest begins one byte further
  expect(words(play(Buffer.concat([0, 1].map((n) => kernel.record(8, Buffer.alloc(n))))))).toEqual([VALID, 0]);
}

function checkPublished(play) {
  const cases = vectorJson("crypto/ecdsa_secp256r1_sha256_p1363_test.json").testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ msg, sig, result }) => ({
      key: Buffer.from(publicKey.uncompressed, "hex"),
      message: Buffer.from(msg, "hex"),
      signature: Buffer.from(sig, "hex"),
      valid: result === "valid",
    })),
  );
  const whole = cases.filter(({ signature }) => signature.length === 64);
  expect(whole.length).toBeGreaterThan(200);
  expect(words(play(Buffer.concat(whole.map(recordOf)))).map((word) => word === VALID)).toEqual(whole.map(({ valid }) => valid));
}

it("has the constants of the field and of the curve", () => {
  expect(readFileSync(join(ROOT, "packages/kernel/src/p256/p256_tables.h"), "utf8")).toBe(p256Tables());
});

const noVectors = haveVectors ? "" : " (skipped: no vectors)";
const noHost = kernel.hasHostCompiler ? "" : " (skipped: no C compiler)";
describe.skipIf(noHost !== "")(`P-256 compiled for this machine, with sanitizers${noHost}`, () => {
  let play;
  beforeAll(() => {
    const program = kernel.hostPlayer(folder);
    play = (input) => kernel.play(program, input);
  });

  it("decides our vectors as the verifier does", () => {
    const cases = vectorCalls(es256, "es256", 65, 64);
    expect(cases.length).toBeGreaterThan(10);
    const { different, accepted } = differences(play, cases);
    expect(different).toEqual([]);
    expect(accepted).toBeGreaterThan(5);
    expect(accepted).toBeLessThan(cases.length);
  });

  it.skipIf(!haveVectors)(`decides Wycheproof as published${noVectors}`, () => checkPublished(play));

  it(`decides ${CASES} cases that an attacker made`, { timeout: 14_400_000 }, () => {
    let total = 0;
    for (let left = CASES; left > 0; left -= BATCH) {
      const { different, accepted } = differences(play, random(Math.min(left, BATCH)), openssl.verify);
      expect(different).toEqual([]);
      total += accepted;
    }
    expect(total).toBeGreaterThan(CASES / 10);
  });

  it(`decides ${LONG ? 2000 : 80} cases whose sum meets the point that it adds, or its opposite`, { timeout: 600_000 }, () => {
    const { different, accepted } = differences(play, collisions(LONG ? 1000 : 40));
    expect(different).toEqual([]);
    expect(accepted).toBe(LONG ? 1000 : 40);
  });

  it("knows the keys under which a signature can be valid", () => checkKeys(play));
  it("has a sample, which is valid, and not valid for another digest", () => checkSample(play));
});

const noArm = kernel.hasCompiler && kernel.hasQemu ? "" : " (skipped: no gcc-arm-none-eabi or no qemu-user)";
describe.skipIf(noArm !== "").each(Object.keys(kernel.ARCHITECTURES))(`P-256 on %s${noArm}`, (name) => {
  const limits = kernel.ALGORITHMS.es256.limits[name];
  const place = join(folder, name);
  let image;
  let program;
  let play;
  beforeAll(() => {
    image = kernel.build("es256", name, place);
    program = kernel.player(name, place);
    play = (input) => kernel.playQemu(name, program, input);
  });

  it("is built to the same bytes", () => {
    expect(kernel.build("es256", name, join(folder, "again", name)).bytes.equals(image.bytes)).toBe(true);
    // another compiler may choose other instructions: as for the other images
    if (process.env["CI"] === undefined && kernel.compiler() !== COMPILER) return;
    expect(image.bytes.toString("base64")).toBe(IMAGES.es256[name].base64);
    expect(sha256(image.bytes).toString("hex")).toBe(IMAGES.es256[name].digest);
  });

  it("stays within its size and its stack, and says so in its table", () => {
    expect(image.bytes.length).toBeLessThanOrEqual(limits.bytes);
    // nothing else is in it
    for (let at = 12; at < 56; at += 4) expect(image.bytes.readUInt32LE(at)).toBe(0);
    expect(image.bytes.readUInt32LE(8)).toBe(image.bytes.length);
    for (const [entry, bytes] of Object.entries(image.stack)) expect(bytes, entry).toBeLessThanOrEqual(limits.stack);
    const measured = words(play(Buffer.concat([recordOf(good()), kernel.record(5, Buffer.alloc(0))])))[1];
    // the player's own frame comes on top of what is computed
    expect(measured).toBeGreaterThan(1500);
    expect(measured).toBeLessThanOrEqual(image.stack.p256_verify + 64);
  });

  it("decides as the verifier does", () => {
    const { different, accepted } = differences(play, [...random(EMULATED), ...collisions(EMULATED / 8)]);
    expect(different).toEqual([]);
    expect(accepted).toBeGreaterThan(EMULATED / 8);
  });

  it("knows the keys under which a signature can be valid", () => checkKeys(play));
  it("has a sample, which is valid, and not valid for another digest", () => checkSample(play));

  const isQuick = LONG || limits.instructions < 4_000_000;
  it.skipIf(!haveVectors || !isQuick)(`decides Wycheproof as published${noVectors || (isQuick ? "" : AT_LENGTH)}`, () =>
    checkPublished(play),
  );

  // qemu takes a second for a million
  it.skipIf(!isQuick)(`verifies within its number of instructions${isQuick ? "" : AT_LENGTH}`, () => {
    const n = kernel.instructions(name, program, recordOf(good()));
    expect(n).toBeGreaterThan(100_000);
    expect(n).toBeLessThanOrEqual(limits.instructions);
  });
});

// the same sources, so what is tried here is the table
describe.skipIf(noArm !== "").each(some(Object.keys(kernel.ARCHITECTURES), 2))(
  `both algorithms in one image, %s${OF_SOME}${noArm}`,
  (name) => {
    const limits = kernel.ALGORITHMS.both.limits[name];
    const place = join(folder, "both", name);
    let image;
    beforeAll(() => {
      image = kernel.build("both", name, place);
    });

    it("is built to the same bytes, within its size and stack", () => {
      expect(image.bytes.length).toBeLessThanOrEqual(limits.bytes);
      expect(image.bytes.readUInt32LE(8)).toBe(image.bytes.length);
      for (const [entry, bytes] of Object.entries(image.stack)) expect(bytes, entry).toBeLessThanOrEqual(limits.stack);
      if (process.env["CI"] === undefined && kernel.compiler() !== COMPILER) return;
      expect(image.bytes.toString("base64")).toBe(IMAGES.both[name].base64);
    });

    it("has both samples, and a hash", () => {
      const records = [
        kernel.record(4, Buffer.alloc(1)),
        kernel.record(4, Buffer.alloc(0)),
        kernel.record(8, Buffer.alloc(0)),
        kernel.record(8, Buffer.alloc(1)),
      ];
      const out = kernel.playQemu(name, kernel.player(name, place), Buffer.concat([...records, kernel.record(1, Buffer.alloc(200))]));
      expect(words(out.subarray(0, 16))).toEqual([VALID, 0, VALID, 0]);
      expect(out.subarray(16).equals(sha256(Buffer.alloc(200)))).toBe(true);
    });
  },
);
