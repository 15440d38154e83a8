// --key: which key, and how its passphrase comes in. Everything after this point works on keys, not on files.

import { closeSync, fstatSync } from "node:fs";
import { isPrivate, type PrivateKey, type PublicKey, testKeyName, testKeys, thumbprint, toHex } from "@firmseal/signer";
import { type Anchor, anchor } from "@firmseal/verifier";
import { CODES, Failure, usage } from "./failure.js";
import { openRegular, readAll } from "./io.js";
import { looseMode, readKey } from "./keys/file.js";
import { passphrase } from "./keys/passphrase.js";
import { visible, warn } from "./ui.js";

/** A passphrase option, in the order given: they belong to the encrypted keys in the order of --key. */
export type PassphraseOption = { env: string } | { fd: number };

/** Reads keys; each that is encrypted takes the next passphrase option, or asks on the terminal where none is left. */
async function readKeys(paths: readonly string[], options: readonly PassphraseOption[]): Promise<(PublicKey | PrivateKey)[]> {
  const rest = [...options];
  // one option serves any number of keys, as they often share their passphrase; several are handed out in order
  const only = options.length === 1 ? options[0] : undefined;
  const keys: (PublicKey | PrivateKey)[] = [];
  let shared: Promise<Uint8Array> | undefined;
  for (const path of paths) {
    const prompt = `Passphrase for ${visible(path)}: `;
    const ask = () => {
      if (only) {
        shared ??= passphrase({ ...only, prompt });
        return shared;
      }
      return passphrase({ ...rest.shift(), prompt });
    };
    const key = await readKey(readAll(path, 64 * 1024), path, ask);
    if (path !== "-" && isPrivate(key)) {
      const { fd } = openRegular(path);
      if (looseMode(fstatSync(fd))) warn(`${visible(path)} can be read by others; chmod 600 it`);
      closeSync(fd);
    }
    keys.push(key);
  }
  return keys;
}

/** Keys to sign with. A public key here is wrong use. */
export async function privateKeys(paths: readonly string[], options: readonly PassphraseOption[]): Promise<PrivateKey[]> {
  const keys = await readKeys(paths, options);
  return keys.map((key, i) => {
    if (!isPrivate(key))
      throw usage(`${paths[i]}: is a public key, and signing needs a private one`, "give the private key that firmseal keygen wrote");
    return key;
  });
}

/** Keys to verify with, private or public. */
export async function publicKeys(paths: readonly string[], options: readonly PassphraseOption[]): Promise<PublicKey[]> {
  if (paths.length === 0) throw usage("no key is given", "give the public key of who signed: --key PUB");
  return readKeys(paths, options);
}

export function anchors(keys: readonly PublicKey[]): Anchor[] {
  return keys.map((key) => anchor(key.alg, key.key, key.kid));
}

/** How a key is told in JSON. */
export function keyFacts(key: PublicKey): { kid: string | null; alg: string; thumbprint: string } {
  return { kid: key.kid ? toHex(key.kid) : null, alg: key.alg, thumbprint: toHex(thumbprint(key)) };
}

/** Names of the published test keys among `keys`. Whoever can read this project can sign with them. */
export function testKeyNames(keys: readonly PublicKey[]): string[] {
  return [...new Set(keys.flatMap((key) => testKeyName(key) ?? []))];
}

/** Warns of published test keys, and returns their names. */
export function warnOfTestKeys(keys: readonly PublicKey[]): string[] {
  const names = testKeyNames(keys);
  for (const name of names) warn(`${name} is a published test key: anybody can sign with it`);
  return names;
}

/** A release must not be signed with a key that everybody has, unless each is allowed by its name. */
export function refuseTestKeys(keys: readonly PublicKey[], allowed: readonly string[]): void {
  const names = testKeyNames(keys);
  for (const name of names) {
    if (!allowed.includes(name))
      throw new Failure(
        1,
        "TEST_KEY",
        CODES.TEST_KEY,
        `${name} is a published test key: anybody can sign with it`,
        `make a key of your own with firmseal keygen, or allow this one: --allow-test-key ${name}`,
      );
    warn(`signing with the published test key ${name}`);
  }
  const unknown = allowed.find((name) => !testKeys.some((key) => key.name === name));
  if (unknown !== undefined)
    throw usage(`--allow-test-key ${unknown}: there is no test key of this name`, "the refusal of a test key tells its name");
}
