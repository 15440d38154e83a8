// The product of what `firmseal bundle` can be asked for: each combination opens a release, installs it, starts it, and uses what it claims
// to use, or is refused when it is built. New rows of options.ts and kernels.ts join by themselves.

import vm from "node:vm";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { expect, it } from "vitest";
import { latin1 } from "../../test-support/src/bytes.js";
import { ALL, LONG } from "../../test-support/src/environment/effort.js";
import { NativeBoard, octets } from "../../test-support/src/native-board.js";
import { type BundleOptions, KERNEL_FILE, kernelOf, minifiedBundle, unworkable } from "../src/index.js";
import { type Api, COMBINATIONS, type Combination, flashFor, IMAGE, identity, LAYOUT, nameOf, releaseOf } from "./product.js";

function optionsOf({ format, alg, host, device, target }: Combination): BundleOptions {
  const algs = format === "boot" ? [] : [alg];
  const features = [...(host || format === "boot" ? [] : (["install"] as const)), ...(device === "none" ? [] : [device])];
  return { algs, features, format, ...(host && { micro: host }), ...(target && { kernel: target }) };
}

/** A bundle, as its format is loaded, and the globals that it sees. */
function load(text: string, format: Combination["format"], globals: object): Api {
  const context = vm.createContext({ atob, Uint8Array, Uint32Array, ...globals });
  if (format === "espruino") return (vm.runInContext(`(function (exports) {${text}\nreturn exports})`, context) as (e: object) => Api)({});
  vm.runInContext(text.replace(/export default firmseal;\s*$/, ""), context);
  return (context as { firmseal: Api }).firmseal;
}

/** The hashes of a host without a device of its own: those that the bundle was made for. A kernel's board has SHA-256. */
function hashesFor({ format, host = [], target }: Combination, board: NativeBoard) {
  const sha256 = (pieces: (number | Uint8Array)[]) => new Uint8Array(board.crypto.SHA256?.(pieces) as ArrayBuffer);
  const one = { once: (bytes: Uint8Array) => sha256([bytes]) };
  const sha512 = () => {
    const pieces: Uint8Array[] = [];
    return {
      update: (bytes: ArrayLike<number>) => pieces.push(Uint8Array.from(bytes)),
      digest: () => new Uint8Array(board.crypto.SHA512?.(pieces) as ArrayBuffer),
    };
  };
  return {
    ...((host.includes("sha256") || target) && board.crypto.SHA256 && { sha256: format === "espruino" ? { joined: sha256 } : one }),
    ...(host.includes("sha512") && board.crypto.SHA512 && { sha512: { create: sha512 } }),
  };
}

function deviceOf(api: Api, c: Combination, board: NativeBoard) {
  const { flash, storage } = flashFor(board, c.device);
  const started: Uint8Array[] = [];
  if (c.device === "storage") {
    const io = api.espruinoIo(storage, board.E, board.crypto);
    const device = () => api.storageDevice(io, identity, [[[0]]], 3000, 2);
    return {
      host: io.host,
      device: device(),
      start: (boot: Api["boot"], trust: Parameters<Api["boot"]>[1]) => {
        const again = device();
        boot(again.start(), trust, again, io.host).next();
        return octets((again.invoked as string[])[0] as string);
      },
      storage,
    };
  }
  const host = hashesFor(c, board);
  if (c.device === "flash") {
    const device = () =>
      api.flashDevice(flash, identity, LAYOUT, (_id, _args, at, n) => started.push(flash.read(at as number, n as number)) > 0);
    return {
      host,
      device: device(),
      start: (boot: Api["boot"], trust: Parameters<Api["boot"]>[1]) => {
        const again = device();
        boot(again.start(), trust, again, host).next();
        return started[0];
      },
      storage,
    };
  }
  const device = memoryDevice(identity, [[Uint8Array.of(0)]], 4096);
  return {
    host,
    device,
    start: (boot: Api["boot"], trust: Parameters<Api["boot"]>[1]) => {
      boot(device.envelope, trust, device, host).next();
      return device.invoked.length === 1 ? IMAGE : undefined;
    },
    storage,
  };
}

