// What makes bundles smaller leaves programs what they are.

import vm from "node:vm";
import { minify } from "terser";
import { describe, expect, it } from "vitest";
import { inlineFunctions } from "../src/inlining.js";
import { type Node, nameVariables, scopesOf, textWithNames } from "../src/naming.js";

const treeOf = async (text: string) =>
  (await minify(text, { compress: false, mangle: false, format: { spidermonkey: true, code: false } as object })) as unknown as {
    ast: Node;
  };

/** The program with functions inlined, on one line. */
async function inlined(body: string): Promise<string> {
  const { ast } = await treeOf(`(function (api) { ${body} })(out);`);
  inlineFunctions(ast);
  const { code = "" } = await minify(ast as unknown as string, { parse: { spidermonkey: true } as object, compress: false, mangle: false });
  return code;
}

const run = (code: string): unknown => vm.runInNewContext(`var out = { log: [] }; ${code}; JSON.stringify(out)`);

describe("inlineFunctions()", () => {
  // body of a program, and the functions that stay
  it.each([
    ["a call alone", "function f(a) { api.log.push(a); } function g(b) { f(b + 1); } api.x = g; api.x(2);", ["g"]],
    [
      "a value",
      "function f(a) { var x = a * 2; return x + 1; } function g(b) { var x = 7, y = f(b), z = y + x; return z; } api.r = [g(2)]; api.g = g(5);",
      ["g"],
    ],
    [
      "returns in the middle",
      "function f(a) { if (a > 2) return 1; a++; } function g(b) { return f(b); } api.r = [g(1) === void 0, g(3)];",
      ["g"],
    ],
    ["a condition", "function f(a) { api.log.push(a); } function g(b) { b > 1 && f(b); } api.x = g; api.x(1); api.x(2);", ["g"]],
    [
      "a branch",
      "function f(a) { api.log.push(a); } function g(b) { b > 1 ? f(b) : api.log.push(0); } api.x = g; api.x(1); api.x(2);",
      ["g"],
    ],
    [
      "a branch behind a statement, with a variable",
      "function f(a) { var x = a * 2; api.log.push(x); } function g(b) { api.log.push(b); b > 1 ? f(b) : api.log.push(0); api.log.push(9); } api.x = g; g(1); g(2);",
      ["g"],
    ],
    [
      "a value behind a statement, with a variable",
      "function f(a) { var x = a * 2; return x + 1; } function g(b) { api.log.push(b); var y = b + 1, z = f(y); return z; } api.r = [g(1), g(2)];",
      ["g"],
    ],
    [
      "a parameter that changes",
      "function f(a) { a++; return a; } function g(b) { var c; c = f(b); return [b, c]; } api.r = g(1); api.s = g(2);",
      ["g"],
    ],
    [
      "a function inside",
      "function f(a, use) { var i; for (i = 0; i < a; i++) use(i); } function g(n) { var s = 0; f(n, function (i) { s += i; }); return s; } api.r = g(4) + g(2);",
      ["g"],
    ],
    // and those that cannot move
    [
      "a function inside that has a variable of the caller's name",
      "function f(a) { return function (x) { return a * 10 + x; }; } function g(x) { return f(x); } api.r = [g(2)(3), g(4)(5)];",
      ["f", "g"],
    ],
    [
      "a variable of the caller with the name of a function",
      "function h() { return 5; } function k() { api.log.push(h() + h()); } function g(h) { k(); return h; } api.r = [g(1), g(2), h()];",
      ["h", "k", "g"],
    ],
    [
      "a return in the middle of what goes on",
      "function f(a) { if (a) return; api.log.push(a); } function g(b) { f(b); api.log.push(9); } api.x = g; g(0); g(1);",
      ["f", "g"],
    ],
    [
      "a value of the call before",
      "function f(a) { var x; if (a) x = a; api.log.push(x === void 0); } function g() { var i; for (i = 1; i >= 0; i--) f(i); } g(); g();",
      ["f", "g"],
    ],
    [
      "a value of the call before, in a declaration",
      "function f(a) { var x = y, y = a; api.log.push(x === void 0); } function g() { var i; for (i = 0; i < 3; i++) f(i); } api.x = g; g();",
      ["f", "g"],
    ],
    [
      "a parameter with the name of what is caught",
      "function f(a, e) { try { a.b.c = 1; } catch (e) { api.log.push(typeof e); } } function g(b) { f(b); } api.x = g; g({}); g({ b: 1 });",
      ["f", "g"],
    ],
    [
      "a function with the name of what is caught",
      "function e() { return 5; } function f(a) { api.log.push(e()); try { a.b.c = 1; } catch (e) { api.log.push(typeof e); } } function g(b) { f(b); return e(); } api.r = [g({}), g({ b: 1 })];",
      ["e", "f", "g"],
    ],
    ["two calls", "function f(a) { api.log.push(a); } function g(b) { f(b); f(b); } g(1); g(2);", ["f", "g"]],
    [
      "an argument that another one changes",
      "function f(a, b) { api.log.push(a, b); } function g(x) { f(x, (x = 5)); } g(1); g(2);",
      ["g"],
    ],
  ])("%s", async (_, body, stay) => {
    const code = await inlined(body);
    expect(run(code)).toBe(run(`(function (api) { ${body} })(out)`));
    const [core] = scopesOf((await treeOf(code)).ast).slice(1);
    expect([...(core?.variables.keys() ?? [])].filter((name) => new RegExp(`function ${name}\\(`).test(code))).toEqual(stay);
  });
});

