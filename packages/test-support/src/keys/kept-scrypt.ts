// scrypt() for tests, which derives each key of a key file once: see scripts/testing/kept-keys.mjs. setup.ts imports
// this before the modules that take scrypt() from node:crypto.

import crypto, { type ScryptOptions } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { keptKeys, nameOfKey } from "../../../../scripts/testing/kept-keys.mjs";

type Done = (error: Error | null, key: Buffer) => void;

const KEPT = Symbol.for("firmseal kept scrypt()");
const { scrypt } = crypto;
const keys = keptKeys("scrypt");

function keptScrypt(passphrase: Uint8Array, salt: Uint8Array, length: number, options: ScryptOptions, done: Done): void {
  const name = nameOfKey([length, options], salt, passphrase);
  const known = keys.get(name);
  // the caller overwrites its copy
  if (known) setImmediate(done, null, Buffer.from(known));
  else
    scrypt(passphrase, salt, length, options, (error, key) => {
      if (!error) keys.set(name, Uint8Array.from(key));
      done(error, key);
    });
}

// modules of an isolated file load again, in the same process
if (!(KEPT in scrypt)) {
  Object.assign(crypto, { scrypt: Object.assign(keptScrypt, { [KEPT]: true }) });
  syncBuiltinESMExports();
}
