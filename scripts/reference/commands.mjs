// docs/reference/commands.md and a page for each group of commands, from what the commands declare.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exampleLines, optionDescription, optionsOf } from "../../packages/cli/lib/command.js";
import { COMMANDS } from "../../packages/cli/lib/commands.generated.js";
import { FAILURE, SUCCESS } from "../../packages/cli/lib/common/shapes.js";
import { parserOf } from "../../packages/cli/lib/parser.js";
import { wrapped } from "./text.mjs";

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");
const escaped = (text) => text.replace(/[<>*_[\]|]/g, "\\$&");

const item = (term, words) => wrapped(`- \`${term}\`${words ? `: ${escaped(words)}` : ""}`, "  ");
const typeWords = (type) => type.replace(/^(\w+)\[\]/, "list of $1s").replace("|null", " or null");

/** The rows of a shape. The name of a member that may be missing ends in "?". */
const members = (shape) => Object.entries(shape).map(([path, [type, words]]) => item(path, `${typeWords(type)}; ${words}`));

function section(command) {
  const parser = parserOf(command, async () => {});
  const help = parser.createHelp();
  const path = command.name.split(" ").slice(0, -1).join(" ");
  const options = optionsOf(command).map((one) => item(one.flags, optionDescription(one)));
  const given = parser.registeredArguments.map((one) => item(one.name(), help.argumentDescription(one)));
  const examples = command.examples.flatMap((one) => (one ? [exampleLines(one).join("\n")] : []));
  return [
    `## firmseal ${command.name}`,
    wrapped(escaped(sentence(command.summary))),
    `\`\`\`text\nfirmseal ${path ? `${path} ` : ""}${parser.name()} ${parser.usage()}\n\`\`\``,
    ...(given.length > 0 ? ["Arguments:", given.join("\n")] : []),
    "Options:",
    options.join("\n"),
    "Examples:",
    `\`\`\`shell\n${examples.join("\n\n")}\n\`\`\``,
    "JSON:",
    members(command.json).join("\n"),
  ];
}

/** The pages: the folders of `packages/cli/src/commands` that each has, its title, and what it is for. */
const PAGES = {
  product: [["product", "batch"], "Commands for products", "make the releases of a product, and manifests for single devices"],
  verify: [["verify"], "Commands that check releases", "verify and check releases"],
  explain: [["explain"], "Commands that explain releases", "explain, compare and show releases, and say who signed them"],
  sign: [["sign"], "Commands that sign", "make and sign single envelopes, and audit the logs of keys"],
  keys: [["keys", "token"], "Commands for keys", "make keys, in files and in tokens, and write them in other formats"],
  ledger: [["ledger"], "Commands for ledgers", "share one signing log among several machines"],
  trust: [["trust"], "Commands for trust files", "make, sign and compare the files that say which keys devices trust"],
  rotate: [["rotate", "incident"], "Commands for rotation", "change the keys that devices in the field trust"],
  device: [["device", "status"], "Commands for devices", "write bundles, simulate devices, and ask them what they run"],
  shell: [["shell"], "Commands for the shell", "help to type the others"],
};

const WRITTEN = "<!-- Written by `pnpm docs:reference` from what the commands declare. -->";
const TABLE = fileURLToPath(new URL("../../packages/cli/src/commands.generated.ts", import.meta.url));

/** The folder of each command, by its name. */
const folders = () =>
  new Map(
    [...readFileSync(TABLE, "utf8").matchAll(/name: "([^"]+)".* import\("\.\/commands\/(\w+)\//g)].map(([, name, folder]) => [
      name,
      folder,
    ]),
  );

/** { path, text } of the page of all commands and of each group. Throws if a command is in no group. */
export async function commandPages() {
  const folderOf = folders();
  const commands = await Promise.all(COMMANDS.map(async ({ load }) => (await load()).default));
  const groups = Object.entries(PAGES).map(([name, [of, title, what]]) => {
    const own = commands.filter((command) => of.includes(folderOf.get(command.name)));
    return { name, title, what, own };
  });
  const left = commands.filter((command) => !groups.some(({ own }) => own.includes(command)));
  if (left.length > 0) throw new Error(`scripts/reference/commands.mjs has no page for ${left.map(({ name }) => name).join(", ")}`);
  const rows = groups.flatMap(({ name, own }) =>
    own.map((command) => {
      const anchor = `firmseal-${command.name.replaceAll(" ", "-")}`;
      return `| [\`${command.name}\`](commands/${name}.md#${anchor}) | ${escaped(sentence(command.summary))} |`;
    }),
  );
  const head = `# Commands and options

${WRITTEN}

${wrapped("This page lists all commands, and what their JSON has in common. [Command line](cli.md) explains keys, streams, exit codes and JSON. Every command has `--help`.")}

| Command | What it does |
| --- | --- |
${rows.join("\n")}

## JSON of all commands

${wrapped("With `--json`, a command writes one object. The page of each command lists its members. A member with `?` may be missing. `a[].b` is the member `b` of each entry in `a`. On success, the object also has:")}

${members(SUCCESS).join("\n")}

${wrapped("On failure, it has these members, and those of the command that are known by then:")}

${members(FAILURE).join("\n")}`;
  const pages = groups.map(({ name, title, what, own }) => {
    const first = wrapped(`These commands ${what}. [Commands and options](../commands.md) lists all commands.`);
    return { path: `docs/reference/commands/${name}.md`, text: [`# ${title}`, WRITTEN, first, ...own.flatMap(section)] };
  });
  return [{ path: "docs/reference/commands.md", text: [head] }, ...pages].map(({ path, text }) => ({
    path,
    text: `${text.join("\n\n")}\n`,
  }));
}
