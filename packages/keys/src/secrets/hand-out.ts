// Assigns passphrase options to keys. Offering a passphrase to the wrong file is harmless, but a wrong PIN uses up one
// of the few tries of a token. So no token gets a passphrase that may be meant for a file or for another token.

import { usage } from "../errors/failure.js";
import { KeyFileError } from "../errors/key-file.js";
import type { SecretKind } from "../source.js";
import { passphrase } from "./passphrase.js";

/** A passphrase option. In the order given, they belong to the encrypted keys in the order of --key. */
export type PassphraseOption = { env: string } | { fd: number };

/**
 * The sources of passphrases and PINs, as the command line gives them: names of environment variables and numbers of
 * descriptors.
 */
export interface PassphraseOptions {
  passphraseEnv?: PassphraseOption[];
  passphraseFd?: PassphraseOption[];
}

/** Returns the passphrase options in order. Each option holds all options before it, so the longer list is complete. */
export function passphraseOptions(o: PassphraseOptions): PassphraseOption[] {
  const env = o.passphraseEnv ?? [];
  const fd = o.passphraseFd ?? [];
  return env.length > fd.length ? env : fd;
}

export interface HandOut {
  /** Selects the current key, by its index in the arguments of handOut(). */
  turn(key: number): void;
  secret(prompt: string, kind?: SecretKind): Promise<Uint8Array>;
  /** Whether the last passphrase came from the terminal, and the current key has been asked for fewer than three. */
  mayRetry(): boolean;
  wipe(): Promise<void>;
}

const OWN =
  "say which key it is for: ?pin-source=env:NAME in the URI of the token, or one passphrase option for each `key`, in their order";

/**
 * Assigns options to keys. `kinds`: what each key may ask for, or undefined. One option serves any number of files, or
 * one token. If there are as many options as keys, they are assigned in order. Otherwise, they are assigned in order to
 * the keys that ask, unless that would mix files and tokens. Throws a usage Failure.
 */
export function handOut(kinds: readonly (SecretKind | undefined)[], options: readonly PassphraseOption[], signal?: AbortSignal): HandOut {
  const asking = kinds.flatMap((kind, i) => (kind === undefined ? [] : [i]));
  const pins = kinds.filter((kind) => kind === "pin").length;
  const each = pins > 0 && options.length > 1 && options.length === asking.length;
  if (options.length > 0 && pins > 0 && pins < asking.length && !each)
    throw usage(
      `${options.length === 1 ? "one passphrase is" : `${options.length} passphrases are`} given for ${asking.length} keys, in files and tokens`,
      OWN,
    );
  const rest = [...options];
  // one option serves any number of files, which often share their passphrase
  const only = options.length === 1 && pins === 0 ? options[0] : undefined;
  let shared: Promise<Uint8Array> | undefined;
  let key = 0;
  let typed = 0;
  return {
    turn(i) {
      key = i;
      typed = 0;
    },
    mayRetry: () => typed > 0 && typed < 3,
    async secret(prompt, kind = "passphrase") {
      if (only) {
        shared ??= passphrase({ ...only, prompt, signal });
        // a copy, because the user of it overwrites it with zeros
        return Uint8Array.from(await shared);
      }
      const option = each ? options[asking.indexOf(key)] : rest.shift();
      if (kind === "pin" && option === undefined && options.length > 0)
        throw new KeyFileError("the given PIN is for another token, and a wrong PIN uses up a try", OWN, 2);
      typed = option === undefined && kind === "passphrase" ? typed + 1 : 0;
      return passphrase({ ...option, prompt, signal });
    },
    async wipe() {
      (await shared?.catch(() => undefined))?.fill(0);
    },
  };
}
