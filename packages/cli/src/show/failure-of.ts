// Every error, as the command line shows it.

import { ImageError } from "@firmseal/images";
import { CODES, Failure, KeyFileError, refusedInput, systemFault, usage } from "@firmseal/keys";
import { failureOfRefusal, isRefusal } from "@firmseal/release";
import { AlreadySigned, DescriptionError, KeyError } from "@firmseal/signer";
import type { CommanderError } from "commander";

/** Every error as a Failure. */
export function failureOf(e: unknown): Failure {
  if (e instanceof Failure) return e;
  if (isRefusal(e)) return failureOfRefusal(e);
  if (e instanceof KeyFileError) return new Failure(e.exit, "KEY", CODES.KEY, e.message, e.hint);
  // a signature that came out wrong is no fault of the command line
  if (e instanceof KeyError && e.code === "fault")
    return new Failure(
      3,
      "KEY",
      CODES.KEY,
      e.message,
      "nothing was written; find out what is wrong with who signs, and do not use the key until then",
    );
  if (e instanceof KeyError) return new Failure(2, "KEY", CODES.KEY, e.message, "give another key");
  if (e instanceof ImageError) return refusedInput("IMAGE", e.message, e.hint);
  if (e instanceof DescriptionError)
    return refusedInput("DESCRIPTION", `the description: ${e.message}`, "compare it with schema/manifest.schema.json");
  if (e instanceof AlreadySigned)
    return refusedInput("ALREADY_SIGNED", e.message, "each key signs an envelope once; verify it to see who has");
  return (
    systemFault(e, "the system") ??
    new Failure(
      3,
      "INTERNAL",
      CODES.INTERNAL,
      `a fault of this program: ${e instanceof Error ? e.message : String(e)}`,
      "please report it with the command that led to it",
      { cause: e },
    )
  );
}

/** What was typed behind an option may be the passphrase itself, by a slip: it is not told to logs. */
function withoutSecrets(message: string): string {
  return message
    .replace(/^(unknown option '-[^=']*)=.*'/, "$1'")
    .replace(/^(option '--(?:passphrase|pin)-[^']*') argument '.*' is/, "$1: its argument is");
}

/** Options that had another name, and the names that they have now. */
const RENAMED: { readonly [option: string]: string } = {
  "--previous": "--previous-trust FILE for a trust file, --previous-release ENVELOPE for simulate",
  "--step": "--release ENVELOPE",
};

const OPTIONS: ReadonlySet<string> = new Set(["commander.unknownOption", "commander.missingMandatoryOptionValue"]);

/** What commander refuses of a command line. */
export function wrongUse(e: CommanderError, argv: readonly string[]): Failure {
  // that another option is missing may be because of its old name
  const old = argv.map((arg) => arg.replace(/=.*/s, "")).find((arg) => Object.hasOwn(RENAMED, arg));
  if (old !== undefined && OPTIONS.has(e.code)) return usage(`unknown option '${old}'`, `its name is ${RENAMED[old]}`);
  return usage(
    // a suggestion stands in a line of its own there
    e.code === "commander.help" ? "no command is given" : withoutSecrets(e.message.replace(/^error: /, "").replaceAll("\n", " ")),
    "firmseal --help lists the commands, firmseal COMMAND --help its options",
  );
}
