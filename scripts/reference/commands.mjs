// docs/reference/commands.md, from what the commands themselves print with --help.

import { main } from "../../packages/cli/lib/main.js";
import { wrapped } from "./text.mjs";

/** What `firmseal …` prints on stdout, at the width of a pipe. */
async function printed(argv) {
  const { write, isTTY } = process.stdout;
  let text = "";
  process.stdout.isTTY = false;
  process.stdout.write = (chunk) => {
    text += chunk;
    return true;
  };
  try {
    const exit = await main(argv);
    if (exit !== 0) throw new Error(`firmseal ${argv.join(" ")}: exit ${exit}`);
  } finally {
    Object.assign(process.stdout, { write, isTTY });
  }
  return text;
}

/** Help as { usage, about, sections: { Options: [[term, words]] }, rest }: a term begins at column 2, its words follow two spaces or stand below. */
function parse(help) {
  const [usage = "", ...others] = help.trim().split(/\n\n+/);
  const read = { usage: usage.replace(/^Usage: /, "").replace(/\s+/g, " "), about: "", sections: {} };
  for (const paragraph of others) {
    const [, title, body] = /^(\w+):\n([\s\S]+)$/.exec(paragraph) ?? [];
    if (!title || !/^ {2}\S/.test(body)) {
      read.about += `${read.about ? "\n\n" : ""}${paragraph.replace(/\s*\n\s*/g, " ")}`;
      continue;
    }
    const items = [];
    for (const line of body.split("\n")) {
      const [, term, words = ""] = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
      if (term) items.push([term, words]);
      else items.at(-1)[1] += `${items.at(-1)[1] ? " " : ""}${line.trim()}`;
    }
    read.sections[title] = items;
  }
  return read;
}

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");
const escaped = (text) => text.replace(/[<>*_[\]]/g, "\\$&");

const list = (items) => items.map(([term, words]) => wrapped(`- \`${term}\`${words ? `: ${escaped(words)}` : ""}`, "  ")).join("\n");

async function pages(path) {
  const { usage, about, sections } = parse(await printed([...path, "--help"]));
  const { Commands: commands = [], Arguments: given = [], Options: options = [], ...rest } = sections;
  const parts = [
    `${"#".repeat(Math.min(path.length + 1, 3))} firmseal ${path.join(" ")}`,
    wrapped(escaped(sentence(about))),
    `\`\`\`text\n${usage}\n\`\`\``,
  ];
  const own = options.filter(([term]) => !/--help\b/.test(term));
  if (given.length > 0) parts.push("Arguments:", list(given));
  if (own.length > 0) parts.push("Options:", list(own));
  for (const [title, items] of Object.entries(rest)) parts.push(`${title}:`, list(items));
  const below = [];
  for (const [term] of commands) {
    const name = term.split(/[ |]/)[0];
    if (name !== "help") below.push(...(await pages([...path, name])));
  }
  return [...(path.length > 0 ? parts : []), ...below];
}

export async function commandsPage() {
  const head = `# Commands and options

<!-- Written by \`pnpm docs:reference\` from \`firmseal COMMAND --help\`. -->

${wrapped("[Command line](cli.md) explains what all commands have in common: keys, streams, exit codes and JSON. Every command has `--help`.")}`;
  return `${[head, ...(await pages([]))].join("\n\n")}\n`;
}
