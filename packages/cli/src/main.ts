// The command line, and how it ends. commands.ts is the table of the commands. A command is loaded when it is used.

import { type Command, CommanderError } from "commander";
import about from "../package.json" with { type: "json" };
import { type AnyCommand, type Listed, parser, parserOf } from "./command.js";
import { COMMANDS, GROUPS } from "./commands.js";

/** The row of the command that is meant: its name is what comes first on the command line, also behind "help". */
function commandRow(argv: readonly string[]): Listed | undefined {
  const words = argv.filter((word) => !word.startsWith("-"));
  if (words[0] === "help") words.shift();
  return COMMANDS.find(({ name }) => name.split(" ").every((part, i) => words[i] === part));
}

type CommandAction = (given: unknown[]) => Promise<void>;

/** The parser of the command line, with `command` in full. Of the others it knows what --help says. */
function programWith(command: AnyCommand | undefined, act: CommandAction): Command {
  const program = parser("firmseal", "Sign, inspect, verify and install firmware updates (SUIT manifests)").version(
    about.version,
    "-V, --version",
  );
  const groups = new Map<string, Command>();
  for (const { name, summary } of COMMANDS) {
    const [first, second] = name.split(" ") as [string, string?];
    let parent = program;
    if (second !== undefined) {
      parent = groups.get(first) ?? parser(first, GROUPS[first] as string);
      if (!groups.has(first)) program.addCommand(parent);
      groups.set(first, parent);
    }
    parent.addCommand(command?.name === name ? parserOf(command, act) : parser(second ?? first, summary));
  }
  return program;
}

/** Collects what --help and --version say, so that ui.ts writes it as everything else. */
function collectHelp(command: Command, into: string[]): void {
  command.configureOutput({ writeOut: (text) => into.push(text) });
  for (const one of command.commands) collectHelp(one, into);
}

/** Runs a command line, and gives the exit code. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  let command: AnyCommand | undefined;
  let given: unknown[] = [];
  const help: string[] = [];
  try {
    const row = commandRow(argv);
    command = (await (row?.declare ?? row?.load)?.())?.default;
    const program = programWith(command, async (all) => {
      given = all;
      const { render } = await import("./show/render.js");
      command = (await (row as Listed).load()).default;
      await render(command, await command.run(...given), given);
    });
    collectHelp(program, help);
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) {
      const { writeStdout: data } = await import("./show/ui.js");
      data(help.join(""));
      return 0;
    }
    const { renderFailure } = await import("./show/render.js");
    return renderFailure(e, command, given, argv);
  }
}
