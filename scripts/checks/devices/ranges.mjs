// The range that the value of an expression has, as far as a syntax tree shows it: [lowest, highest], and [-Infinity,
// Infinity] if nothing is known. A variable has the values that are ever put into it, a parameter those of all calls,
// both less what the conditions around the place exclude. A value that is not a number has no range of its own: it
// counts as unknown.

import { allScopes, resolve, scopes } from "../scopes.mjs";
import { isFunction, within } from "../syntax.mjs";

const WORD = 4294967296;
const UNKNOWN = [-Infinity, Infinity];
/** What `&`, `|`, `^`, `~` and shifts give. */
const INT32 = [-WORD / 2, WORD / 2 - 1];

/** Functions that return one octet. */
const OCTETS = new Set(["byteAt"]);

/** `0 < i` as `i > 0`. */
const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "===": "===", "==": "==" };
const OPPOSITE = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" };

const join = (ranges) => (ranges.length ? [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))] : UNKNOWN);
const meet = ([a, b], [c, d]) => [Math.max(a, c), Math.min(b, d)];

/** The corners of an operation that is monotonic in both operands. 0 * Infinity has no value: nothing is known. */
function corners([a, b], [c, d], of) {
  const all = [of(a, c), of(a, d), of(b, c), of(b, d)];
  return all.some(Number.isNaN) ? UNKNOWN : [Math.min(...all), Math.max(...all)];
}

const OPERATIONS = {
  "+": ([a, b], [c, d]) => [a + c, b + d],
  "-": ([a, b], [c, d]) => [a - d, b - c],
  "*": (left, right) => corners(left, right, (x, y) => x * y),
  "/": (left, [c, d]) => (c > 0 ? corners(left, [c, d], (x, y) => x / y) : UNKNOWN),
  // the sign is that of the left side
  "%": ([a, b], [c, d]) => {
    const most = Math.max(Math.abs(c), Math.abs(d));
    return [a >= 0 ? 0 : -most, b <= 0 ? 0 : most];
  },
  "&": ([a, b], [c, d]) => {
    // of what is not negative in 32 bits, no bit is added
    const masks = [];
    if (a >= 0 && b < WORD / 2) masks.push(b);
    if (c >= 0 && d < WORD / 2) masks.push(d);
    return masks.length ? [0, Math.min(...masks)] : INT32;
  },
  ">>": ([a, b], [c, d]) =>
    a >= 0 && b < WORD / 2 && c === d && c >= 0 && c < 32 ? [0, b / 2 ** c] : a >= 0 && b < WORD / 2 ? [0, b] : INT32,
  ">>>": (_, [c, d]) => [0, c === d && c >= 0 && c < 32 ? (WORD - 1) / 2 ** c : WORD - 1],
  "<<": ([a, b], [c, d]) => (a >= 0 && c >= 0 && d < 32 && b * 2 ** d < WORD / 2 ? [a * 2 ** c, b * 2 ** d] : INT32),
};

/**
 * The ranges of the variables in `tree`, which is ES5: a function from an Identifier, and the variables that are being
 * examined, to a range. `expressions`: { rangeOf, operation }, see ranges().
 */
