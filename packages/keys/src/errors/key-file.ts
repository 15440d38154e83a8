// What goes wrong with key files and passphrases, in the words that the terminal shows.

/**
 * `message`: one line that says what is wrong; `hint`: one line that says what to do; `exit`: the exit code, 2 for a file that is no
 * usable key and 3 for what the environment lacks (a passphrase, a terminal). Neither line holds a part of the file or a passphrase,
 * and there is no `cause`: the errors of JSON.parse and of OpenSSL quote their input.
 */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
  constructor(
    message: string,
    readonly hint: string,
    readonly exit: 1 | 2 | 3,
  ) {
    super(message);
  }
}
