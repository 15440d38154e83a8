// A board whose native hash lies: about its length, its type, or at random. The verifier refuses, with a number, and never takes what it
// would not have taken. With an honest hash, the board then starts what it had.

import vm from "node:vm";
import { describe, expect, it } from "vitest";
import { OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { NativeBoard, octets } from "../../test-support/src/native-board.js";
import { kernelOf, minifiedBundle } from "../src/index.js";
import { type Api, flashFor, IMAGE, identity, releaseOf } from "./product.js";

type Native = (data: never) => unknown;
const LIES: { readonly [name: string]: (right: Uint8Array, n: number) => unknown } = {
  "31 bytes": (right) => right.slice(0, 31).buffer,
  "33 bytes": (right) => Uint8Array.of(...right, 0).buffer,
  "no bytes": () => new ArrayBuffer(0),
  "zeros, by their number": () => 32,
  "a text": (right) => Buffer.from(right).toString("latin1"),
  "hexadecimal text": (right) => Buffer.from(right).toString("hex"),
  "words of 32 bits": (right) => new Uint32Array(right.buffer),
  "an array with numbers that are no bytes": (right) =>
    Array.from(right, (x) => x + 0.5 + 256 * (x % 2) + (x > 250 ? Number.NaN : 0)).slice(1),
  nothing: () => undefined,
  null: () => null,
  "another hash": (right) => right.map((x) => x ^ 1).buffer,
  "the right hash and another one by turns": (right, n) => (n % 2 ? right.map((x) => x ^ 1).buffer : right.buffer),
  "the right hash once": (right, n) => (n ? right.map((x) => x ^ 1).buffer : right.buffer),
  exception: () => {
    throw new Error("no hash today");
  },
};

const load = (text: string, board: NativeBoard): Api =>
  (
    vm.runInNewContext(`(function (exports) {${text}\nreturn exports})`, { atob, Uint8Array, Uint32Array, E: board.E }) as (
      e: object,
    ) => Api
  )({});

const OPTIONS = {
  "general, HSS/LMS": { algs: ["hsslms"], features: ["install", "storage"], format: "espruino" },
  "micro, HSS/LMS": { algs: ["hsslms"], features: ["storage"], format: "espruino", micro: ["sha256"] },
  "micro, Ed25519 with machine code": {
    algs: ["ed25519"],
    features: ["storage"],
    format: "espruino",
    micro: ["sha256"],
    kernel: "bangle.js2",
  },
} as const;

describe.each(Object.entries(OPTIONS))("%s", (_, options) => {
  it.each(some(Object.entries(LIES), 3))(`a native hash that gives %s${OF_SOME}`, async (_name, lie) => {
    const alg = options.algs[0];
    const { key, envelope } = await releaseOf(alg);
    const board = new NativeBoard(kernelOf("bangle.js2").board, ["sha256"]);
    const honest = board.crypto.SHA256 as Native;
    let calls = 0;
    const lying = (data: never) => lie(Uint8Array.from(octets(new Uint8Array(honest(data) as ArrayBuffer))), calls++);
    const { storage } = flashFor(board, "storage");
    const api = load(await minifiedBundle(options), board);
    const start = (native: Native, use: (io: { host: object }, device: ReturnType<Api["storageDevice"]>) => unknown) => {
      board.crypto.SHA256 = native as never;
      const io = api.espruinoIo(storage, board.E, board.crypto);
      return use(io, api.storageDevice(io, identity, [[[0]]], 3000, 2));
    };
    const trust = { anchors: [api.anchor(alg, key)] };
    const install = (bytes: Uint8Array) => (io: { host: object }, device: ReturnType<Api["storageDevice"]>) =>
      api.install(bytes, trust, device, io.host).next();
    const refusal = (work: () => unknown): unknown => {
      try {
        work();
        return 0;
      } catch (e) {
        // storageDevice() of a micro verifier gives what the board throws as it is
        return (e as { code?: number }).code ?? (e as Error).message;
      }
    };
    if ("kernel" in options) {
      const reason = start(lying, (io) => api.kernel?.(board.E, board.process, io.host, storage));
      // it is right the first time
      if (!/right/.test(_name)) expect([3, 4]).toContain(reason);
    }
    calls = 0;
    // a release that nobody signed
    const bad = Uint8Array.from(envelope, (x, i) => (i === envelope.length - 5 ? x ^ 1 : x));
    expect(refusal(() => start(lying, install(bad)))).toBeGreaterThan(0);
    calls = 0;
    const said = refusal(() => start(lying, install(envelope)));
    expect(said === 0 || (typeof said === "number" && said > 0)).toBe(true);
    // an honest hash again: nothing that was written keeps the board from taking its release
    if (said !== 0) expect(refusal(() => start(honest, install(envelope)))).toBe(0);
    const boot = (io: { host: object }, device: ReturnType<Api["storageDevice"]>) => {
      api.boot(device.start(), trust, device, io.host).next();
      return Array.from(octets((device.invoked as string[])[0] as string));
    };
    expect(start(honest, boot)).toEqual(Array.from(IMAGE));
    // with the release installed, the lie starts nothing else
    calls = 0;
    const started = refusal(() => start(lying, (io, device) => expect(boot(io, device)).toEqual(Array.from(IMAGE))));
    expect(typeof started === "number" || started === "no hash today").toBe(true);
    expect(start(honest, boot)).toEqual(Array.from(IMAGE));
  });
});
