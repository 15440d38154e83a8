// --key: which key, where it is kept, and how its passphrase is supplied. All later code works with keys, regardless of
// where they are.

import { anchorOf, loadAlg, type PublicKey, testKeyName, testKeys, thumbprint } from "@firmseal/signer";
import type { Anchor } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { Failure, usage } from "../errors/failure.js";
import { warn } from "../notices.js";
import { takeVariable } from "../secrets/environment.js";
import { type HandOut, handOut, type PassphraseOption } from "../secrets/hand-out.js";
import type { Asking, OpenedKey, SigningKey } from "../source.js";
import { refuseUnknownSource, sourceRow } from "./key-sources.js";
import { guardKeyFiles } from "./private-input.js";
import { provePossession } from "./proof.js";

/**
 * The environment variables that a command line names for secrets: passphrases, keys (env:NAME), PINs
 * (pin-source=env:NAME). If one of its keys is behind a program, also the credentials for key services.
 */
function secretVariables(refs: readonly string[], options: readonly PassphraseOption[]): string[] {
  // with the same parsers that read them: a separate pattern would miss other cases or percent-encoding
  const inRefs = refs.flatMap((ref) => sourceRow(ref).variable?.(ref) ?? []);
  // a program gets the credentials that are in the environment for it, but not those of another key of this command
  const startsProgram = refs.some((ref) => sourceRow(ref).startsProgram);
  const ofServices = startsProgram ? refs.flatMap((ref) => sourceRow(ref).secrets ?? []) : [];
  return [...options.flatMap((option) => ("env" in option ? [option.env] : [])), ...inRefs, ...ofServices];
}

/**
 * Removes the secrets of a command line from the environment, before the first of its keys is opened, because opening a
 * key may start a program. Throws KeyFileError (exit 2) for an invalid reference.
 */
export function hideSecrets(refs: readonly string[], options: readonly PassphraseOption[]): void {
  for (const name of secretVariables(refs, options)) takeVariable(name);
}

/** What a caller needs of its keys. */
type Wanted = Partial<Pick<Asking, "publicOnly" | "unproved" | "signal">>;

