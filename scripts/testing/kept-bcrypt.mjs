// bcrypt-pbkdf for tests, which derives each key of an OpenSSH file once: see kept-keys.mjs.

import { createRequire } from "node:module";
import { keptKeys, nameOfKey } from "./kept-keys.mjs";

const bcrypt = createRequire(new URL("../../packages/keys/package.json", import.meta.url))("bcrypt-pbkdf");
const keys = keptKeys("bcrypt");

function pbkdf(passphrase, passphraseLength, salt, saltLength, key, length, rounds) {
  const name = nameOfKey([passphraseLength, saltLength, length, rounds], salt, passphrase);
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
