// Syntax trees as acorn makes them, and the ways through them that the checks share.

export const isFunction = (node) => node.type === "FunctionDeclaration" || node.type === "FunctionExpression";

/** The nodes right under a node. */
export function* children(node) {
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (child && typeof child.type === "string") yield child;
}

/** A node and all that is in it, each with the nodes around it, the outermost first. */
export function* within(node, parents = []) {
  yield [node, parents];
  const inside = [...parents, node];
  for (const child of children(node)) yield* within(child, inside);
}
