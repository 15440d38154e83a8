// The subset of the language that Espruino, JerryScript, Duktape, MuJS, QuickJS and XS all run, as rules over the
// syntax tree. The parser refuses what is newer than ES5; the rules are about what is ES5 and still fails somewhere.

import { parse } from "acorn";
import { allScopes, calls, needs, resolve, scopes } from "./scopes.mjs";
import { isFunction, within } from "./syntax.mjs";

/** Typed arrays that a bundle may use, behind a `typeof`. */
const TYPED = ["Uint8Array", "Uint32Array", "Float64Array"];

/** Names from outside that a bundle may use. The optional ones are used only after a `typeof`. */
const GLOBALS = new Set([
  "module",
  "exports",
  "WebAssembly",
  "Math",
  "Error",
  "Object",
  "String",
  "undefined",
  "arguments",
  "parseInt",
  ...TYPED,
]);

/** Exact and present everywhere. Espruino lacks imul, trunc and clz32, and its round and pow are not the standard's. */
const MATH = new Set(["floor", "abs", "min", "max"]);

/** Of these, what our own objects have as names of data: only a call is meant. */
const AS_DATA = new Set(["at", "raw", "values", "entries"]);

/** What only some engines have: asked for with `typeof` in the function that uses it, or in one around it. */
const OPTIONAL = new Set(["module", "exports", "WebAssembly", ...TYPED]);

const OBJECT = new Set(["keys", "prototype"]);

/** Methods and properties that some engine lacks, or has with another meaning, on arrays, typed arrays or strings. */
const MEMBERS = {
  fill: "typed arrays of Duktape and MuJS have none",
  from: "Espruino and ES5 engines have none",
  of: "Espruino and ES5 engines have none",
  copyWithin: "Espruino has none",
  slice: "typed arrays of Duktape have none, and Espruino's gives a plain array",
  buffer: "Duktape gives another object for a subarray",
  BYTES_PER_ELEMENT: "Espruino has none on an instance",
  substr: "MuJS has none",
  includes: "ES5 engines have none",
  find: "ES5 engines have none",
  findIndex: "ES5 engines have none",
  startsWith: "ES5 engines have none",
  endsWith: "ES5 engines have none",
  repeat: "ES5 engines have none",
  padStart: "ES5 engines have none",
  codePointAt: "ES5 engines have none",
  padEnd: "ES5 engines have none",
  trimStart: "ES5 engines have none",
  trimEnd: "ES5 engines have none",
  matchAll: "ES5 engines have none",
  replaceAll: "ES5 engines have none",
  normalize: "ES5 engines have none",
  localeCompare: "differs from engine to engine",
  raw: "ES5 engines have none",
  at: "ES5 engines have none",
  entries: "ES5 engines have none",
  values: "ES5 engines have none",
  findLast: "ES5 engines have none",
  flat: "ES5 engines have none",
  flatMap: "ES5 engines have none",
  toSorted: "ES5 engines have none",
  assign: "ES5 engines have none",
  isInteger: "Espruino has none",
  isSafeInteger: "Espruino has none",
  freeze: "Espruino has none",
  defineProperty: "not every engine takes accessors",
  __defineGetter__: "not every engine takes accessors",
  __defineSetter__: "not every engine takes accessors",
  constructor: "the errors of Espruino's engine have no class",
  ["__proto__"]: "behaves differently everywhere",
};

function walk(tree, visit) {
  for (const [node, parents] of within(tree)) visit(node, parents);
}

function memberName(node) {
  if (!node.computed) return node.property.name;
  return node.property.type === "Literal" ? String(node.property.value) : undefined;
}

/** Every call that can come back to the function around it. What is handed on as a value is not seen. */
function recursion(root, report) {
  const reaches = (from, goal, seen) => {
    if (from === goal) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return calls(from).some(([target]) => reaches(target, goal, seen));
  };
  for (const scope of allScopes(root))
    for (const [target, use] of calls(scope))
      if (reaches(target, scope, new Set())) report(use.node, `${use.name}() comes back to itself: the stacks of small engines are short`);
}

function hoisting(root, report) {
  for (const scope of allScopes(root))
    for (const use of scope.uses) {
      const declared = scope.declared.get(use.name);
      if (declared === undefined) continue;
      if (declared > use.at) report(use.node, `${use.name} is used before its declaration`);
      const fn = use.called && scope.functions.get(use.name);
      if (!fn) continue;
      for (const name of new Set(needs(fn, scope, new Set())))
        if (scope.declared.get(name) > use.at) report(use.node, `${use.name}() is called before ${name}, which it needs, is declared`);
    }
}

/** The terms of a sum, as text. */
function terms(node, code) {
  if (node.type === "BinaryExpression" && node.operator === "+") return [...terms(node.left, code), ...terms(node.right, code)];
  return [code.slice(node.start, node.end)];
}

/**
 * Whether a view ends below 64 KB: the code calls `b.subarray(from, to)` only after `b.byteOffset + … < 65536`, with
 * every term of `to` in the sum. An array without byteOffset fails the comparison.
 */
