// For programs that scripts start often: what a plain run uses of them. Functions that it calls are compiled when the
// program is read, and not scanned first and compiled at the call. Functions that it does not call, and variables that
// it does not read, are in a file of their own, which few runs read.

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

const statementsOf = (text) => parse(text, { ecmaVersion: 2022, sourceType: "module" }).body.map((node) => node.declaration ?? node);

/** The functions of a program, by their names. Programs have one scope. */
const named = (text) => statementsOf(text).filter(({ type }) => type === "FunctionDeclaration");

/** What statements declare under one name each: functions and variables. */
const declared = (statements) =>
  statements.flatMap((node) => {
    if (node.type === "FunctionDeclaration") return [node];
    return node.type === "VariableDeclaration" ? node.declarations.filter(({ id }) => id.type === "Identifier") : [];
  });

/**
 * What plain runs use, by program. `called`: where the functions begin that they call. `reached`: by position, 1 where
 * they come. `unused`: the names of the functions and variables that they do without. `files`: the texts of all files,
 * by path. Throws if a run fails.
 */
export function plainUse(files) {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-first-run-"));
  const use = new Map();
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
      const called = new Set();
      /** By position: whether a run came there. */
      const reached = new Uint8Array(text.length);
      for (const [i, args] of runs.entries()) {
        const coverage = join(folder, `coverage-${program}-${i}`);
        run([path, ...args], { NODE_V8_COVERAGE: coverage });
        for (const functions of coverageOf(coverage, pathToFileURL(path).href)) {
          const inRun = new Uint8Array(text.length);
          // a range is inside those before it, and is more exact
          for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges))
            inRun.fill(count > 0 ? 1 : 0, startOffset, endOffset);
          for (const [at, is] of inRun.entries()) reached[at] |= is;
          for (const { ranges } of functions) if (ranges[0].count > 0) called.add(ranges[0].startOffset);
        }
      }
      use.set(program, { called, reached, unused: unusedNames(text, called, reached) });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return use;
}

/** The functions of a script, for each process that ran it, as V8 reports them. */
function* coverageOf(folder, script) {
  for (const file of readdirSync(folder))
    for (const { url, functions } of JSON.parse(readFileSync(join(folder, file), "utf8")).result) if (url === script) yield functions;
}

/**
 * The functions that are not called, and the variables that nothing names where a run came, unless it is for something
 * that is unused itself.
 */
function unusedNames(text, called, reached) {
  const statements = statementsOf(text);
  const unused = new Map(declared(statements).map((node) => [node.id.name, node]));
  const read = (nodes) => {
    for (const name of namesIn(nodes, ({ start }) => reached[start] === 1)) use(name);
  };
  const use = (name) => {
    const node = unused.get(name);
    if (unused.delete(name)) read([node]);
  };
  const apart = new Set(unused.values());
  read(statements.flatMap((node) => node.declarations ?? [node]).filter((node) => !apart.has(node)));
  for (const { start, id } of named(text)) if (called.has(start)) use(id.name);
  return new Set(unused.keys());
}

/** The nodes of code that are part of a node, the names of members left out. */
export function* partsOf(node) {
  for (const [member, value] of Object.entries(node)) {
    if ((member === "property" || member === "key") && !node.computed && !node.shorthand) continue;
    for (const one of Array.isArray(value) ? value : [value]) if (typeof one?.type === "string") yield one;
  }
}

export const isFunction = ({ type }) => /Function/.test(type);

/** The names that a function declares: of its parameters, and of what is in it, other functions left out. */
export function ownNames(node) {
  const names = new Set(node.params.flatMap(patternNames));
  const walk = (part) => {
    if (part.type === "VariableDeclarator" || (part !== node && part.id && /Declaration$/.test(part.type)))
      for (const name of patternNames(part.id)) names.add(name);
    if (part.type === "CatchClause") for (const name of patternNames(part.param)) names.add(name);
    if (part === node || !isFunction(part)) for (const one of partsOf(part)) walk(one);
  };
  walk(node);
  return names;
}

