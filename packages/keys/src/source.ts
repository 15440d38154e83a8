// The interface of every kind of key custody. key-sources.ts names the module of each kind, which is loaded on demand.

import type { PrivateKey, PublicKey, Signer } from "@firmseal/signer";
import { WrongPassphrase } from "./errors/key-file.js";
import { warn } from "./notices.js";
import { visible } from "./words.js";

/** An open key, wherever it is kept. */
export interface OpenedKey {
  /** The reference as messages and logs show it, without secrets. */
  readonly name: string;
  readonly public: PublicKey;
  /** The signer; undefined if only the public part is available. It verifies every signature before it returns it. */
  readonly signer?: Signer;
  /** The private part, if it is in this process. Only needed to write the key in another format. */
  readonly private?: PrivateKey;
  /** The key file, if there is one. Its lock, log and state are beside it. */
  readonly file?: string;
  /** For one-time keys: claims the next leaf for the next signature, permanently, and returns its number in decimal. */
  claim?(): Promise<string>;
  /** For one-time keys: how many signatures are left. */
  left?(): bigint;
  /** Seconds that others may use the key, if longer than usual. */
  readonly patience?: number;
  /** Ends sessions and programs, and overwrites a private part with zeros. The key signs nothing afterwards. */
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** An open key that can sign. */
export type SigningKey = OpenedKey & { readonly signer: Signer };

/**
 * The kind of secret that a key asks for. Wrong PINs count in the token, so a PIN that may be meant for something else
 * is never offered. Default: passphrase.
 */
export type SecretKind = "passphrase" | "pin";

/** What a key source may ask its caller for, and how much of a key the caller needs. */
export interface Asking {
  /** Returns the next passphrase of the command line, or asks at the terminal with `prompt`. At least one byte. */
  secret(prompt: string, kind?: SecretKind): Promise<Uint8Array>;
  /** Whether a person typed the last passphrase and may type it again: three times for each key. Never for a PIN. */
  mayRetry?(): boolean;
  /** The public key is enough. A one-time key in a file then needs no state. */
  readonly publicOnly: boolean;
  /**
   * The claimed public key of a token, a service or a program is enough: it is only named, and nothing is trusted
   * because of it.
   */
  readonly unproved?: boolean;
  /** Ends what waits, when the key is opened and when it signs: prompts, locks, programs, services. */
  readonly signal?: AbortSignal | undefined;
}

/** Reads a key. If a person mistypes its passphrase, firmseal says so and asks again. */
export async function withRetries<T>(ask: Asking, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (e) {
      if (!(e instanceof WrongPassphrase) || !ask.mayRetry?.()) throw e;
      warn(visible(e.message));
    }
  }
}

/** Opens the key for a reference of this kind. Throws KeyFileError. */
export type OpenSource = (ref: string, ask: Asking) => Promise<OpenedKey>;