function isBounded(call, parents, code) {
  const [from, to, ...more] = call.arguments;
  if (!from || !to || more.length || call.callee.object.type !== "Identifier") return false;
  let inside = call;
  for (const node of parents.toReversed()) {
    if (isFunction(node)) return false;
    const { test } = node;
    const guards = (node.type === "IfStatement" || node.type === "ConditionalExpression") && node.consequent === inside;
    if (guards && test.type === "BinaryExpression" && test.operator === "<" && test.right.value <= 65536) {
      const sum = terms(test.left, code);
      const wanted = [`${call.callee.object.name}.byteOffset`, ...terms(to, code)];
      const isSimple = /^(return|expression)/i.test(inside.type) || inside === call;
      if (isSimple && wanted.every((term) => sum.includes(term))) return true;
    }
    inside = node;
  }
  return false;
}

/**
 * Compound assignments whose right side may change what is on the left: `x += (x = 5)`, or `x += f()` where another
 * function changes x.
 */
function compound(tree, report, root) {
  const assigned = ({ type, left, argument }) =>
    type === "AssignmentExpression" ? left.name : type === "UpdateExpression" ? argument.name : undefined;
  // by variable, as its scope and name: the functions that change it
  const changers = new Map();
  const isIn = (node, from) => node.start >= from.start && node.end <= from.end;
  const scopeAt = (node) => [...allScopes(root)].findLast((scope) => isIn(node, scope.node));
  const key = (scope, name) => `${resolve(scope, name)?.node.start} ${name}`;
  const found = [];
  walk(tree, (node) => {
    const name = assigned(node);
    if (!name) return;
    const scope = scopeAt(node);
    changers.set(key(scope, name), [...(changers.get(key(scope, name)) ?? []), scope]);
    if (node.type === "AssignmentExpression" && node.operator !== "=") found.push([node, scope, name]);
  });
  for (const [node, scope, name] of found) {
    const inside = within(node.right).map(([part]) => part);
    const isChanged = inside.some((part) => assigned(part) === name);
    const isCalled =
      inside.some(({ type }) => type === "CallExpression") && changers.get(key(scope, name)).some((other) => other !== scope);
    if (isChanged || isCalled) report(node, `${name}: Espruino reads the left side after the right one, which may change it`);
  }
}

