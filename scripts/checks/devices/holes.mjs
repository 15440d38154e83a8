// Arrays with holes. Engines keep them in different ways, and MicroQuickJS has none: it throws where an element is
// stored beyond the end of an array, and Espruino where an array gets a length. The vectors find what only shows when
// the code runs: scripts/test/operations.test.mjs.

import { isFunction, parsed, within } from "../syntax.mjs";
import { ranges } from "./ranges.mjs";

const isMember = (node, name) => node.type === "MemberExpression" && (node.property.name ?? node.property.value) === name;

/** By form: whether a node, with its parents, is one. */
const FORMS = {
  "a literal with a hole": (node) => node.type === "ArrayExpression" && node.elements.includes(null),
  "Array() with a length": (node) =>
    /^(New|Call)Expression$/.test(node.type) && node.callee.name === "Array" && node.arguments.length === 1,
  "an element that is deleted": (node) => node.type === "UnaryExpression" && node.operator === "delete" && node.argument.computed,
  "a length that is set": (node) => node.type === "AssignmentExpression" && isMember(node.left, "length") && node.right.value !== 0,
};

/** Whether a statement moves a variable other than one up. */
const jumps = (node, name) =>
  (node.type === "UpdateExpression" && node.argument.name === name && node.operator === "--") ||
  (node.type === "AssignmentExpression" && node.left.name === name && /^[-+]=$/.test(node.operator) && node.right.value !== 1);

/**
 * The stores beyond the end of a variable that is always one literal, as far as they can be seen: the first one, at an
 * index that the array does not have yet, or one in a loop that moves its index by more than one.
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
    // other uses may put something in
    const isOnlyIndexed = uses.every(([node, parents]) => parents.at(-1).computed && parents.at(-1).object === node);
    return stores.flatMap(([store, parents], i) => {
      const { property } = store.left;
      if (i === 0 && isOnlyIndexed && rangeOf(property)[0] > init.elements.length) return [store];
      const loop = parents.findLast((parent) => /^(For|While|DoWhile)Statement$/.test(parent.type));
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
