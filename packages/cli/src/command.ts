// What a command is: it declares itself, runs to facts, and has words for them. A command file exports one.

import { Argument, Option } from "commander";
import type { Shape } from "./common/shapes.js";
import type { Line } from "./show/render.js";

/** A line to type, and what it does. */
export type Example = readonly [line: string, what: string];

/** `A`: the arguments, then the options, as commander gives them. `F`: the facts. */
export interface Definition<A extends unknown[], F extends object> {
  /** `sign`, or with the name of its group: `token list`. */
  name: string;
  summary: string;
  arguments?: readonly Argument[];
  /** New ones at each call: some remember what came before them on the command line. */
  options?(): Option[];
  /** The test of the commands parses each. */
  examples: readonly [Example, Example, Example?];
  /** The members of the JSON, beside those that every command has. */
  json: Shape;
  /** Members that the JSON of a failure has even if nothing is known of them. */
  failure?: object;
  /** Throws a Failure, or a Refused if there are facts all the same. */
  run(...given: A): F | Promise<F>;
  /** The facts, as people read them. */
  words(facts: F, ...given: A): Line[];
}

export type AnyCommand = Definition<unknown[], object>;

export function define<A extends unknown[], F extends object>(definition: Definition<A, F>): AnyCommand {
  return definition;
}

/** A row in the table of commands: enough for --help, and how to load the rest. */
export interface Listed {
  name: string;
  /** The heading under which --help lists it. */
  heading: string;
  summary: string;
  load(): Promise<{ default: AnyCommand }>;
}

interface OptionFacts {
  required?: boolean;
  choices?: readonly string[];
  default?: string;
  parse?: (value: string) => unknown;
  /** It may be given several times. `parse` then gets each value, and returns all of them. */
  repeat?: boolean;
}

/** Options that may be given several times. */
export const repeatable = new WeakSet<Option>();

export function option(flags: string, what: string, o: OptionFacts = {}): Option {
  const made = new Option(flags, o.repeat ? `${what} (repeatable)` : what);
  if (o.repeat) repeatable.add(made);
  if (o.choices) made.choices(o.choices);
  if (o.default !== undefined) made.default(o.default);
  const { parseArg: check } = made;
  if (o.repeat)
    made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), check ? check(value, undefined as never) : value]);
  if (o.parse) made.argParser(o.parse);
  return made.makeOptionMandatory(o.required === true);
}

/** `<name>`, `[name]` or `<names...>`. */
export function commandArgument(name: string, what: string, o: { choices?: readonly string[]; default?: string } = {}): Argument {
  const made = new Argument(name, what);
  if (o.choices) made.choices(o.choices);
  if (o.default !== undefined) made.default(o.default);
  return made;
}

/** How --help describes an option. Commander does not say which ones are required. */
export function optionDescription(of: Option): string {
  const facts = of.argChoices ? [`choices: ${of.argChoices.join(", ")}`] : [];
  if (of.defaultValue !== undefined && !of.isBoolean() && !of.negate) facts.push(`default: ${of.defaultValue}`);
  if (of.mandatory && of.defaultValue === undefined) facts.push("required");
  return facts.length > 0 ? `${of.description} (${facts.join("; ")})` : of.description;
}

/** Whether an argument asks for help. */
export const isHelp = (arg: string) => arg === "-h" || /^--help(=|$)/.test(arg);

/** Options that every command has. They may also come before its name. */
export const GLOBAL_OPTIONS = ["--json", "--quiet"] as const;

/** The options that a command has: its own, and those that all have. */
export function optionsOf(definition: AnyCommand): Option[] {
  return [
    ...(definition.options?.() ?? []),
    option("--json", "write one JSON object to stdout, also on failure"),
    option("--quiet", "write only warnings and failures to stderr"),
  ];
}

/** An example, in lines of at most 76 characters if its options allow it: a shell continues after a backslash. */
export function exampleLines([line, what]: Example): string[] {
  const lines: string[] = [];
  for (const part of line.split(/ (?=--)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length < 74) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(lines.length > 0 ? `  ${part}` : part);
  }
  return [`# ${what}`, ...lines.map((text, i) => (i < lines.length - 1 ? `${text} \\` : text))];
}