/** The names in code that are not declared in it. `counts`: whether one counts. */
export function namesIn(nodes, counts = () => true) {
  const found = new Set();
  const walk = (node, hidden) => {
    if (node.type === "Identifier" && !hidden.has(node.name) && counts(node)) found.add(node.name);
    const inside = isFunction(node) ? new Set([...hidden, ...ownNames(node)]) : hidden;
    for (const one of partsOf(node)) walk(one, inside);
  };
  for (const node of nodes) walk(node, new Set());
  return found;
}

/** Functions and variables in the order in which they were, as statements. */
const inOrder = (text, nodes) =>
  nodes
    .map(({ type, start, end }) => (type === "VariableDeclarator" ? `var ${text.slice(start, end)};` : text.slice(start, end)))
    .join("\n");

/** A text without some of its functions and variables. */
function without(text, nodes) {
  const left = new Set(nodes.map(({ start }) => start));
  let rest = "";
  let at = 0;
  const replace = ({ start, end }, by) => {
    rest += text.slice(at, start) + by;
    at = end;
  };
  for (const node of statementsOf(text)) {
    if (left.has(node.start)) replace(node, "");
    const stay = node.declarations?.filter(({ start }) => !left.has(start)) ?? [];
    if (node.type !== "VariableDeclaration" || stay.length === node.declarations.length) continue;
    const words = stay.map(({ start, end }) => text.slice(start, end)).join(",\n");
    replace(node, words === "" ? "" : `${node.kind} ${words};`);
  }
  return rest + text.slice(at);
}

/** The places in an ES module where it assigns to what it imports, which no module may. */
async function assignments(module) {
  const { warnings } = await transform(module, { format: "esm", logLevel: "silent" });
  const lines = module.split("\n");
  const isAssignment = ({ id }) => id === "assign-to-import";
  return warnings.filter(isAssignment).map(({ location: { line, column, length } }) => {
    const at = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0) + column;
    return { at, name: module.slice(at, at + length) };
  });
}

/**
 * Divides a program, an ES module with one scope: `kept`, and `rest` with what plain runs do not use. Each imports from
 * the other, by the names `program` and `other`. Variables are in the part that assigns to them.
 */
export async function divided(text, unused, program, other) {
  const body = statementsOf(text);
  const imports = body.filter(({ type }) => type === "ImportDeclaration");
  // esbuild numbers its helpers from 1 in each text
  let aside = declared(body).filter(({ id }) => unused.has(id.name) && !id.name.startsWith("__"));
  for (;;) {
    const names = new Set(aside.map(({ id }) => id.name));
    const pieces = aside.map((node) => inOrder(text, [node]));
    const moved = pieces.join("\n");
    const words = new Set(moved.match(/[\w$]+/g));
    const needed = [...topNames(body)].filter((name) => words.has(name) && !names.has(name));
    const rest = `${inOrder(text, imports)}\nimport{${needed.join()}}from"./${program}.js";\n${moved}\nexport{${[...names].join()}};`;
    const kept = `import{${[...names].join()}}from"./${other}.js";${without(text, aside)}`;
    const inRest = await assignments(rest);
    const inKept = new Set((await assignments(kept)).map(({ name }) => name));
    let begin = rest.indexOf(moved);
    const stays = new Set();
    for (const [i, node] of aside.entries()) {
      const from = begin;
      begin += pieces[i].length + 1;
      if (inKept.has(node.id.name) || inRest.some(({ at }) => at >= from && at < begin)) stays.add(node);
    }
    // what the program works out when it begins must not read the rest
    const worked = namesIn([...stays].filter(({ type }) => type === "VariableDeclarator"));
    for (const node of aside) if (worked.has(node.id.name)) stays.add(node);
    if (stays.size === 0) return { kept, rest, needed };
    aside = aside.filter((node) => !stays.has(node));
  }
}

