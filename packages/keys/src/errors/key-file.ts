// Errors of key files and passphrases, as the terminal shows them.

import { type Exit, Failure } from "./failure.js";

/**
 * An error of a key file or a passphrase. `message` is one line with the fault, `hint` one line with advice, and `exit`
 * the exit code: 2 for an unusable key, 3 for a fault of the environment (a missing passphrase or terminal). Neither
 * line contains any part of the file or of a passphrase. There is no `cause`, because errors of JSON.parse and OpenSSL
 * quote their input.
 */
export class KeyFileError extends Failure {
  override readonly name: string = "KeyFileError";
  constructor(message: string, hint: string, exit: Exit) {
    super(exit, "ERR_KEY", message, hint);
  }
}

/** The passphrase does not open the key. Exit 3. */
export class WrongPassphrase extends KeyFileError {
  override readonly name = "WrongPassphrase";
  constructor(name: string) {
    super(`${name}: wrong passphrase`, "try again; if the passphrase is right, the file is damaged", 3);
  }
}
