// The place of each function in a module for Espruino: inside the only function that needs it, because a function takes
// memory once it is declared.

/**
 * A top-level statement of the verifier: the module under src/ that it comes from, the names that it declares, and the
 * other top-level names that it uses. `body` is the offset in `text` at which the body of a function begins, or 0.
 */
export interface Statement {
  module: string;
  declared: string[];
  uses: string[];
  text: string;
  body: number;
}

/**
 * Functions that run once in an operation, by module. In a module for Espruino, functions that only one of them uses
 * are nested inside it: a declared function takes 5 JsVars and one for each parameter, while code that has not run
 * takes none.
 */
const HOSTS = [
  "src/cose/anchor.ts makeAnchor",
  "src/trust/open.ts open",
  "src/trust/open.ts read",
  "src/trust/open.ts believe",
  "src/trust/open.ts wrapper",
  "src/trust/trust-list.ts readTrust",
  "src/manifest/parse.ts parseHead",
  "src/manifest/parse.ts parseManifest",
  "src/install/install.ts prepare",
  "src/install/install.ts session",
  "src/install/install.ts commit",
  "src/install/receive.ts arrive",
  "src/alg/curve25519.ts decode",
  "src/alg/ed25519.ts scalars",
  "src/hash/small.ts startSmall",
  "src/install/micro/open.ts openMicro",
  "src/install/micro/install.ts installMicro",
];
/** The verification of each algorithm is nested in the same way. */
const VERIFY = /^src\/alg\/[\w-]+\.ts verify(Joined)?$/;

/**
 * The reader and the code that depends on it, in two groups: reading and executing. In a module for Espruino, the core
 * is a function that creates these again, so that they take no memory while a signature is verified or while the
 * verifier is idle. Shared code is at the top of the core, and each group is in a function of its own inside. Only KEPT
 * holds state that outlives a call.
 */
const CORE = [
  ["src/trust/trust-list.ts readTrust", "src/trust/open.ts read", "src/manifest/parse.ts parseHead"],
  [
    "src/trust/open.ts believe",
    "src/interpreter/run.ts start",
    "src/interpreter/run.ts step",
    "src/install/install.ts session",
    "src/install/install.ts prepare",
    "src/install/keep.ts receivedHead",
  ],
];
const KEPT = ["src/manifest/manifest.ts MARK"];

/**
 * The declaration of a statement in the notation of the lists above: "module name". esbuild numbers duplicate names.
 */
function entryOf({ module, declared }: Statement): string {
  return `${module} ${declared[0]?.replace(/\d+$/, "")}`;
}

/**
 * Entries of the lists above that the verifier no longer has: the code that they should move would stay where it takes
 * memory.
 */
function missingEntries(all: Statement[]): string[] {
  const places = new Set(all.map(entryOf));
  return [...HOSTS, ...CORE.flat(), ...KEPT].filter((name) => !places.has(name));
}

/** The statements that are reachable from `from`, a set of names, without passing through those of `but`. */
export function reachableFrom(statements: Statement[], from: readonly string[], but: readonly Statement[] = []): Set<Statement> {
  const places = placesOf(statements);
  const found = new Set<Statement>();
  const todo = [...from];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const s = places.get(name);
    if (!s || found.has(s)) continue;
    found.add(s);
    if (!but.includes(s)) todo.push(...s.uses);
  }
  return found;
}

const known = new WeakMap<Statement[], Map<string, Statement>>();

/** The statement that declares each name. */
function placesOf(statements: Statement[]): Map<string, Statement> {
  const places = known.get(statements) ?? new Map(statements.flatMap((s) => s.declared.map((name) => [name, s] as const)));
  known.set(statements, places);
  return places;
}

/**
 * The text of all statements that are reachable from `names`. Each is nested inside the host that alone needs it; the
 * core is in a function of its own.
 */
export function nestStatements(all: Statement[], names: readonly string[]): string {
  if (missingEntries(all).length > 0) throw new Error(`the verifier has no ${missingEntries(all).join(", ")}: see nesting.ts`);
  const needed = reachableFrom(all, names);
  const statements = all.filter((s) => needed.has(s));
  const doors = statements.filter((s) => CORE.flat().includes(entryOf(s)));
  const outside = reachableFrom(statements, names, doors);
  // by group; entry points and groups that are not used are omitted
  const groups = CORE.map((list) => doors.filter((s) => list.includes(entryOf(s)) && outside.has(s))).filter((group) => group.length > 0);
  const entries = groups.flat();
  const core = new Set(statements.filter((s) => entries.includes(s) || !(outside.has(s) || KEPT.includes(entryOf(s)))));
  const inside = new Map<Statement, Statement>();
  const hosts = statements.filter((s) => s.body > 0 && (HOSTS.includes(entryOf(s)) || VERIFY.test(entryOf(s))));
  // the narrowest host comes last, and is used
  const held = hosts.map((host) => {
    // the core needs nothing of a host outside it, and the entry points are independent of each other: each requests
    // what it needs itself
    const roots = [...names, ...entries.flatMap((s) => (s === host ? [] : s.declared))];
    const others = reachableFrom(statements, roots, [host]);
    return { host, own: statements.filter((s) => !others.has(s) && core.has(s) === core.has(host) && !entries.includes(s)) };
  });
  held.sort((a, b) => b.own.length - a.own.length);
  for (const { host, own } of held) for (const s of own) inside.set(s, host);
  const textOf = (s: Statement): string => {
    const own = statements.filter((one) => inside.get(one) === s).map(textOf);
    return s.body ? `${s.text.slice(0, s.body)}\n${own.join("\n")}${s.text.slice(s.body)}` : s.text;
  };
  const free = statements.filter((s) => !inside.has(s));
  const made = free.filter((s) => core.has(s));
  // a group uses the entry points of the other groups
  const wanted = groups.map((group) =>
    reachableFrom(
      statements,
      group.flatMap((s) => s.declared),
      entries.filter((s) => !group.includes(s)),
    ),
  );
  const ownOf = (i: number) =>
    made.filter((s) => wanted[i]?.has(s) && !wanted.some((others, j) => j !== i && others.has(s) && !groups[i]?.includes(s)));
  const own = groups.map((_, i) => ownOf(i));
  // Espruino reads the text of a function when it is declared, and again when it is called. So the last group, which is
  // the largest, is in no function of its own
  const texts = own.map((list, i) => {
    const text = `${list.map(textOf).join("\n")}\nreturn [${groups[i]?.map((s) => s.declared[0]).join(", ")}];`;
    return i < groups.length - 1 ? `function firmsealCore${i}() {\n${text}\n}\nif (i === ${i}) return firmsealCore${i}();` : text;
  });
  // a micro verifier has no core
  if (groups.length === 0) return free.map(textOf).join("\n");
  const proxies = groups.flatMap((group, i) =>
    group.map((s, j) => {
      const [, name, parameters] = /^function (\w+)\(([^)]*)\)/.exec(s.text) ?? [];
      return `function ${name}(${parameters}) {\n  return firmsealCore(${i})[${j}](${parameters});\n}`;
    }),
  );
  return [
    ...free.filter((s) => !core.has(s)).map(textOf),
    `function firmsealCore(i) {\n${made
      .filter((s) => !own.some((list) => list.includes(s)))
      .map(textOf)
      .join("\n")}\n${texts.join("\n")}\n}`,
    ...proxies,
  ].join("\n");
}
