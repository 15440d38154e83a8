// "No unproved shift": a bit operation works on the low 32 bits of its operands and silently drops the rest. Where the
// code itself does not show that there is no rest, a comment in that function has to say why.

import { parse } from "acorn";
import { isFunction, within } from "./syntax.mjs";

const SHIFTS = new Set(["<<", ">>", ">>>"]);
const BITS = new Set([...SHIFTS, "&", "|", "^"]);
const WORD = 4294967296;

/** Functions that give one octet. */
const OCTETS = new Set(["byteAt"]);

/** What a comment has to say: that 32 bits are enough, or a power of two up to 2^32 that the operand stays below. */
const REASON = /\b32[ -]bits?\b|2\^(?:[12]?\d|3[0-2])\b/;

/** By name of a variable of `fn`: all that is ever put into it, and `null` for what cannot be seen. Names of inner functions count as one. */
function written(fn) {
  const out = new Map();
  const put = (id, value) => {
    if (id?.type === "Identifier") out.set(id.name, [...(out.get(id.name) ?? []), value]);
  };
  for (const [node, parents] of within(fn)) {
    if (isFunction(node)) for (const p of node.params) put(p, null);
    if (node.type === "VariableDeclarator" && node.init) put(node.id, node.init);
    if (node.type === "AssignmentExpression") put(node.left, node.operator === "=" ? node.right : steps(node.left, parents));
    if (node.type === "UpdateExpression") put(node.argument, steps(node.argument, parents));
    if (node.type === "CatchClause") put(node.param, null);
  }
  return out;
}

/** A counter grows no further than the loop lets it: the other side of `counter < …`. */
function steps(id, parents) {
  for (const { type, test } of parents)
    if (/^(For|While)Statement$/.test(type) && test?.type === "BinaryExpression" && /^<=?$/.test(test.operator))
      if (test.left.type === "Identifier" && test.left.name === id.name) return test.right;
  return null;
}

/** The largest magnitude that an expression can have, as far as can be seen; otherwise Infinity. */
function reach(node, vars, seen = []) {
  const of = (n) => reach(n, vars, seen);
  if (!node) return Infinity;
  switch (node.type) {
    case "Literal":
      return typeof node.value === "number" ? node.value : Infinity;
    case "Identifier": {
      if (seen.includes(node.name)) return Infinity;
      const values = vars.get(node.name) ?? [null];
      return Math.max(...values.map((v) => reach(v, vars, [...seen, node.name])));
    }
    case "UnaryExpression":
      return node.operator === "!" ? 1 : node.operator === "~" ? WORD : of(node.argument);
    case "ConditionalExpression":
      return Math.max(of(node.consequent), of(node.alternate));
    case "CallExpression":
      if (OCTETS.has(node.callee.name)) return 255;
      return node.callee.property?.name === "charCodeAt" ? 65535 : Infinity;
    case "MemberExpression":
      return !node.computed && node.property.name === "length" ? WORD - 1 : Infinity;
    case "BinaryExpression": {
      const [a, b] = [of(node.left), of(node.right)];
      if (node.operator === "&") return Math.min(WORD, ...[node.left, node.right].filter((n) => n.type === "Literal").map((n) => n.value));
      if (node.operator === ">>" || node.operator === ">>>")
        return node.right.type === "Literal" ? Math.min(a, WORD) / 2 ** node.right.value : Math.min(a, WORD);
      if (node.operator === "<<") return node.right.type === "Literal" ? Math.min(a * 2 ** node.right.value, WORD) : WORD;
      if (BITS.has(node.operator)) return WORD;
      if (node.operator === "+" || node.operator === "-") return a + b;
      if (node.operator === "*") return a * b;
      if (node.operator === "%") return Math.min(a, b);
      if (node.operator === "/") return node.right.type === "Literal" && b >= 1 ? a / b : Infinity;
      return /^[<>=!]/.test(node.operator) ? 1 : Infinity;
    }
    default:
      return Infinity;
  }
}

/** The shifts of `fn` of which the code does not show that they lose nothing. */
function unproved(fn) {
  const vars = written(fn);
  const out = [];
  for (const [node] of within(fn)) {
    const isAssignment = node.type === "AssignmentExpression";
    const operator = isAssignment ? node.operator.slice(0, -1) : node.operator;
    if (!(isAssignment || node.type === "BinaryExpression")) continue;
    // `| 0` is how a number is made one of 32 bits
    const isCut = operator === "|" && node.right.value === 0;
    if (!SHIFTS.has(operator) && !isCut) continue;
    if (reach(node.left, vars) > WORD || (!isCut && reach(node.right, vars) > 31)) out.push(node);
  }
  return out;
}

/** A function of a module with the comment in front of it, or nothing. */
function textOf(source, name) {
  const at = source.search(new RegExp(`^(?:export )?function ${name}\\(`, "m"));
  if (at < 0) return undefined;
  const before = source.slice(0, at);
  const doc = /(?:^\/\/.*\n|^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)+(?![\s\S])/m.exec(before)?.[0] ?? "";
  const end = source.indexOf("\n}", at);
  return doc + source.slice(at, end < 0 ? undefined : end);
}

const comments = (text) => (text.match(/\/\*[\s\S]*?\*\/|\/\/.*$/gm) ?? []).join("\n");

/**
 * Findings on `code`, the whole verifier in one scope. `modules`: the module of each name at its top; `read`: the source of a module. A
 * bundler may have put a number behind a name that two modules have.
 */
export function checkShifts(code, modules, read) {
  const findings = [];
  if (!/^function /m.test(code)) return ["there is no function to look at"];
  for (const node of parse(code, { ecmaVersion: 5 }).body) {
    const name = node.id?.name ?? node.declarations?.[0]?.id.name ?? "?";
    const shifts = unproved(node);
    if (shifts.length === 0) continue;
    const module = modules[name];
    const source = module ? read(module) : "";
    const text = textOf(source, name) ?? textOf(source, name.replace(/\d+$/, "")) ?? "";
    if (REASON.test(comments(text))) continue;
    for (const { start, end } of shifts)
      findings.push(`${module ?? "?"} ${name}(): ${code.slice(start, end)}: nothing says that 32 bits are enough`);
  }
  return findings;
}
