// What no test of the sources can tell: the constants of packages/verifier/src/base/features.ts are true there, so that
// what runs only where one is false is in bundles alone, which have vectors of their own. Stryker makes no mutants of
// it.

/** What an expression is while every constant is true; undefined where it depends on more. */
function known(node) {
  if (node.type === "Identifier") return /^HAS_[A-Z0-9]+$/.test(node.name) || undefined;
  if (node.type === "UnaryExpression" && node.operator === "!") {
    const value = known(node.argument);
    return value === undefined ? undefined : !value;
  }
  if (node.type !== "LogicalExpression" || node.operator === "??") return undefined;
  const [left, right] = [known(node.left), known(node.right)];
  // what decides alone
  const decides = node.operator === "||";
  if (left === decides || right === decides) return decides;
  return left === undefined ? undefined : right;
}

/** Whether what is at `key` of its parent never runs in the sources. */
function inBundlesAlone(parent, key) {
  if (!parent) return false;
  if (parent.type === "IfStatement" || parent.type === "ConditionalExpression")
    return (key === "consequent" && known(parent.test) === false) || (key === "alternate" && known(parent.test) === true);
  return parent.type === "LogicalExpression" && key === "right" && known(parent.left) === (parent.operator === "||");
}

const ignorer = {
  shouldIgnore: ({ parent, key }) => (inBundlesAlone(parent, key) ? "in bundles alone" : undefined),
};

export const strykerPlugins = [{ kind: "Ignore", name: "features", value: ignorer }];
