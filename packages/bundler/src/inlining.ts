// Functions that are called in one place become part of the function that calls them: a call, its head and its
// `return` take some 20 bytes. terser does so only with a function that is one expression; it turns others into
// function expressions, which an engine creates for each call.

import { childrenOf, isFunction, type Node } from "./naming.js";

const identifier = (name: string): Node => ({ type: "Identifier", name });
const statement = (expression: Node): Node => ({ type: "ExpressionStatement", expression });
const block = (node: Node): Node => (node.type === "BlockStatement" ? node : { type: "BlockStatement", body: [node] });
const assignment = (left: Node, right: Node): Node => ({ type: "AssignmentExpression", operator: "=", left, right });
const nothing = (): Node => ({
  type: "UnaryExpression",
  operator: "void",
  prefix: true,
  argument: { type: "Literal", value: 0, raw: "0" },
});
const bodyOf = (fn: Node) => (fn["body"] as Node)["body"] as Node[];
const parametersOf = (fn: Node) => (fn["params"] as Node[]).map(({ name }) => name as string);

/** The nodes below, and the node itself; `deep`: also those of functions inside. */
function within(node: Node, deep = true, found: Node[] = []): Node[] {
  found.push(node);
  for (const child of childrenOf(node)) if (deep || !isFunction(child)) within(child, deep, found);
  return found;
}

/** The names that a function declares, parameters included. */
function localsOf(fn: Node): Set<string> {
  const names = new Set(parametersOf(fn));
  for (const { type, id, param } of within(fn["body"] as Node, false) as (Node & { id: Node; param: Node })[]) {
    if (type === "VariableDeclarator" || type === "FunctionDeclaration") names.add(id.name as string);
    if (type === "CatchClause") names.add(param.name as string);
  }
  // a function that is declared inside is not entered
  for (const { type, id } of childrenOf(fn["body"] as Node) as (Node & { id: Node })[])
    if (type === "FunctionDeclaration") names.add(id.name as string);
  return names;
}

const isNamed = (node: unknown, name: string) => (node as Node | undefined)?.type === "Identifier" && (node as Node).name === name;

/** Whether the node gives a variable a value. */
const assigns = (node: Node, name: string) =>
  (node.type === "AssignmentExpression" && isNamed(node["left"], name)) ||
  (node.type === "UpdateExpression" && isNamed(node["argument"], name)) ||
  (node.type === "VariableDeclarator" && isNamed(node["id"], name) && node["init"] !== null);

const mentions = (node: Node, name: string) => within(node).some((n) => isNamed(n, name));

/** Replaces identifiers with other nodes. */
function substitute(node: Node, by: ReadonlyMap<string, Node>): void {
  const other = (child: unknown) => {
    const given = (child as Node | null)?.type === "Identifier" ? by.get((child as Node).name as string) : undefined;
    return given ? structuredClone(given) : child;
  };
  for (const [key, value] of Object.entries(node)) {
    if ((key === "property" || key === "key") && !node["computed"]) continue;
    if (Array.isArray(value)) for (const [i, child] of value.entries()) value[i] = other(child);
    else node[key] = other(value);
  }
  for (const child of childrenOf(node)) substitute(child, by);
}

/** Makes assignments of the declarations in a function: its caller declares the variables. */
function undeclare(node: Node): void {
  const assigned = (d: Node) => assignment(d["id"] as Node, d["init"] as Node);
  const declarations = (n: Node) => (n["declarations"] as Node[]).filter(({ init }) => init);
  for (const [key, value] of Object.entries(node)) {
    if (Array.isArray(value))
      node[key] = value.flatMap((child) =>
        child?.type === "VariableDeclaration" ? declarations(child).map((d) => statement(assigned(d))) : [child],
      );
    // the head of a loop
    else if ((value as Node | null)?.type === "VariableDeclaration") {
      const expressions = declarations(value as Node).map(assigned);
      node[key] = expressions.length > 1 ? { type: "SequenceExpression", expressions } : (expressions[0] ?? null);
    }
  }
  for (const child of childrenOf(node)) if (!isFunction(child)) undeclare(child);
}

