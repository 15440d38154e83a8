// The bundles that ship, as files: how they hand out what they export, and that small engines load them and verify with
// them.

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import vm from "node:vm";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { parse } from "acorn";
import { beforeAll, describe, expect, it } from "vitest";
import { minifiedBundle, OWN_NAMES, PUBLIC_NAMES, readableBundle, unusedNames } from "../../packages/bundler/src/bundle.ts";
import { BUNDLE_ALGS, BUNDLE_FEATURES } from "../../packages/bundler/src/options.ts";
import { LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { Random } from "../../packages/verifier/test/rivals/random.ts";
import { BUNDLES, EXPORTS, MICRO_BUNDLES, partsOnce } from "../build/bundle.mjs";
import { everyNth, vectorFiles } from "../conformance/vectors.mjs";
import { onPath } from "./engines.mjs";

const { minify } = createRequire(new URL("../../packages/bundler/package.json", import.meta.url))("terser");
const folder = temporaryFolder("firmseal-bundle-");
const path = (name, form) => join(folder, `firmseal-${name}${form}.js`);
const names = BUNDLES.map((b) => b.name);

const forms = ["", ".src"];

const properties = new Map();

/** The names of the properties in code, in the order of the text. Each text is parsed once. */
function propertiesOf(code) {
  const known = properties.get(code);
  if (known) return known;
  const found = [];
  properties.set(code, found);
  const walk = (node) => {
    if (node.type === "MemberExpression" && !node.computed) found.push(node.property.name);
    if (node.type === "Property") found.push(node.key.name);
    for (const value of Object.values(node))
      if (Array.isArray(value)) {
        for (const child of value) if (child) walk(child);
      } else if (typeof value?.type === "string") walk(value);
  };
  walk(parse(code, { ecmaVersion: 5 }));
  return found;
}

/**
 * The names of everything that the language gives, in a context without those of Node: what is added to it later is
 * found too.
 */
const LANGUAGE = new Set(
  vm.runInNewContext(`
    var found = [], object;
    for (const name of Object.getOwnPropertyNames(globalThis))
      for (object of [globalThis[name], globalThis[name]?.prototype])
        for (; object && /^(object|function)$/.test(typeof object); object = Object.getPrototypeOf(object))
          found.push(...Object.getOwnPropertyNames(object));
    found;`),
);

beforeAll(() => cpSync(new URL("../../packages/verifier/dist/", import.meta.url), folder, { recursive: true }));

describe.each(names)("firmseal-%s", (name) => {
  describe.each(forms)("form '%s'", (form) => {
    it("is a CommonJS module", () => {
      expect(Object.keys(createRequire(import.meta.url)(path(name, form)))).toEqual(EXPORTS);
    });
    it("fills `exports` if there is no `module`", () => {
      const exports = {};
      vm.runInNewContext(`(function (exports) {${readFileSync(path(name, form), "utf8")}\n})`)(exports);
      expect(Object.keys(exports)).toEqual(EXPORTS);
    });
    it("makes one global in a plain script", () => {
      const context = vm.createContext({});
      vm.runInContext(readFileSync(path(name, form), "utf8"), context);
      expect(Object.keys(context)).toEqual(["firmseal"]);
      expect(Object.keys(context.firmseal)).toEqual(EXPORTS);
    });
  });
  it("has the number of every refusal that it can give, if made with them", async () => {
    const errors = await import("../../packages/verifier/src/spec/errors.generated.ts");
    const own = Object.entries(errors).filter(
      ([name]) => name === "TRUST_POLICY" || !/^(TRUST_|STATUS_|TEMPLATE_|ANCHOR_WINDOW$|SEQUENCE_JUMP$|SIGNATURE_FAMILY$)/.test(name),
    );
    const { algs } = BUNDLES.find((one) => one.name === name);
    const context = vm.createContext({});
    // by default as written: packages/bundler/test/bundle.test.ts looks at minified ones
    const make = LONG ? minifiedBundle : readableBundle;
    vm.runInContext(await make({ algs, features: ["install", "copy", "errors"], format: "umd" }), context);
    expect({ ...context.firmseal.errors }).toEqual(Object.fromEntries(own));
  });
});

describe("names of the verifier that the bundler has as texts", () => {
  const changed = (parts, from, to) => ({
    ...parts,
    statements: parts.statements.map((s) => ({
      ...s,
      text: s.text.replace(from, to),
      declared: s.declared.map((name) => name.replace(from, to)),
    })),
  });
  const espruino = { algs: ["ed25519"], features: ["install"], format: "espruino" };

  it("are all there", async () => {
    expect(unusedNames(await partsOnce())).toEqual([]);
  });
  it("have every method of the language that the verifier calls: a shortened name is not a method", async () => {
    const built = [String, Array, Uint8Array, Number, Function].flatMap((of) => Object.getOwnPropertyNames(of.prototype));
    const text = (await partsOnce()).statements.map((s) => s.text).join("\n");
    const called = new Set([...text.matchAll(/\.(\w+)\(/g)].map(([, name]) => name));
    const kept = new Set([...PUBLIC_NAMES, ...OWN_NAMES]);
    expect([...called].filter((name) => built.includes(name) && !kept.has(name))).toEqual([]);
    const ofGlobals = [...text.matchAll(/(?<![.\w])(?:Array|E|Math|Number|Object|String)\.(\w+)/g)].map(([, name]) => name);
    expect(ofGlobals).toContain("floor");
    expect(ofGlobals.filter((name) => !kept.has(name))).toEqual([]);
  });
  /** Names of the language that code uses and that bundles shorten. */
  const shortened = ({ statements }) => {
    const kept = new Set([...PUBLIC_NAMES, ...OWN_NAMES]);
    const used = new Set(statements.flatMap((s) => propertiesOf(s.text)));
    return [...used].filter((name) => LANGUAGE.has(name) && !kept.has(name)).sort();
  };
  // properties of the verifier that an object of the language has too: RegExp, Error, Date, Atomics
  const OWN_TOO = ["input", "message", "now", "store"];
  it("have every other name of the language, called or not", async () => {
    for (const name of ["abs", "byteOffset", "concat", "length", "subarray", "toString"]) expect(LANGUAGE).toContain(name);
    expect(shortened(await partsOnce())).toEqual(OWN_TOO);
  });
  it.each([
    ["a method", "concat", "slice"],
    ["a name that is not a method", "byteOffset", "BYTES_PER_ELEMENT"],
    ["a member of a global", "floor", "trunc"],
  ])("are missed where the code has another: %s", async (_, from, to) => {
    expect(shortened(changed(await partsOnce(), new RegExp(`\\.${from}\\b`, "g"), `.${to}`))).toEqual([...OWN_TOO, to].sort());
  });
  it.each([
    ["a property that hosts see", "dangerouslyReadInPlace"],
    ["a method of the language", "charCodeAt"],
  ])("are missed where one is gone: %s", async (_, name) => {
    const parts = changed(await partsOnce(), new RegExp(`\\b${name}\\b`, "g"), "other");
    expect(unusedNames(parts)).toEqual([name]);
  });
  it.each([
    ["an export", "open", /has no open/],
    ["an algorithm", "ed25519", /has no ed25519/],
  ])("end the build where one is gone: %s", async (_, name, message) => {
    const { [name]: _gone, ...names } = (await partsOnce()).names;
    const parts = { ...(await partsOnce()), names };
    await expect(minifiedBundle(espruino, parts)).rejects.toThrow(message);
  });
  it("leave what is in strings", async () => {
    const text = `'" " void 0 ".length'`;
    const parts = changed(await partsOnce(), /"firmseal\.trust"/g, text);
    expect(await minifiedBundle({ algs: ["hmac256"], features: ["trust"], format: "umd" }, parts)).toContain(text);
  });
  it.each([
    ["a function that others stand in", /\bparseManifest\b/g, "parsed", /has no src\/manifest\/parse\.ts parseManifest/],
    ["a constant that leaves parts out", /\bHAS_TRUST\b/g, "HAS_LISTS", /HAS_… of .*lists/],
  ])("end the build where one is gone: %s", async (_, from, to, message) => {
    await expect(minifiedBundle(espruino, changed(await partsOnce(), from, to))).rejects.toThrow(message);
  });
});

describe("bundles of parts in new combinations", () => {
  const player = readFileSync(new URL("../../conformance/player.js", import.meta.url), "utf8");
  let files;
  /** What a bundle says about vectors, word for word: many need an algorithm or a part that it does not have. */
  function says(bundle) {
    const lines = [];
    files ??= JSON.stringify(everyNth(vectorFiles(), LONG ? 3 : 8));
    vm.runInNewContext(`${bundle}\nvar VECTORS = ${files};\n${player}`, { print: (line) => lines.push(line) });
    return lines;
  }
  const some = (all, random) => {
    const chosen = all.filter(() => random.below(2));
    return chosen.length > 0 ? chosen : [random.one(all)];
  };

  // by default always the same
  it.each(Array.from({ length: LONG ? 12 : 1 }, (_, i) => i))("verify alike, minified and readable: %i", async (i) => {
    const random = new Random(LONG ? randomUUID() : `parts ${i}`);
    const options = { algs: some(BUNDLE_ALGS, random), features: some(BUNDLE_FEATURES, random), format: i % 2 ? "script" : "umd" };
    const [short, readable] = [says(await minifiedBundle(options)), says(await readableBundle(options))];
    expect(short, JSON.stringify(options)).toEqual(readable);
    expect(short.at(-1)).toMatch(/^\d+ passed, /);
  });
});

describe("short names of properties", () => {
  const KEPT = new Set([...PUBLIC_NAMES, ...OWN_NAMES, ...BUNDLE_ALGS]);
  // of up to two letters; `is` and `as` are not keywords
  const KEYWORDS = ["do", "if", "in"];
  it.each([...BUNDLES, ...MICRO_BUNDLES].map((b) => b.name))("are neither keywords nor names of the language: %s", (name) => {
    const short = new Set(propertiesOf(readFileSync(path(name, ""), "utf8")).filter((property) => !KEPT.has(property)));
    expect(short.size).toBeGreaterThan(5);
    expect([...short].filter((property) => property.length > 2 || KEYWORDS.includes(property) || LANGUAGE.has(property))).toEqual([]);
  });
  it("are one for each property", async () => {
    const texts = [];
    const options = { algs: BUNDLE_ALGS, features: BUNDLE_FEATURES, format: "espruino" };
    await minifiedBundle(options, undefined, async (...of) => {
      const result = await minify(...of);
      texts.push(propertiesOf(result.code));
      return result;
    });
    const [long, short] = texts;
    expect(texts).toHaveLength(2);
    expect(short).toHaveLength(long.length);
    const pairs = new Set(long.map((name, i) => `${name} ${short[i]}`));
    expect(pairs.size).toBe(new Set(long).size);
    expect(pairs.size).toBe(new Set(short).size);
    expect(pairs.size).toBeGreaterThan(200);
  });
});

const ENGINES = { duk: ["duk"], qjs: ["qjs", "--script"], mujs: ["mujs"] };
const missing = (engine) => !process.env.CI && !onPath(engine);

async function scriptFor(name, alg) {
  const one = signer(privateKey(alg, new Uint8Array(32).fill(7)));
  const facts = {
    sequence: "7",
    vendor: "example.com",
    class: "board-v2",
    digest: "00".repeat(32),
    size: 4,
    uri: "#firmware",
    payload: { hex: "01020304" },
  };
  const envelope = [...(await signEnvelopeWithoutLog(encode(singleImage(facts)), [one]))];
  const at = envelope.length;
  return `${readFileSync(path(name, ""), "utf8")}
    var e = ${JSON.stringify(envelope)}, trust = { anchors: [firmseal.anchor("${alg}", ${JSON.stringify([...one.publicKey])})] }, i, codes = {};
    print(firmseal.open(e, trust).sequence.join());
    for (i = 0; i < ${at}; i += ${LONG ? 17 : 3 * 17}) {
      e[i] ^= 1;
      try { firmseal.open(e, trust); print("accepted at " + i); } catch (x) { if (!(x.code > 0)) print("no refusal at " + i + ": " + x); }
      e[i] ^= 1;
    }
    print("end");`;
}

describe.each(Object.keys(ENGINES))("%s", (engine) => {
  // `apt-get install duktape quickjs mujs`
  it.skipIf(missing(engine)).each([
    ["ed25519", "ed25519"],
    ["es256", "es256"],
    ["full", "ed25519"],
    ["full", "es256"],
  ])(`verifies with firmseal-%s a signature of %s, and refuses a changed one (needs ${engine})`, async (name, alg) => {
    const file = join(folder, `${engine}-${name}-${alg}.js`);
    writeFileSync(file, await scriptFor(name, alg));
    const [command, ...args] = ENGINES[engine];
    const { stdout, stderr } = spawnSync(command, [...args, file], { encoding: "utf8", timeout: 50_000 });
    expect(stderr + stdout).toBe("0,7\nend\n");
  });
});
