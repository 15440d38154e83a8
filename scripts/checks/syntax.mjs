// Syntax trees as acorn makes them, and the ways through them that the checks share.

import { parse } from "acorn";

/** { tree, isEs5 } of a script, or of a module that need not be ES5. */
export function parsed(code) {
  try {
    return { tree: parse(code, { ecmaVersion: 5 }), isEs5: true };
  } catch {
    return { tree: parse(code, { ecmaVersion: "latest", sourceType: "module", allowReturnOutsideFunction: true }), isEs5: false };
  }
}

export const isFunction = (node) => node.type === "FunctionDeclaration" || node.type === "FunctionExpression";

/** The nodes right under a node. */
export function children(node) {
  const found = [];
  for (const key in node) {
    const value = node[key];
    if (value === null || typeof value !== "object") continue;
    if (!Array.isArray(value)) typeof value.type === "string" && found.push(value);
    else for (const child of value) if (child && typeof child.type === "string") found.push(child);
  }
  return found;
}

/** What within() has found in a tree. */
const walked = new WeakMap();

/**
 * A node and all that is in it, each with the nodes around it, the outermost first. Every rule goes through the same
 * list.
 */
export function within(tree) {
  const known = walked.get(tree);
  if (known) return known;
  const found = [];
  const visit = (node, parents) => {
    found.push([node, parents]);
    const inside = [...parents, node];
    for (const child of children(node)) visit(child, inside);
  };
  visit(tree, []);
  walked.set(tree, found);
  return found;
}
