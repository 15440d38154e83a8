// The manual page firmseal(1), from what the commands declare: packages/cli/dist/man/firmseal.1, which npm installs.

import { exampleLines, optionDescription, optionsOf } from "../../packages/cli/lib/command.js";
import { COMMANDS } from "../../packages/cli/lib/commands.generated.js";
import { parserOf } from "../../packages/cli/lib/parser.js";

/** Text for groff: a backslash and a hyphen are commands or typography there, and so is a dot that begins a line. */
const escaped = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replace(/[^\n -~]/gu, (c) => `\\[u${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

const entry = (term, words) => `.TP\n.B ${escaped(term)}\n${escaped(words) || "\\&"}`;

function section(command) {
  const parser = parserOf(command, async () => {});
  const help = parser.createHelp();
  const examples = command.examples.flatMap((one) => (one ? [exampleLines(one).join("\n")] : []));
  return [
    `.SS firmseal ${escaped(command.name)} ${escaped(parser.usage())}`,
    escaped(command.summary),
    ...parser.registeredArguments.map((one) => entry(one.name(), help.argumentDescription(one))),
    ...optionsOf(command).map((one) => entry(one.flags, optionDescription(one))),
    `.P\n.EX\n${escaped(examples.join("\n\n"))}\n.EE`,
  ].join("\n");
}

/** The page in the man macros (groff_man(7)). `version`: that of the package. */
export async function manualPage(version) {
  const commands = await Promise.all(COMMANDS.map(async ({ load }) => (await load()).default));
  return `.TH FIRMSEAL 1 "" "firmseal ${escaped(version)}" "User Commands"
.SH NAME
firmseal \\- sign, inspect, verify and install firmware updates (SUIT manifests)
.SH SYNOPSIS
.B firmseal
.I command
.RI [ options ]
.SH DESCRIPTION
Data goes to stdout, messages go to stderr.
With
.BR \\-\\-json ,
a command writes one JSON object to stdout, also on failure.
Secrets never come from the command line: see
.B \\-\\-passphrase\\-env
and
.BR \\-\\-passphrase\\-fd .
.SH EXIT STATUS
.TP
.B 0
success
.TP
.B 1
refused: the input is wrong, unsigned, or signed by an unknown key
.TP
.B 2
wrong use, or an unusable key
.TP
.B 3
a fault of the environment: files, tokens, services, passphrases
.SH COMMANDS
${commands.map(section).join("\n")}
`;
}
