// Every error, as the command line shows it.

import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ImageError } from "@firmseal/images";
import { Failure } from "@firmseal/keys";
import { inputName, refusedInput, systemFault, usage } from "@firmseal/keys/internal";
import { isRefusal } from "@firmseal/release";
import { refusalFailure } from "@firmseal/release/internal";
import { AlreadySigned, DescriptionError, KeyError, suggestion, unlessThrown } from "@firmseal/signer";
import { CommanderError } from "commander";
import type { AnyCommand } from "../command.js";
import { asOptions } from "./ui.js";

/** The path that an error of a file system call names. */
function pathOf(e: unknown): string | undefined {
  const path = (e as NodeJS.ErrnoException | null | undefined)?.path;
  return typeof path === "string" && path !== "" ? path : undefined;
}

/**
 * Every error as a Failure, in the words of the command line. `place`: the command or the group of commands that was
 * given; empty if there is none. `command`: the command, if it was found.
 */
export function failureOf(e: unknown, place = "", command?: AnyCommand): Failure {
  const failure = asFailure(e, place, command);
  const [message, hint] = [asOptions(failure.message), asOptions(failure.hint)];
  return message === failure.message && hint === failure.hint ? failure : failure.with({ message, hint });
}

function asFailure(e: unknown, place: string, command: AnyCommand | undefined): Failure {
  if (e instanceof Failure) return e;
  if (e instanceof CommanderError) return wrongUse(e, place, command);
  if (isRefusal(e)) return refusalFailure(e);
  // a wrong signature is not a fault of the command line
  if (e instanceof KeyError && e.fault === "signature")
    return new Failure(3, "ERR_KEY", e.message, "nothing was written; do not use the key until you know why its signature is wrong");
  if (e instanceof KeyError) return new Failure(2, "ERR_KEY", e.message, "give another key");
  if (e instanceof ImageError) return refusedInput("ERR_IMAGE", e.message, e.hint);
  if (e instanceof DescriptionError)
    return refusedInput(
      "ERR_DESCRIPTION",
      `the description: ${e.message}`,
      "compare it with schema/manifest.schema.json of @firmseal/signer",
    );
  if (e instanceof AlreadySigned)
    return refusedInput("ERR_ALREADY_SIGNED", e.message, "each key signs an envelope once; firmseal whosigned lists who has signed");
  return (
    systemFault(e, pathOf(e) ?? "the system") ??
    new Failure(
      3,
      "ERR_INTERNAL",
      `internal error: ${e instanceof Error ? e.message : String(e)}`,
      "report it with the command that caused it",
      { cause: e },
    )
  );
}

/** Options that name a file or a folder, by what --help calls their value. */
const NAMES_A_PATH = /<(?:file|key|folder|path)>/;

/** What a message about a file says after its path. */
const ABOUT = /^(?::| (?:is|was|has|contains|cannot|does|exists|would)\b)/;

/** Whether a message is about this path: as it was given, as an absolute path, or in its real folder. */
function isAbout(message: string, path: string): boolean {
  if (path === "") return false;
  const real = unlessThrown(() => join(realpathSync(dirname(path)), basename(path)));
  return [path, resolve(path), real].some(
    (name) => name !== undefined && message.startsWith(name) && ABOUT.test(message.slice(name.length)),
  );
}

/** The paths that a value may be: `URI=FILE` names one after its last "=". */
const pathsIn = (value: unknown): string[] =>
  [value].flat().flatMap((one) => (typeof one === "string" ? [one, one.slice(one.lastIndexOf("=") + 1)] : []));

/**
 * A failure about a file or a folder that an option names begins with the option, whatever is wrong with the file. If
 * an argument is the same path, the failure may be about the argument, and stays. A refusal begins with the envelope.
 * `given`: the arguments of the command, then its options.
 */
export function withOption(failure: Failure, command: AnyCommand | undefined, given: readonly unknown[]): Failure {
  return beginning(failure, optionOf(failure, command, given) ?? refusedFile(failure, command, given) ?? "");
}

function beginning(failure: Failure, words: string): Failure {
  if (words === "") return failure;
  return failure.with({ message: words + failure.message });
}

/** Arguments that are an envelope, or become one. */
const ENVELOPES = ["envelope", "file", "input", "release"];

/** How a refusal begins that names no file: by the verifier, or by what is known of another one (--for). */
const REFUSED = /^(?:refused|not for [^:]+): /;

