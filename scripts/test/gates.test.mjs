// Every rule of the gates catches what it should, and lets the nearest good form pass.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cruise } from "dependency-cruiser";
import { describe, expect, it, vi } from "vitest";
import config from "../../.dependency-cruiser.mjs";
import { LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { BUNDLES, bundle, MICRO_BUNDLES } from "../build/bundle.mjs";
import { checkFeatures, checkLeaks, checkLeaksSees } from "../checks/bundles.mjs";
import { checkCircles } from "../checks/circles.mjs";
import { deviceCode, exampleCode, sourcesOfBundles } from "../checks/devices/code.mjs";
import { checkHoles } from "../checks/devices/holes.mjs";
import { checkStores } from "../checks/devices/stores.mjs";
import { checkEs5, RULES } from "../checks/es5.mjs";
import { checkLanguage, PHRASES, proseOf } from "../checks/language.mjs";
import { checkMutants } from "../checks/mutants.mjs";
import { checkNames } from "../checks/names.mjs";
import { checkPaths } from "../checks/paths.mjs";
import { checkRows } from "../checks/rows.mjs";
import { checkCounts, checkShifts } from "../checks/shifts.mjs";
import { checkCommandTests, checkFolders, checkHooks, checkPrinting, checkText, checkTitles, readTracked } from "../checks/sources.mjs";
import { checkWidth } from "../checks/width.mjs";
import Report from "../testing/vitest-report.mjs";

/** By rule: snippets that it must catch, and snippets that it must let pass. */
const SNIPPETS = {
  syntax: {
    caught: [
      "let a = 1;",
      "const a = 1;",
      "var f = (x) => x;",
      "class A {}",
      "var s = `x`;",
      "for (var x of [1]) {}",
      "var n = 1n;",
      "var a = 2 ** 3;",
      "var { a } = {};",
      "function f(a = 1) {}",
      "var o = { a() {} };",
      "var a = b?.c;",
    ],
    fine: ["var f = function (x) { return x; };"],
  },
  label: { caught: ["a: for (;;) { for (;;) { break a; } }"], fine: ["for (;;) { break; }"] },
  "default-last": {
    caught: ["var x = 1; switch (x) { default: x = 2; break; case 1: x = 3; }"],
    fine: ["var x = 1; switch (x) { case 1: x = 3; break; default: x = 2; }", "var x = 1; switch (x) { case 1: x = 3; }"],
  },
  "function-in-block": {
    caught: ["if (1) { function f() {} }", "function g() { for (;;) { function f() {} } }", "try { function f() {} } catch (e) {}"],
    fine: ["function g() { function f() {} f(); }", "if (1) { var f = function () {}; f(); }"],
  },
  math: {
    caught: ["imul", "trunc", "clz32", "round", "pow", "sign", "log2", "hypot", "fround"]
      .map((m) => `var x = Math.${m}(1, 2);`)
      .concat(["var m = Math;", 'var x = Math["imul"](1, 2);', "var k = 1, x = Math[k](1);"]),
    fine: ["var x = Math.floor(1) + Math.abs(2);"],
  },
  member: {
    caught: [
      "var a = []; a.fill(0);",
      "var a = Uint8Array.from([1]);",
      "var a = []; a.copyWithin(0, 1);",
      "var a = []; a.slice();",
      'var a = []; a["slice"]();',
      "var a = []; a.buffer;",
      "var a = String(1).substr(0, 1);",
      "var a = []; a.includes(1);",
      "var a = []; a.isInteger(1);",
      "Object.freeze({});",
      "Object.create(null);",
      "var a = {}; a.__proto__ = null;",
      "var a = []; a.at(0);",
      "var a = []; a.flat();",
      'var s = "a"; s.padEnd(2);',
      "var a = {}; a.__defineGetter__(1, 2);",
      "Object.defineProperty({}, 1, {});",
      "var e = 1, x = e.constructor;",
    ],
    fine: ["var a = { at: 1 }, b = a.at;", "var a = [1].concat([2]); Object.keys({});", "var a = String(1).substring(0, 1);"],
  },
  view: {
    caught: [
      "var a = [], b = a.subarray(1, 2);",
      'var a = [], b = a["subarray"](1, 2);',
      "var a = [], f = a.subarray;",
      "function f(a, i, n) { if (a.byteOffset + i < 65536) return a.subarray(i, i + n); }",
      "function f(a, i, n) { if (a.byteOffset + i + n < 65537) return a.subarray(i, i + n); }",
      "function f(a, i, n) { if (a.byteOffset + i + n > 65536) return a.subarray(i, i + n); }",
      "function f(a, i, n) { if (a.byteOffset + i + n < 65536) return a.subarray(i); }",
      "function f(a, b, i, n) { if (b.byteOffset + i + n < 65536) return a.subarray(i, i + n); }",
      "function f(a, i, n) { if (a.byteOffset + i + n < 65536) return []; else return a.subarray(i, i + n); }",
      "function f(a, i, n) { if (a.byteOffset + i + n < 65536) { i = 65536; a.subarray(i, i + n); } }",
      "function f(a, i, n) { if (a.byteOffset + i + n < 65536) return function () { return a.subarray(i, i + n); }; }",
      "function f(a, i, n) { return a.byteOffset + n < 65536 ? a.subarray(i, i + n) : []; }",
    ],
    fine: [
      "function f(a, i, n) { if (a.byteOffset + i + n < 65536) return a.subarray(i, i + n); return []; }",
      "function f(a, i, n) { return a.byteOffset + i + n < 65536 ? a.subarray(i, i + n) : []; }",
    ],
  },
  search: {
    caught: ['var a = { b: 1 }, c = " 1 2 ".indexOf(" " + a.b + " ");', 'var a = 1, c = "1,2"["indexOf"](a);', 'var c = "".indexOf("a");'],
    fine: ['var a = { b: 1 }, c = " 1 2 .".indexOf(" " + a.b + " ");', "var c = [1].indexOf(1);"],
  },
  global: {
    caught: [
      "Number.isInteger(1);",
      "throw new RangeError();",
      "BigInt(1);",
      "console.log(1);",
      "setTimeout(function () {}, 1);",
      "new Map();",
      "missing();",
    ],
    fine: ["throw new Error();", "function f(Map) { return Map; }"],
  },
  optional: {
    caught: ["var a = new Uint8Array(1);", "function f() { return typeof Uint8Array; } var a = new Uint8Array(1);", "module.exports = 1;"],
    fine: [
      'var a = typeof Uint8Array === "undefined" ? [] : new Uint8Array(1);',
      'function f() { if (typeof Uint8Array !== "undefined") return function () { return new Uint8Array(1); }; }',
    ],
  },
  number: {
    caught: ["var a = 1.5;", "var a = 6e-8;", "var a = 9007199254740993;", "var a = 1e300;", "var a = -0;"],
    fine: ["var a = 1e6;", "var a = 4294967296;", "var a = 9007199254740991;", "var a = -1;"],
  },
  name: {
    caught: ["var of = 1;", "var get = 1;", "function get() {}", "function f(of) {}", "try {} catch (get) {}"],
    fine: ["var o = { of: 1, get: 2 };"],
  },
  "for-function": {
    caught: ["for (function () {}(); ; ) {}", "for (function f() {}.a = 1; ; ) {}"],
    fine: ["for (var f = function () {}; f; ) f = 0;", "for ((function () {})(); 0; ) {}"],
  },
  "last-return": {
    caught: ["function f(){return}", "function f(a){if(a)return}"],
    fine: ["function f() { return; }", "function f(){return 1}"],
  },
  accessor: { caught: ["var o = { get a() { return 1; } };", "var o = { set a(v) {} };"], fine: ["var o = { get: 1 };"] },
  instanceof: { caught: ["var e = 1, x = e instanceof Error;"], fine: ["var a = 1, x = a instanceof Object;"] },
  character: { caught: ['var s = "\\u2192";', "var a = 1; // \u2192"], fine: ['var s = "\\u00ff";'] },
  regex: { caught: ["var r = /a/;"], fine: ["var a = 4 / 2 / 1;"] },
  index: { caught: ["var a = [], b = a[-1];"], fine: ["var a = [], i = 1, b = a[i - 1];"] },
  "for-in": { caught: ["for (var k in {}) {}"], fine: ["for (var k = 0; k < 1; k++) {}"] },
  statement: { caught: ["with ({}) {}", "debugger;"], fine: ["do {} while (0);"] },
  compound: {
    caught: [
      "var x = 1; x += x = 5;",
      "var x = 1; x -= x++;",
      "var x = 1; function f() { return x++; } x += f();",
      "function g() { var x = 1; function f() { x = 2; } x *= 1 + f(); }",
    ],
    fine: [
      "var x = 1, y = 2; x += y = 5;",
      "var x = 1; function f() { return x; } x += f();",
      "var x = 1; function f() { x++; } function g(x) { x += f(); }",
      "var x = 1; function f() { x++; } x = x + f();",
    ],
  },
  recursion: {
    caught: [
      "function f() { f(); }",
      "var f = function () { f(); };",
      "function f() { g(); } function g() { f(); }",
      "function f() { g(); } function g() { h(); } function h() { g(); }",
      "var f = function g() { g(); };",
    ],
    fine: [
      "function f() {} function g() { f(); f(); }",
      "function f(g) { g(); } function g() { f(1); }",
      "function f() { function g() {} g(); } function g() { f(); }",
    ],
  },
  hoisting: {
    caught: [
      "f(); function f() {}",
      "a = 1; var a;",
      "function g() { return f(); function f() {} }",
      "function g() { return b; } var a = g(); var b = 1;",
      "function g() { return h(); } function h() { return b; } var a = g(), b = 1;",
      "var g = function () { return b; }; g(); var b = 1;",
    ],
    fine: [
      "function f() {} f();",
      "function g() { return f(); } function f() {}",
      "function g() { return b; } var b = 1; var a = g();",
      "function f() { return f; } f();", // handed on, not called
    ],
  },
};

describe("the language of the bundles", () => {
  it("has snippets for every rule", () => {
    expect(Object.keys(SNIPPETS).sort()).toEqual(["syntax", ...Object.keys(RULES)].sort());
  });
  for (const [rule, { caught, fine }] of Object.entries(SNIPPETS)) {
    it.each(caught)(`${rule} catches %s`, (snippet) => {
      expect(checkEs5(snippet, "x").map((f) => f.split(" ")[1])).toContain(`${rule}:`);
    });
    it.each(fine)(`${rule} lets %s pass`, (snippet) => {
      expect(checkEs5(snippet, "x")).toEqual([]);
    });
  }
});

describe("shifts", () => {
  it("are looked for in functions: a gate without functions reports that", () => {
    expect(checkShifts(String(undefined), {}, () => "")).not.toEqual([]);
  });
  const check = (code, comment = "") =>
    checkShifts(code, { f: "src/x.ts" }, () => `${comment}${code.replace("{", "{\n").replace(/}$/, "\n}")}`);
  it.each([
    "function f(x) { return x >> 1; }",
    "function f(x) { return x << 8; }",
    "function f(x) { return x >>> 0; }",
    "function f(x) { return x | 0; }",
    "function f(x) { x >>= 1; return x; }",
    "function f(b) { return b[0] << 24; }",
    "function f(x) { var i; for (i = 0; i < x; i++) i >> 1; }",
    "function f() { var i = 0; while (1) i++ >> 1; }",
    "function f(x) { return (x / 2) | 0; }",
    "function f() { var a = 65536; return (a * a * 2) >> 1; }",
    "var f = function (x) { return x >> 1; };",
  ])("%s is caught, and passes with a reason", (code) => {
    expect(check(code)).not.toEqual([]);
    expect(check(code, "// somewhere 32 bits are enough\nvar y;\n")).not.toEqual([]);
    if (code.startsWith("function")) expect(check(code, "/** x is below 2^31. */\n")).toEqual([]);
    expect(check(code, "/** x is below 2^53. */\n")).not.toEqual([]);
  });
  it.each([
    "function f(x) { return (x & 255) << 8; }",
    "function f(x) { return 1 << (x & 31); }",
    "function f(x) { return (x % 65536) >> 1; }",
    "function f(b) { return b.length >> 1; }",
    "function f(s) { return s.charCodeAt(0) << 8; }",
    "function f() { var i; for (i = 0; i < 64; i++) i >> 1; }",
    "function f(x) { return (x >>> 0 === x ? 1 : 2) >> 1; }".replace("x >>> 0 === x", "x"),
    "function f() { return byteAt(0) >> 5; }",
  ])("%s passes", (code) => {
    expect(check(code)).toEqual([]);
  });

  it.each([
    "function f(x) { return 1 << x; }",
    "function f() { return 1 << 32; }",
    "function f() { return 1 >> 33; }",
    "function f(x) { return x >>> -1; }",
    "function f(x) { return x << (7 - (x & 15)); }",
    "function f(x) { return x >> (x & -1); }",
    "function f(x) { return x >> (x % 32); }",
    "function f(x) { x >>>= 45; return x; }",
    "function f() { var i; for (i = 0; i < 64; i++) 1 >> i; }",
    "function f() { var i; for (i = 31; i >= 0; i--) 1 >> (i - 1); }",
    "function f() { var i; for (i = 0; i < 32; i++) { g(i++); 1 >> i; } }",
    "function f() { var i = 0; function g() { i = 40; } while (i < 32) { g(); 1 >> i; } }",
    "function f() { var i = 0; return function (n) { i += n; return i < 32 ? 1 >> i : 0; }; }",
    "function g(n) { return 1 >> n; } g(3); g(32);",
    "function g(n) { return 1 >> n; } g(3); exports.g = g;",
    "function g(n) { n *= 9; return 1 >> n; } g(31);",
    "function g(n) { return n > 31 ? 1 >> n : 0; } g(50);",
    // what changes the variable is in the condition, or in the update
    "function f(x) { var i, v; for (i = 0; i < 32; i++, v = x << i) {} }",
    "function f(x) { var i, v; for (i = 0; i < 32; v = x << ++i) {} }",
    "function f(x) { var i, v; for (i = 0; i < 32; i = x << ++i) {} }",
    "function f(x) { var n = 0, v; while (n < 32 && ++n) v = x << n; }",
    "function f(x) { var n = 0, v; for (; n < 32 && ++n; ) v = x << n; }",
    "function f(x) { var n = 0; if (n < 32 && (n += 5)) x << n; }",
    "function f(x) { var n = 0; return n < 32 && ++n && x << n; }",
    "function f(x) { var n = 0; return n < 32 && n++ ? x << n : 0; }",
    // its scopes are not those of ES5
    "const n = 3; const f = (n) => 1 << n;",
  ])("a count in %s is caught, whatever a comment says", (code) => {
    expect(checkCounts(`// 32 bits: below 2^5\n${code}`, "x")).toEqual([expect.stringMatching(/^x: /)]);
  });
  it.each([
    "function f(x) { return x << (x & 31); }",
    "function f(x) { return x >>> (24 - 8 * (x & 3)); }",
    "function f(x) { return 1 << ((x & 15) % 16); }",
    "function f() { var i; for (i = 0; i < 32; i++) 1 >> i; }",
    "function f(w) { var i; for (i = 8 - (1 << (w & 3)); i >= 0; i -= 1 << (w & 3)) 1 >> i; }",
    "function g(n) { return 1 >> n; } g(3); g(31);",
    "function g(n) { return n > 31 ? 1 >> (n & 31) : 1 >> n; } g(3); g(61);",
    "function f() { var i = 0; while (i < 256) { 1 >> i % 24; i++; } }",
    "function f(x) { var i, v; for (i = 0; i < 32; v = x << i, i++) {} }",
    "function f(x) { var i; for (i = 1; i < 32; i += 8 >> i) {} }",
    "const f = (n) => 1 << (n & 31);",
  ])("a count in %s passes", (code) => {
    expect(checkCounts(code, "x")).toEqual([]);
  });
});

describe("stores into typed arrays", () => {
  it.each([
    "var b = new Uint8Array(1); b[0] = 256;",
    "var b = new Uint8Array(1); b[0] = -1;",
    "var w = new Uint32Array(1); w[0] = 4294967296;",
    "function f(x) { var b = new Uint8Array(1); b[0] = x; }",
    "function f(x) { var w = new Uint32Array(1); w[0] = (x >>> 0) * 8; }",
    "function f(x) { var b = new Uint8Array([x & 255]); b[0] |= x; }",
    "function make(n) { return new Uint8Array(n); } function f(x) { var b = make(1); b[0] = x + 1; }",
    "function make(n) { return typeof Uint8Array === 'undefined' ? [] : new Uint8Array(n); } function f(x) { var b; b = make(1); b[0] = x + 1; }",
    "const f = (x) => { const b = new Uint8Array(1); b[0] = x; };",
  ])("%s is caught, and passes with a reason", (code) => {
    expect(checkStores(code, "x")).toEqual([expect.stringMatching(/^x: .*: nothing says that the value fits/)]);
    expect(checkStores(code.replace(/\bb\[0\] (?=[|=])|w\[0\] (?==)/, "/* below 2^8 */ $&"), "x")).toEqual([]);
  });
  it.each([
    "function f(x) { var b = new Uint8Array(1); b[0] = x & 255; }",
    "function f(x) { var b = new Uint8Array(1); b[0] = x[0]; }",
    "function f(x) { var w = new Uint32Array(1); w[0] = x | 0; w[0] = x >>> 0; }",
    "function f(x) { var a = []; a[0] = x; }",
    "function f(x) { var d = new Float64Array(1); d[0] = x; }",
    "function f(x) { var b = new Uint8Array(9), i; for (i = 0; i < 9; i++) b[i] = i; }",
  ])("%s passes", (code) => {
    expect(checkStores(code, "x")).toEqual([]);
  });
});

describe("arrays with holes", () => {
  it.each([
    "var a = [1, , 2];",
    "var a = [, 1];",
    "var a = new Array(5);",
    "var n = 5, a = Array(n);",
    "function f(a, i) { delete a[i]; }",
    "function f(a) { a.length = 3; }",
    'function f(a) { a["length"] = 3; }',
    "function f() { var a = []; a[7] = 1; return a[7]; }",
    "function f(x) { var a = [1], i; for (i = 5; i < x; i++) a[i] = 1; return a[0]; }",
    "function f(x) { var a = [], i = 0; while (i < 9) { if (x) { a[i] = 1; i += 4; } else i++; } return a; }",
    "function f() { var a = [], i; for (i = 9; i >= 0; i--) a[i] = 1; return a; }",
    "function f(a) { a.length++; }",
    "function f(a) { a.length += 2; }",
    "function f(a) { a[a.length + 1] = 1; }",
    "function f(a) { a.list[2 + a.list.length] = 1; }",
    "function f() { var a = []; a[0] = 1; a[2] = 1; return a; }",
    "function f() { var a = [1], i; for (i = 0; i < 9; i++) a[i] = 1; a[10] = 1; return a; }",
    "const f = () => [1, , 2];",
  ])("%s is caught", (code) => {
    expect(checkHoles(code, "x")).toEqual([expect.stringMatching(/^x: /)]);
  });
  it.each([
    "var a = [1, 2];",
    "var a = new Array(1, 2);",
    "function f(a) { a.length = 0; delete a.name; }",
    "function f() { var a = [], i; for (i = 0; i < 9; i++) a[i] = 1; a[9] = 1; return a; }",
    "function f(x) { var a = []; x(a); a[7] = 1; }",
    "function f(x) { var a = []; a = x; a[7] = 1; }",
    "function f(a, b) { a[a.length] = 1; a[b.length + 1] = 1; }",
    "function f() { var a = []; a[0] = 1; a[1] = 1; a[2] = 1; return a; }",
    "function f(x) { var a = []; for (;;) { a[0] = 1; if (x) a[2] = 1; else a[1] = 1; } }",
    "function f(x) { var a = []; function g() { a[1] = 1; } a[0] = 1; g(); a[2] = 1; }",
    "function f() { var a = {}; a[7] = 1; }",
    "function f() { var a = [0, 0], i; for (i = 1; i >= 0; i--) a[i] = 1; return a; }",
  ])("%s passes", (code) => {
    expect(checkHoles(code, "x")).toEqual([]);
  });
});

describe("all code for devices", () => {
  it(`is checked: what is planted in a bundle, or in an example, is found${OF_SOME}`, async () => {
    const all = await deviceCode(LONG ? 1 : 24);
    expect(all.length).toBeGreaterThan(LONG ? 35 : 20);
    for (const { file, code } of some(all, 3)) {
      const planted = `${code}\nfunction planted(x) { return [x << 32, , 1]; }`;
      expect(checkCounts(planted, file)).toEqual([expect.stringContaining("x << 32")]);
      expect(checkHoles(planted, file)).toEqual([expect.stringContaining("x << 32, , 1")]);
    }
  }, 300_000);

  it("is checked: what is planted in the verifier, in what the bundler and the kernel add, or in an example, is found", async () => {
    const { code, ...sources } = await sourcesOfBundles();
    const plant = "function plant() { var planted = new Uint8Array(1); planted[0] = 1 << 8; }\n";
    for (const place of ["function compressSmall(", "api.open = ", "function firmsealImage("]) {
      expect(code).toContain(`\n${place}`);
      expect(
        checkStores(
          code.replace(`\n${place}`, (found) => `\n${plant}${found}`),
          "x",
          sources,
        ),
      ).toEqual([expect.stringContaining("planted[0] = 1 << 8")]);
    }
    for (const { file, code } of exampleCode())
      expect(checkStores(`${code}\n${plant}`, file)).toEqual([expect.stringContaining("planted[0] = 1 << 8")]);
  });
});

it("a test file that replaces a module has a process of its own", () => {
  const [, list] = /const APART = \[([^\]]*)\]/.exec(readFileSync(new URL("../../vitest.config.ts", import.meta.url), "utf8"));
  const apart = [...list.matchAll(/"([^"]+)"/g)].map(([, path]) => path);
  const tests = readTracked((path) => /\.test\.[mc]?[jt]s$/.test(path));
  expect(apart.filter((path) => !tests.some((one) => one.path === path))).toEqual([]);
  expect(tests.filter(({ path, text }) => /^vi\.mock\(/m.test(text) && !apart.includes(path)).map(({ path }) => path)).toEqual([]);
});

describe("bundles", () => {
  const folder = temporaryFolder("firmseal-gates-");

  it("leaks are seen in the text and in the account of modules", async () => {
    const alone = {};
    for (const alg of ["ed25519", "es256", "hsslms", "hmac256"]) alone[alg] = await bundle({ algs: [alg], name: alg, folder });
    expect(checkLeaksSees(alone)).toEqual([]);
    expect(checkLeaks(Object.values(alone), alone)).toEqual([]);

    // by default, what has its constants alone
    const both = LONG ? await bundle({ algs: ["ed25519", "es256"], features: ["install"], name: "both", folder }) : alone.ed25519;
    const text = { ...alone.es256, min: both.min };
    expect(checkLeaks([text], alone).some((f) => f.includes("a constant of ed25519"))).toBe(true);
    const modules = { ...alone.es256, modules: both.modules };
    expect(checkLeaks([modules], alone).some((f) => f.includes("src/alg/ed25519.ts"))).toBe(true);
  }, 300_000);

  it(`a feature that grows is seen${OF_SOME}`, async () => {
    // the gate itself looks at every feature, and finds nothing
    for (const [limit, findings] of some(
      [
        [1000, [expect.stringMatching(/^the feature trust adds \d+ bytes, which is above 1000$/)]],
        [10_000, []],
      ],
      2,
    ))
      expect(await checkFeatures({ trust: { limit } })).toEqual(findings);
  });

  it(`a micro verifier has no reader, no interpreter, and no hash that the engine has${OF_SOME}`, async () => {
    for (const one of some(MICRO_BUNDLES, 2)) {
      const { modules, min } = await bundle({ ...one, folder });
      const others = /^src\/(cbor|manifest|interpreter|trust|install(?!\/micro))\/|^src\/tools\//;
      expect(modules.filter((module) => others.test(module))).toEqual([]);
      // the small hashes are both in one module, with a compression of their own
      expect(modules.filter((module) => /^src\/hash\/(sha256|sha512|small|compress256)\.ts$/.test(module))).toEqual(
        one.micro.includes("sha256") ? [] : ["src/hash/compress256.ts", "src/hash/small.ts"],
      );
      expect(min).toContain("d86b|a202{");
    }
  }, 300_000);

  it("refuses an algorithm that does not exist", async () => {
    await expect(bundle({ algs: ["rot13"], name: "x", folder })).rejects.toThrow("rot13");
  });

  it("each has two budgets: for its bytes, and for those of gzip -9", () => {
    const { "size-limit": budgets } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    for (const { name } of BUNDLES) {
      const own = budgets.filter(({ path }) => path === `packages/verifier/dist/firmseal-${name}.js`);
      // without either, size-limit counts the bytes of brotli
      expect(own.map(({ brotli, gzip }) => ({ brotli, gzip }))).toEqual([{ brotli: false }, { gzip: true }]);
      for (const { limit } of own) expect(limit).toMatch(/^\d{5} B$/);
    }
    // boards store them as they are
    for (const { name } of MICRO_BUNDLES)
      expect(budgets.filter(({ path }) => path === `packages/verifier/dist/firmseal-${name}.js`)).toMatchObject([{ brotli: false }]);
    const ofVerifier = budgets.filter(({ path }) => String(path).startsWith("packages/verifier/"));
    expect(ofVerifier).toHaveLength(2 * BUNDLES.length + MICRO_BUNDLES.length);
  });
});

describe("imports", () => {
  /** The rules that a tree of sources breaks: { path: text }. */
  async function broken(files) {
    const baseDir = temporaryFolder("firmseal-imports-");
    try {
      for (const [path, text] of Object.entries({ "packages/signer/src/key.ts": "export const key = 1;", ...files })) {
        mkdirSync(join(baseDir, path, ".."), { recursive: true });
        writeFileSync(join(baseDir, path), text);
      }
      const { tsConfig: _, ...options } = config.options;
      const { output } = await cruise(["packages"], { ...options, baseDir, ruleSet: { forbidden: config.forbidden }, validate: true });
      return [...new Set(output.summary.violations.map((v) => v.rule.name))].sort();
    } finally {
      rmSync(baseDir, { recursive: true });
    }
  }

  it.each([
    ["packages/verifier/src/x.ts", 'import fs from "node:fs"; fs;', ["runs-anywhere"]],
    ["packages/verifier/src/x.ts", 'import { key } from "../../signer/src/key.js"; key;', ["by-its-name", "verifier-imports-downwards"]],
    ["packages/keys/src/x.ts", 'import { key } from "../../signer/src/key.js"; key;', ["by-its-name"]],
    ["packages/keys/src/x.ts", 'import x from "cborg"; x;', ["listed"]],
    ["packages/images/src/x.ts", 'import { x } from "./x.js"; export { x };', ["no-circle"]],
    ["packages/signer/src/x.ts", 'import { key } from "./key.js"; key;', []],
    ["packages/cli/src/x.ts", 'import fs from "node:fs"; fs;', []],
  ])("%s with %s breaks %j", async (path, text, rules) => {
    expect(await broken({ [path]: text })).toEqual(rules);
  });
});

describe("sources", () => {
  it("printing is found everywhere except in ui.ts", () => {
    for (const text of [
      "console.log(1)",
      "process.stdout.write(x)",
      "process.stderr.write(x)",
      "const out = process.stderr;",
      "writeSync(1, x)",
    ]) {
      expect(checkPrinting([{ path: "packages/cli/src/x.ts", text }])).toHaveLength(1);
      expect(checkPrinting([{ path: "packages/cli/src/show/ui.ts", text }])).toEqual([]);
    }
    expect(checkPrinting([{ path: "packages/cli/src/x.ts", text: "process.stderr.isTTY // console" }])).toEqual([]);
  });

  it("count the files that name a thing, in code and not in prose", () => {
    const thing = [{ what: "a fruit", names: ["pear", "PEAR"], most: 1, besides: { "c.ts": "a reason" } }];
    const files = (...texts) => texts.map((text, i) => ({ path: `${"abc"[i]}.ts`, text }));
    expect(checkRows(files('f("pear")', "// PEAR\nf('a pear');", "PEAR"), thing)).toEqual([]);
    expect(checkRows(files("PEAR", "{ pear: 1 }", "PEAR"), thing)).toEqual(["a fruit: 2 files name pear, and not 1: a.ts, b.ts"]);
    expect(checkRows(files("PEAR", "", ""), thing)).toEqual(["a fruit: c.ts does not name pear any more"]);
  });

  it("a file without a row of mutants, a row without a file, and a row below its threshold are found", () => {
    const code = "export var a = 1;";
    const files = [
      { path: "trust/a.ts", text: code },
      { path: "alg/b.ts", text: code },
      { path: "install/c.ts", text: "// types alone\nexport interface C { c: number }" },
      { path: "spec/d.ts", text: code },
    ];
    const table = (...rows) =>
      [
        "| File | Mutants | Killed | Survived | Not reached | Score | Measured |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        ...rows.map(([path, mutants, killed]) => `| \`${path}\` | ${mutants} | ${killed} | 0 | 0 | 0 % | 2026-11-27 |`),
      ].join("\n");
    expect(checkMutants(files, table(["trust/a.ts", 10, 9], ["alg/b.ts", 20, 17]))).toEqual([]);
    expect(checkMutants(files, table(["trust/a.ts", 100, 90], ["alg/b.ts", "20 of 90", 17]))).toEqual([]);
    const b = ["alg/b.ts", 20, 17];
    expect(checkMutants(files, table(b))).toEqual(["trust/a.ts has no row: pnpm mutation trust/a.ts"]);
    expect(checkMutants(files, table(["trust/a.ts", 10, 10]))).toEqual(["alg/b.ts has no row: pnpm mutation alg/b.ts"]);
    expect(checkMutants(files, table(["trust/a.ts", 10, 10], b, ["trust/e.ts", 10, 10]))).toEqual([
      "trust/e.ts has a row, and does not exist",
    ]);
    expect(checkMutants(files, table(["trust/a.ts", 1000, 899], ["alg/b.ts", "100 of 900", 84]))).toEqual([
      "trust/a.ts: 89.9 % is below 90 %",
      "alg/b.ts: 84.0 % is below 85 %",
    ]);
  });

  it("long lines of comments are found", () => {
    const words = "word ".repeat(30);
    const text = `// ${words}\n  /** ${words}*/\n * ${words}\n//   ${words}\nconst a = "${words}";\n// ${"x".repeat(130)}\n// short`;
    expect(checkWidth([{ path: "a.ts", text }]).map((finding) => finding.split(" ")[0])).toEqual(["a.ts:1", "a.ts:2", "a.ts:3"]);
  });

  it("each phrase that the style replaces is found, even across lines", () => {
    const examples = [
      ["The input is no\nSUIT envelope.", "is no SUIT"],
      ["A table that was none.", "was none"],
      ["What was signed stands\n// in a file.", "stands in"],
      ["The payload must lie above it.", "lie above"],
      ["It holds another image\n// than the signed one.", "another image than"],
      ["Whoever signs.", "Whoever"],
      ["It refuses them, also if signed.", ", also if"],
      ["It has the images already.", "already"],
      ["How many must sign besides.", "besides"],
      ["The payload is not looked at.", "not looked at"],
      ["It goes on without one.", "goes on without"],
      ["What becomes of it?", "What becomes of"],
      ["Roots at hand sign files.", "at hand"],
      ["It holds all boards against it.", "holds all boards against"],
      ["The key is to be replaced.", "is to be replaced"],
      ["Parts that were put together.", "put together"],
      ["In the place of a text.", "In the place of"],
      ["One file behind the other.", "One file behind the other"],
      ["It says of each key.", "says of"],
      ["The one of the day.", "The one of"],
      ["/** The same for a key. */", "/** The same for"],
    ];
    const found = (text) => checkLanguage([{ path: "a.md", text }]);
    expect(examples.map(([text]) => found(`First.\n\n${text}`))).toEqual(
      PHRASES.map(([, instead], i) => [`a.md:3 "${examples[i]?.[1]}": write ${instead} (style in CONTRIBUTING.md)`]),
    );
    for (const text of [
      "There is no key, there are none, and it is no longer here. It stands in for a build. It lies between two numbers.",
      "It has already signed, besides those. Look at the parts that the tests looked at. It holds up against an attacker.",
      "An image in place of another one, an algorithm other than that, and no other reason than this.",
      "| Not like this | Like this |\n| is no key |\n",
    ])
      expect(found(text)).toEqual([]);
  });

  it("comments and titles of tests are read without the code around them", () => {
    const text = `const a = "is no file"; // a comment
/** What an entry
 * tells. */
describe.skipIf(!has)(\`a table\`, () => {
  it("a title", () => expect(row).toBe("it stands in a file"));
  it.each([
    ["a cell"],
  ])("a title of %s", work);`;
    expect(proseOf(text).split("\n")).toEqual([
      "// a comment",
      "/** What an entry",
      " * tells. */",
      "a table.",
      "a title.",
      "",
      "",
      "a title of %s.",
    ]);
  });

  it("a name that two files export is found, and so is an outdated exception", () => {
    const files = [
      { path: "a.ts", text: "export const pear = 1;\nconst plum = 1;\nexport { plum as fig };" },
      { path: "b.ts", text: "export async function pear() {}\nexport function pear(x: number): void;\nexport type plum = 1;" },
    ];
    expect(checkNames(files, {})).toEqual(["pear is exported by a.ts, b.ts: give each a name of its own, or share one"]);
    expect(checkNames(files, { pear: "a reason", plum: "a reason" })).toEqual([
      "plum is exported by one file: remove it from SHARED_NAMES",
    ]);
  });

  it("folders that import each other in a circle are found, also for a type alone, and so is an outdated exception", () => {
    const file = (path, ...imports) => ({ path: `packages/x/src/${path}`, text: imports.map((one) => `${one};\n`).join("") });
    const folders = (files, outside = {}) => checkCircles(files, outside).map((finding) => finding.replace(/ are in a circle: .*/, ""));
    const toB = file("a/one.ts", 'import { f } from "../b/inner/two.js"');
    const back = file("b/three.ts", 'import type { T } from "../a/four.js"');
    // through a folder inside another one, as no circle of modules is
    expect(folders([toB, back])).toEqual(["packages/x/src: a, b"]);
    expect(folders([toB, file("b/three.ts", 'const f = () => import("../a/four.js")')])).toEqual(["packages/x/src: a, b"]);
    expect(folders([file("y/a/1.ts", 'export { f } from "../b/2.js"'), file("y/b/3.ts", 'import "../a/4.js"')])).toEqual([
      "packages/x/src/y: a, b",
    ]);
    const between = [file("a/one.ts", 'import { f } from "../f.js"'), file("f.ts", 'import { g } from "./a/two.js"')];
    expect(folders(between)).toEqual(["packages/x/src: a, f.ts"]);
    expect(folders(between, { "packages/x/src/f.ts": "a reason" })).toEqual([]);
    expect(folders([toB], { "packages/x/src/f.ts": "a reason" })).toEqual([
      "packages/x/src/f.ts is in no circle: remove it from OUTSIDE_CIRCLES",
    ]);
    // downwards only; files of one folder
    expect(folders([toB, file("b/three.ts", 'import { f } from "../c/four.js"')])).toEqual([]);
    expect(folders([file("a/one.ts", 'import { f } from "./two.js"'), file("a/two.ts", 'import type { F } from "./one.js"')])).toEqual([]);
  });

  it("comments that name a file which has moved are found", () => {
    const tracked = ["packages/keys/src/hss/state.ts", "docs/guides/keys.md"];
    const named = (text) => checkPaths([{ path: "x.ts", text }], tracked);
    for (const gone of ["// see hss-state.ts.", "/** docs/keys.md */", "/*\n * (../hss/file.mjs) */"]) expect(named(gone)).toHaveLength(1);
    for (const fine of [
      "// hss/state.ts, ../src/hss/state.ts, keys.md",
      'f("gone.ts");',
      "// NAME.ts, gone.json, https://a.example/gone.md",
    ])
      expect(named(fine)).toEqual([]);
  });

  it("paths of a machine, hosts of a registry and credentials are seen", () => {
    const home = "/home/";
    for (const text of [`see ${home}me/x`, `"${["", "root", "x"].join("/")}"`, "https://registry.example.org/x", "//x/:_authToken=1"])
      expect(checkText([{ path: "docs/x.md", text }])).toHaveLength(1);
    for (const text of [`https://example.com${home}page`, ["packages", "root", "x"].join("/"), ["a", "tmp", "b"].join("/")])
      expect(checkText([{ path: "docs/x.md", text }])).toEqual([]);
  });

  it("a title that has only the values of a row is found", () => {
    const titles = (text) => checkTitles([{ path: "x.test.ts", text }]);
    for (const text of ['])("%s", (_, a) => {', 'it.each(ROWS)("class %s", (name) => {', `it(\`\${NAME}\`, () => {`])
      expect(titles(text)).toHaveLength(1);
    for (const text of ['])("refuses the class %s", (a) => {', '  it.each(ROWS)("%s", (name) => {', 'it("reads it", () => {'])
      expect(titles(text)).toEqual([]);
  });

  it("two tests with one title are a failure of the run", () => {
    const module = (moduleId, ...names) => ({
      moduleId: join(process.cwd(), moduleId),
      errors: () => [],
      children: { allTests: () => names.map((fullName) => ({ fullName, result: () => ({ state: "passed" }) })), allSuites: () => [] },
    });
    const folder = temporaryFolder("firmseal-report-");
    vi.stubEnv("FIRMSEAL_REPORT", join(folder, "report.json"));
    const report = (...modules) => {
      new Report().onTestRunEnd(modules, []);
      return JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    };
    expect(report(module("a.test.ts", "x > y", "y"), module("b.test.ts", "z")).failed).toEqual([]);
    const { passed, failed } = report(module("a.test.ts", "x > y"), module("b.test.ts", "x > y"));
    expect([passed, failed]).toEqual([1, [{ file: "b.test.ts", name: "x > y", note: "a.test.ts has a test with this title" }]]);
  });

  it("a hook in a module that test files share is found", () => {
    const hooks = (path, text) => checkHooks([{ path, text }]);
    expect(hooks("x.ts", "\nafterAll(() => clean());\n")).toEqual([expect.stringMatching(/^x\.ts:2 afterAll\(/)]);
    expect(hooks("x.ts", "export function use() {\n  afterAll(() => clean());\n}\n")).toEqual([]);
    expect(hooks("packages/test-support/src/environment/setup.ts", "afterAll(clean);\n")).toEqual([]);
  });

  it("a folder with many entries gets a warning, one with too many is found", () => {
    const files = (n) => Array.from({ length: n }, (_, i) => `packages/x/src/${i}/a.ts`);
    const none = { findings: [], warnings: [] };
    expect(checkFolders(files(11).concat("packages/x/src/index.ts", "packages/x/test/a.ts"))).toEqual(none);
    const has = (n) => [expect.stringMatching(new RegExp(`^packages/x/src has ${n} entries `))];
    expect(checkFolders(files(12))).toEqual({ ...none, warnings: has(12) });
    expect(checkFolders(files(19))).toEqual({ ...none, warnings: has(19) });
    expect(checkFolders(files(19).concat("packages/x/src/y.ts"))).toEqual({ ...none, findings: has(20) });
    expect(checkFolders(files(20).map((path) => path.replace("src/", "src/y/"))).findings).toHaveLength(1);
    expect(checkFolders(files(20).map((path) => path.replace("x/src/", "cli/test/"))).findings).toHaveLength(1);
  });

  it("a command without a test file of its name in the folder of its group is found", () => {
    const tests = (...names) => ["packages/cli/src/commands/keys/move.ts", ...names.map((name) => `packages/cli/test/${name}.test.ts`)];
    for (const name of ["keys/move", "keys/move-log"]) expect(checkCommandTests(tests(name))).toEqual([]);
    for (const name of ["keys/moved", "sign/move", "move", "keys/log-move"]) expect(checkCommandTests(tests(name))).toHaveLength(1);
  });
});
