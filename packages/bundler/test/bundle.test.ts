// firmseal bundle: what is asked for is in the file, and nothing else; the file works in each of its formats.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import vm from "node:vm";
import { gzipSync } from "node:zlib";
import {
  encode,
  encodeTrust,
  type PrivateKey,
  prepareKey,
  privateKey,
  publicOf,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
} from "@firmseal/signer";
import type { install } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import type { roleFloors } from "@firmseal/verifier/device/roles";
import { describe, expect, it } from "vitest";
import { readKeys, readVectors } from "../../../test-vectors/index.mjs";
import { hex } from "../../test-support/src/bytes.js";
import { expectExit, expectFailure, Place } from "../../test-support/src/command-line/run.js";
import { LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { type Minify, minifiedBundle, readableBundle } from "../src/bundle.js";
import { type AlgName, type BundleFormat, DEFAULT_FEATURES, type FeatureName } from "../src/options.js";

interface Api {
  [name: string]: unknown;
  open(envelope: Uint8Array, trust: object, host?: object): { sequence: number[] };
  anchor(alg: string, key: Uint8Array): object;
}

const accepted = readVectors("accepted");
const envelopeOf = (name: string) => hex(accepted.find((v) => v.name === name)?.envelope ?? "");
const { alg, key } = readKeys()["ed25519-a"]!;

/** The file as a script of its own context, with `module` and `exports` where given. */
function load(text: string, globals: object = {}): Record<string, unknown> {
  const context = vm.createContext({ ...globals });
  vm.runInContext(text, context);
  return context as Record<string, unknown>;
}

const trusted = (api: Api) => ({ anchors: [api.anchor(alg, hex(key))] });

type Made = [features: readonly FeatureName[], format?: BundleFormat, algs?: readonly AlgName[]];

/** What the command writes for these options. */
const made = (...[features, format = "umd", algs = ["ed25519"]]: Made): Promise<string> => minifiedBundle({ algs, features, format });

/** The same code, to run it. By default as written, which takes a fifth of the time. */
const working = (...[features, format = "umd", algs = ["ed25519"]]: Made): Promise<string> =>
  (LONG ? minifiedBundle : readableBundle)({ algs, features, format });

describe("firmseal bundle", () => {
  it("writes the requested algorithms and features, and says how large they are", async () => {
    const p = new Place();
    const r = await p.ok([
      "bundle",
      "--alg",
      "es256,ed25519",
      "--features",
      "install",
      "--out",
      "d.js",
      "--source-out",
      "d.src.js",
      "--json",
    ]);
    const bytes = p.get("d.js");
    expect(r.json).toMatchObject({ ok: true, out: "d.js", algs: ["ed25519", "es256"], features: ["install"], format: "umd" });
    expect(r.json).toMatchObject({ bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length });
    for (const name of ["d.js", "d.src.js"]) {
      const api = load(p.get(name).toString())["firmseal"] as Api;
      expect(Object.keys(api)).toEqual(["open", "start", "step", "install", "boot", "anchor"]);
      expect(api.open(envelopeOf("install"), trusted(api)).sequence).toEqual([0, 7]);
      expect(() => api.anchor("hsslms", new Uint8Array(60))).toThrow("refusal 50");
    }
    expect(p.get("d.src.js").toString()).toMatch(/^\/\/ firmseal, device verifier: ed25519, es256; install\./);
  });

  it("module: an ES module whose default export is the verifier", async () => {
    const p = new Place();
    await p.ok(["bundle", "--alg", "ed25519", "--format", "module", "--out", "m.mjs", "--source-out", "m.src.mjs"]);
    for (const name of ["m.mjs", "m.src.mjs"]) {
      const { default: api } = (await import(p.at(name))) as { default: Api };
      expect(Object.keys(api)).toEqual(["open", "start", "step", "install", "boot", "anchor"]);
      expect(api.open(envelopeOf("install"), trusted(api)).sequence).toEqual([0, 7]);
      // it differs from a script in its last line only
      expect(p.get(name).toString()).toMatch(/[;\n]export default firmseal;\n$/);
    }
    expectExit(await p.run(["bundle", "--alg", "ed25519", "--out", "m.cjs"]), 2);
  });

  it("gives the same bytes for the same options, to a file, to stdout and in JSON", async () => {
    const p = new Place();
    const args = ["bundle", "--format", "boot"];
    await p.ok([...args, "--out", "a.js"]);
    const text = p.get("a.js").toString();
    expect((await p.ok(args)).stdout).toBe(text);
    expect((await p.ok([...args, "--json"])).json).toMatchObject({ out: "-", data: text });
  });

  it("gives the same bytes whatever was made before in this process", async () => {
    // terser writes into the options that it gets, whatever the text: here it gets them with an empty one. What was kept is found by the options
    const terser = createRequire(import.meta.url)("terser");
    const empty = { type: "Program", sourceType: "script", body: [] };
    const minify: Minify = async (code, options) => {
      const made = await (await import("terser")).minify(code as string, structuredClone(options));
      await terser.minify(typeof code === "string" ? "" : empty, options);
      return made;
    };
    const general = { algs: ["hmac256"], features: [], format: "script" } as const;
    const makes = LONG ? [minifiedBundle, readableBundle] : [minifiedBundle];
    const texts = async () => {
      const out = [];
      for (const make of makes) out.push(await make(general, undefined, minify));
      return out;
    };
    const first = await texts();
    // everything in an Espruino module is at the top level
    for (const make of makes) await make({ algs: ["hsslms"], features: [], format: "espruino", micro: ["sha256"] }, undefined, minify);
    expect(await texts()).toEqual(first);
    for (const text of first) expect(text).toContain("var firmseal");
  });

  it("warns about features that do nothing without another one", async () => {
    const p = new Place();
    const warned = async (algs: string, features: string) =>
      // what cannot be written is not made first
      (await p.run(["bundle", "--alg", algs, "--features", features, "--out", "no/w.js"])).stderr
        .split("\n")
        .filter((l) => l.startsWith("warning:"));
    expect(await warned("ed25519", "install,roles")).toEqual([expect.stringContaining("roles needs trust, which the bundle lacks")]);
    expect(await warned("ed25519", "flash")).toEqual([expect.stringContaining("needs install, which the bundle lacks")]);
    expect(await warned("es256", "prepared")).toEqual([expect.stringContaining("only Ed25519 has tables")]);
    expect(await warned("ed25519", "install,flash,prepared")).toEqual([]);
  });

  it("espruino: a module for require(), with nothing around it; script: one global, whatever `module` is", async () => {
    const p = new Place();
    await p.ok(["bundle", "--alg", "ed25519", "--format", "espruino", "--out", "e.js"]);
    if (LONG) expect(p.get("e.js").toString()).toBe(await made(DEFAULT_FEATURES, "espruino"));
    const exports = {} as Api;
    vm.runInNewContext(`(function (exports) {${p.get("e.js")}\n})`)(exports);
    expect(exports.open(envelopeOf("install"), trusted(exports)).sequence).toEqual([0, 7]);
    const module = { exports: {} };
    const context = load(await working(["install", "flash"], "script"), { module, exports: module.exports });
    expect(module.exports).toEqual({});
    const api = context["firmseal"] as Api;
    expect(api.open(envelopeOf("install"), trusted(api)).sequence).toEqual([0, 7]);
  });

  it("roles: a floor for each role, under the names that callers see", async () => {
    const api = load(await working(["install", "copy", "trust", "roles"]))["firmseal"] as Api &
      typeof import("@firmseal/verifier") & { roleFloors: typeof roleFloors };
    const [root, release, debug] = [1, 2, 3].map((n) => privateKey("ed25519", new Uint8Array(32).fill(n))) as [
      PrivateKey,
      PrivateKey,
      PrivateKey,
    ];
    const anchors = [
      { key: root, roles: ["root" as const] },
      { key: release, roles: ["release" as const] },
      { key: debug, roles: ["debug" as const] },
    ];
    const list = encodeTrust({ name: "line", sequence: 1n, anchors, thresholds: { root: 1, release: 1, debug: 1 } });
    const store = api.embeddedTrust(await signTrustWithoutLog(list, [signer(root)]));
    const uuid = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe";
    const identity = { vendor: [hex(uuid.replaceAll("-", ""))], class: [hex(uuid.replaceAll("-", ""))] };
    const device = api.roleFloors(memoryDevice(identity, [[hex("00")]], 1000));
    const payload = new Uint8Array(9);
    const file = { vendor: uuid, class: uuid, digest: createHash("sha256").update(payload).digest("hex"), size: 9, uri: "#f", payload };
    for (const [sequence, k, role] of [
      [10, release, 2],
      [500, debug, 3],
      [11, release, 2],
    ] as const)
      api
        .install(
          await signEnvelopeWithoutLog(encode(singleImage({ sequence, ...file })), [signer(k)]),
          api.policyOf(store, role, identity),
          device,
        )
        .next();
    expect([device.floor(2), device.floor(3), device.currentRole()]).toEqual([[0, 11], [0, 500], 2]);
  });

  it(`gives none of its properties a name that every object of an engine has${OF_SOME}`, async () => {
    // Espruino: jswrap_object.c. A property that was never set would be a method there
    const common = /\.(on|emit|clone|addListener|prependListener|removeListener|removeAllListeners)\b/;
    const options = [
      [["storage"], "espruino"],
      [["trust"], "espruino"],
      [["install", "copy"], "espruino"],
      [["install", "flash"], "script"],
    ] as const;
    for (const [features, format] of some(options, 3))
      expect((await made(features, format)).match(common)?.[0], `${features} ${format}`).toBeUndefined();
    if (LONG) {
      expect((await made(["errors"], "umd", ["hsslms"])).match(common)?.[0]).toBeUndefined();
      expect((await made(["install", "storage", "trust"], "espruino")).match(common)?.[0]).toBeUndefined();
      expect((await made(["install", "copy", "flash"], "script", ["hsslms"])).match(common)?.[0]).toBeUndefined();
    }
  });

  it("storage: the device of Espruino; boot: its boot file, which holds no verifier", async () => {
    const { checkEs5 } = await import(new URL("../../../scripts/checks/es5.mjs", import.meta.url).href);
    const p = new Place();
    await p.ok(["bundle", "--alg", "ed25519", "--features", "storage", "--format", "espruino", "--out", "s.js"]);
    const exports = {} as Api;
    vm.runInNewContext(`(function (exports) {${p.get("s.js")}\n})`)(exports);
    expect(Object.keys(exports).sort()).toEqual(["anchor", "espruinoIo", "open", "start", "step", "storageDevice", "storageSource"]);
    // this device is for one engine, which has them
    const elsewhere = (f: string) => !/optional: (exports|Uint8Array|Uint32Array|Float64Array) /.test(f);
    expect(checkEs5(p.get("s.js").toString(), "s.js").filter(elsewhere)).toEqual([]);
    const r = await p.ok(["bundle", "--format", "boot", "--out", "b.js", "--source-out", "b.src.js"]);
    expect(r.stderr).toMatch(/^b\.js: boot file; [\d,]+ bytes/);
    for (const name of ["b.js", "b.src.js"]) {
      const text = p.get(name).toString();
      expect(text.length).toBeLessThan(6000);
      const findings = checkEs5(text, name).filter((f: string) => elsewhere(f) && !/global: (E|require|global|eval) is not/.test(f));
      expect(findings).toEqual([]);
      const said: string[] = [];
      load(text, { require: () => ({ read: () => undefined }), print: (line: string) => said.push(line), global: {}, E: {} });
      expect(said).toEqual(["firmseal: there is nothing to start"]);
    }
  });

  it("without `copy` refuses what copies or swaps when it is opened, with `copy` accepts it", async () => {
    for (const [features, expected] of [
      [["install"], 31],
      [["install", "copy"], 0],
    ] as const) {
      const api = load(await working(features))["firmseal"] as Api;
      for (const name of ["install-copy", "install-swap"]) {
        let code = 0;
        try {
          api.open(envelopeOf(name), trusted(api));
        } catch (e) {
          code = (e as { code: number }).code;
        }
        expect([features, name, code]).toEqual([features, name, expected]);
      }
    }
  });

  it(`with prepared uses an anchor's table, without it only its key${OF_SOME}`, async () => {
    const table = prepareKey(hex(key), "1k");
    // as long, but no table of this key: with its own digest, and with that of the right one
    const { table: other, digest } = prepareKey(publicOf(privateKey("ed25519", new Uint8Array(32).fill(99))).key, "1k");
    const changed = `${table.table.slice(0, 500)}${table.table[500] === "a" ? "b" : "a"}${table.table.slice(501)}`;
    for (const [features, expected, unbound] of [
      [["install"], 0, 0],
      [["install", "prepared"], 60, 51],
    ] as const)
      for (const format of features.length > 1 && LONG ? (["umd", "script"] as const) : (["umd"] as const)) {
        const api = load(await working(features, format))["firmseal"] as Api;
        const open = (change: object) => {
          try {
            api.open(envelopeOf("install"), { anchors: [api.anchor("ed25519", { ...table, ...change } as unknown as Uint8Array)] });
            return 0;
          } catch (e) {
            return (e as { code: number }).code;
          }
        };
        const refused = [{ table: other }, { table: other, digest }, { table: changed }].map(open);
        expect([features, open({}), ...refused, open({ digest: undefined })]).toEqual([features, 0, expected, expected, expected, unbound]);
      }
  });

  it("with prepared compares a text that may be in flash at each verification: in a module for Espruino", async () => {
    const { key: raw, table, digest } = prepareKey(hex(key), "1k");
    for (const [format, expected] of [
      ["script", 1],
      ["espruino", 3],
    ] as const) {
      const exports = {} as Api;
      const text = await working(["install", "prepared"], format);
      const api = format === "script" ? (load(text)["firmseal"] as Api) : exports;
      if (format === "espruino") vm.runInNewContext(`(function (exports) {${text}\n})`, { Uint8Array })(exports);
      let calls = 0;
      const once = (bytes: ArrayLike<number>) => {
        if (bytes.length === table.length) calls++;
        return new Uint8Array(createHash("sha256").update(Uint8Array.from(bytes)).digest());
      };
      const trust = { anchors: [api.anchor("ed25519", { key: raw, table, digest } as unknown as Uint8Array)] };
      for (let i = 0; i < 3; i++) api.open(envelopeOf("install"), trust, { sha256: { once } });
      expect(calls, format).toBe(expected);
    }
  });

  it("evaluates the limits of a key, or refuses it", async () => {
    const { vendor = [], class: name = [] } = accepted.find((v) => v.name === "install")?.device ?? {};
    const identity = { vendor: vendor.map(hex), class: name.map(hex) };
    const limits = { since: [0, 1], until: [0, 7], vendor: new Uint8Array(16), class: new Uint8Array(16), single: true };
    for (const features of [["install"], ["install", "trust"]] as const) {
      const api = load(await working(features))["firmseal"] as Api;
      const given = (limit: object) => {
        try {
          const trust = { anchors: [{ ...api.anchor("ed25519", hex(key)), ...limit }] };
          const device = memoryDevice(identity, [[hex("00")], [hex("01")]], 1000);
          (api["install"] as typeof install)(envelopeOf("install"), trust as never, device).next();
          return 0;
        } catch (e) {
          return (e as { code: number }).code;
        }
      };
      const codes = Object.entries(limits).map(([name, value]) => given({ [name]: value }));
      // the release is for another vendor and class, and for more than one device
      expect([features, ...codes]).toEqual([features, ...(features.length > 1 ? [0, 0, 90, 90, 90] : [50, 50, 50, 50, 50])]);
      expect(given({})).toBe(0);
    }
  });

  it(`has the refusals' names if they are requested${OF_SOME}`, async () => {
    // those of a micro verifier are in no other
    const all = Object.entries((await import("@firmseal/verifier")).errors).filter(([name]) => !/^TEMPLATE_/.test(name));
    const ofTrust = /^TRUST_(?!POLICY)|^ANCHOR_WINDOW$|^SEQUENCE_JUMP$/;
    const others = /^STATUS_|^SIGNATURE_FAMILY$/;
    const lists = [
      [["errors"], all.filter(([name]) => !ofTrust.test(name) && !others.test(name))],
      [["errors", "trust"], all.filter(([name]) => !others.test(name))],
      [["errors", "trust", "status", "families"], all],
    ] as const;
    for (const [features, expected] of some(lists, 2)) {
      const { errors } = load(await working(features, "umd", ["hsslms"]))["firmseal"] as { errors: { [name: string]: number } };
      expect({ ...errors }).toEqual(Object.fromEntries(expected));
    }
  });

  it(`with trust reads trust files, in the language of every engine; without it has no code for them${OF_SOME}`, async () => {
    const { checkEs5 } = await import(new URL("../../../scripts/checks/es5.mjs", import.meta.url).href);
    for (const [format, more] of [
      ["umd", ["trustFileUnchecked", "embeddedTrust", "updatedTrust", "policyOf", "nextTrust"]],
      ["espruino", ["trustFileUnchecked", "embeddedTrust", "updatedTrust", "policyOf", "nextTrust"]],
      ["umd", []],
    ] as const) {
      const features = more.length > 0 ? (["trust"] as const) : [];
      // by default one of the two for each
      for (const make of LONG ? [minifiedBundle, readableBundle] : more.length > 0 ? [readableBundle] : [minifiedBundle]) {
        const text = await make({ algs: ["ed25519"], features, format });
        // only the format umd is for engines without typed arrays
        const optional = format === "umd" ? /optional: exports / : /optional: (exports|Uint8Array|Uint32Array|Float64Array) /;
        expect(checkEs5(text, make.name).filter((f: string) => !optional.test(f))).toEqual([]);
        const exports = {};
        if (format === "espruino") vm.runInNewContext(`(function (exports) {${text}\n})`)(exports);
        else Object.assign(exports, load(text)["firmseal"]);
        expect(Object.keys(exports).sort()).toEqual(["open", "start", "step", "anchor", ...more].sort());
        expect(text.includes("firmseal.trust")).toBe(more.length > 0);
      }
    }
  });

  it.each([
    [["--alg", "rot13"], "--alg: unknown name rot13"],
    [["--alg", ","], "--alg: name an algorithm"],
    [["--alg", "ed25519", "--features", "instal"], "--features: unknown name instal"],
    [["--alg", "ed25519", "--format", "amd"], "--format"],
    [[], "--alg: name an algorithm"],
    [["--format", "boot", "--alg", "ed25519"], "--alg: a boot file has none"],
    [["--format", "boot", "--features", "install"], "--features: a boot file has none"],
    [["--alg", "ed25519", "--out", "A.pem"], "A.pem is not the name of a JavaScript file"],
    [["--alg", "ed25519", "--out", "v.mjs"], "--out v.mjs is the name of an ES module, and the format is umd"],
    [
      ["--alg", "ed25519", "--format", "script", "--out", "v.js", "--source-out", "s.mjs"],
      "--source-out s.mjs is the name of an ES module",
    ],
    [["--alg", "ed25519", "--out", "x.js", "--source-out", "x.js"], "would replace x.js"],
    [["--alg", "ed25519", "--out", "no/x.js"], "there is no folder no", 3],
  ] as [string[], string, number?][])("refuses %j", async (args, words, exit = 2) => {
    const p = new Place();
    p.put("A.pem", "a key");
    const before = p.tree();
    expect(expectFailure(await p.run(["bundle", ...args]), exit)).toContain(words);
    expect(p.tree()).toEqual(before);
  });
});
