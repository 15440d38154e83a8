// Arrays with holes. Engines keep them in different ways, and MicroQuickJS has none: it throws where an element is
// stored beyond the end of an array, and Espruino where an array gets a length. The vectors find what only shows when
// the code runs: scripts/test/operations.test.mjs.

import { isFunction, parsed, within } from "../syntax.mjs";
import { ranges } from "./ranges.mjs";

const isMember = (node, name) => node.type === "MemberExpression" && (node.property.name ?? node.property.value) === name;

/** Whether two expressions, made of names and dots, are the same. */
const isSame = (a, b) =>
  a.type === b.type &&
  (a.type === "MemberExpression"
    ? !a.computed && !b.computed && a.property.name === b.property.name && isSame(a.object, b.object)
    : a.type === "ThisExpression" || (a.type === "Identifier" && a.name === b.name));

/** Whether a sum is the length of this array and more. */
const isAfterEnd = (array, { left, right }) =>
  [
    [left, right],
    [right, left],
  ].some(([length, more]) => isMember(length, "length") && isSame(length.object, array) && more.value > 0);

/** By form: whether a node, with its parents, is one. */
const FORMS = {
  "a literal with a hole": (node) => node.type === "ArrayExpression" && node.elements.includes(null),
  "Array() with a length": (node) =>
    /^(New|Call)Expression$/.test(node.type) && node.callee.name === "Array" && node.arguments.length === 1,
  "an element that is deleted": (node) => node.type === "UnaryExpression" && node.operator === "delete" && node.argument.computed,
  "a length that is set": (node) =>
    (node.type === "AssignmentExpression" && isMember(node.left, "length") && node.right.value !== 0) ||
    (node.type === "UpdateExpression" && isMember(node.argument, "length")),
  "a store after the end": ({ type, left }) =>
    type === "AssignmentExpression" && left.computed && left.property.operator === "+" && isAfterEnd(left.object, left.property),
};

/** Whether a statement moves a variable other than one up. */
const jumps = (node, name) =>
  (node.type === "UpdateExpression" && node.argument.name === name && node.operator === "--") ||
  (node.type === "AssignmentExpression" && node.left.name === name && /^[-+]=$/.test(node.operator) && node.right.value !== 1);

const isLoop = ({ type }) => /^(For|ForIn|While|DoWhile)Statement$/.test(type);

/**
 * The stores beyond the end of a variable that is always one literal, as far as they can be seen: one at an index that
 * no store before it can have reached, or one in a loop that moves its index by more than one.
 */
function storesBeyond(tree) {
  const rangeOf = ranges(tree);
  return within(tree).flatMap(([{ type, id, init }, around]) => {
    if (type !== "VariableDeclarator" || init?.type !== "ArrayExpression") return [];
    const inside = within(around.findLast(isFunction) ?? tree);
    const uses = inside.filter(([node, parents]) => node.type === "Identifier" && node.name === id.name && parents.at(-1).id !== node);
    if (uses.some(([node, parents]) => parents.at(-1).type === "AssignmentExpression" && parents.at(-1).left === node)) return [];
    const stores = uses.flatMap(([node, parents]) => {
      const [store, member] = parents.slice(-2);
      return member.computed && member.object === node && store.left === member ? [[store, parents]] : [];
    });
    const isLocal = (all) => all.findLast(isFunction) === around.findLast(isFunction);
    return stores.flatMap(([store, parents], i) => {
      const { property } = store.left;
      const loops = parents.filter(isLoop);
      // what is in the same loop, or in a function that is called at some time, may come before as well
      const isRepeated = (all) => all.some((one) => loops.includes(one));
      const isAnyTime = (all) => !isLocal(parents) || !isLocal(all);
      const earlier = stores.filter(([, all], j) => j < i || (j > i && (isAnyTime(all) || (i > 0 && isRepeated(all)))));
      // other uses before it may put something in
      const isOnlyIndexed = uses.every(
        ([node, all]) =>
          (all.at(-1).computed && all.at(-1).object === node) || (node.start > store.end && !isAnyTime(all) && !isRepeated(all)),
      );
      const length = Math.max(init.elements.length, ...earlier.map(([one]) => rangeOf(one.left.property)[1] + 1));
      if (isOnlyIndexed && rangeOf(property)[0] > length) return [store];
      const loop = loops.at(-1);
      const isJumping = loop && property.type === "Identifier" && within(loop).some(([node]) => jumps(node, property.name));
      return isJumping && init.elements.length === 0 ? [store] : [];
    });
  });
}

/** Findings on a script, or on a module that need not be ES5. */
export function checkHoles(code, file) {
  const { tree, isEs5 } = parsed(code);
  const say = ({ start, end }, what) =>
    `${file}: ${code.slice(start, end).slice(0, 80)}: ${what}, and not every engine has arrays with holes`;
  const forms = within(tree).flatMap(([node]) => Object.entries(FORMS).flatMap(([what, isOne]) => (isOne(node) ? [say(node, what)] : [])));
  return [...forms, ...(isEs5 ? storesBeyond(tree) : []).map((node) => say(node, "a store beyond the end"))];
}