/** What the app says that the boot file starts. */
async function ranByBootFile(board: NativeBoard, storage: object): Promise<unknown> {
  const modules: { [name: string]: unknown } = { Storage: storage, crypto: board.crypto };
  const context = vm.createContext({ E: board.E, Uint8Array, require: (name: string) => modules[name] }) as { ran?: unknown };
  vm.runInContext(`var global = this;\n${await minifiedBundle({ algs: [], features: [], format: "boot" })}`, context);
  return context.ran;
}

/** What the combination claims to use. */
function claims({ alg, host, device, target }: Combination): string[] {
  const isMachine = target && !kernelOf(target, [alg]).hashes;
  const hashes = isMachine ? ["kernel sha256"] : ["sha256"];
  return [
    // a micro verifier that was made with hashes of its own uses no other
    ...((isMachine && !host) || host?.includes("sha256") || device === "storage" ? hashes : []),
    ...(host?.includes("sha512") && alg === "ed25519" && !target ? ["sha512"] : []),
    ...(target && alg === "ed25519" ? ["kernel verify"] : []),
    ...(target && alg === "es256" ? ["kernel p256 verify"] : []),
    ...(device === "none" ? [] : [`${device} write`, `${device} read`]),
  ];
}

const WORKABLE = COMBINATIONS.filter((c) => c.format !== "boot" && !unworkable(optionsOf(c)));
/** By default a few, and each board as its guide has it: machine code, and a micro verifier with the board's hash. */
const isGuided = ({ format, alg, host, device, target }: Combination) =>
  target && format === "espruino" && device === "storage" && alg === "ed25519" && host?.join() === "sha256";
const TRIED = WORKABLE.filter((c, i) => ALL || i % (LONG ? 29 : 193) === 0 || ((LONG || c.target === "puck.js") && isGuided(c)));
const UNWORKABLE = COMBINATIONS.filter((c) => unworkable(optionsOf(c)));

it.each(TRIED.map((c) => [nameOf(c), c] as const))(
  `%s works${ALL ? "" : ", of some (FIRMSEAL_LONG=2: of all)"}`,
  { timeout: 120_000 },
  async (_, c) => {
    const { key, envelope } = await releaseOf(c.alg);
    const text = await minifiedBundle(optionsOf(c));
    const code = c.target && kernelOf(c.target, [c.alg]);
    for (const mapped of code?.place === "storage" ? [true, false] : [true]) {
      const board = new NativeBoard(code?.board ?? "BOARD", code && !code.hashes ? [] : ["sha256", "sha512"]);
      board.mapped = mapped;
      const api = load(text, c.format, { E: board.E, process: board.process });
      const { host, device, start, storage } = deviceOf(api, c, board);
      if (code?.place === "storage") storage.write(KERNEL_FILE, latin1(code.bytes), 0, code.length);
      expect(api.kernel?.(board.E, board.process, host, storage)).toBe(code ? 0 : undefined);
      // in place, it costs no RAM
      if (code) expect(board.counts).toMatchObject(mapped && code.place === "storage" ? {} : { flat: 1 });
      if (code && mapped && code.place === "storage") expect(board.counts).not.toHaveProperty("flat");
      const trust = { anchors: [api.anchor(c.alg, key)] };
      board.counts = {};
      const bad = Uint8Array.from(envelope);
      bad[envelope.indexOf(0xf6) + 20] = (bad[envelope.indexOf(0xf6) + 20] as number) ^ 1;
      expect(() => api.install(bad, trust, device, host)).toThrow();
      expect(Array.from(api.open(envelope, trust, host).sequence)).toEqual([0, 7]);
      expect(api.install(envelope, trust, device, host).next()).toBeUndefined();
      expect(Array.from(start(api.boot, trust) ?? [])).toEqual(Array.from(IMAGE));
      for (const what of claims(c)) expect(board.counts, what).toHaveProperty(what);
      if (c.device === "storage" && board.crypto.SHA256) expect(await ranByBootFile(board, storage)).toBe("the app");
    }
  },
);

it("every other combination is refused when it is built, in one line with a hint", async () => {
  expect(UNWORKABLE.length).toBeGreaterThan(0);
  for (const c of UNWORKABLE) {
    const { problem, hint } = unworkable(optionsOf(c)) as { problem: string; hint: string };
    expect(`${problem}: ${hint}`, nameOf(c)).toMatch(/^[^\n]{10,200}$/);
    await expect(minifiedBundle(optionsOf(c)), nameOf(c)).rejects.toThrow(problem);
  }
});
