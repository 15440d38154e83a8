// Machine code on Espruino (packages/verifier/src/device/kernel.ts): it decides where it has passed its checks, and the
// JavaScript where it has not. Here the engine's E is a small one whose nativeCall runs the image under qemu; the real
// one is tried with ESPRUINO_ARM=.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { minifiedBundle } from "../../packages/bundler/src/index.ts";
import { kernelImage } from "../../packages/kernel/src/index.ts";
import { fromLatin1, latin1 } from "../../packages/test-support/src/bytes.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { ed25519 } from "../../packages/verifier/src/alg/ed25519.ts";
import { es256 } from "../../packages/verifier/src/alg/es256.ts";
import { ed25519Kernel, es256Kernel, useEs256Kernel, useKernel } from "../../packages/verifier/src/device/kernel.ts";
import { makeMachine } from "../../packages/verifier/src/device/machine.ts";
import { ed25519Contest } from "../../packages/verifier/test/rivals/ed25519.ts";
import { es256Contest } from "../../packages/verifier/test/rivals/es256.ts";
import { Random } from "../../packages/verifier/test/rivals/random.ts";
import { starterOf } from "../conformance/engines.mjs";
import * as kernel from "../kernel.mjs";

const VALID = 0x5ea1ed25;
const folder = temporaryFolder("firmseal-kernel-");

const { bytes: image, digest } = kernelImage("armv7em");
const CODE = { board: "BANGLEJS2", text: () => latin1(image), digest: () => latin1(Buffer.from(digest, "hex")) };
const PROCESS = { env: { BOARD: "BANGLEJS2" }, memory: () => ({ stackFree: 30_000 }) };
const HOST = { sha256: { once: (bytes) => Uint8Array.from(createHash("sha256").update(Uint8Array.from(bytes)).digest()) } };

const use = (E, process, host, code) => useKernel(makeMachine(E, process, host, undefined, code));

const CONTESTS = { ed25519: ed25519Contest(new Random("device"), {}), es256: es256Contest(new Random("device"), {}) };
const ours = (c, alg = ed25519) => alg.verify(c.key, c.message, c.signature, {});
function next(kind, name = "ed25519") {
  for (;;) {
    const c = CONTESTS[name].next();
    if (kind === undefined || c.kind === kind) return c;
  }
}

/** What E.nativeCall makes of code: run(entry, key, message address, ...) over a memory of flat values. */
function engine(run) {
  const places = new Map();
  let free = 0x20000000;
  const put = (value, length) => {
    if (!places.has(value)) {
      places.set(value, free);
      free += (length + 3) & ~3;
    }
    return places.get(value);
  };
  const bytesAt = (address, n) => {
    for (const [value, at] of places)
      if (address >= at && address + n <= at + value.length) {
        const all = typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(value);
        return all.subarray(address - at, address - at + n);
      }
    throw new Error(`nothing at ${address}`);
  };
  return {
    toFlatString: (text) => text,
    toArrayBuffer: (text) => fromLatin1(text).buffer,
    toUint8Array: fromLatin1,
    getAddressOf: (value) => put(value, value.length),
    nativeCall: vi.fn((entry, signature, code) => {
      expect(signature).toBe("int(int,int,int)");
      return (at, message, n) => run({ entry, code, at, message, n, bytesAt });
    }),
  };
}

