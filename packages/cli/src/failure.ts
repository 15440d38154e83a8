// What can go wrong in front of the verifier, and how every error reaches its exit code. Exit 1: what was read is refused; 2: wrong use;
// 3: the environment (a file that cannot be read, a full disk, a passphrase).

import { AlreadySigned, DescriptionError, KeyError } from "@firmseal/signer";
import { errors, type Refusal } from "@firmseal/verifier";
import { REFUSALS } from "@firmseal/verifier/names";
import { hintOf, meaningOf } from "./hints.js";
import { ImageError } from "./image/layout.js";
import { KeyFileError } from "./keys/error.js";
import { bounded } from "./limits.js";

export type Exit = 1 | 2 | 3;

/** Codes of the command line, behind those of the verifier (docs/reference/errors.md). */
export const CODES = {
  USAGE: 200,
  ENVIRONMENT: 201,
  TEST_KEY: 202,
  ALREADY_SIGNED: 203,
  DESCRIPTION: 204,
  IMAGE: 205,
  KEY: 206,
  POWER_CUT: 207,
  SEQUENCE: 212,
  LOG: 213,
  KEY_ROLE: 214,
  KEY_STATE: 220,
  KEY_EXHAUSTED: 221,
  LIMIT: 230,
  FLEET: 240,
  STRANDED: 241,
  INTERNAL: 299,
} as const;

export type Reason = keyof typeof CODES;

/** An error as it is shown: one line, one hint, an exit code. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** What a command's JSON holds besides, also when it fails. */
  facts: object = {};
  constructor(
    readonly exit: Exit,
    readonly reason: string,
    readonly code: number,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(bounded(message), options);
  }
}

export function usage(message: string, hint: string): Failure {
  return new Failure(2, "USAGE", CODES.USAGE, message, hint);
}

export function environment(message: string, hint: string, cause?: unknown): Failure {
  return new Failure(3, "ENVIRONMENT", CODES.ENVIRONMENT, message, hint, { cause });
}

export function refusedInput(reason: Reason, message: string, hint: string): Failure {
  return new Failure(1, reason, CODES[reason], message, hint);
}

/** What is refused because there is too much of it. `hint` says what helps. */
export function tooMuch(message: string, hint: string): Failure {
  return refusedInput("LIMIT", message, hint);
}

export function isRefusal(e: unknown): e is Refusal {
  return e instanceof Error && typeof (e as Partial<Refusal>).code === "number" && typeof (e as Partial<Refusal>).at === "number";
}

const SYSTEM: { [code: string]: string } = {
  ENOENT: "there is no such file",
  EACCES: "it may not be opened",
  EPERM: "it may not be opened",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "the file-size limit is reached",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is not a folder",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  EPIPE: "nobody reads it any more",
  EIO: "the device reports an error",
};

/** A fault of the operating system, in words. undefined: it is none. */
export function systemFault(e: unknown, what: string): Failure | undefined {
  const code = (e as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string" || (e as NodeJS.ErrnoException).errno === undefined) return undefined;
  const space = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
  const hint = !space
    ? "check the path and its permissions"
    : what === "stdout"
      ? "send the output to where there is room"
      : "make room and run the command again; nothing was left behind";
  return environment(`${what}: ${SYSTEM[code] ?? code}`, hint, e);
}

/** Every error as a Failure. */
export function failureOf(e: unknown): Failure {
  if (e instanceof Failure) return e;
  if (isRefusal(e)) {
    const cause = e.cause === undefined ? undefined : systemFault(e.cause, "the device");
    if (cause) return cause;
    const where = e.at >= 0 ? ` (at byte ${e.at})` : "";
    // a policy comes from the options, not from what was read
    const exit = e.code === errors.TRUST_POLICY ? 2 : 1;
    return new Failure(exit, REFUSALS[e.code] ?? "UNKNOWN", e.code, `refused: ${meaningOf(e.code)}${where}`, hintOf(e.code), { cause: e });
  }
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
    return refusedInput("DESCRIPTION", `the description: ${e.message}`, "compare it with schema/manifest.schema.json of @firmseal/signer");
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
