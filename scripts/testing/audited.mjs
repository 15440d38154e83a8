// Code that does the same, and reports operations that not every engine does as the language says: see
// docs/reference/engine-differences.md. For programs that play vectors: this shows what the code does, and not only its
// results.

import { parse } from "acorn";
import { children } from "../checks/syntax.mjs";

/** By operator: the function below that replaces it. */
const AUDITED = {
  "<<": "auditShift",
  ">>": "auditShift",
  ">>>": "auditShift",
  "&": "auditBits",
  "|": "auditBits",
  "^": "auditBits",
  "%": "auditModulo",
  "/": "auditDivision",
  "+": "auditTwo",
  "-": "auditTwo",
  "*": "auditTwo",
  "<": "auditTwo",
  ">": "auditTwo",
  "<=": "auditTwo",
  ">=": "auditTwo",
};

const OPERATIONS = Object.fromEntries(
  Object.keys(AUDITED).map((operator) => [operator, new Function("x", "y", `return x ${operator} y;`)]),
);

/** By name in the audited code: what replaces an operation. `report(place, what)` gets each finding. */
export function auditors(report) {
  const isWhole = (x, low, high) => typeof x === "number" && x % 1 === 0 && x >= low && x <= high;
  const auditTwo = (operator, x, y, place) => {
    if (x === undefined && y === undefined) report(place, "both are undefined");
    return OPERATIONS[operator](x, y);
  };
  const auditBits = (operator, x, y, place) => {
    // NaN is 0 everywhere
    for (const one of [x, y]) if (Math.abs(one) >= 2 ** 53) report(place, `bits of ${one}`);
    return auditTwo(operator, x, y, place);
  };
  return {
    auditTwo,
    auditBits,
    auditShift: (operator, x, y, place) => {
      if (!isWhole(y, 0, 31)) report(place, `a count of ${y}`);
      return auditBits(operator, x, y, place);
    },
    auditModulo: (operator, x, y, place) => {
      if (!(y > 0 && x >= 0)) report(place, `${x} modulo ${y}`);
      return auditTwo(operator, x, y, place);
    },
    auditDivision: (operator, x, y, place) => {
      // only a division by 0 shows the sign of a 0, which Espruino does not keep
      if (y === 0) report(place, `${x} by 0`);
      return auditTwo(operator, x, y, place);
    },
    auditRead: (a, i, place) => {
      if (ArrayBuffer.isView(a) && typeof i === "number" && !isWhole(i, 0, 2 ** 32)) report(place, `element ${i}`);
      return a[i];
    },
    auditStore: (a, i, x, place) => {
      const size = ArrayBuffer.isView(a) ? a.BYTES_PER_ELEMENT : 0;
      if (Array.isArray(a) ? !isWhole(i, 0, a.length) : size && !isWhole(i, 0, a.length - 1)) report(place, `element ${i} of ${a.length}`);
      // signed words are stored as well, and read as what they are modulo 2^32
      if (size === 1 && !isWhole(x, 0, 255)) report(place, `${x} as a byte`);
      if (size === 4 && !isWhole(x, -(2 ** 31), 2 ** 32 - 1)) report(place, `${x} as a word`);
      a[i] = x;
      return x;
    },
  };
}

/** Whether a member is not only read. */
const isTarget = (node, child) =>
  (node.type === "AssignmentExpression" && node.left === child) ||
  (node.type === "CallExpression" && node.callee === child) ||
  node.type === "UpdateExpression" ||
  node.operator === "delete";

/** The code of a script, with these operations audited, except in the functions whose name `isLeftOut` takes. */
export function audited(code, isLeftOut = () => false) {
  const written = (node, isRead = true) => {
    if (node.type === "FunctionDeclaration" && isLeftOut(node.id.name)) return code.slice(node.start, node.end);
    const parts = new Map(children(node).map((child) => [child, written(child, !isTarget(node, child))]));
    let text = "";
    let done = node.start;
    for (const [child, part] of [...parts].sort(([a], [b]) => a.start - b.start)) {
      text += code.slice(done, child.start) + part;
      done = child.end;
    }
    text += code.slice(done, node.end);
    const place = JSON.stringify(`${node.start} ${code.slice(node.start, node.end).replace(/\s+/g, " ").slice(0, 90)}`);
    const { type, operator, left, right, object, property, computed } = node;
    const value = parts.get(right);
    if (type === "BinaryExpression" && AUDITED[operator])
      return `${AUDITED[operator]}(${JSON.stringify(operator)}, ${parts.get(left)}, ${value}, ${place})`;
    if (type === "MemberExpression" && computed && isRead) return `auditRead(${parts.get(object)}, ${parts.get(property)}, ${place})`;
    if (type !== "AssignmentExpression") return text;
    const before = operator.slice(0, -1);
    if (left.type === "Identifier" && before) return `(${left.name} = ${AUDITED[before]}("${before}", ${left.name}, ${value}, ${place}))`;
    if (!left.computed) return text;
    const [array, index] = [written(left.object), written(left.property)];
    if (!before) return `auditStore(${array}, ${index}, ${value}, ${place})`;
    const sum = `${AUDITED[before]}("${before}", a[i], x, ${place})`;
    return `(function (a, i, x) { return auditStore(a, i, ${sum}, ${place}); })(${array}, ${index}, ${value})`;
  };
  return written(parse(code, { ecmaVersion: 5 }));
}