/** What ends the work with keys that waits. */
export interface Abortable {
  /**
   * Aborts prompts, locks, programs and services, when a key is opened and when it signs: the call rejects with the
   * reason of the signal.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Supplies the secrets of keys: from the passphrase options, or from the terminal when none is left. */
export function asking(refs: readonly string[], options: readonly PassphraseOption[], wanted: Wanted = {}): Asking & HandOut {
  hideSecrets(refs, options);
  return {
    publicOnly: false,
    ...wanted,
    ...handOut(
      refs.map((ref) => sourceRow(ref).asks?.(ref)),
      options,
      wanted.signal,
    ),
  };
}

/** Opens several keys. */
async function openKeys(
  refs: readonly string[],
  options: readonly PassphraseOption[],
  wanted: Wanted = {},
): Promise<(OpenedKey & AsyncDisposable)[]> {
  const ask = asking(refs, options, wanted);
  const keys: (OpenedKey & AsyncDisposable)[] = [];
  try {
    if (refs.length > 1 && !ask.publicOnly) guardKeyFiles(refs);
    for (const [i, ref] of refs.entries()) {
      ask.turn(i);
      refuseUnknownSource(ref);
      wanted.signal?.throwIfAborted();
      const key = { [Symbol.asyncDispose]: async () => {}, ...(await (await sourceRow(ref).load())(ref, ask)) };
      keys.push(key);
      // open(), which verifies, cannot wait for it
      await loadAlg(key.public.alg);
    }
  } catch (e) {
    await closeKeys(keys);
    throw e;
  } finally {
    await ask.wipe();
  }
  return keys;
}

/** Options of openKey(). */
export interface OpenKeyOptions extends Abortable {
  /** The source of the passphrase or PIN. Default: ask at the terminal. */
  passphrases?: readonly PassphraseOption[];
  /** Open only the public key: nothing is decrypted. */
  publicOnly?: boolean;
}

/**
 * Opens the key that a reference names. Every signature is verified before it is returned. Dispose of the key after
 * use: this ends sessions and programs, and overwrites a private key in memory. This function does not log uses of the
 * key: signRelease() of `@firmseal/release` does, and checks first whether the key may sign.
 *
 * @param reference - A file, `env:NAME`, `fd:N`, `pkcs11:…`, `exec:PROGRAM`, `awskms:…`, `gcpkms:…`, `azurekv:…` or
 *   `vault:…`.
 * @param options - Where passphrases come from, and whether the public half is enough.
 * @returns The key. `signer` is set if it can sign.
 * @throws KeyFileError or Failure: one line in `message`, one in `hint`, neither with a secret in it.
 * @example
 * ```ts
 * import { keyFacts, openKey } from "@firmseal/keys";
 *
 * const key = await openKey("release.pem", { passphrases: [{ env: "RELEASE_PASSPHRASE" }] });
 * console.log(key.name, keyFacts(key.public).thumbprint);
 * await key[Symbol.asyncDispose]();
 * ```
 */
export async function openKey(
  reference: string,
  { passphrases = [], ...wanted }: OpenKeyOptions = {},
): Promise<OpenedKey & AsyncDisposable> {
  const [key] = await openKeys([reference], passphrases, wanted);
  return key as OpenedKey & AsyncDisposable;
}

async function closeKeys(keys: readonly OpenedKey[]): Promise<void> {
  for (const key of keys) await key[Symbol.asyncDispose]?.();
}

async function withOpened<T>(
  refs: readonly string[],
  options: readonly PassphraseOption[],
  wanted: Wanted,
  work: (keys: readonly OpenedKey[]) => Promise<T>,
): Promise<T> {
  const keys = await openKeys(refs, options, wanted);
  try {
    return await work(keys);
  } finally {
    await closeKeys(keys);
  }
}

/**
 * Runs `work` with keys that can sign, then closes them.
 *
 * @param refs - References as openKey() takes them.
 * @param options - Where passphrases come from.
 * @param work - Gets the open keys, in the order of `refs`.
 * @param abortable - What ends the wait.
 * @returns What `work` returns.
 * @throws KeyFileError or Failure: a usage Failure for a public key.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { withSigners } from "@firmseal/keys";
 * import { signRelease } from "@firmseal/release";
 *
 * await withSigners(["release.pem"], [{ env: "RELEASE_PASSPHRASE" }], async (keys) => {
 *   const { bytes } = await signRelease("unsigned.suit", keys);
 *   writeFileSync("app.suit", bytes);
 * });
 * ```
 */
export const withSigners = <T>(
  refs: readonly string[],
  options: readonly PassphraseOption[],
  work: (keys: readonly SigningKey[]) => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> =>
  withOpened(refs, options, { signal }, async (keys) =>
    work(
      keys.map((key) => {
        const { signer } = key;
        if (!signer)
          throw usage(`${key.name} is a public key; signing needs a private key`, "give the private key that firmseal keygen wrote");
        return { ...key, signer };
      }),
    ),
  );

/**
 * Runs `work` with keys of which only the public half is needed, then closes them.
 *
 * @param refs - References as openKey() takes them.
 * @param options - Where passphrases come from.
 * @param work - Gets the open keys, in the order of `refs`.
 * @param abortable - What ends the wait.
 * @returns What `work` returns.
 * @throws KeyFileError or Failure.
 */
export const withPublicKeys = <T>(
  refs: readonly string[],
  options: readonly PassphraseOption[],
  work: (keys: readonly OpenedKey[]) => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> => withOpened(refs, options, { publicOnly: true, signal }, work);

/**
 * Runs `work` with one key of any kind, including its private part if it is in this process, then closes it.
 *
 * @param ref - A reference as openKey() takes it.
 * @param options - Where passphrases come from.
 * @param work - Gets the open key.
 * @param abortable - What ends the wait.
 * @returns What `work` returns.
 * @throws KeyFileError or Failure.
 */
export const withKey = <T>(
  ref: string,
  options: readonly PassphraseOption[],
  work: (key: OpenedKey) => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> => withOpened([ref], options, { signal }, (keys) => work(keys[0] as OpenedKey));

/**
 * Opens keys for verification, private or public. An external key must prove possession of its private half.
 *
 * @param refs - References as openKey() takes them.
 * @param options - Where passphrases come from.
 * @param abortable - What ends the wait.
 * @returns The public keys, in the order of `refs`.
 * @throws KeyFileError or Failure: USAGE if no key is given.
 * @example
 * ```ts
 * import { anchors, publicKeys } from "@firmseal/keys";
 * import { open } from "@firmseal/verifier";
 *
 * const manifest = open(envelope, { anchors: anchors(await publicKeys(["pub.pem"], [])) });
 * ```
 */
export async function publicKeys(
  refs: readonly string[],
  options: readonly PassphraseOption[],
  { signal }: Abortable = {},
): Promise<PublicKey[]> {
  if (refs.length === 0) throw usage("no key is given", "give the signer's public key: `key` PUB");
  return withOpened(refs, options, { publicOnly: true, signal }, async (keys) => {
    // a private half in this process, or a public key that the user chose to trust, needs no proof
    for (const { signer, private: secret } of keys) if (signer && !secret) await provePossession(signer);
    return keys.map((key) => key.public);
  });
}

/**
 * Returns the public keys that references claim to be, only to identify the keys: without proof of possession, so no
 * PIN is needed. `options` belong to all of them together.
 */
export async function claimedKeys(refs: readonly string[], options: readonly PassphraseOption[]): Promise<PublicKey[]> {
  const keys = await openKeys(refs, options, { publicOnly: true, unproved: true });
  await closeKeys(keys);
  return keys.map((key) => key.public);
}

/**
 * Makes a trust anchor of each key, for open() of the verifier. The algorithms must be loaded: openKey() and
 * publicKeys() load them.
 *
 * @param keys - The keys, public or private.
 * @returns The anchors, in the order of the keys.
 */
export function anchors(keys: readonly PublicKey[]): Anchor[] {
  return keys.map(anchorOf);
}

/**
 * Describes a key, for the JSON output of commands.
 *
 * @param key - The key.
 * @returns Its identifier in hex or null, its algorithm, and its thumbprint in hex.
 */
export function keyFacts(key: PublicKey): { kid: string | null; alg: string; thumbprint: string } {
  return { kid: key.kid ? toHex(key.kid) : null, alg: key.alg, thumbprint: toHex(thumbprint(key)) };
}

/** Describes the facts of a key in words. */
export function keyWords({ alg, thumbprint }: { alg: string; thumbprint: string | null }): string {
  return `${alg} ${(thumbprint ?? "").slice(0, 16)}…`;
}

/** The names of the published test keys among `keys`. Anybody can sign with them. */
function testKeyNames(keys: readonly PublicKey[]): string[] {
  return [...new Set(keys.flatMap((key) => testKeyName(key) ?? []))];
}

/** Warns about published test keys and returns their names. */
export function warnOfTestKeys(keys: readonly PublicKey[]): string[] {
  const names = testKeyNames(keys);
  for (const name of names) warn(`${name} is a published test key: anybody can sign with it`);
  return names;
}

/**
 * Refuses published test keys, unless each is allowed by name.
 *
 * @param keys - The keys.
 * @param allowed - Names of test keys, as testKeyName() of the signer gives them.
 * @throws Failure: TEST_KEY for a test key that is not allowed, and usage for a name that no test key has.
 */
export function refuseTestKeys(keys: readonly PublicKey[], allowed: readonly string[]): void {
  const names = testKeyNames(keys);
  for (const name of names) {
    if (!allowed.includes(name))
      throw new Failure(
        1,
        "ERR_TEST_KEY",
        `${name} is a published test key: anybody can sign with it`,
        `make a key of your own with firmseal keygen, or allow this one: \`allowTestKey\` ${name}`,
      );
    warn(`signing with the published test key ${name}`);
  }
  const unknown = allowed.find((name) => !testKeys.some((key) => key.name === name));
  if (unknown !== undefined)
    throw usage(`\`allowTestKey\` ${unknown}: no test key has this name`, "the refusal of a test key shows its name");
}