/**
 * Whether the first thing that a function does with a variable is to assign it, at the top of its body. If not, it may
 * rely on `undefined` there, and find the value of the call before.
 */
function isAssignedFirst(body: readonly Node[], name: string): boolean {
  const steps = body.flatMap((s) => (s.type === "VariableDeclaration" ? (s["declarations"] as Node[]).filter((d) => d["init"]) : [s]));
  const first = steps.find((s) => mentions(s, name));
  if (first?.type === "VariableDeclarator") return isNamed(first["id"], name) && !mentions(first["init"] as Node, name);
  const expression =
    first?.type === "ExpressionStatement" ? first["expression"] : first?.type === "ForStatement" ? first["init"] : undefined;
  const { type, left, right } = (expression ?? {}) as Node & { left?: Node; right?: Node };
  return !first || (type === "AssignmentExpression" && isNamed(left, name) && !mentions(right as Node, name));
}

/** Where a function is called: in which one, whether in a loop, whether directly in its body. */
interface Place {
  host: Node;
  /** The functions around, without the verifier's own. */
  around: readonly Node[];
  looped: boolean;
  direct: boolean;
}

/**
 * The statements that replace a call, whose value goes to `target`, or is returned. Undefined if that is not possible.
 */
function statementsOf(call: Node, fn: Node, place: Place, result: Node | "return" | undefined, count: number): Node[] | undefined {
  const { host, looped, direct } = place;
  const all = within(fn["body"] as Node);
  const inner = all.filter(isFunction);
  const locals = localsOf(fn);
  const last = bodyOf(fn).at(-1);
  const returns = within(fn["body"] as Node, false).filter((n) => n.type === "ReturnStatement");
  if (all.some((n) => n.type === "ThisExpression" || n.type === "ForInStatement" || isNamed(n, "arguments"))) return undefined;
  if (result !== "return" && returns.some((n) => n !== last)) return undefined;
  if (result && result !== "return" && returns.length === 0) return undefined;
  // the parameter of a catch clause is replaced in the whole function: nothing outside of the clause may use its name
  const clauses = all.filter((n) => n.type === "CatchClause");
  const unused = all.flatMap((n) => (n.type === "VariableDeclarator" && !n["init"] ? [n["id"] as Node] : []));
  for (const { param } of clauses) {
    const name = (param as Node).name as string;
    const inside = new Set([...unused, ...clauses.filter((n) => isNamed(n["param"], name)).flatMap((n) => within(n))]);
    if (parametersOf(fn).includes(name) || all.some((n) => isNamed(n, name) && !inside.has(n))) return undefined;
  }
  // some engines have no functions that are declared in blocks
  if (inner.some((n) => n.type === "FunctionDeclaration") && !direct) return undefined;
  if (looped && inner.length > 0) return undefined;
  // a name of the verifier means something else where the caller has a variable of this name
  const hidden = new Set([host, ...place.around].flatMap((one) => [...localsOf(one)]));
  if (all.some((n) => n.type === "Identifier" && !locals.has(n.name as string) && hidden.has(n.name as string))) return undefined;
  // a function inside that declares a name again
  if (inner.some((n) => [...localsOf(n)].some((name) => locals.has(name)))) return undefined;
  const declared = within(fn["body"] as Node, false).flatMap((n) =>
    n.type === "VariableDeclarator" ? [(n["id"] as Node).name as string] : [],
  );
  if (looped && declared.some((name) => !isAssignedFirst(bodyOf(fn), name))) return undefined;

  const body = structuredClone(fn["body"] as Node);
  const taken = new Set(within(host).flatMap((n) => (n.type === "Identifier" ? [n.name as string] : [])));
  const by = new Map<string, Node>();
  const before: Node[] = [];
  const fresh: string[] = [];
  const renamed = (name: string) => {
    const own = taken.has(name) || hidden.has(name) ? `${name}$${count}` : name;
    fresh.push(own);
    by.set(name, identifier(own));
    return identifier(own);
  };
  const givens = call["arguments"] as Node[];
  const callers = within(host["body"] as Node);
  // what functions inside the caller may change at any time, and other arguments after this one was evaluated
  const unsteady = [...callers.filter(isFunction), ...givens].flatMap((n) => within(n));
  /** Whether what the call is given can take the place of the parameter: nothing changes it while the function runs. */
  const stays = (given: Node) => {
    if (given.type === "Literal") return typeof given["value"] !== "string";
    const name = given.name as string;
    if (given.type !== "Identifier" || !localsOf(host).has(name) || unsteady.some((n) => assigns(n, name))) return false;
    // a function inside the called one may run later
    return inner.length === 0 || !callers.some((n) => assigns(n, name));
  };
  for (const [i, name] of parametersOf(fn).entries()) {
    const given = givens[i];
    const changes = all.some((n) => assigns(n, name));
    if (given && !changes && stays(given)) by.set(name, given);
    else if (!given && !changes) by.set(name, nothing());
    else before.push(statement(assignment(renamed(name), given ?? nothing())));
  }
  for (const given of givens.slice(parametersOf(fn).length)) before.push(statement(given));
  for (const name of locals) if (!by.has(name)) renamed(name);
  substitute(body, by);
  undeclare(body);
  const out = [...before, ...(body["body"] as Node[])];
  if (result === "return") {
    if (last?.type !== "ReturnStatement") out.push({ type: "ReturnStatement", argument: null });
  } else if (last?.type === "ReturnStatement") {
    const value = (out.pop() as Node)["argument"] as Node | null;
    if (result) out.push(statement(assignment(result, value ?? nothing())));
    else if (value) out.push(statement(value));
  }
  declare(host, fresh);
  return out;
}

