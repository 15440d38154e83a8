// Keys that tests have derived from passphrases: a derivation takes up to half a second, on purpose, and tests open one
// file again and again. So a process derives each key once. Another passphrase, salt, length or cost is another key.

import { createHash } from "node:crypto";

/**
 * The keys of one function by name, for all copies of a module in the process: the command line has one, and the
 * sources another.
 */
export const keptKeys = (of) => (globalThis[Symbol.for(`firmseal kept ${of}`)] ??= new Map());

/** The name of a key: everything that it is derived from. `numbers`: lengths and costs. */
export function nameOfKey(numbers, salt, passphrase) {
  // the length of the salt says where the passphrase begins
  const hash = createHash("sha256").update(JSON.stringify([numbers, salt.length]));
  return hash.update(salt).update(passphrase).digest("hex");
}