const noArm = kernel.hasCompiler && kernel.hasQemu ? "" : " (skipped: no gcc-arm-none-eabi or no qemu-user)";
describe.skipIf(noArm !== "")(`the image under qemu${noArm}`, () => {
  let program;
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "0x0.bin"), image);
    program = kernel.player("armv7em", folder);
  });
  const run = ({ entry, code, at, message, n, bytesAt }) => {
    expect(code).toBe(latin1(image));
    const isKey = entry === Buffer.from(image).readUInt32LE(16);
    if (!isKey) expect(entry).toBe(Buffer.from(image).readUInt32LE(12));
    const record = isKey ? kernel.record(3, bytesAt(at, 32)) : kernel.record(0, Buffer.concat([bytesAt(at, 96), bytesAt(message, n)]));
    return kernel.playQemu("armv7em", program, record).readInt32LE(0);
  };

  it("passes its self-test, and decides as the JavaScript does", () => {
    const E = engine(run);
    expect(use(E, PROCESS, HOST, CODE)).toBe(0);
    const cases = ["honest", "signature flipped", "small order or not canonical", "S + nL", "message changed", "edge"].map((kind) =>
      next(kind),
    );
    const slow = vi.spyOn(ed25519, "verify");
    const said = cases.map((c) => ed25519Kernel.verify(c.key, c.message, c.signature, {}));
    expect(slow).not.toHaveBeenCalled();
    slow.mockRestore();
    expect(said).toEqual(cases.map((c) => ours(c)));
    expect(new Set(said)).toEqual(new Set([true, false]));
    const keys = ["honest", "no point", "no point", "both strange"].map((kind) => next(kind).key);
    expect(keys.map(ed25519Kernel.valid)).toEqual(keys.map(ed25519.valid));
  });

  it("never throws, and never asks the kernel about other lengths", () => {
    const E = engine(run);
    use(E, PROCESS, HOST, CODE);
    E.nativeCall.mockClear();
    const { key, message, signature } = next("honest");
    for (const [k, s] of [
      [key.subarray(1), signature],
      [key, signature.subarray(1)],
      [[...key.subarray(1), 256], signature],
    ])
      expect(ed25519Kernel.verify(k, message, s, {})).toBe(false);
    expect(ed25519Kernel.valid(key.subarray(1))).toBe(false);
    expect(ed25519Kernel.verify({ key, table: "", digest: key }, message, signature, {})).toBe(
      ed25519.verify({ key, table: "", digest: key }, message, signature, {}),
    );
    expect(E.nativeCall).not.toHaveBeenCalled();
  });
});

describe.skipIf(noArm !== "").each(["es256", "both"])(`the image with P-256 under qemu: %s${noArm}`, (name) => {
  const { bytes: image, digest } = kernelImage("armv7em", name);
  const code = { board: "BANGLEJS2", text: () => latin1(image), digest: () => latin1(Buffer.from(digest, "hex")) };
  const word = (at) => Buffer.from(image).readUInt32LE(at);
  const place = join(folder, name);
  let program;
  beforeAll(() => {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "0x0.bin"), image);
    program = kernel.player("armv7em", place);
  });
  const run = ({ entry, at, message, n, bytesAt }) => {
    if (entry === word(60)) return kernel.playQemu("armv7em", program, kernel.record(7, bytesAt(at, 65))).readInt32LE(0);
    expect([entry, n]).toEqual([word(56), 32]);
    return kernel.playQemu("armv7em", program, kernel.record(6, Buffer.concat([bytesAt(at, 129), bytesAt(message, 32)]))).readInt32LE(0);
  };
  const start = (with_ = {}) => {
    const E = { ...engine(with_.run ?? run), ...with_.E };
    return [useEs256Kernel(makeMachine(E, with_.process ?? PROCESS, with_.host ?? HOST, undefined, with_.code ?? code)), E];
  };
  const kinds = ["honest", "n - s", "signature flipped", "opposite or equal parts", "x at its edges", "r at its edges", "no point"];
  const cases = kinds.map((kind) => next(kind, "es256"));

  it("passes its self-test, and decides as the JavaScript does", () => {
    expect(start()[0]).toBe(0);
    const expected = cases.map((c) => ours(c, es256));
    const slow = vi.spyOn(es256, "verify");
    // the host's hash, and our own
    for (const host of [HOST, {}]) expect(cases.map((c) => es256Kernel.verify(c.key, c.message, c.signature, host))).toEqual(expected);
    expect(slow).not.toHaveBeenCalled();
    slow.mockRestore();
    expect(new Set(expected)).toEqual(new Set([true, false]));
    expect(cases.map(({ key }) => es256Kernel.valid(key))).toEqual(cases.map(({ key }) => es256.valid(key)));
    expect(es256Kernel.ids).toEqual(es256.ids);
  });

  it("never asks the kernel about other lengths, nor about a digest that is not one", () => {
    const [, E] = start();
    E.nativeCall.mockClear();
    const { key, message, signature } = cases[0];
    for (const [k, s, host] of [
      [key.subarray(1), signature, {}],
      [key, signature.subarray(1), {}],
      [[...key.subarray(1), 256], signature, {}],
      [key, signature, { sha256: { once: () => new Uint8Array(20) } }],
    ])
      expect(es256Kernel.verify(k, message, s, host)).toBe(false);
    expect(es256Kernel.valid(key.subarray(1))).toBe(false);
    expect(E.nativeCall).not.toHaveBeenCalled();
  });

  it.each([
    [1, "another board", { process: { ...PROCESS, env: { BOARD: "PUCKJS" } } }],
    [2, "too little stack", { process: { ...PROCESS, memory: () => ({ stackFree: 6143 }) } }],
    [3, "no flat memory", { E: { toFlatString: () => undefined } }],
    [4, "an image for another core", { code: { ...code, text: () => latin1(kernelImage("armv6m", name).bytes) } }],
    [5, "code that says yes to everything", { run: () => VALID }],
    [5, "code that says no to everything", { run: () => 0 }],
    [5, "code that gives an address", { run: () => 0x20001000 }],
  ])("%s: %s: the JavaScript decides", (reason, _, options) => {
    expect(start(options)[0]).toBe(reason);
    const slow = vi.spyOn(es256, "verify");
    expect([0, 2].map((i) => es256Kernel.verify(cases[i].key, cases[i].message, cases[i].signature, {}))).toEqual([true, false]);
    expect(slow).toHaveBeenCalledTimes(2);
    slow.mockRestore();
  });
});