/** Declares variables at the top of a function, where Espruino needs them. */
function declare(fn: Node, names: readonly string[]): void {
  const body = bodyOf(fn);
  if (body[0]?.type !== "VariableDeclaration") body.unshift({ type: "VariableDeclaration", kind: "var", declarations: [] });
  const { declarations } = body[0] as Node & { declarations: Node[] };
  for (const name of names) declarations.push({ type: "VariableDeclarator", id: identifier(name), init: null });
  if (declarations.length === 0) body.shift();
}

/** The function with one use, if `node` is a call of it. */
type Called = (node: unknown) => Node | undefined;

/** Replaces one call in the statements of a function. Returns the function that is part of it now. */
function replaceIn(list: Node[], place: Place, called: Called, count: number): Node | undefined {
  for (const s of list) {
    const put = (fn: Node, call: Node, result: Node | "return" | undefined, around: (out: Node[]) => Node[] = (out) => out) => {
      const out = statementsOf(call, fn, place, result, count);
      if (out) list.splice(list.indexOf(s), 1, ...around(out));
      return out && fn;
    };
    const inside = (node: unknown, looped = place.looped) => {
      const statements = (node as Node | null | undefined)?.["body"];
      return Array.isArray(statements) ? replaceIn(statements, { ...place, looped, direct: false }, called, count) : undefined;
    };
    const expression = s["expression"] as Node & { left: Node; right: Node };
    let done: Node | undefined;
    if (s.type === "ExpressionStatement") {
      const { type, operator, left, right, test } = expression as typeof expression & { test: Node };
      const fn = called(expression) ?? called(right);
      if (called(expression)) done = put(fn as Node, expression, undefined);
      else if (fn && type === "AssignmentExpression" && operator === "=" && isPlain(left, place.host)) done = put(fn, right, left);
      else if (fn && type === "LogicalExpression")
        done = put(fn, right, undefined, (body) => [
          {
            type: "IfStatement",
            test: operator === "&&" ? left : { type: "UnaryExpression", operator: "!", prefix: true, argument: left },
            consequent: { type: "BlockStatement", body },
            alternate: null,
          },
        ]);
      else if (type === "ConditionalExpression" && within(expression, false).some(called)) {
        const [consequent, alternate] = [expression["consequent"], expression["alternate"]].map((e) => block(statement(e as Node)));
        const branches: Node = { type: "IfStatement", test, consequent, alternate };
        done = inside(consequent) ?? inside(alternate);
        // declare() may have put declarations in front
        if (done) list[list.indexOf(s)] = branches;
      }
    } else if (s.type === "ReturnStatement") {
      const fn = called(s["argument"]);
      if (fn) done = put(fn, s["argument"] as Node, "return");
    } else if (s.type === "VariableDeclaration") {
      const declarations = s["declarations"] as Node[];
      const at = declarations.findIndex(({ init }) => called(init));
      const { id, init } = (declarations[at] ?? {}) as { id: Node; init: Node };
      const out = at < 0 ? undefined : statementsOf(init, called(init) as Node, place, id, count);
      if (out) {
        done = called(init);
        const later = declarations.slice(at + 1).filter((d) => d["init"]);
        list.splice(list.indexOf(s) + 1, 0, ...out, ...later.map((d) => statement(assignment(d["id"] as Node, d["init"] as Node))));
        for (const d of declarations.slice(at)) d["init"] = null;
      }
    } else if (s.type === "IfStatement") {
      s["consequent"] = block(s["consequent"] as Node);
      if (s["alternate"]) s["alternate"] = block(s["alternate"] as Node);
      done = inside(s["consequent"]) ?? inside(s["alternate"]);
    } else if (/^(For|While|DoWhile)Statement$/.test(s.type)) {
      s["body"] = block(s["body"] as Node);
      done = inside(s["body"], true);
    } else if (s.type === "TryStatement") done = inside(s["block"]) ?? inside((s["handler"] as Node | null)?.["body"]);
    else if (s.type === "BlockStatement") done = inside(s);
    if (done) return done;
  }
  return undefined;
}

