// Where functions stand in a module for Espruino: inside what alone needs them, for there a function takes memory once it is declared.

/**
 * A statement at the top of the verifier: the module under src/ that it comes from, the names that it declares, and the other names at the
 * top that it speaks of. `body`: of a function, where its body begins in `text`; otherwise 0.
 */
export interface Statement {
  module: string;
  declared: string[];
  uses: string[];
  text: string;
  body: number;
}

/**
 * Functions that run once in an operation, by module. What nothing but one of them needs stands inside it in a module for Espruino: a function
 * takes 5 JsVars and one for each parameter from the moment it is declared, and code that has not been reached takes none.
 */
const HOSTS = [
  "src/cose/anchor.ts makeAnchor",
  "src/trust/open.ts open",
  "src/trust/open.ts read",
  "src/trust/open.ts believe",
  "src/trust/open.ts wrapper",
  "src/trust/trust-file.ts readTrust",
  "src/manifest/parse.ts parseHead",
  "src/manifest/parse.ts parseManifest",
  "src/install/install.ts prepare",
  "src/install/install.ts session",
  "src/install/install.ts commit",
  "src/install/receive.ts arrive",
];
/** So does the verification of each algorithm. */
const VERIFY = /^src\/alg\/\w+\.ts verify$/;

/**
 * The reader and all that stands on it, in two groups: what reads, and what executes. In a module for Espruino the core is a function, which makes these
 * anew, so that it is not in memory while a signature is verified, nor while nothing is done: that is when the variables are needed. What both groups
 * need stands in it, and each group in a function of its own inside. It has no state that outlives a call but KEPT.
 */
const CORE = [
  ["src/trust/trust-file.ts readTrust", "src/trust/open.ts read", "src/manifest/parse.ts parseHead"],
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

/** What a statement declares, as the lists above have it: "module name". esbuild numbers names that come twice. */
function entryOf({ module, declared }: Statement): string {
  return `${module} ${declared[0]?.replace(/\d+$/, "")}`;
}

/** Names of the lists above that the verifier does not have any more: what they were to move would stay where it takes memory. */
function missingEntries(all: Statement[]): string[] {
  const places = new Set(all.map(entryOf));
  return [...HOSTS, ...CORE.flat(), ...KEPT].filter((name) => !places.has(name));
}

/** The statements that `from`, a set of names, leads to, without passing through those of `but`. */
export function reachableFrom(statements: Statement[], from: readonly string[], but: readonly Statement[] = []): Set<Statement> {
  const found = new Set<Statement>();
  const todo = [...from];
  for (let name = todo.pop(); name !== undefined; name = todo.pop())
    for (const s of statements)
      if (s.declared.includes(name) && !found.has(s)) {
        found.add(s);
        if (!but.includes(s)) todo.push(...s.uses);
      }
  return found;
}

/** The text of all statements that `names` lead to, with each inside the host that alone needs it, and the core in a function of its own. */
export function nestStatements(all: Statement[], names: readonly string[]): string {
  if (missingEntries(all).length > 0) throw new Error(`the verifier has no ${missingEntries(all).join(", ")}: see nesting.ts`);
  const needed = reachableFrom(all, names);
  const statements = all.filter((s) => needed.has(s));
  const doors = statements.filter((s) => CORE.flat().includes(entryOf(s)));
  const outside = reachableFrom(statements, names, doors);
  // by group; a door, or a group, that nobody asks for is not there
  const groups = CORE.map((list) => doors.filter((s) => list.includes(entryOf(s)) && outside.has(s))).filter((group) => group.length > 0);
  const entries = groups.flat();
  const core = new Set(statements.filter((s) => entries.includes(s) || !(outside.has(s) || KEPT.includes(entryOf(s)))));
  const inside = new Map<Statement, Statement>();
  const hosts = statements.filter((s) => s.body > 0 && (HOSTS.includes(entryOf(s)) || VERIFY.test(entryOf(s))));
  // the narrowest host last, for it is the one
  const held = hosts.map((host) => {
    // the core stands beside a host outside of it, and each of its doors beside the others: they ask for what they need themselves
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
  // what one group asks for goes out by the doors of the others
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
  const texts = own.map(
    (list, i) =>
      `function firmsealCore${i}() {\n${list.map(textOf).join("\n")}\nreturn [${groups[i]?.map((s) => s.declared[0]).join(", ")}];\n}`,
  );
  const proxies = groups.flatMap((group, i) =>
    group.map((s, j) => {
      const [, name, parameters] = /^function (\w+)\(([^)]*)\)/.exec(s.text) ?? [];
      return `function ${name}(${parameters}) {\n  return firmsealCore(${i})[${j}](${parameters});\n}`;
    }),
  );
  const which = groups
    .slice(1)
    .reduceRight((rest, _, i) => `i === ${i} ? firmsealCore${i}() : ${rest}`, `firmsealCore${groups.length - 1}()`);
  return [
    ...free.filter((s) => !core.has(s)).map(textOf),
    `function firmsealCore(i) {\n${made
      .filter((s) => !own.some((list) => list.includes(s)))
      .map(textOf)
      .join("\n")}\n${texts.join("\n")}\n  return ${which};\n}`,
    ...proxies,
  ].join("\n");
}