function variablesIn(tree, { rangeOf, operation }) {
  const root = scopes(tree);
  const scopeOf = new Map();
  const parentsOf = new Map(within(tree));
  for (const scope of allScopes(root)) scopeOf.set(scope.node, scope);
  const scopeAt = (node) => {
    const inside = parentsOf.get(node).findLast((parent) => scopeOf.has(parent));
    return scopeOf.get(inside ?? tree);
  };
  /** By scope and name: the nodes that put something into the variable. */
  const writes = new Map(Array.from(allScopes(root), (scope) => [scope, new Map()]));
  const put = (name, from, node) => {
    const scope = resolve(from, name);
    if (!scope) return;
    const all = writes.get(scope);
    all.set(name, [...(all.get(name) ?? []), node]);
  };
  for (const [node] of within(tree)) {
    if (node.type === "VariableDeclarator" && node.init) put(node.id.name, scopeAt(node), node);
    if (node.type === "AssignmentExpression" && node.left.type === "Identifier") put(node.left.name, scopeAt(node), node);
    if (node.type === "UpdateExpression" && node.argument.type === "Identifier") put(node.argument.name, scopeAt(node), node);
    if (node.type === "CatchClause") put(node.param.name, scopeAt(node), node);
    if (node.type === "ForInStatement") put(node.left.name ?? node.left.declarations[0].id.name, scopeAt(node), node);
  }

  const usesOf = (scope, name) =>
    [...allScopes(scope)].flatMap((from) => from.uses.filter((use) => use.name === name && resolve(from, name) === scope));

  /** The arguments that a parameter gets, or undefined where a call cannot be seen. */
  function argumentsOf(scope, name) {
    const { node } = scope;
    const place = node.params?.findIndex((parameter) => parameter.name === name) ?? -1;
    if (place < 0) return [];
    const own = node.type === "FunctionDeclaration" && scope.outer;
    const uses = own ? usesOf(own, node.id.name) : [];
    if (uses.length === 0 || own.functions.get(node.id.name) !== scope || writes.get(own).has(node.id.name)) return undefined;
    if (scope.uses.some((use) => use.name === "arguments") || !uses.every((use) => use.called)) return undefined;
    return uses.map((use) => use.parent.arguments[place]);
  }

  const assigns = (node, name) =>
    (node.type === "AssignmentExpression" && node.left.name === name) ||
    (node.type === "UpdateExpression" && node.argument.name === name) ||
    (node.type === "VariableDeclarator" && node.init && node.id.name === name) ||
    isFunction(node);
  const isUnchanged = (part, name) => !within(part).some(([node]) => assigns(node, name));

  /** Whether the update of a for loop leaves a variable alone, but for a last step: `i++`, or `i -= 2`. */
  function isOnlyStep(update, name) {
    const parts = update.type === "SequenceExpression" ? update.expressions : [update];
    const last = parts.at(-1);
    const isStep = (last.argument ?? last.left)?.name === name && assigns(last, name);
    return parts.slice(0, -1).every((part) => isUnchanged(part, name)) && isUnchanged(isStep ? (last.right ?? last.argument) : last, name);
  }

  /** What a condition that holds, or does not, says about a variable. */
  function told(test, name, holds, seen) {
    if (test.type === "LogicalExpression" && test.operator === (holds ? "&&" : "||"))
      return meet(told(test.left, name, holds, seen), told(test.right, name, holds, seen));
    if (test.type === "UnaryExpression" && test.operator === "!") return told(test.argument, name, !holds, seen);
    if (test.type !== "BinaryExpression" || !(test.operator in MIRRORED)) return UNKNOWN;
    const isLeft = test.left.type === "Identifier" && test.left.name === name;
    const other = isLeft ? test.right : test.left;
    if (!isLeft && !(test.right.type === "Identifier" && test.right.name === name)) return UNKNOWN;
    const operator = isLeft ? test.operator : MIRRORED[test.operator];
    const [low, high] = rangeOf(other, seen);
    switch (holds ? operator : OPPOSITE[operator]) {
      case "<":
        // indices and counts are integers
        return [-Infinity, Number.isInteger(high) ? high - 1 : high];
      case "<=":
        return [-Infinity, high];
      case ">":
        return [Number.isInteger(low) ? low + 1 : low, Infinity];
      case ">=":
        return [low, Infinity];
      case "===":
      case "==":
        return holds ? [low, high] : UNKNOWN;
      default:
        return UNKNOWN;
    }
  }

  /** What the conditions around `node` say about the variable that it names. */
  function guarded(node, seen) {
    let range = UNKNOWN;
    let inside = node;
    const scope = resolve(scopeAt(node), node.name);
    // a call might change it
    if (
      writes
        .get(scope)
        .get(node.name)
        ?.some((write) => scopeAt(write) !== scopeAt(node))
    )
      return UNKNOWN;
    for (const parent of parentsOf.get(node).toReversed()) {
      if (isFunction(parent)) break;
      const { type, test } = parent;
      const isChoice = type === "IfStatement" || type === "ConditionalExpression";
      const isLoop = type === "ForStatement" || type === "WhileStatement";
      const says = (condition, holds) => {
        // a condition that changes the variable itself says nothing about it afterwards
        if (isUnchanged(condition, node.name)) range = meet(range, told(condition, node.name, holds, seen));
      };
      if (isChoice && inside !== test && isUnchanged(inside, node.name)) says(test, inside === parent.consequent);
      if (isLoop && test && inside === parent.body && isUnchanged(inside, node.name)) says(test, true);
      // after the body of a for that leaves it alone, its last statement still finds what the condition said
      if (
        type === "ForStatement" &&
        test &&
        inside === parent.update &&
        isUnchanged(parent.body, node.name) &&
        isOnlyStep(inside, node.name)
      )
        says(test, true);
      if (type === "LogicalExpression" && inside === parent.right && isUnchanged(inside, node.name))
        says(parent.left, parent.operator === "&&");
      inside = parent;
    }
    return range;
  }

  /** How a statement moves its variable: up, down, or nowhere known. */
  function step(node, seen) {
    if (node.type === "UpdateExpression") return node.operator === "++" ? [1, 1] : [-1, -1];
    const { operator } = node;
    if (operator === "+=") return rangeOf(node.right, seen);
    if (operator === "-=") return OPERATIONS["-"]([0, 0], rangeOf(node.right, seen));
    return undefined;
  }

  function variable(node, seen) {
    const scope = resolve(scopeAt(node), node.name);
    const key = scope && `${scope.node.start} ${node.name}`;
    if (!scope || seen.includes(key)) return UNKNOWN;
    const inner = [...seen, key];
    const given = argumentsOf(scope, node.name);
    if (!given || scope.functions.has(node.name)) return UNKNOWN;
    const values = given.map((argument) => rangeOf(argument, inner));
    let [up, down] = [false, false];
    for (const write of writes.get(scope).get(node.name) ?? []) {
      const moves = step(write, inner);
      if (moves) {
        up ||= moves[1] > 0;
        down ||= moves[0] < 0;
      } else if (write.type === "VariableDeclarator") values.push(rangeOf(write.init, inner));
      else if (write.type === "AssignmentExpression") {
        const { operator, left, right } = write;
        values.push(operator === "=" ? rangeOf(right, inner) : operation(operator.slice(0, -1), left, right, inner));
      } else return UNKNOWN;
    }
    const [low, high] = join(values);
    return meet([down ? -Infinity : low, up ? Infinity : high], guarded(node, inner));
  }
  return variable;
}