describe("if the machine code cannot be trusted, the JavaScript decides", () => {
  const good = next("honest");
  const bad = next("signature flipped");
  const decides = () => {
    expect(ed25519Kernel.verify(good.key, good.message, good.signature, {})).toBe(true);
    expect(ed25519Kernel.verify(bad.key, bad.message, bad.signature, {})).toBe(false);
    expect([ed25519Kernel.valid(good.key), ed25519Kernel.valid(new Uint8Array(32))]).toEqual([true, false]);
  };
  /** Would say yes to everything. */
  const yes = () => VALID;
  const changed = (at, by) => {
    const bytes = image.map((x, i) => (i === at ? x ^ by : x));
    return { ...CODE, bytes, text: () => latin1(bytes) };
  };

  it.each([
    [1, "another board", {}, { process: { ...PROCESS, env: { BOARD: "PUCKJS" } } }],
    [1, "an engine without nativeCall", { nativeCall: undefined }, {}],
    [2, "too little stack", {}, { process: { ...PROCESS, memory: () => ({ stackFree: 6143 }) } }],
    [2, "an engine that does not tell its stack, as those on other processors", {}, { process: { ...PROCESS, memory: () => ({}) } }],
    [3, "no flat memory", { toFlatString: () => undefined }, {}],
    [3, "a text that is not flat", { getAddressOf: () => 0 }, {}],
    [3, "an address that is not a multiple of 4", { getAddressOf: () => 0x20000002 }, {}],
    [
      3,
      "no memory at all",
      {
        toFlatString: () => {
          throw new Error("LOW_MEMORY");
        },
      },
      {},
    ],
    [4, "no native SHA-256", {}, { host: {} }],
    [4, "a changed byte of code", {}, { code: changed(3000, 1) }],
    [4, "a changed offset", {}, { code: changed(12, 64) }],
    [4, "code that was cut short", {}, { code: { ...CODE, text: () => latin1(image.subarray(0, -4)) } }],
    [4, "a digest that is not 32 bytes", {}, { code: { ...CODE, digest: () => "" } }],
  ])("%s: %s", (reason, _, more, { process = PROCESS, host = HOST, code = CODE }) => {
    const E = { ...engine(yes), ...more };
    expect(use(E, process, host, code)).toBe(reason);
    decides();
    if (E.nativeCall) expect(E.nativeCall).not.toHaveBeenCalled();
  });

  it.each([
    ["says yes to everything", yes],
    ["says no to everything", () => 0],
    ["says 1 for yes", ({ n }) => n],
    ["gives an address", () => 0x20001000],
    ["gives nothing", () => undefined],
  ])("5: code that %s", (_, run) => {
    expect(use(engine(run), PROCESS, HOST, CODE)).toBe(5);
    decides();
  });

  it("3: code that throws", () => {
    const run = () => {
      throw new Error("a fault");
    };
    expect(use(engine(run), PROCESS, HOST, CODE)).toBe(3);
    decides();
  });

  it("is damaged after the self-test: what it then says that is neither yes nor no counts for nothing", () => {
    for (const word of [1, -1, VALID + 1, 0x20001000, undefined, true, `${VALID}`]) {
      const sample = (at, bytesAt) =>
        bytesAt(at, 96).equals(Buffer.from(image).subarray(Buffer.from(image).readUInt32LE(44)).subarray(0, 96));
      const run = ({ at, n, bytesAt, entry }) => {
        const isSample = entry === Buffer.from(image).readUInt32LE(12) && sample(at, bytesAt);
        return isSample ? (n === 1 ? VALID : 0) : word;
      };
      expect(use(engine(run), PROCESS, HOST, CODE)).toBe(0);
      decides();
    }
  });

  it("is changed after the first check: the digest is computed again at each use", () => {
    const E = engine(({ n }) => (n === 1 ? VALID : 0));
    expect(use(E, PROCESS, HOST, CODE)).toBe(0);
    E.toArrayBuffer = () => changed(100, 8).bytes.buffer;
    E.nativeCall.mockClear();
    decides();
    expect(E.nativeCall).not.toHaveBeenCalled();
  });

  it("does not pass its self-test any more, or has no stack any more", () => {
    let broken = false;
    let stackFree = 30_000;
    const E = engine(({ n }) => (n === 1 || broken ? VALID : 0));
    expect(use(E, { ...PROCESS, memory: () => ({ stackFree }) }, HOST, CODE)).toBe(0);
    broken = true;
    decides();
    broken = false;
    stackFree = 4096;
    E.nativeCall.mockClear();
    decides();
    expect(E.nativeCall).not.toHaveBeenCalled();
  });
});

