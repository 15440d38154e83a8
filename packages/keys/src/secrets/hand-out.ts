// Which passphrase option belongs to which key. A passphrase that is offered to the wrong file does no harm, and a PIN that is offered to the
// wrong token takes one of its few tries: so no token is offered what may be meant for a file or for another token.

import { usage } from "../errors/failure.js";
import { KeyFileError } from "../errors/key-file.js";
import type { SecretKind } from "../sources/source.js";
import { passphrase } from "./passphrase.js";

/** A passphrase option, in the order given: they belong to the encrypted keys in the order of --key. */
export type PassphraseOption = { env: string } | { fd: number };

export interface PassphraseOptions {
  passphraseEnv?: PassphraseOption[];
  passphraseFd?: PassphraseOption[];
}

/** The passphrase options in order: each holds all that came before it, so the longer list is the whole. */
export function passphraseOptions(o: PassphraseOptions): PassphraseOption[] {
  const env = o.passphraseEnv ?? [];
  const fd = o.passphraseFd ?? [];
  return env.length > fd.length ? env : fd;
}

export interface HandOut {
  /** Whose turn it is: the place of a key among those that hand() was given. */
  turn(key: number): void;
  secret(prompt: string, kind?: SecretKind): Promise<Uint8Array>;
  wipe(): Promise<void>;
}

const OWN =
  "say which key it is for: ?pin-source=env:NAME in the URI of the token, or one passphrase option for each --key, in their order";

/**
 * `kinds`: what each key may ask for, undefined for one that asks for nothing. One option serves any number of files, or one token; as many
 * as there are keys belong to them in order; other numbers are taken by those that ask, in order, unless that would mix files and tokens.
 * Throws a Failure (wrong use).
 */
export function handOut(kinds: readonly (SecretKind | undefined)[], options: readonly PassphraseOption[]): HandOut {
  const asking = kinds.flatMap((kind, i) => (kind === undefined ? [] : [i]));
  const pins = kinds.filter((kind) => kind === "pin").length;
  const each = pins > 0 && options.length > 1 && options.length === asking.length;
  if (options.length > 0 && pins > 0 && pins < asking.length && !each)
    throw usage(`${options.length === 1 ? "one passphrase is" : `${options.length} passphrases are`} given for files and tokens`, OWN);
  const rest = [...options];
  // one serves any number of files, as they often share their passphrase
  const only = options.length === 1 && pins === 0 ? options[0] : undefined;
  let shared: Promise<Uint8Array> | undefined;
  let key = 0;
  return {
    turn(i) {
      key = i;
    },
    async secret(prompt, kind = "passphrase") {
      if (only) {
        shared ??= passphrase({ ...only, prompt });
        // a copy, which is filled with zeros when it has been used
        return Uint8Array.from(await shared);
      }
      const option = each ? options[asking.indexOf(key)] : rest.shift();
      if (kind === "pin" && option === undefined && options.length > 0)
        throw new KeyFileError("the given PIN is for another token, and a wrong PIN uses up a try", OWN, 2);
      return passphrase({ ...option, prompt });
    },
    async wipe() {
      (await shared?.catch(() => undefined))?.fill(0);
    },
  };
}