/** The names that a pattern declares. */
export function patternNames(pattern) {
  if (!pattern) return [];
  if (pattern.type === "Identifier") return [pattern.name];
  const parts = pattern.properties ?? pattern.elements ?? [];
  return [...parts.flatMap((one) => patternNames(one?.value ?? one?.argument ?? one)), ...patternNames(pattern.left ?? pattern.argument)];
}

/** The names that the statements of a program declare, those of imports left out. */
export const topNames = (body) =>
  new Set(body.flatMap(({ id, declarations = [] }) => [id, ...declarations.map((one) => one.id)].flatMap(patternNames)));

/** The names that a node itself assigns to. */
export function assignedBy(node) {
  const targets = {
    AssignmentExpression: node.left,
    ForInStatement: node.left,
    ForOfStatement: node.left,
    UpdateExpression: node.argument,
  };
  return patternNames(targets[node.type]);
}

/** The names that are assigned to in a node, in any scope. */
export function assignedIn(whole) {
  const names = new Set();
  const walk = (node) => {
    for (const name of assignedBy(node)) names.add(name);
    for (const one of partsOf(node)) walk(one);
  };
  walk(whole);
  return names;
}

/** The names that a script assigns to after it has declared them, in any scope. */
export const assignedNames = (text) => assignedIn(parse(text, { ecmaVersion: 2022 }));

/**
 * Whether code has words that mean something else, or nothing, in another kind of function: `this` and `arguments` too,
 * if it is an arrow function's.
 */
function isBound(code, isArrow) {
  const walk = (node, ofArrow) => {
    if (node.type === "Super" || (ofArrow && (["ThisExpression", "MetaProperty"].includes(node.type) || node.name === "arguments")))
      return true;
    const inside = ofArrow && (!isFunction(node) || node.type === "ArrowFunctionExpression");
    return [...partsOf(node)].some((part) => walk(part, inside));
  };
  return walk(code, isArrow);
}

/**
 * The text of a node, with the functions in it that begin at `called` in parentheses: V8 takes such a function for one
 * that is called soon, and compiles it as it reads it. It does not for methods, and Node 20 not for arrow functions:
 * they become functions. Declarations stay, and methods of classes: those begin at their names, and not where their
 * functions begin in the tree.
 */
function hinted(text, node, called) {
  const asFunction = ({ params, body, async, expression }) => {
    const given = params.map(({ start, end }) => text.slice(start, end)).join();
    const content = hinted(text, body, called);
    return `(${async ? "async " : ""}function(${given})${expression ? `{return ${content}}` : content})`;
  };
  const isCalled = called.has(node.start);
  if (isCalled && node.type === "ArrowFunctionExpression" && !isBound(node.body, true)) return asFunction(node);
  const { key, value } = node;
  if (isCalled && node.method && !node.computed && !value.generator && !isBound(value.body, false))
    return `${text.slice(key.start, key.end)}:${asFunction(value)}`;
  let out = "";
  let at = node.start;
  for (const part of [...partsOf(node)].sort((a, b) => a.start - b.start)) {
    // a member in short form is its name and its value
    if (part.start < at) continue;
    out += text.slice(at, part.start) + hinted(text, part, called);
    at = part.end;
  }
  out += text.slice(at, node.end);
  return isCalled && node.type === "FunctionExpression" ? `(${out})` : out;
}

/**
 * A program in CommonJS with the functions first that are called, for V8 to compile as it reads them. Names in stack
 * traces stay. `called`: where the functions begin that are called.
 */
export function compiledAtOnce(text, called) {
  const first = [];
  const others = [];
  for (const node of statementsOf(text)) {
    const content = hinted(text, node, called);
    if (node.type !== "FunctionDeclaration" || !called.has(node.start)) others.push(content);
    else first.push(`${node.id.name}=(${content.replace(/^((?:async )?function\*?) ?[\w$]+/, "$1")})`);
  }
  return `"use strict";var ${first.join(",\n")};\n${others.join("\n").replace(/^"use strict";/, "")}\n`;
}
