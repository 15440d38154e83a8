// The constants of packages/verifier/src/base/features.ts are true in the sources. Code that runs only if one is false
// is in bundles alone. For its mutants, the tests run with the constants of boards, where these are false (boards.mjs).

import { readFileSync } from "node:fs";
import { parseAst } from "vitest/node";

const GENERAL = ["COPY", "FAMILIES", "HOST512", "PLAIN", "PREPARED", "TABLES", "TRUST", "WINDOWS"];
const MICRO = ["GENERAL", ...GENERAL.filter((name) => name !== "WINDOWS")];
const without = (from, ...names) => from.filter((name) => !names.includes(name));

/**
 * The constants that are false in the bundle of a board, as givenFlags() of packages/bundler/src/bundle.ts sets them.
 * HAS_TOOLS is false on one board only: the tests' own signer reads with the tools.
 */
export const BOARDS = {
  general: GENERAL,
  "general, HSS/LMS": [...GENERAL, "SHA512", "TOOLS"],
  "general, trust files": without(GENERAL, "TRUST", "WINDOWS"),
  micro: MICRO,
  "micro, plain arrays": without(MICRO, "PLAIN", "TABLES"),
  "micro, without URIs": [...MICRO, "FETCH"],
  "micro, least": [...MICRO, "BOOT", "FETCH", "PAIRS", "WINDOWS"],
  "micro, host's SHA-256": [...MICRO, "SHA256", "SHA512"],
  "micro, Espruino's hashes": [...without(MICRO, "HOST512"), "ONCE", "SHA256", "SHA512"],
};

/**
 * The board of this run: the constants that are false, and full names of tests that do not hold with them.
 * FIRMSEAL_BOARD is the file that says so; without it, nothing is false.
 */
export const board = () =>
  process.env.FIRMSEAL_BOARD ? JSON.parse(readFileSync(process.env.FIRMSEAL_BOARD, "utf8")) : { off: [], skipped: [] };

/** features.ts where they are false. */
export const featuresWithout = (text, off) =>
  text.replace(/^(export const HAS_([A-Z0-9]+) = )true;$/gm, (all, head, name) => (off.includes(name) ? `${head}false;` : all));

/**
 * What an expression is where the constants `off` are false and the others true; undefined if it depends on more.
 * `own`: variables that they decide where all are true, { name: expression }.
 */
function known(node, off, own = {}) {
  if (node.type === "Identifier") {
    if (own[node.name]) return known(own[node.name], off);
    return /^HAS_[A-Z0-9]+$/.test(node.name) ? !off.includes(node.name.slice(4)) : undefined;
  }
  if (node.type === "UnaryExpression" && node.operator === "!") {
    const value = known(node.argument, off, own);
    return value === undefined ? undefined : !value;
  }
  if (node.type !== "LogicalExpression" || node.operator === "??") return undefined;
  const [left, right] = [known(node.left, off, own), known(node.right, off, own)];
  // what decides alone
  const decides = node.operator === "||";
  if (left === decides || right === decides) return decides;
  return left === undefined ? undefined : right;
}

/** Whether what is at `key` of its parent never runs where the constants `off` are false. */
export function isDead(parent, key, off, own) {
  if (!parent) return false;
  if (parent.type === "IfStatement" || parent.type === "ConditionalExpression") {
    const test = key === "consequent" || key === "alternate" ? known(parent.test, off, own) : undefined;
    return test === (key === "alternate");
  }
  return parent.type === "LogicalExpression" && key === "right" && known(parent.left, off, own) === (parent.operator === "||");
}

function* childrenOf(node) {
  for (const [key, value] of Object.entries(node))
    for (const child of Array.isArray(value) ? value : [value]) if (typeof child?.type === "string") yield [child, key];
}

/**
 * Where a text runs with the constants `off` false, and never with all of them true: { start, end }, outermost pieces,
 * which are not constants themselves. Without `off`: with whichever.
 */
export function piecesOf(text, off) {
  const program = parseAst(text, { lang: "ts" });
  const [pieces, own] = [[], {}];
  const declared = (node) => {
    if (node.type === "VariableDeclarator" && node.init && known(node.init, []) !== undefined) own[node.id.name] = node.init;
    for (const [child] of childrenOf(node)) declared(child);
  };
  const walk = (node, parent, key) => {
    if (!isDead(parent, key, [], own)) for (const [child, name] of childrenOf(node)) walk(child, node, name);
    else if (known(node, [], own) === undefined && (!off || !isDead(parent, key, off, own)))
      pieces.push({ start: node.start, end: node.end });
  };
  declared(program);
  walk(program);
  return pieces;
}

/** What never runs with the constants of this run. Found before there are mutants, which replace conditions. */
const dead = new WeakSet();

/**
 * Stryker makes no mutants of x in `x as T`, which may be all methods of a device. It does not skip `<T>x`, which says
 * the same.
 */
function prepare(path) {
  const { off } = board();
  path.traverse({
    enter({ node, parent, key }) {
      if (isDead(parent, key, off)) dead.add(node);
      if (node.type === "TSAsExpression") node.type = "TSTypeAssertion";
    },
  });
}

const ignorer = {
  shouldIgnore(path) {
    // the first node that Stryker asks about
    if (path.node.type === "Program") prepare(path);
    return dead.has(path.node) ? "never runs here" : undefined;
  },
};

export const strykerPlugins = [{ kind: "Ignore", name: "features", value: ignorer }];
