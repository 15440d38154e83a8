// docs/reference/commands.md, from what the commands declare.

import { exampleLines, optionDescription, optionsOf } from "../../packages/cli/lib/command.js";
import { COMMANDS } from "../../packages/cli/lib/commands.generated.js";
import { FAILURE, SUCCESS } from "../../packages/cli/lib/common/shapes.js";
import { parserOf } from "../../packages/cli/lib/parser.js";
import { wrapped } from "./text.mjs";

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");
const escaped = (text) => text.replace(/[<>*_[\]|]/g, "\\$&");

const item = (term, words) => wrapped(`- \`${term}\`${words ? `: ${escaped(words)}` : ""}`, "  ");
const typeWords = (type) => type.replace(/^(\w+)\[\]/, "list of $1s").replace("|null", " or null");

/** The rows of a shape. A member that may be missing has "?" behind it. */
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

export async function commandsPage() {
  const commands = await Promise.all(COMMANDS.map(async ({ load }) => (await load()).default));
  const head = `# Commands and options

<!-- Written by \`pnpm docs:reference\` from what the commands declare. -->

${wrapped("[Command line](cli.md) explains what all commands have in common: keys, streams, exit codes and JSON. Every command has `--help`.")}

## JSON of all commands

${wrapped("With `--json`, a command writes one object. Each command below lists its members. A member with `?` may be missing. `a[].b` is the member `b` of each entry in `a`. On success, the object also has:")}

${members(SUCCESS).join("\n")}

${wrapped("On failure, it has these members, and those of the command that are known by then:")}

${members(FAILURE).join("\n")}`;
  return `${[head, ...commands.flatMap(section)].join("\n\n")}\n`;
}
