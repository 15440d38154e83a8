// The command line, and how it ends. commands.generated.ts is the table of the commands. A command is loaded when it is
// used.

import { CommanderError } from "commander";
import { type AnyCommand, GLOBAL_OPTIONS, type Listed } from "./command.js";
import { COMMANDS, GROUPS } from "./commands.generated.js";
import { collectHelp, programWith } from "./parser.js";

/** `firmseal --json verify FILE` is `firmseal verify --json FILE`. */
function withoutGlobals(argv: readonly string[]): readonly string[] {
  const isGlobal = (arg: string) => GLOBAL_OPTIONS.some((one) => one === arg);
  const start = argv.findIndex((arg) => !isGlobal(arg));
  if (start <= 0) return argv;
  const [globals, rest] = [argv.slice(0, start), argv.slice(start)];
  const words = commandRow(rest)?.name.split(" ").length ?? 0;
  return [...rest.slice(0, words), ...globals, ...rest.slice(words)];
}

/** "help" before a command asks for the same as --help after it. */
function withoutHelp(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first === "help" ? [...rest.filter((word) => word !== "help"), "--help"] : argv;
}

const wordsOf = (argv: readonly string[]) => argv.filter((word) => !word.startsWith("-"));

/** The row of the command that the line names. The name comes first on the command line. */
function commandRow(argv: readonly string[]): Listed | undefined {
  const words = wordsOf(argv);
  const isMeant = ({ name }: Listed) => name.split(" ").every((part, i) => words[i] === part);
  return COMMANDS.find(isMeant);
}

/** The command or the group of commands that the line names, for a hint. Empty if it names none. */
function placeOf(argv: readonly string[]): string {
  const [group = ""] = wordsOf(argv);
  return commandRow(argv)?.name ?? (Object.hasOwn(GROUPS, group) ? group : "");
}

/** Writes what --help or --version says, or candidates. Returns the error, if stdout does not take it. */
async function writeHelp(text: string): Promise<unknown> {
  const { writeStdout } = await import("./show/ui.js");
  try {
    writeStdout(text);
    return undefined;
  } catch (e) {
    return e;
  }
}

/** Answers a shell that completes the last word. It must not fail: a person is typing. */
async function complete(words: readonly string[]): Promise<number> {
  const row = commandRow(words.slice(0, -1));
  const load = async () => (await row?.load())?.default;
  const { completionLines } = await import("./show/completion.js");
  const fault = await writeHelp(await completionLines(words, load, COMMANDS, GROUPS));
  return fault === undefined ? 0 : 3;
}

/** Runs a command line and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "complete" && args[1] === "--") return complete(args.slice(2));
  const argv = withoutHelp(withoutGlobals(args));
  let command: AnyCommand | undefined;
  let given: unknown[] = [];
  const help: string[] = [];
  try {
    const row = commandRow(argv);
    command = (await row?.load())?.default;
    const words = row?.name.split(" ") ?? [];
    const isFirst = row !== undefined && words.every((word, i) => argv[i] === word);
    const act = async (all: unknown[]) => {
      given = all;
      const { render } = await import("./show/render.js");
      const { setMode } = await import("./show/ui.js");
      const options = all.at(-1) as { quiet?: boolean; json?: boolean; log?: string };
      setMode(options);
      if (options.log?.includes(":")) await (await import("./common/log.js")).fetchLog(options.log);
      await render(command as AnyCommand, await (command as AnyCommand).run(...given), given);
    };
    // commander then asks for no other
    const program = programWith(command, isFirst ? [row] : COMMANDS, act);
    collectHelp(program, help);
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (e) {
    const fault = e instanceof CommanderError && e.exitCode === 0 ? await writeHelp(help.join("")) : e;
    if (fault === undefined) return 0;
    const { renderFailure } = await import("./show/render.js");
    return renderFailure(fault, command, given, { argv, place: placeOf(argv) });
  }
}
