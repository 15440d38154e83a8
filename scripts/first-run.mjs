// For programs that scripts start again and again: which of their functions a plain run calls. Those are compiled when the program is read,
// rather than looked over first and compiled when they are called. The others lie in a file of their own, which few runs read.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "acorn";
import { transform } from "esbuild";

const FOR = ["--vendor", "example.com", "--class", "board"];

/** Runs of each program that are plain, one after the other. The files are those of plainRuns(). */
const RUNS = {
  sign: [
    ["sign", "fw.bin", "--key", "key.pem", ...FOR, "--seq", "next", "--first", "--out", "fw.suit"],
    ["sign", "fw.bin", "--key", "key.pem", ...FOR, "--seq", "next", "--out", "fw.suit"],
    ["sign", "fw.bin", "--key", "key.pem", ...FOR, "--seq", "7", "--uri", "fw.bin", "--out", "uri.suit"],
  ],
  verify: [
    ["verify", "fw.suit", "--key", "key.jwk"],
    ["verify", "uri.suit", "--key", "key.pem", "--payload", "fw.bin"],
  ],
};

const functionsOf = (text) => parse(text, { ecmaVersion: 2022, sourceType: "module" }).body.map((node) => node.declaration ?? node);

/** The functions of a program, by their names. Programs have one scope. */
const named = (text) => functionsOf(text).filter(({ type }) => type === "FunctionDeclaration");

/**
 * The names of the functions that plain runs call, by program. `files`: the texts of all files, by path. Throws if a run fails.
 */
export function calledFunctions(files) {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-first-run-"));
  const called = new Map();
  // without what changes a run: defaults of options, and how Node starts
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(FIRMSEAL|NODE)_/.test(name)));
  const run = (args, env = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      env: { ...plain, FIRMSEAL_STATE: join(folder, "state"), ...env },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`firmseal ${args.slice(1).join(" ")}: ${stderr}`);
    return stdout;
  };
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, "dist", path)), { recursive: true });
      writeFileSync(join(folder, "dist", path), text);
    }
    writeFileSync(join(folder, "fw.bin"), "firmware".repeat(600));
    const main = join(folder, "dist/main.js");
    run([main, "keygen", "--out", "key.pem", "--no-passphrase"]);
    writeFileSync(join(folder, "key.jwk"), run([main, "pubkey", "key.pem"]));
    for (const [program, runs] of Object.entries(RUNS)) {
      const path = join(folder, "dist", `${program}.js`);
      const text = files.get(`${program}.js`);
      const names = new Map(named(text).map(({ start, id }) => [start, id.name]));
      called.set(program, new Set());
      for (const [i, args] of runs.entries()) {
        const coverage = join(folder, `coverage-${program}-${i}`);
        run([path, ...args], { NODE_V8_COVERAGE: coverage });
        for (const file of readdirSync(coverage))
          for (const { url, functions } of JSON.parse(readFileSync(join(coverage, file), "utf8")).result)
            if (url === pathToFileURL(path).href)
              for (const { ranges } of functions)
                if (ranges[0].count > 0 && names.has(ranges[0].startOffset)) called.get(program).add(names.get(ranges[0].startOffset));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return called;
}

const inOrder = (text, nodes) => nodes.map(({ start, end }) => text.slice(start, end)).join("\n");

/** A text without some of its parts. */
function without(text, nodes) {
  let rest = "";
  let at = 0;
  for (const { start, end } of nodes) {
    rest += text.slice(at, start);
    at = end;
  }
  return rest + text.slice(at);
}

/**
 * Divides a program, an ES module with one scope: `kept`, and `rest` with the functions that are not called. Each imports from the other, by the
 * names `program` and `other`. What assigns to a variable of the program stays there, and what the program has as a value, in a table for example:
 * to have it would read the rest.
 */
export async function divided(text, called, program, other) {
  const body = functionsOf(text);
  const imports = body.filter(({ type }) => type === "ImportDeclaration");
  let aside = named(text).filter(({ id }) => !called.has(id.name));
  for (;;) {
    const names = new Set(aside.map(({ id }) => id.name));
    const moved = inOrder(text, aside);
    const words = new Set(moved.match(/[\w$]+/g));
    const needed = [...topNames(body)].filter((name) => words.has(name) && !names.has(name));
    const rest = `${inOrder(text, imports)}\nimport{${needed.join()}}from"./${program}.js";\n${moved}\nexport{${[...names].join()}};`;
    const { warnings } = await transform(rest, { format: "esm", logLevel: "silent" });
    const lines = rest.split("\n");
    const assigning = warnings
      .filter(({ id }) => id === "assign-to-import")
      .map(({ location: { line, column } }) => lines.slice(0, line - 1).join("\n").length + 1 + column);
    let begin = rest.indexOf(moved);
    const values = valuesIn(body.filter(({ start }) => !aside.some((node) => node.start === start)));
    const stays = aside.filter(({ start, end, id }) => {
      const from = begin;
      begin += end - start + 1;
      return values.has(id.name) || assigning.some((at) => at >= from && at < begin);
    });
    if (stays.length === 0) return { kept: `import{${[...names].join()}}from"./${other}.js";${without(text, aside)}`, rest, needed };
    aside = aside.filter((node) => !stays.includes(node));
  }
}

/** The names that code has as values, and not only to call them. */
function valuesIn(nodes) {
  const found = new Set();
  const walk = (node) => {
    if (node.type === "Identifier") found.add(node.name);
    if (node.type === "ExportNamedDeclaration") return;
    for (const [member, value] of Object.entries(node)) {
      if (member === "callee" && value.type === "Identifier") continue;
      if ((member === "property" || member === "key") && !node.computed && !node.shorthand) continue;
      if (member === "id" && node.type === "FunctionDeclaration") continue;
      for (const one of Array.isArray(value) ? value : [value]) if (typeof one?.type === "string") walk(one);
    }
  };
  for (const node of nodes) walk(node);
  return found;
}

/** The names that the statements of a program declare, those of imports left out. */
function topNames(body) {
  const names = new Set();
  const add = (pattern) => {
    if (!pattern) return;
    if (pattern.type === "Identifier") names.add(pattern.name);
    for (const one of pattern.properties ?? pattern.elements ?? []) add(one?.value ?? one?.argument ?? one);
    add(pattern.left);
  };
  for (const node of body) {
    if (node.id) names.add(node.id.name);
    for (const { id } of node.declarations ?? []) add(id);
  }
  return names;
}

/**
 * A program in CommonJS with its functions first, which V8 compiles as it reads them: it takes a function in parentheses for one that is called
 * soon. Names in stack traces stay.
 */
export function compiledAtOnce(text, called) {
  const functions = named(text).filter(({ id }) => called.has(id.name));
  const first = functions.map(({ start, end, id }) => {
    const whole = text.slice(start, end);
    const at = id.start - start;
    return `${id.name}=(${whole.slice(0, at).trimEnd()}${whole.slice(at + id.name.length)})`;
  });
  return `"use strict";var ${first.join(",\n")};\n${without(text, functions).replace(/^"use strict";/, "")}`;
}
