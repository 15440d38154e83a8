// The scopes of a syntax tree: where names are declared, where they are used, and which functions call each other.

import { children, isFunction } from "./syntax.mjs";

/** Whether an Identifier names a variable, and not a property, a label or the like. */
function isReference(node, parent) {
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed;
  if (parent.type === "Property") return parent.value === node;
  if (isFunction(parent) || parent.type === "CatchClause") return false;
  if (parent.type === "VariableDeclarator") return parent.init === node;
  return !/Label|Break|Continue/.test(parent.type);
}

/** One scope for each function and one for the script: where names are declared, and where they are used. */
export function scopes(tree) {
  const make = (node, outer) => ({ node, outer, declared: new Map(), uses: [], inner: [], functions: new Map() });
  const root = make(tree, null);
  const declare = (scope, name, at) => {
    if (!scope.declared.has(name)) scope.declared.set(name, at);
  };

  function visit(node, scope, parent) {
    if (isFunction(node)) {
      const own = make(node, scope);
      own.start = node.start;
      scope.inner.push(own);
      if (node.type === "FunctionDeclaration") {
        // without hoisting a declaration takes effect where it stands
        declare(scope, node.id.name, node.start);
        scope.functions.set(node.id.name, own);
      } else {
        if (node.id) {
          declare(own, node.id.name, node.start);
          own.functions.set(node.id.name, own);
        }
        if (parent.type === "VariableDeclarator") scope.functions.set(parent.id.name, own);
      }
      for (const p of node.params) declare(own, p.name, p.start);
      declare(own, "arguments", node.start);
      visit(node.body, own, node);
      return;
    }
    if (node.type === "CatchClause") declare(scope, node.param.name, node.start);
    if (node.type === "VariableDeclarator") declare(scope, node.id.name, node.start);
    if (node.type === "Identifier" && parent && isReference(node, parent))
      scope.uses.push({
        name: node.name,
        at: node.start,
        called: parent.type === "CallExpression" && parent.callee === node,
        node,
        parent,
      });
    for (const child of children(node)) visit(child, scope, node);
  }

  visit(tree, root, null);
  return root;
}

/** A scope and all that are in it. */
export function* allScopes(scope) {
  yield scope;
  for (const inner of scope.inner) yield* allScopes(inner);
}

/** The scope in which a name is declared, seen from a scope; null for a global. */
export function resolve(scope, name) {
  for (let s = scope; s; s = s.outer) if (s.declared.has(name)) return s;
  return null;
}

/** What a call of `fn` uses of the variables of `target`, in its own body and in those of the functions there that it calls. */
export function needs(fn, target, seen) {
  if (seen.has(fn)) return [];
  seen.add(fn);
  const names = [];
  for (const inner of allScopes(fn))
    for (const use of inner.uses)
      if (resolve(inner, use.name) === target) {
        names.push(use.name);
        const called = target.functions.get(use.name);
        if (called && use.called) names.push(...needs(called, target, seen));
      }
  return names;
}

/** What each function calls by name: pairs of a scope and the use. */
export function calls(scope) {
  const out = [];
  for (const use of scope.uses) {
    const target = use.called && resolve(scope, use.name)?.functions.get(use.name);
    if (target) out.push([target, use]);
  }
  return out;
}
