// Expressions that plain runs do not reach, in functions that they call: most make an error. V8 would compile them with
// the function at each start. They become functions in a file of their own, which gets what they read of the function
// as arguments.

import { parse } from "acorn";
import { assignedBy, assignedIn, isFunction, namesIn, ownNames, partsOf, topNames } from "./first-run.mjs";

/** What is shorter stays: the call would be as long. */
const SHORTEST = 60;

/** Where an expression may be a call in its place: by the kind of what it is part of, the members. */
const PLACES = {
  ThrowStatement: ["argument"],
  ReturnStatement: ["argument"],
  ExpressionStatement: ["expression"],
  IfStatement: ["test"],
  VariableDeclarator: ["init"],
  ConditionalExpression: ["test", "consequent", "alternate"],
  LogicalExpression: ["right"],
  AssignmentExpression: ["right"],
  AwaitExpression: ["argument"],
  SequenceExpression: ["expressions"],
  CallExpression: ["arguments"],
  NewExpression: ["arguments"],
};

/** Whether a node is an expression. A function is not: it may be made where nothing calls it. */
const isExpression = ({ type }) =>
  (/Expression$/.test(type) && !/Function|Class/.test(type)) || type === "TemplateLiteral" || type === "Literal";

/** Names that mean something else in another file, or in another function. */
const BOUND = new Set(["arguments", "eval", "require", "module", "exports", "__filename", "__dirname"]);

/** The names of classes that are expressions. */
function classNames(program) {
  const names = new Set();
  const walk = (node) => {
    if (node.type === "ClassExpression" && node.id) names.add(node.id.name);
    for (const one of partsOf(node)) walk(one);
  };
  walk(program);
  return names;
}

/** The names that functions in a function assign to which are not their own. */
function assignedFromInside(outer) {
  const names = new Set();
  const walk = (node, own) => {
    const inside = isFunction(node) ? ownNames(node) : own;
    for (const name of assignedBy(node)) if (!inside.has(name)) names.add(name);
    for (const one of partsOf(node)) walk(one, inside);
  };
  walk(outer, new Set());
  return names;
}

/**
 * The identifiers in an expression that it does not declare: each with whether it is called, or a member in short form.
 * Undefined if the expression has no other meaning in a function of its own.
 */
function identifiersOf(expression, assigned) {
  const found = [];
  let closures = false;
  let moves = true;
  const walk = (node, hidden, parent) => {
    if (["AwaitExpression", "YieldExpression", "ThisExpression", "Super", "MetaProperty", "ImportExpression"].includes(node.type))
      moves = false;
    if (assignedBy(node).some((name) => !hidden.has(name))) moves = false;
    if (isFunction(node)) closures = true;
    if (node.type === "Identifier" && !hidden.has(node.name)) {
      if (BOUND.has(node.name)) moves = false;
      const isCalled = parent?.type === "CallExpression" && parent.callee === node;
      // a member in short form is its name and its value
      const isShort = parent?.type === "Property" && parent.shorthand;
      if (!found.some(({ start }) => start === node.start))
        found.push({ name: node.name, start: node.start, end: node.end, isCalled, isShort });
    }
    const inside = isFunction(node) ? new Set([...hidden, ...ownNames(node)]) : hidden;
    for (const one of partsOf(node)) walk(one, inside, node);
  };
  walk(expression, new Set(), undefined);
  // a function in it would see the value of a variable, and not the variable
  return moves && !(closures && found.some(({ name }) => assigned.has(name))) ? found : undefined;
}

/**
 * Takes unreached expressions out of the text of a script: `reached` has 1 for each position where a run came. `call`:
 * what stands for the functions. Returns the rest of the text, the functions by their names, and the names of the
 * script that these read as members of `names`.
 */
export function setAside(text, reached, call, names) {
  const program = parse(text, { ecmaVersion: 2022 });
  const top = topNames(program.body);
  /** In the outermost function or class around a node. */
  let assigned = new Set();
  let unsure = new Set();
  const classes = classNames(program);
  const needed = new Set();
  const functions = [];
  const changes = [];
  const before = new Uint32Array(text.length + 1);
  for (const [i, one] of reached.entries()) before[i + 1] = before[i] + one;
  const isReached = ({ start, end }) => before[end] > before[start];

  /** Takes an expression out, if that is possible. */
  const take = (node, locals) => {
    const all = identifiersOf(node, assigned);
    if (!all) return false;
    const given = [...new Set(all.map(({ name }) => name).filter((name) => locals.has(name)))];
    if (given.some((name) => unsure.has(name))) return false;
    let content = "";
    let at = node.start;
    for (const { name, start, end, isCalled, isShort } of all.sort((a, b) => a.start - b.start)) {
      if (locals.has(name)) continue;
      if (!top.has(name)) {
        if (!(name in globalThis)) throw new Error(`what is set aside names ${name}, which is nowhere`);
        continue;
      }
      needed.add(name);
      const member = `${names}.${name}`;
      content += `${text.slice(at, start)}${isShort ? `${name}:${member}` : isCalled ? `(0,${member})` : member}`;
      at = end;
    }
    content += text.slice(at, node.end);
    const own = `f${functions.length}`;
    functions.push(`${own}:(${given.join()})=>(${content})`);
    changes.push({ start: node.start, end: node.end, by: `${call}.${own}(${given.join()})` });
    return true;
  };

  /** `locals`: the names of the functions and classes around a node; undefined outside of them. */
  const walk = (node, locals, mayMove) => {
    if (locals && mayMove && isExpression(node) && node.end - node.start >= SHORTEST && !isReached(node) && take(node, locals)) return;
    let inside = locals;
    const isScope = isFunction(node) || (node.type === "ClassExpression" && node.id);
    if (isScope && !locals) [assigned, unsure] = [assignedIn(node), assignedFromInside(node)];
    if (isFunction(node)) {
      // it is not compiled
      if (!isReached(node)) return;
      inside = new Set([...(locals ?? []), ...ownNames(node), ...(node.id ? [node.id.name] : [])]);
    } else if (isScope) inside = new Set([...(locals ?? []), node.id.name]);
    for (const one of partsOf(node))
      walk(
        one,
        inside,
        PLACES[node.type]?.some((member) => [node[member]].flat().includes(one)),
      );
  };
  walk(program, undefined, false);

  let rest = "";
  let at = 0;
  for (const { start, end, by } of changes.sort((a, b) => a.start - b.start)) {
    rest += text.slice(at, start);
    // behind a word such as throw
    rest += /[\w$]$/.test(rest) ? ` ${by}` : by;
    at = end;
  }
  rest += text.slice(at);
  const isKnown = (name) =>
    top.has(name) || classes.has(name) || name in globalThis || BOUND.has(name) || name === call.replace(/\..*/, "");
  const unknown = [...namesIn(parse(rest, { ecmaVersion: 2022 }).body)].filter((name) => !isKnown(name));
  if (unknown.length > 0) throw new Error(`a program names ${unknown.join()}, which is nowhere`);
  return { text: rest, functions, needed: [...needed] };
}