/**
 * Whether something can be assigned to after the call of a function as before it: a variable, or a property of one that
 * stays.
 */
function isPlain(left: Node, host: Node): boolean {
  const object = left["object"] as Node | undefined;
  if (left.type === "Identifier") return true;
  return (
    left.type === "MemberExpression" && !left["computed"] && object?.type === "Identifier" && localsOf(host).has(object.name as string)
  );
}

/** Puts functions that are called in one place there, in the verifier that is the first function of a script. */
export function inlineFunctions(program: Node): void {
  const core = within(program).find(isFunction) as Node;
  let count = 1;
  // what was inlined may make more possible
  for (let before = 0; before < count; ) {
    before = count;
    const functions = new Map(
      bodyOf(core).flatMap((s) => (s.type === "FunctionDeclaration" ? [[(s["id"] as Node).name as string, s] as const] : [])),
    );
    const uses = new Map<string, number>();
    for (const n of within(core))
      if (n.type === "Identifier" && functions.has(n.name as string)) uses.set(n.name as string, (uses.get(n.name as string) ?? 0) + 1);
    // its declaration, and the call
    const called: Called = (node) => {
      const { type, callee } = (node ?? {}) as { type?: string; callee?: Node };
      const name = type === "CallExpression" && callee?.type === "Identifier" ? (callee.name as string) : "";
      return uses.get(name) === 2 ? functions.get(name) : undefined;
    };
    const inlineIn = (fn: Node, around: readonly Node[]) => {
      const place = { host: fn, around, looped: false, direct: true };
      for (;;) {
        const done = replaceIn(bodyOf(fn), place, called, count);
        if (!done) return;
        bodyOf(core).splice(bodyOf(core).indexOf(done), 1);
        count++;
      }
    };
    const visit = (fn: Node, around: readonly Node[]) => {
      const inner = within(fn["body"] as Node, false).flatMap((child) => childrenOf(child).filter(isFunction));
      // one that is gone was inlined
      for (const one of inner)
        if (fn !== core || one.type !== "FunctionDeclaration" || bodyOf(core).includes(one)) visit(one, fn === core ? [] : [...around, fn]);
      if (fn !== core) inlineIn(fn, around);
    };
    visit(core, []);
  }
}
