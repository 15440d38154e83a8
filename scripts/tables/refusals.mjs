// Writes what follows from the tables of refusals (packages/verifier/src/tools/refusal-table.ts, and for the formats
// of others packages/formats/src/refusals/table.ts): the constants of spec/errors.generated.ts and the tables of
// errors.md. With --check it only compares, and exits 1 if a file differs.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readTable, sentence, writeFrom } from "./tables.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TABLE = "packages/verifier/src/tools/refusal-table.ts";
const FORMATS = "packages/formats/src/refusals/table.ts";
const CONSTANTS = "packages/verifier/src/spec/errors.generated.ts";

/** The one page of the documents with this name, wherever it is below docs/. */
function page(name) {
  const found = readdirSync(join(ROOT, "docs"), { recursive: true })
    // those of commands have the names of guides
    .filter((path) => (path === name || path.endsWith(`/${name}`)) && !path.startsWith("reference/commands/"));
  if (found.length !== 1) throw new Error(`${found.length} pages below docs/ have the name ${name}`);
  return join("docs", found[0]);
}

/** The text of errors.generated.ts. */
export function constants({ REFUSALS, REFUSAL_GROUPS, refusalGroup }) {
  const groups = REFUSAL_GROUPS.map(({ from, to, overflow, what }) => {
    const rows = REFUSALS.filter(({ number }) => refusalGroup(number)?.from === from);
    const lines = rows.map(({ number, name, meaning }) => `/** ${sentence(meaning)} */\nexport const ${name} = ${number};\n`);
    return `// ${from}..${to}, then ${overflow.from}..${overflow.to}  ${what}\n${lines.join("")}`;
  });
  return `// GENERATED from ../tools/refusal-table.ts. DO NOT EDIT: change the table there, then run \`pnpm refusals\`.\n//\n// The numbers of the refusals. A number is never reused. A bundle has only the numbers that it can throw, and no text.\n\n${groups.join("\n")}`;
}

const TABLE_HEAD = "| Number | Name | What it means | What to do | Source |\n| ---: | --- | --- | --- | --- |\n";

/** Says which numbers have vectors. */
function aboutVectors({ REFUSAL_GROUPS }) {
  const without = REFUSAL_GROUPS.filter(({ vectors }) => vectors === null).map(({ from, to, what }) => `${from} to ${to} (${what})`);
  return `Each number has vectors of kind \`refused\` in [\`test-vectors/\`](../../test-vectors/index.json), except
${without.join(" and ")}. No
device with the general verifier throws those, and other tests cover them. A test compares this list, the constants in
\`packages/verifier/src/spec/errors.generated.ts\` and the vectors.
`;
}

/**
 * The text of errors.md with new rows in each group; the text around them stays. The last argument has the refusals of
 * the formats of others.
 */
export function documented(text, path, { REFUSALS, REFUSAL_GROUPS, refusalGroup }, { FORMAT_REFUSAL_ROWS, FORMAT_REFUSAL_GROUPS }) {
  const link = (source) => {
    const [name, section] = source.split("#");
    return name.endsWith(".md") ? `[${name}](${relative(dirname(path), page(name))}#${section})` : sentence(source).slice(0, -1);
  };
  const linked = (advice) =>
    advice.replace(/(?:docs\/\w+\/)?([\w-]+\.md)/g, (_, name) => `[${name}](${relative(dirname(path), page(name))})`);
  const inCode = (prose) =>
    prose.replace(/\bfirmseal [a-z]+( sign| create)?( [A-Z]+)?( --key [A-Z]+| --for [a-z]+)?|(?<!`)--[a-z]+( [A-Z]+)?|\b\w+\(\)/g, "`$&`");
  const vectors = /^Each number has vectors (?:.+\n)+/m;
  if (!vectors.test(text)) throw new Error(`${path} does not say which numbers have vectors`);
  text = text.replace(vectors, () => aboutVectors({ REFUSAL_GROUPS }));
  const groups = [
    ...REFUSAL_GROUPS.map((one) => ({ ...one, all: REFUSALS.filter(({ number }) => refusalGroup(number)?.from === one.from) })),
    ...FORMAT_REFUSAL_GROUPS.map((one) => ({
      ...one,
      all: FORMAT_REFUSAL_ROWS.filter(({ number }) => number >= one.from && number <= one.to),
    })),
  ];
  for (const { from, to, all } of groups) {
    const rows = all.map(
      ({ number, name, meaning, advice, source }) =>
        `| ${number} | \`${name}\` | ${inCode(sentence(meaning))} | ${linked(inCode(sentence(advice)))} | ${link(source)} |\n`,
    );
    const table = new RegExp(`(^## ${from} to ${to}:.*\\n(?:[^|#\\n].*\\n|\\n)*)(?:\\|.*\\n)+`, "m");
    if (!table.test(text)) throw new Error(`${path} has no table under "## ${from} to ${to}:"`);
    text = text.replace(table, (_, heading) => heading + TABLE_HEAD + rows.join(""));
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await readTable(TABLE);
  const errorsPage = page("errors.md");
  writeFrom(
    "the table of refusals",
    {
      [CONSTANTS]: constants(table),
      [errorsPage]: documented(readFileSync(join(ROOT, errorsPage), "utf8"), errorsPage, table, await readTable(FORMATS)),
    },
    "pnpm refusals",
  );
}