/** A refusal that names no file begins with the argument, if that is the only one. */
function refusedFile({ message }: Failure, command: AnyCommand | undefined, given: readonly unknown[]): string | undefined {
  const [argument, ...others] = command?.arguments ?? [];
  if (!REFUSED.test(message) || others.length > 0 || !ENVELOPES.includes(argument?.name() ?? "")) return undefined;
  return typeof given[0] === "string" ? `${inputName(given[0])}: ` : undefined;
}

function optionOf({ reason, message }: Failure, command: AnyCommand | undefined, given: readonly unknown[]): string | undefined {
  if (
    reason === "INTERNAL" ||
    given
      .slice(0, -1)
      .flatMap(pathsIn)
      .some((path) => isAbout(message, path))
  )
    return undefined;
  const values = (given.at(-1) ?? {}) as { readonly [name: string]: unknown };
  const options = (command?.options?.() ?? []).filter(
    (one) => NAMES_A_PATH.test(one.flags) && pathsIn(values[one.attributeName()]).some((path) => isAbout(message, path)),
  );
  return options.length === 0 ? undefined : `${options.map((one) => one.long).join(" and ")} `;
}

/** What follows an option may be the passphrase itself, by mistake: it must not reach logs. */
function withoutSecrets(message: string): string {
  return message
    .replace(/^(unknown option '-[^=']*)=.*'/, "$1'")
    .replace(/^(option '--(?:passphrase|pin)-[^']*') argument '.*' is/, "$1: its value is");
}

/** Both parts of a text around the last `mark`. Undefined if it is not there. */
function around(text: string, mark: string): [string, string] | undefined {
  const at = text.lastIndexOf(mark);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + mark.length)];
}

/** Suggests the nearest choice, where commander refuses a value of an option or of an argument. */
function withChoice(message: string): string {
  const [refused, list] = around(message, ". Allowed choices are ") ?? [];
  if (refused === undefined || list === undefined) return message;
  const choices = list.replace(/\.$/, "");
  const [ofArgument, argument] = around(refused, " is invalid for argument ") ?? [];
  const value = ofArgument?.replace(/^command-argument value /, "") ?? refused.replace(/^option '[^']*' argument | is invalid$/g, "");
  const what = argument === undefined ? /^option '[^']*'/.exec(refused)?.[0] : `argument ${argument}`;
  return `${what}: ${value} is not one of ${choices}${suggestion(value.slice(1, -1), choices.split(", "))}`;
}

/** What commander says, and the same as the messages of the commands say it. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^required option ('.*') not specified$/, "option $1 is missing"],
  [/^missing required argument ('.*')$/, "argument $1 is missing"],
  [/^(option '.*') argument missing$/, "$1: its value is missing"],
  [/^too many arguments for '.*'\. Expected (\d+) arguments? but got (\d+)\.$/, "too many arguments: $2 instead of $1"],
  [/ \(Did you mean (\S+)\?\)$/, '; did you mean "$1"?'],
  [/ \(Did you mean one of (.+)\?\)$/, "; did you mean one of $1?"],
];

/** The message and, if a parser of ours has refused a value, what it advises. */
function wordsOf(e: CommanderError): [message: string, advice?: string | undefined] {
  // commander puts a suggestion in its own line
  const said = withoutSecrets(e.message.replace(/^error: /, "").replaceAll("\n", " "));
  const choice = withChoice(said);
  if (choice !== said) return [choice];
  const [refused, advice] = e.code === "commander.invalidArgument" ? (around(said, " is invalid. ") ?? []) : [];
  if (refused !== undefined) return [`${refused.replace(/^(option '[^']*') argument (?=')/, "$1: ")} is not valid`, advice];
  return [WORDS.reduce((text, [from, to]) => text.replace(from, to), said)];
}

/** What commander reports if something is not on the command line that must be. */
const MISSING = ["commander.missingArgument", "commander.missingMandatoryOptionValue", "commander.optionMissingArgument"];

/** What commander refuses of a command line. If something is missing, the hint has a whole line to type. */
function wrongUse(e: CommanderError, place: string, command: AnyCommand | undefined): Failure {
  const [[example] = []] = MISSING.includes(e.code) ? (command?.examples ?? []) : [];
  const help =
    place === ""
      ? "firmseal --help lists the commands, firmseal COMMAND --help the options of one"
      : `firmseal ${place} --help shows how it is used${example === undefined ? "" : `; for example: ${example}`}`;
  if (e.code === "commander.help") return usage("no command given", help);
  const [message, advice] = wordsOf(e);
  return usage(message, advice ?? help);
}
