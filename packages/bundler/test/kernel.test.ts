// firmseal bundle --target: which machine code a bundle holds, and that it holds none unless it was asked for.

import vm from "node:vm";
import { ARCHITECTURES, KERNELS, kernelImage } from "@firmseal/kernel";
import { describe, expect, it } from "vitest";
import { fromLatin1, sha256Hex } from "../../test-support/src/bytes.js";
import { expectFailure, Place } from "../../test-support/src/command-line/run.js";
import { OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { type AlgName, KERNEL_TARGETS, kernelOf, minifiedBundle } from "../src/index.js";

interface Api {
  kernel?(E: object, process: object, host: object): number;
  anchor(alg: string, key: Uint8Array): { alg: { ids: number[] } };
}

function load(text: string): Api {
  const exports = {} as Api;
  vm.runInNewContext(`(function (exports) {${text}\n})`, { atob, Uint8Array })(exports);
  return exports;
}

it("every image has the digest recorded beside it, and a head that names its length", () => {
  for (const name of KERNELS)
    for (const architecture of ARCHITECTURES) {
      const { bytes, digest } = kernelImage(architecture, name);
      expect(sha256Hex(bytes)).toBe(digest);
      expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)).toBe(bytes.length);
    }
  expect(() => kernelImage("z80" as never)).toThrow(RangeError);
  expect(() => kernelImage("armv6m", "rsa" as never)).toThrow(RangeError);
});

describe("firmseal bundle --target", () => {
  const products = KERNEL_TARGETS.flatMap((target) =>
    ["ed25519,hsslms", "es256", "es256,ed25519", ...(kernelOf(target).hashes ? [] : ["hsslms"])].map((algs) => [target, algs] as const),
  );
  it.each(some(products, 9))(
    `%s, %s: the machine code is in the file or beside it, and its digest in the report${OF_SOME}`,
    async (target, algs) => {
      const p = new Place();
      const { place, board, architecture, image } = kernelOf(target, algs.split(",") as AlgName[]);
      const beside = place === "storage" ? ["--machine-code-out", "firmseal.bin"] : [];
      const args = ["bundle", "--alg", algs, "--format", "espruino", "--target", target, ...beside, "--out", "firmseal.js"];
      const { json } = await p.ok([...args, "--json"]);
      const text = p.get("firmseal.js").toString();
      const found = [...text.matchAll(/"([A-Za-z0-9+/]{1000,}=*)"/g)].map(([, base64]) => Buffer.from(base64 as string, "base64"));
      if (place === "storage") found.push(Buffer.from(p.get("firmseal.bin")));
      expect(found).toHaveLength(1);
      const { length, digest } = { length: found[0]?.length, digest: sha256Hex(found[0] as Buffer) };
      expect(json["kernel"]).toEqual({ board, architecture, image, place, length, digest });
      const said = await p.ok(args);
      expect(`${said.stdout}${said.stderr}`).toContain(`machine code for ${board}`);
      expect(`${said.stdout}${said.stderr}`).toContain(`SHA-256 ${digest}`);
    },
  );

  it("kernel() asks for the board under its own name, and for the digest of what it loads", async () => {
    const api = load(await minifiedBundle({ algs: ["ed25519"], features: [], format: "espruino", kernel: "bangle.js2" }));
    const asked: string[] = [];
    const E = {
      nativeCall: () => () => 0,
      toFlatString: (text: string) => text,
      getAddressOf: () => 0x20000000,
      toArrayBuffer: (text: string) => fromLatin1(text).buffer,
      toUint8Array: fromLatin1,
    };
    const once = (bytes: Uint8Array) => {
      asked.push(sha256Hex(Uint8Array.from(bytes)));
      return Uint8Array.from(Buffer.from(asked[0] as string, "hex"));
    };
    const board = (BOARD: string) => ({ env: { BOARD }, memory: () => ({ stackFree: 30_000 }) });
    expect(api.kernel?.(E, board("PUCKJS"), { sha256: { once } })).toBe(1);
    expect(asked).toEqual([]);
    // the digest is right, and code that says no to everything fails its self-test
    expect(api.kernel?.(E, board("BANGLEJS2"), { sha256: { once } })).toBe(5);
    expect(asked).toEqual([kernelOf("bangle.js2").digest]);
  });

  it("without it, a bundle has no machine code", async () => {
    for (const micro of [undefined, []]) {
      const text = await minifiedBundle({ algs: ["ed25519"], features: [], format: "espruino", ...(micro && { micro }) });
      expect(load(text)).not.toHaveProperty("kernel");
      expect(text).not.toMatch(/nativeCall|stackFree/);
    }
  });

  it.each([
    [["--alg", "ed25519", "--target", "puck.js2"], "--target"],
    [["--alg", "ed25519", "--target", "puck.js"], "--target: the machine code for puck.js is a file of its own"],
    [
      ["--alg", "ed25519", "--target", "bangle.js2", "--machine-code-out", "x.bin"],
      "--machine-code-out: the bundle for bangle.js2 has its machine code",
    ],
    [["--alg", "ed25519", "--machine-code-out", "x.bin"], "--machine-code-out: there is none without --target"],
    [["--alg", "ed25519", "--target", "puck.js", "--machine-code-out", "x.js"], "--machine-code-out"],
    [["--alg", "hsslms", "--target", "puck.js", "--machine-code-out", "x.bin"], "--target: its machine code is for ed25519 and es256"],
    [["--alg", "ed25519", "--format", "module", "--target", "bangle.js2"], "--target: Espruino cannot load an ES module"],
    [
      ["--alg", "ed25519", "--format", "module", "--features", "storage"],
      "--format: Espruino, which has Storage, cannot load an ES module",
    ],
    [["--micro", "--alg", "hmac256"], "--alg: a micro verifier checks signatures"],
    [["--alg", "hsslms", "--target", "bangle.js2"], "--target: its machine code is for ed25519 and es256"],
    [["--format", "boot", "--target", "bangle.js2"], "--target: a boot file has none"],
  ])("refuses %j", async (args, words) => {
    const p = new Place();
    expect(expectFailure(await p.run(["bundle", ...args, "--out", "x.js"]), 2)).toContain(words);
    expect(p.names()).toEqual([]);
  });
});
