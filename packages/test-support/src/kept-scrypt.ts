// scrypt() takes a fifth of a second for a key file, on purpose, and tests open one file again and again: a process derives each key once. setup.ts imports
// this before the modules that take scrypt() from node:crypto. Another passphrase, salt or cost is another key.

import crypto, { type ScryptOptions } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

type Done = (error: Error | null, key: Buffer) => void;

const KEPT = Symbol.for("firmseal kept scrypt");
const { scrypt, createHash } = crypto;
const keys = new Map<string, Buffer>();

function keptScrypt(passphrase: Uint8Array, salt: Uint8Array, length: number, options: ScryptOptions, done: Done): void {
  const hash = createHash("sha256").update(JSON.stringify([length, options, salt.length]));
  const name = hash.update(salt).update(passphrase).digest("hex");
  const known = keys.get(name);
  // the caller overwrites its copy
  if (known) setImmediate(done, null, Buffer.from(known));
  else
    scrypt(passphrase, salt, length, options, (error, key) => {
      if (!error) keys.set(name, Buffer.from(key));
      done(error, key);
    });
}

// modules of an isolated file load again, in the same process
if (!(KEPT in scrypt)) {
  Object.assign(crypto, { scrypt: Object.assign(keptScrypt, { [KEPT]: true }) });
  syncBuiltinESMExports();
}
