// Parses the command line with commander.

import { Command, CommanderError, Option } from "commander";
import about from "../package.json" with { type: "json" };
import { type AnyCommand, exampleLines, GLOBAL_OPTIONS, isHelp, type Listed, optionDescription, optionsOf, repeatable } from "./command.js";
import { GROUPS } from "./commands.generated.js";

/** An option with one dash too few, such as "-key". Commander would take it for -k with the value "ey". */
const SINGLE_DASH = /^-([a-z][a-z-]+)$/;

/** Whether the words lead to a command or a group. What follows them are its arguments. */
function isCommand(group: Command, [name, ...rest]: readonly string[]): boolean {
  if (group.commands.length === 0 || name === undefined || name === "help") return true;
  const next = group.commands.find((one) => one.name() === name);
  return next !== undefined && isCommand(next, rest);
}

/** A commander command that reports typing errors first, and accepts --help in every place. */
class Parser extends Command {
  /** How often each option was given. */
  private readonly times = new Map<Option, number>();

  override addOption(one: Option): this {
    super.addOption(one);
    return this.on(`option:${one.name()}`, () => void this.times.set(one, (this.times.get(one) ?? 0) + 1));
  }

  /** Refuses two values for one option: a program cannot know which of them is meant. */
  private refuseRepeated(): void {
    for (const [one, times] of this.times)
      if (times > 1 && one.required && !repeatable.has(one))
        this.error(`error: option '${one.flags}' is given twice`, { code: "firmseal.repeated" });
  }

  /** Refuses an option where a value belongs: `--out --first` would write to that name. `--out=--first` means it. */
  private refuseOptionAsValue(args: readonly string[]): void {
    for (const [i, arg] of args.entries()) {
      const value = args[i + 1] ?? "";
      const taker = this.options.find((one) => one.required && (one.long === arg || one.short === arg));
      if (taker && (value.startsWith("--") || this.options.some(({ short }) => short === value)))
        this.error(`error: option '${taker.flags}' argument missing`, { code: "commander.optionMissingArgument" });
    }
  }

  override parseOptions(args: string[]): ReturnType<Command["parseOptions"]> {
    const end = args.indexOf("--");
    const options = end < 0 ? args : args.slice(0, end);
    const asksForHelp = options.some(isHelp);
    if (this.commands.length > 0) {
      const parsed = super.parseOptions(args);
      // commander reports an unknown command, with the nearest one
      if (this.getOptionValue("version") === true && isCommand(this, parsed.operands))
        this.error("error: option '--version' must be the only argument", { code: "firmseal.version" });
      // commander would show the help of the group for a command that is not there
      return isCommand(this, parsed.operands) ? parsed : { ...parsed, unknown: parsed.unknown.filter((arg) => !isHelp(arg)) };
    }
    // even after an option that takes a value: no file is called --help
    if (asksForHelp) return { operands: [], unknown: ["--help"] };
    const short = options.find((arg) => this.options.some(({ long }) => long === `--${SINGLE_DASH.exec(arg)?.[1]}`));
    if (short !== undefined) this.error(`error: unknown option '${short}' (Did you mean -${short}?)`, { code: "commander.unknownOption" });
    this.refuseOptionAsValue(end < 0 ? args : args.slice(0, end + 1));
    const parsed = super.parseOptions(args);
    // before a required option is missed, which may be the mistyped one
    if (parsed.unknown[0] !== undefined) (this as unknown as Suggesting).unknownOption(parsed.unknown[0]);
    this.refuseRepeated();
    return parsed;
  }
}

/** The part of commander that looks for the nearest option. Its types leave it out. */
interface Suggesting {
  unknownOption(flag: string): void;
}

/** A command of commander's that throws what is wrong and prints nothing of it. */
export function parser(name: string, summary: string): Command {
  return (
    new Parser(name)
      .description(summary)
      .showHelpAfterError(false)
      .configureOutput({ writeErr: () => {} })
      .configureHelp({ optionDescription, minWidthToWrap: 20 }) // 40 would leave lines of 100 columns on a terminal of 60
      .exitOverride()
      // what follows the name of a command belongs to the command, also --version
      .enablePositionalOptions()
  );
}

/** The parser of a command. `act` gets the arguments, then the options. */
export function parserOf(definition: AnyCommand, act: (given: unknown[]) => Promise<void>): Command {
  const { name, summary, examples } = definition;
  const made = parser(name.split(" ").at(-1) as string, summary);
  for (const one of definition.arguments ?? []) made.addArgument(one);
  for (const one of optionsOf(definition)) made.addOption(one);
  const shown = examples.flatMap((one) =>
    one
      ? [
          exampleLines(one)
            .map((line) => `  ${line}`)
            .join("\n"),
        ]
      : [],
  );
  // commander adds itself as the last of what it gives
  return made.addHelpText("after", `\nExamples:\n${shown.join("\n\n")}`).action((...given: unknown[]) => act(given.slice(0, -1)));
}

/**
 * Ends with the version if the command line asks for nothing else. commander's version() ends as soon as it finds the
 * option: `firmseal relase --version 1.0.1` would be a success that released nothing.
 */
function showVersion(program: Command & { readonly rawArgs?: readonly string[] }): void {
  if (program.rawArgs?.length !== 1) return;
  program.configureOutput().writeOut?.(`${about.version}\n`);
  throw new CommanderError(0, "commander.version", about.version);
}

type CommandAction = (given: unknown[]) => Promise<void>;

/** The parser of the command line, with `command` in full. Of `others` it knows what --help says. */
export function programWith(command: AnyCommand | undefined, others: readonly Listed[], act: CommandAction): Command {
  const program = parser("firmseal", "Sign, inspect, verify and install firmware updates (SUIT manifests)")
    .addOption(new Option("-V, --version", "output the version number"))
    // after a command that signs, --version is that of the release
    .enablePositionalOptions()
    // the help of commander
    .commandsGroup("More:")
    .helpCommand("help [command]", "display help for command");
  program.on("option:version", () => showVersion(program));
  // without a command after them
  for (const name of GLOBAL_OPTIONS) program.addOption(new Option(name).hideHelp());
  const groups = new Map<string, Command>();
  for (const { name, heading, summary } of others) {
    const [first, second] = name.split(" ") as [string, string?];
    let parent = program;
    if (second !== undefined) {
      parent = groups.get(first) ?? parser(first, GROUPS[first] as string).helpGroup(`${heading}:`);
      if (!groups.has(first)) program.addCommand(parent);
      groups.set(first, parent);
    }
    const made = command?.name === name ? parserOf(command, act) : parser(second ?? first, summary);
    parent.addCommand(second === undefined ? made.helpGroup(`${heading}:`) : made);
  }
  return program;
}

/** Collects what --help and --version say, so that ui.ts writes it as everything else. */
export function collectHelp(command: Command, into: string[]): void {
  command.configureOutput({ writeOut: (text) => into.push(text) });
  for (const one of command.commands) collectHelp(one, into);
}
