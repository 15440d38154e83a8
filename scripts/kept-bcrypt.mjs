// bcrypt-pbkdf for tests, which open one OpenSSH file again and again: a key takes up to half a second in JavaScript, and a process derives each once. Another
// passphrase, salt, length or number of rounds is another key.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const bcrypt = createRequire(new URL("../packages/keys/package.json", import.meta.url))("bcrypt-pbkdf");

/** For all copies of this module in the process: the command line has one, and the sources another. */
const KEPT = Symbol.for("firmseal kept bcrypt");
globalThis[KEPT] ??= new Map();
const keys = globalThis[KEPT];

function pbkdf(passphrase, passphraseLength, salt, saltLength, key, length, rounds) {
  const lengths = JSON.stringify([passphraseLength, saltLength, length, rounds]);
  const name = createHash("sha256").update(lengths).update(salt).update(passphrase).digest("hex");
  const known = keys.get(name);
  if (known) {
    key.set(known);
    return 0;
  }
  const failed = bcrypt.pbkdf(passphrase, passphraseLength, salt, saltLength, key, length, rounds);
  if (failed === 0) keys.set(name, Uint8Array.from(key));
  return failed;
}

export default { pbkdf };
