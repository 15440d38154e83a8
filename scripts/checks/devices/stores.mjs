// What is stored into typed arrays. They keep a value modulo 2^8 or 2^32, and a plain array, which stands in for one in
// engines without typed arrays, keeps all of it. So the code has to show that a value fits, or a comment in the
// function has to say why it does, or that the array cuts it.

import { allScopes, resolve, scopes } from "../scopes.mjs";
import { isFunction, parsed, within } from "../syntax.mjs";
import { ranges } from "./ranges.mjs";
import { comments, commentsOf } from "./reasons.mjs";

/**
 * By kind of array: the lowest value, the highest, and what a comment may say. Signed words are stored as well, and
 * read as what they are modulo 2^32.
 */
const KINDS = {
  Uint8Array: [0, 255, /\b2\^[1-8]\b|\blow 8\b|\b0 to 255\b/],
  Uint32Array: [-2147483648, 4294967295, /\b32[ -]bits?\b|\b2\^(?:[12]?\d|3[0-2])\b/],
};

const isStore = ({ type, left }) => type === "AssignmentExpression" && left.type === "MemberExpression" && left.computed;

/**
 * What is put into variables: a function from an Identifier to expressions. Where the scopes are not those of ES5, all
 * variables of one name count as one.
 */
function valuesIn(tree, isEs5) {
  const root = isEs5 && scopes(tree);
  const scopeOf = new Map(isEs5 ? Array.from(allScopes(root), (scope) => [scope.node, scope]) : []);
  const parentsOf = new Map(within(tree));
  const variableOf = (id) => {
    if (!isEs5) return id.name;
    const inside = parentsOf.get(id).findLast((parent) => scopeOf.has(parent));
    const scope = resolve(scopeOf.get(inside), id.name);
    return scope && `${scope.node.start} ${id.name}`;
  };
  const values = new Map();
  for (const [node] of within(tree)) {
    const [id, value] = node.type === "VariableDeclarator" ? [node.id, node.init] : node.operator === "=" ? [node.left, node.right] : [];
    if (id?.type !== "Identifier" || !value) continue;
    values.set(variableOf(id), [...(values.get(variableOf(id)) ?? []), value]);
  }
  return (id) => values.get(variableOf(id)) ?? [];
}

/** By name of a function that returns a new typed array: the kind. */
function makersIn(tree) {
  const makers = new Map();
  for (const [node, parents] of within(tree)) {
    const owner = node.type === "NewExpression" && node.callee.name in KINDS && parents.findLast(isFunction);
    if (owner?.id && parents.some(({ type }) => type === "ReturnStatement")) makers.set(owner.id.name, node.callee.name);
  }
  return makers;
}

/** An element of another array fits. So does one of two. */
const isCopy = ({ type, computed, consequent, alternate }) =>
  (type === "MemberExpression" && computed) || (type === "ConditionalExpression" && isCopy(consequent) && isCopy(alternate));

/** The comments of the function around a node, and the one in front of it. */
function commentsAround(code, parents) {
  const { start, end } = parents.findLast(({ type }) => /Function/.test(type)) ?? parents[0];
  const [before = ""] = /\/\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(code.slice(0, start)) ?? [];
  return { name: "", text: comments(before + code.slice(start, end)) };
}

/**
 * Findings on the values that are stored into typed arrays. `sources`: { modules, read } of the verifier in one scope,
 * see commentsOf(). Other code has its own comments.
 */
export function checkStores(code, file, sources) {
  const { tree, isEs5 } = parsed(code);
  const valuesOf = valuesIn(tree, isEs5);
  const makers = makersIn(tree);
  const rangeOf = ranges(tree, isEs5);
  const kindOf = (value) => {
    const [made] = within(value).find(([{ callee }]) => callee && (callee.name in KINDS || makers.has(callee.name))) ?? [];
    return made && (makers.get(made.callee.name) ?? made.callee.name);
  };
  const findings = [];
  for (const [node, parents] of within(tree)) {
    if (!isStore(node) || node.left.object.type !== "Identifier" || isCopy(node.right)) continue;
    const kind = valuesOf(node.left.object).map(kindOf).find(Boolean);
    if (!kind) continue;
    const [lowest, highest, reason] = KINDS[kind];
    const [low, high] = rangeOf(node);
    if (low >= lowest && high <= highest) continue;
    const { name, text } = sources ? commentsOf(parents[1], sources.modules, sources.read) : commentsAround(code, parents);
    if (reason.test(text)) continue;
    findings.push(`${file}: ${name && `${name}(): `}${code.slice(node.start, node.end)}: nothing says that the value fits the ${kind}`);
  }
  return findings;
}