describe("nameVariables()", () => {
  const text = async (body: string) => (await minify(`!function(api){${body}}(out)`, { compress: false, mangle: false })).code as string;
  async function named(body: string, names = {}): Promise<string> {
    const code = await text(body);
    const scopes = scopesOf((await treeOf(code)).ast);
    nameVariables(scopes, ["of", "get"], names);
    return textWithNames(code, scopes);
  }

  const PROGRAM = `var first = 1, second = 2;
    function outer(one, two) { var total = first; try { none(); } catch (failure) { total += two; }
      function inner(one) { return one + total + second; } return inner(one) + total; }
    api.r = outer(1, 2); api.of = function (one) { return [one, second, second, second].length; }; api.s = api.of(first);`;

  it("changes nothing but the names, which are shorter", async () => {
    const code = await named(PROGRAM);
    expect(run(code)).toBe(run(await text(PROGRAM)));
    expect(code).not.toMatch(/\b(outer|inner|total|failure|first|second|one|two)\b/);
    expect(code).toMatch(/\bapi\b|\bout\b/);
  });

  it("distinguishes the parameter of a catch from an outer variable with the same name", async () => {
    const body = `function outer(e, x) { api.of = function (y) { var r = [e];
      try { none(); } catch (e) { r.push(typeof e, (function () { return e === y; })()); } r.push(e); return r; }; return x; }
      api.r = outer(5, 6); api.s = api.of(7);`;
    const code = await named(body);
    expect(run(code)).toBe(run(await text(body)));
    // a name of its own, for engines with one scope for the function and the clause
    const caught = /catch\((\w+)\)/.exec(code)?.[1];
    expect(code.slice(code.indexOf("{var r"), code.indexOf("catch("))).not.toMatch(new RegExp(`\\b${caught}\\b`));
    expect(code).not.toMatch(new RegExp(`function\\(${caught}\\)`));
  });

  it("gives names that have places of their own in the table of Duktape", async () => {
    const all = Array.from({ length: 190 }, (_, i) => `variable${i}`);
    const code = await named(`var ${all.join()}; api.f = function () { return [${all.join()}].length; }; api.r = api.f();`);
    const names = /return\s*\[([^\]]*)\]/.exec(code)?.[1]?.split(",") ?? [];
    expect(new Set(names).size).toBe(190);
    // its hash of a text begins at the end; the address of its heap, a multiple of 16, moves all places alike
    const place = (name: string) => [...name].reduceRight((hash, c) => hash * 33 + c.charCodeAt(0), 5381 ^ name.length) % 512;
    const taken = new Set<number>();
    const ways = names.map((name) => {
      let way = 0;
      while (taken.has((place(name) + way) % 512)) way++;
      taken.add((place(name) + way) % 512);
      return way;
    });
    expect(Math.max(...ways)).toBeLessThan(3);
  });

  it("uses the given letters, and no letter that hides a variable in use", async () => {
    const names = { outer: "x y z", inner: "x", "/0": "k" };
    const code = await named(PROGRAM, names);
    expect(run(code)).toBe(run(await text(PROGRAM)));
    expect(code).toMatch(/function \w+\(x,y\)\{var z=/);
    // every letter at once, also those of the functions around
    for (const letter of "nrtuofiecavldsypmgAhIbwMkFxEDJUCHqzGLNPjBQOS") {
      const all = { outer: Array(5).fill(letter).join(" "), inner: letter, "/0": letter };
      expect(run(await named(PROGRAM, all))).toBe(run(await text(PROGRAM)));
    }
  });
});
