// Short names for the variables of a bundle. terser names them in the order in which they are declared. Here the most
// used names of the verifier get the shortest ones, and the variables of a function get those of
// local-names.generated.ts, which a search found to compress best.

/** A node of the syntax tree of a script in ES5, as terser gives it (ESTree). */
export interface Node {
  type: string;
  name?: string;
  loc?: { start: { line: number; column: number } };
  [key: string]: unknown;
}

/** A variable: its name in the text, its new name, and the offsets of its uses, the declaration included. */
export interface Variable {
  name: string;
  short: string;
  at: number[];
}

/**
 * A function, or the whole script. `key`: its name in local-names.generated.ts; without one, its number in the function
 * around it.
 */
export interface Scope {
  key: string;
  parent: Scope | undefined;
  variables: Map<string, Variable>;
  /** Parameters of the catch clauses around what is being read: only what is in a clause sees its parameter. */
  caught: Variable[];
  /** Variables of outer scopes, and global names, that it or a function in it uses. */
  outer: Set<Variable | string>;
  inner: Scope[];
}

/** In the order of their frequency in minified code. */
const LETTERS = [..."nrtuofiecavldsypmgAhIbwMkFxEDJUCHqzGLNPjBQOS$KWRTVXYZ_"];
/** As many are left to the variables of functions. */
const LOCAL = 8;
/** Words of the language, and names that Espruino does not accept for variables. */
const TAKEN = ["do", "if", "in", "of"];

/** No variable gets these: Espruino does not accept the first two, and the third is the interface of a module. */
export const RESERVED: readonly string[] = ["of", "get", "exports"];

/**
 * Last letters of names with two letters, in the order of their use. Duktape has the variables of the verifier in a
 * table of 512 places. The last letter counts 33 times for the place, and if it is taken, the next free one is used.
 * With these three letters, names have places of their own. With n, r and t, Math.floor was 112 places after its own.
 */
const LAST = [..."nei", ...LETTERS.filter((letter) => !"nei".includes(letter))];

const pairs = LAST.flatMap((last) => LETTERS.map((first) => first + last)).filter((name) => !TAKEN.includes(name));
/** The shortest ones first. */
const SHORT = [...LETTERS, ...pairs];

export const isFunction = (node: Node) => node.type === "FunctionDeclaration" || node.type === "FunctionExpression";

const isNode = (value: unknown): value is Node => typeof (value as Node | null | undefined)?.type === "string";

/** The nodes right under a node, without names of properties. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const key in node) {
    const value = node[key];
    if (typeof value !== "object" || ((key === "property" || key === "key") && !node["computed"])) continue;
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children;
}

/** No name of a variable: for the parameter of a catch clause, which only the clause sees. */
const CAUGHT = "catch";

/** The names that a function declares, outside of the functions in it. */
function declaredIn(node: Node): string[] {
  return childrenOf(node).flatMap((child) => {
    const { id } = child as { id?: Node };
    const own = child.type === "VariableDeclarator" || child.type === "FunctionDeclaration" ? [id?.name as string] : [];
    if (child.type === "CatchClause") own.push(CAUGHT);
    return [...own, ...(isFunction(child) ? [] : declaredIn(child))];
  });
}

/** The scopes of a script, outer ones first. Its text is one line. */
export function scopesOf(program: Node): Scope[] {
  const scopes: Scope[] = [];
  function enter(node: Node, parent: Scope | undefined): void {
    const unnamed = parent?.inner.filter(({ key }) => key.includes("/")).length ?? 0;
    const key = (node["id"] as Node | null | undefined)?.name ?? `${parent?.key ?? ""}/${unnamed}`;
    const scope: Scope = { key, parent, variables: new Map(), caught: [], outer: new Set(), inner: [] };
    scopes.push(scope);
    parent?.inner.push(scope);
    const parameters = ((node["params"] as Node[] | undefined) ?? []).map(({ name }) => name as string);
    const clauses: Variable[] = [];
    for (const name of [...parameters, ...declaredIn(node)]) {
      const variable = { name, short: name, at: [] };
      if (name === CAUGHT) clauses.push(variable);
      scope.variables.set(name === CAUGHT ? `${CAUGHT} ${clauses.length}` : name, variable);
    }
    function visit(child: Node): void {
      if (child.type === "Identifier") use(scope, child);
      else if (child.type === "CatchClause") {
        // some engines have one scope for the function and the clause: the parameter is one of the function's variables
        const variable = clauses.shift() as Variable;
        variable.name = (child["param"] as Node).name as string;
        scope.caught.push(variable);
        childrenOf(child).forEach(visit);
        scope.caught.pop();
      } else if (!isFunction(child)) childrenOf(child).forEach(visit);
      else {
        if (child["id"]) use(scope, child["id"] as Node);
        enter(child, scope);
      }
    }
    const body = childrenOf(node).filter((child) => child !== node["id"]);
    body.forEach(visit);
  }
  function use(from: Scope, { name = "", loc }: Node): void {
    const passed: Scope[] = [];
    let variable: Variable | undefined;
    for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
      variable = scope.caught.findLast((one) => one.name === name) ?? scope.variables.get(name);
      if (variable) break;
      passed.push(scope);
    }
    for (const inner of passed) inner.outer.add(variable ?? name);
    if (variable) variable.at.push(loc?.start.column as number);
  }
  enter(program, undefined);
  return scopes;
}

/** Names for the variables of functions, in the order in which they are declared, by the key of the scope. */
export type LocalNames = { readonly [key: string]: string };

/** Gives every variable its short name. Those of the script itself keep theirs, because others may use them. */
export function nameVariables(scopes: readonly Scope[], reserved: readonly string[], names: LocalNames): void {
  const [program] = scopes as [Scope];
  // the function that holds the verifier
  const core = program.inner[0] as Scope;
  const free = [...LETTERS.slice(LOCAL), ...pairs].filter((name) => !reserved.includes(name) && !core.outer.has(name));
  for (const scope of scopes) {
    if (scope === program) continue;
    const variables = [...scope.variables.values()].filter(({ name }) => !reserved.includes(name));
    if (scope === core) {
      variables.sort((a, b) => b.at.length - a.at.length);
      for (const [i, variable] of variables.entries()) variable.short = free[i] as string;
      continue;
    }
    const taken = new Set([...reserved, ...[...scope.outer].map((one) => (typeof one === "string" ? one : one.short))]);
    const wanted = (names[scope.key] ?? "").split(" ");
    const chosen = variables.map((_, i) => {
      const name = wanted[i];
      if (!name || taken.has(name)) return undefined;
      taken.add(name);
      return name;
    });
    let next = 0;
    for (const [i, variable] of variables.entries()) {
      while (!chosen[i] && taken.has(SHORT[next] as string)) next++;
      variable.short = chosen[i] ?? (SHORT[next++] as string);
    }
  }
}

/** The text with the short names. */
export function textWithNames(text: string, scopes: readonly Scope[]): string {
  const uses = scopes.flatMap(({ variables }) =>
    [...variables.values()].flatMap((variable) => variable.at.map((at) => ({ at, variable }))),
  );
  let done = 0;
  let out = "";
  for (const { at, variable } of uses.sort((a, b) => a.at - b.at)) {
    if (!text.startsWith(variable.name, at)) throw new Error(`${variable.name} is not where the syntax tree has it`);
    out += text.slice(done, at) + variable.short;
    done = at + variable.name.length;
  }
  return out + text.slice(done);
}