/** By name: a function (tree, report, root scope, code). `report(node, text)` records a finding. */
export const RULES = {
  label(tree, report) {
    walk(tree, (node) => {
      if (node.type === "LabeledStatement") report(node, "Espruino has no labels");
    });
  },
  "default-last"(tree, report) {
    walk(tree, (node) => {
      if (node.type !== "SwitchStatement") return;
      const at = node.cases.findIndex((c) => !c.test);
      if (at >= 0 && at !== node.cases.length - 1) report(node.cases[at], "Espruino needs `default` to be the last case");
    });
  },
  "function-in-block"(tree, report) {
    walk(tree, (node, parents) => {
      if (node.type !== "FunctionDeclaration") return;
      const parent = parents.at(-1);
      const body = parent.type === "BlockStatement" && isFunction(parents.at(-2));
      if (parent.type !== "Program" && !body) report(node, "XS refuses a function declared in a block");
    });
  },
  math(tree, report) {
    walk(tree, (node) => {
      if (node.type === "MemberExpression" && node.object.name === "Math" && !MATH.has(memberName(node)))
        report(node, `Math.${memberName(node)} is missing or not exact on some engine`);
    });
    walk(tree, (node, parents) => {
      const parent = parents.at(-1);
      if (node.type === "Identifier" && node.name === "Math" && !(parent.type === "MemberExpression" && parent.object === node))
        report(node, "Math under another name cannot be checked");
    });
  },
  member(tree, report) {
    walk(tree, (node, parents) => {
      if (node.type !== "MemberExpression") return;
      const name = memberName(node);
      const isCalled = parents.at(-1).callee === node;
      if (name !== undefined && Object.hasOwn(MEMBERS, name) && (isCalled || !AS_DATA.has(name)))
        report(node, `.${name}: ${MEMBERS[name]}`);
      if (node.object.name === "Object" && !OBJECT.has(name)) report(node, `Object.${name} is missing on some engine`);
    });
  },
  view(tree, report, _root, code) {
    walk(tree, (node, parents) => {
      if (node.type !== "MemberExpression" || memberName(node) !== "subarray") return;
      const call = parents.at(-1);
      if (call.type !== "CallExpression" || call.callee !== node || node.computed || !isBounded(call, parents.slice(0, -1), code))
        report(node, ".subarray: Espruino throws at an offset of 64 KB or more, and nothing here shows that it is less");
    });
  },
  search(tree, report) {
    walk(tree, (node) => {
      if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression" || memberName(node.callee) !== "indexOf") return;
      const { value } = node.callee.object;
      if (typeof value !== "string") return;
      let wanted = "0123456789-";
      walk(node, (part) => {
        if (part !== node.callee.object && typeof part.value === "string") wanted += part.value;
      });
      if (wanted.includes(value.slice(-1)))
        report(node, "Espruino's indexOf() also finds what begins as the text ends: end it in a character of its own");
    });
  },
  global(_tree, report, root) {
    for (const scope of allScopes(root))
      for (const use of scope.uses)
        if (!resolve(scope, use.name) && !GLOBALS.has(use.name)) report(use.node, `${use.name} is not on every engine`);
  },
  optional(_tree, report, root) {
    const isAsked = (scope, name) => {
      for (let s = scope; s; s = s.outer)
        if (s.uses.some((u) => u.name === name && u.parent.type === "UnaryExpression" && u.parent.operator === "typeof")) return true;
      return false;
    };
    for (const scope of allScopes(root))
      for (const use of scope.uses)
        if (OPTIONAL.has(use.name) && !resolve(scope, use.name) && !isAsked(scope, use.name))
          report(use.node, `${use.name} is not on every engine: no \`typeof\` asks for it`);
  },
  number(tree, report) {
    walk(tree, (node, parents) => {
      if (node.type !== "Literal" || typeof node.value !== "number") return;
      // Espruino's decimal parser does not round correctly, even 2^-16 comes out wrong; integers up to 2^53 are exact
      if (!Number.isSafeInteger(node.value)) report(node, `${node.raw} is not an exact integer literal`);
      const parent = parents.at(-1);
      if (node.value === 0 && parent.type === "UnaryExpression" && parent.operator === "-") report(node, "Espruino has no -0");
    });
  },
  name(tree, report) {
    walk(tree, (node) => {
      const ids = isFunction(node)
        ? [node.id, ...node.params]
        : node.type === "VariableDeclarator"
          ? [node.id]
          : node.type === "CatchClause"
            ? [node.param]
            : [];
      for (const id of ids) if (id && (id.name === "of" || id.name === "get")) report(id, `Espruino takes no variable named ${id.name}`);
    });
  },
  "for-function"(tree, report, _root, code) {
    walk(tree, (node) => {
      if (node.type === "ForStatement" && node.init && code.startsWith("function", node.init.start))
        report(node, "Espruino takes a function at the head of a for for a declaration");
    });
  },
  "last-return"(tree, report, _root, code) {
    walk(tree, (node) => {
      if (node.type === "ReturnStatement" && code.slice(node.start, node.end) === "return")
        report(node, "Espruino misses the end of a function whose last word is return: it needs a semicolon");
    });
  },
  accessor(tree, report) {
    walk(tree, (node) => {
      if (node.type === "Property" && node.kind !== "init") report(node, "getters and setters are not on every engine");
    });
  },
  instanceof(tree, report) {
    walk(tree, (node) => {
      if (node.type === "BinaryExpression" && node.operator === "instanceof" && /Error$/.test(node.right.name ?? ""))
        report(node, "the errors of Espruino's engine have no class");
    });
  },
  character(tree, report, _root, code) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant
    const high = /[^\x00-\xff]/;
    walk(tree, (node) => {
      if (node.type === "Literal" && typeof node.value === "string" && high.test(node.value))
        report(node, "Espruino has no characters above U+00FF");
    });
    if (high.test(code)) report(tree, "the text has a character above U+00FF, if only in a comment");
  },
  regex(tree, report) {
    walk(tree, (node) => {
      if (node.type === "Literal" && node.regex) report(node, "regular expressions differ from engine to engine");
    });
  },
  index(tree, report) {
    walk(tree, (node) => {
      if (node.type === "MemberExpression" && node.computed && node.property.type === "UnaryExpression" && node.property.operator === "-")
        report(node, "Espruino throws where a typed array is read at a negative index");
    });
  },
  "for-in"(tree, report) {
    walk(tree, (node) => {
      if (node.type === "ForInStatement") report(node, "the order of keys, and what is inherited, differ from engine to engine");
    });
  },
  statement(tree, report) {
    walk(tree, (node) => {
      if (node.type === "WithStatement" || node.type === "DebuggerStatement") report(node, "not on every engine");
    });
  },
  compound(tree, report, root) {
    compound(tree, report, root);
  },
  recursion(_tree, report, root) {
    recursion(root, report);
  },
  hoisting(_tree, report, root) {
    hoisting(root, report);
  },
};

/**
 * The findings of every rule on a script, as "file:line:column rule: text". A script that is not ES5 has one finding,
 * `syntax`.
 */
export function checkEs5(code, file) {
  let tree;
  try {
    tree = parse(code, { ecmaVersion: 5, locations: true });
  } catch (error) {
    return [`${file} syntax: not ES5: ${error.message}`];
  }
  const root = scopes(tree);
  const findings = [];
  for (const [name, rule] of Object.entries(RULES))
    rule(tree, (node, text) => findings.push(`${file}:${node.loc.start.line}:${node.loc.start.column + 1} ${name}: ${text}`), root, code);
  return findings;
}