/**
 * The ranges of what is in `tree`: a function from a node of it to a range. `tree`: ES5. In other code, `isPlain` is
 * false, and nothing is known about variables: their scopes are not those of ES5.
 */
export function ranges(tree, isPlain = true) {
  function operation(operator, left, right, seen) {
    const of = OPERATIONS[operator];
    if (of) return of(rangeOf(left, seen), rangeOf(right, seen));
    if (operator === "|" || operator === "^") return INT32;
    return operator in MIRRORED || /^[=!]/.test(operator) ? [0, 1] : UNKNOWN;
  }

  function rangeOf(node, seen = []) {
    switch (node?.type) {
      case "Literal":
        return typeof node.value === "number"
          ? [node.value, node.value]
          : typeof node.value === "boolean"
            ? [+node.value, +node.value]
            : UNKNOWN;
      case "Identifier":
        return variable(node, seen);
      case "UnaryExpression":
        if (node.operator === "!") return [0, 1];
        if (node.operator === "~") return INT32;
        if (node.operator === "-") return OPERATIONS["-"]([0, 0], rangeOf(node.argument, seen));
        return node.operator === "+" ? rangeOf(node.argument, seen) : UNKNOWN;
      case "ConditionalExpression":
        return join([rangeOf(node.consequent, seen), rangeOf(node.alternate, seen)]);
      case "LogicalExpression":
        return join([rangeOf(node.left, seen), rangeOf(node.right, seen)]);
      case "SequenceExpression":
        return rangeOf(node.expressions.at(-1), seen);
      case "AssignmentExpression":
        return node.operator === "=" ? rangeOf(node.right, seen) : operation(node.operator.slice(0, -1), node.left, node.right, seen);
      case "UpdateExpression":
        return node.argument.type === "Identifier" ? rangeOf(node.argument, seen) : UNKNOWN;
      case "MemberExpression":
        return !node.computed && node.property.name === "length" ? [0, WORD - 1] : UNKNOWN;
      case "CallExpression":
        if (OCTETS.has(node.callee.name)) return [0, 255];
        return node.callee.property?.name === "charCodeAt" ? [0, 65535] : UNKNOWN;
      case "BinaryExpression":
        return operation(node.operator, node.left, node.right, seen);
      default:
        return UNKNOWN;
    }
  }
  const variable = isPlain ? variablesIn(tree, { rangeOf, operation }) : () => UNKNOWN;
  return rangeOf;
}