const real = process.env["ESPRUINO_ARM"];
describe.skipIf(!real || noArm !== "")(`Espruino for ARM under qemu${real ? "" : " (skipped: set ESPRUINO_ARM=/path/to/espruino)"}`, () => {
  const place = join(folder, "board");
  const start = (script) => {
    writeFileSync(join(place, "run.js"), `${script}\nprint("over"); quit();\n`);
    const [program, ...first] = starterOf({ variable: "ESPRUINO_ARM" }, resolve(real));
    const r = spawnSync(program, [...first, "run.js"], { cwd: place, encoding: "latin1", timeout: 300_000, input: "" });
    // when it ends, a build with the library JIT frees variables that it has not allocated
    const [said, rest] = r.stdout.split(/^>?over/m);
    expect(said).not.toMatch(/Uncaught|ERROR|MEMORY/);
    expect(rest, `${r.stdout}${r.stderr}`).toBeDefined();
    return said;
  };

  it.each([
    ["general", ed25519, { algs: ["ed25519"], features: ["install", "storage"] }],
    ["micro", ed25519, { algs: ["ed25519"], features: ["storage"], micro: [] }],
    ["general ES256", es256, { algs: ["es256"], features: ["install", "storage"] }],
    ["micro ES256", es256, { algs: ["es256"], features: ["storage"], micro: ["sha256"] }],
    ["ES256 beside Ed25519", es256, { algs: ["ed25519", "es256"], features: ["install", "storage"] }],
  ])(
    "%s: runs the machine code from a flat string, before and after the engine has moved its memory",
    { timeout: 300_000 },
    async (_, alg, options) => {
      const name = alg === es256 ? "es256" : "ed25519";
      mkdirSync(place, { recursive: true });
      const bundle = await minifiedBundle({ format: "espruino", kernel: "bangle.js2", ...options });
      writeFileSync(join(place, "firmseal.js"), bundle);
      const upload = fileURLToPath(new URL("../../examples/espruino/upload.mjs", import.meta.url));
      start(spawnSync(process.execPath, [upload, "firmseal=firmseal.js"], { cwd: place, encoding: "utf8" }).stdout);
      const cases = Array.from({ length: 12 }, () => next(undefined, name));
      const text = (bytes) => Buffer.from(bytes).toString("base64");
      const out = start(`
      var firmseal = require("firmseal"), list = [], i;
      var io = firmseal.espruinoIo(require("Storage"), E, require("crypto"));
      var board = { env: { BOARD: "BANGLEJS2" }, memory: function () { return { stackFree: 30000 }; } };
      var bytes = function (text) { return E.toUint8Array(atob(text)); };
      for (i = 0; i < 3000; i++) list.push(i);
      print("kernel: " + firmseal.kernel(E, board, io.host));
      var before = process.memory().usage, alg = firmseal.anchor("${name}", bytes("${text(next("honest", name).key)}")).alg;
      ${JSON.stringify(cases.map((c) => [text(c.key), text(c.message), text(c.signature)]))}.forEach(function (c) {
        list.splice(0, 200);
        E.defrag();
        var began = getTime(), valid = alg.verify(bytes(c[0]), bytes(c[1]), bytes(c[2]), io.host);
        print("case: " + valid + " " + (getTime() - began < 5));
      });
      print("other board: " + firmseal.kernel(E, process, io.host));
    `);
      expect(out).toContain("kernel: 0");
      expect([...out.matchAll(/case: (\w+) true/g)].map(([, valid]) => valid)).toEqual(cases.map((c) => String(ours(c, alg))));
      expect(out).toContain("other board: 1");
    },
  );

  it.each([
    ["from RAM", "S"],
    // Espruino for Linux does not map its flash: the text has the address of another one with the same bytes
    ["where it is in flash", "{ read: function (name) { return S.read(name) && text; } }"],
  ])("hashes %s, as a board without hashes does", { timeout: 300_000 }, async (_, storage) => {
    mkdirSync(place, { recursive: true });
    const options = { algs: ["hsslms"], features: ["storage"], format: "espruino", micro: ["sha256"], kernel: "pixl.js" };
    writeFileSync(join(place, "firmseal.js"), await minifiedBundle(options));
    writeFileSync(join(place, "firmseal.bin"), kernelImage("armv7em", "sha2").bytes);
    const upload = fileURLToPath(new URL("../../examples/espruino/upload.mjs", import.meta.url));
    const files = ["firmseal=firmseal.js", "firmseal.code=firmseal.bin"];
    start(spawnSync(process.execPath, [upload, ...files], { cwd: place, encoding: "utf8" }).stdout);
    const out = start(`
      var firmseal = require("firmseal"), S = require("Storage"), text = S.read("firmseal.code"), flat = E.toFlatString(text);
      var io = firmseal.espruinoIo(S, E), copies = 0, address = E.getAddressOf;
      var engine = { nativeCall: E.nativeCall, CRC32: E.CRC32, toUint8Array: E.toUint8Array, toArrayBuffer: E.toArrayBuffer };
      engine.toFlatString = function (given) { copies++; return E.toFlatString(given); };
      engine.getAddressOf = function (value, isFlat) { return address(copies ? value : value === text ? flat : value, isFlat); };
      if (${storage === "S"}) engine.getAddressOf = address;
      var board = { env: { BOARD: "PIXLJS" }, memory: function () { return { stackFree: 30000 }; } };
      var hex = function (bytes) { return [].map.call(bytes, function (x) { return (256 + x).toString(16).substr(1); }).join(""); };
      print("kernel: " + firmseal.kernel(engine, board, io.host, ${storage}) + ", copies: " + copies);
      print("hash: " + hex(io.sha256("abc")) + hex(io.host.sha256.joined([[97], 98, new Uint8Array([99])])));
      var state = io.host.sha512.create();
      state.update(new Uint8Array([97, 98]));
      state.update([99]);
      print("wide: " + hex(state.digest()));
      print("none: " + firmseal.kernel(engine, board, {}, { read: function () {} }));
    `);
    const right = (name) => createHash(name).update("abc").digest("hex");
    expect(out).toContain(`kernel: 0, copies: ${storage === "S" ? 1 : 0}`);
    expect(out).toContain(`hash: ${right("sha256")}${right("sha256")}`);
    expect(out).toContain(`wide: ${right("sha512")}`);
    expect(out).toContain("none: 6");
  });
});
