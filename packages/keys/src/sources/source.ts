// What every kind of key custody gives. Each kind is one file in this folder, loaded when a reference names it.

import type { PrivateKey, PublicKey, Signer } from "@firmseal/signer";

/** A key that a reference names, wherever it is kept. */
export interface OpenedKey {
  /** The reference as messages and logs show it: nothing in it is secret. */
  readonly name: string;
  readonly public: PublicKey;
  /** Who signs; undefined where only the public part is at hand. What it gives out has been verified. */
  readonly signer?: Signer;
  /** Set where the private part is in this process: what is written in another form, and only that, needs it. */
  readonly private?: PrivateKey;
  /** The file that holds the key, where one does: its lock, log and state lie beside it. */
  readonly file?: string;
  /** Of a one-time key: gives out the next leaf for the next signature, for good, and tells its number, decimal. */
  claim?(): Promise<string>;
  /** Seconds that others may take with the key, where it is more than usual. */
  readonly patience?: number;
  /** Ends sessions and programs. */
  close?(): Promise<void>;
}

/** One that can sign. */
export type SigningKey = OpenedKey & { readonly signer: Signer };

/** A PIN is apart: each wrong one counts in the token, so none is offered that may be meant for something else. Left out: a passphrase. */
export type SecretKind = "passphrase" | "pin";

export interface Asking {
  /** The next passphrase of the command line, or typed at the terminal under `prompt`: at least one byte. */
  secret(prompt: string, kind?: SecretKind): Promise<Uint8Array>;
  /** A public key is enough. A one-time key in a file then needs no state. */
  readonly publicOnly: boolean;
  /** What a token, a service or a program says of its public key is enough: it is named only, and nothing is believed because of it. */
  readonly unproved?: boolean;
}

/** Finds the key of a reference of this kind. Throws KeyFileError. */
export type OpenSource = (ref: string, ask: Asking) => Promise<OpenedKey>;
