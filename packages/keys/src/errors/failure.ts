// Errors outside the verifier, and how every error gets its exit code. Exit 1: the input is refused; 2: wrong usage; 3:
// a fault of the environment (unreadable file, full disk, missing passphrase).

import { type ErrorCode, FirmsealError } from "@firmseal/verifier/tools";
import { boundedMessage } from "../words.js";

export type Exit = 1 | 2 | 3;

/** An error with one line of message, one hint and an exit code. */
export class Failure extends FirmsealError {
  override readonly name: string = "Failure";
  /** Additional members for the JSON output of a command. */
  facts: object = {};
  constructor(
    readonly exit: Exit,
    code: ErrorCode,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(code, boundedMessage(message), options);
  }

  /** The name of the error in errors.md and in the JSON output of a command: the code without ERR_. */
  get reason(): string {
    return this.code.slice("ERR_".length);
  }

  /** Returns the same failure in other words. */
  with({ message = this.message, hint = this.hint, cause = this.cause }: { message?: string; hint?: string; cause?: unknown }): Failure {
    const other = new Failure(this.exit, this.code, message, hint, { cause });
    other.facts = this.facts;
    return other;
  }
}

/** Returns a Failure with exit code 2, ERR_USAGE: an option or an argument is missing or wrong. */
export function usage(message: string, hint: string): Failure {
  return new Failure(2, "ERR_USAGE", message, hint);
}

/**
 * Returns a Failure with exit code 3, ERR_ENVIRONMENT: a file cannot be read or written, a passphrase is missing, a
 * service does not answer. `cause`: the error of the system.
 */
export function environment(message: string, hint: string, cause?: unknown): Failure {
  return new Failure(3, "ERR_ENVIRONMENT", message, hint, { cause });
}

/** Returns a Failure with exit code 1 for input that is refused. */
export function refusedInput(code: ErrorCode, message: string, hint: string): Failure {
  return new Failure(1, code, message, hint);
}

/** Returns a Failure for input above a limit. `hint` says what to do. */
export function tooMuch(message: string, hint: string): Failure {
  return refusedInput("ERR_LIMIT", message, hint);
}

const SYSTEM_ERRORS: { [code: string]: string } = {
  ENOENT: "file not found",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "the file-size limit is reached",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is not a folder",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  EPIPE: "the reader has closed the pipe",
  EBUSY: "another program uses it",
  EIO: "the device reports an error",
};

/** Converts an error of the operating system to a Failure. Returns undefined for other errors. */
export function systemFault(e: unknown, what: string): Failure | undefined {
  const code = (e as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string" || (e as NodeJS.ErrnoException).errno === undefined) return undefined;
  return environment(`${what}: ${SYSTEM_ERRORS[code] ?? code}`, systemHint(code, what === "stdout"), e);
}

/** Errors of a full disk, and of limits that act like one. */
const NO_ROOM: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** Whether the cause of a failure is missing room. */
export function lacksRoom(e: unknown): boolean {
  return NO_ROOM.includes(String(((e as Error | undefined)?.cause as NodeJS.ErrnoException | undefined)?.code));
}

function systemHint(code: string, stdout: boolean): string {
  if (NO_ROOM.includes(code)) return stdout ? "choose an output with enough room" : "make room, and run the command again";
  if (code === "EPIPE") return "the reader must take the whole output; or write it to a file: `out` FILE";
  if (code === "EBUSY") return "end the other program, and run the command again";
  return "check the path and its permissions";
}
