// Command lines with nothing unusual in them: what commander would give a command, without loading commander. It is
// most of what a short command loads. Any doubt is commander's: it parses the line again, and has the words for what is
// wrong. A test compares both.

import type { Argument, Option } from "commander";
import { type AnyCommand, optionsOf, repeatable } from "./command.js";

/** A value that is another kind of thing than commander takes without rules of its own. */
const isOptionLike = (arg: string) => arg.startsWith("-") && arg !== "-";

/** Members that the types of commander leave out. */
type Whole = Option & { readonly implied?: unknown; readonly conflictsWith: readonly string[] };

/** Whether the rules of an option are those below. */
function isPlain(one: Option): boolean {
  const { negate, optional, variadic, envVar, presetArg, implied, conflictsWith, required, parseArg } = one as Whole;
  if (negate || optional || variadic || envVar !== undefined || presetArg !== undefined) return false;
  return implied === undefined && conflictsWith.length === 0 && (required || parseArg === undefined);
}

/** The values of options by their names, and what is left. Undefined if commander must see the line. */
function optionValues(
  options: readonly Option[],
  args: readonly string[],
): { values: { [name: string]: unknown }; rest: string[] } | undefined {
  const flags = new Map<string | undefined, Option>(options.flatMap((one) => [[one.short, one] as const, [one.long, one] as const]));
  const values: { [name: string]: unknown } = {};
  for (const one of options) if (one.defaultValue !== undefined) values[one.attributeName()] = one.defaultValue;
  const met = new Set<Option>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!isOptionLike(arg)) {
      rest.push(arg);
      continue;
    }
    const one = flags.get(arg);
    if (!one || (one.required && met.has(one) && !repeatable.has(one))) return undefined;
    met.add(one);
    const name = one.attributeName();
    if (!one.required) values[name] = true;
    else {
      const value = args[++i];
      if (value === undefined || isOptionLike(value)) return undefined;
      values[name] = one.parseArg ? one.parseArg(value, values[name] as never) : value;
    }
  }
  return options.some((one) => one.mandatory && values[one.attributeName()] === undefined) ? undefined : { values, rest };
}

/** The values of arguments. Undefined if commander must see the line. */
function argumentValues(declared: readonly Argument[], rest: readonly string[]): unknown[] | undefined {
  if (rest.length > declared.length || declared.some((one, i) => one.variadic || (one.required && i >= rest.length))) return undefined;
  return declared.map((one, i) => {
    const value = rest[i];
    if (value === undefined) return one.defaultValue;
    return one.parseArg ? one.parseArg(value, one.defaultValue as never) : value;
  });
}

/**
 * The arguments of a command, and its options, as `run` takes them. `args`: what follows its name. Undefined if
 * commander must see the line.
 */
export function plainArguments(definition: AnyCommand, args: readonly string[]): unknown[] | undefined {
  const options = optionsOf(definition);
  if (!options.every(isPlain)) return undefined;
  try {
    const found = optionValues(options, args);
    const given = found && argumentValues(definition.arguments ?? [], found.rest);
    return given && [...given, found.values];
  } catch {
    // a value that is refused: commander says for which option
    return undefined;
  }
}
