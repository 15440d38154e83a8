// The first trust file of a product, with its description and the public keys that it lists: what init writes beside
// the product file.

import { lstatSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative } from "node:path";
import { RECORD, WITHDRAWN } from "@firmseal/behaviour";
import { formatPublic, keyFacts, type PassphraseOption, type Receipt, refuseTestKeys, type SigningKey, withSigners } from "@firmseal/keys";
import {
  checkNew,
  environment,
  glanceAt,
  keyWords,
  notice,
  provePossession,
  publicFileOf,
  STDIO,
  schemeOf,
  shellWord,
  usage,
  visible,
} from "@firmseal/keys/internal";
import { recordTrustSigning } from "@firmseal/release/internal";
import { encodeTrust, type PublicKey, signTrustWithoutLog } from "@firmseal/signer";
import { MAX_SIGNATURES, sameKey } from "@firmseal/verifier/tools";
import { failureOf } from "../../show/failure-of.js";
import type { NewFile } from "../output.js";

interface FirstListOptions {
  /** The product file, which the other files go beside. */
  readonly out: string;
  readonly name: string;
  /** The roots, and then the keys: from lookAtKeys(). */
  readonly looked: readonly Looked[];
  /** How many release keys must sign. */
  readonly threshold: number;
  readonly passphrases: readonly PassphraseOption[];
  readonly allowTestKey: readonly string[];
}

/** A key of the list. */
export interface ListedKey {
  /** As it was given. */
  readonly ref: string;
  /** The file with its public half. */
  readonly publicKey: string;
  /** Whether it signs here: not a file with a public key. */
  readonly signs: boolean;
}

/** The first trust file, before anything is written. */
export interface FirstList {
  readonly trust: string;
  /** The name in the list. */
  readonly name: string | undefined;
  readonly description: string;
  readonly roots: readonly ListedKey[];
  readonly keys: readonly ListedKey[];
  /** How many roots must sign the next file. */
  readonly rootThreshold: number;
  readonly log: readonly Receipt[];
  readonly files: readonly NewFile[];
}

interface Looked extends ListedKey {
  readonly option: "--root" | "--key";
  /** Undefined if only its passphrase or PIN shows it. */
  readonly public: PublicKey | undefined;
  /** Whether that is the key of the file beside it. */
  readonly isBeside: boolean;
}

const ROLE = { "--root": "root", "--key": "release" } as const;

/** Whether something has this name, even a link that leads nowhere. */
export const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Whether a file is in the folder, or below it. */
export function isIn(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return !/^\.\.(?:[/\\]|$)/.test(path) && !isAbsolute(path);
}

/** Where everybody who has the product file finds the public half of a key: beside the key, if it is in this folder. */
function publicPlace(out: string, ref: string, isPublic: boolean, name: string): string {
  const folder = dirname(out);
  if (schemeOf(ref) !== undefined) return join(folder, `${name}.pub`);
  if (isIn(folder, ref)) return isPublic ? ref : publicFileOf(ref);
  return join(folder, basename(isPublic && extname(ref) === ".pub" ? ref : publicFileOf(ref)));
}

/** Looks at a key, and asks for nothing. */
export async function lookAt(out: string, option: Looked["option"], ref: string, name: string): Promise<Looked> {
  if (schemeOf(ref) !== undefined)
    return { option, ref, publicKey: publicPlace(out, ref, false, name), signs: true, isBeside: false, public: undefined };
  if (ref === STDIO) throw usage(`${option} -: a key of a list cannot come from stdin`, "name a file, or env:NAME");
  if (!isThere(ref))
    throw environment(`${option} ${ref}: file not found`, `make the key, firmseal keygen --out ${shellWord(ref)}, or correct the name`);
  const { public: key, stored } = await glanceAt(ref);
  const publicKey = publicPlace(out, ref, stored === undefined, name);
  const own = { option, ref, publicKey, signs: stored !== undefined };
  return { ...own, isBeside: key === undefined, public: key ?? (await besideIt(ref)) };
}

/** The key that keygen wrote beside an encrypted one. */
async function besideIt(ref: string): Promise<PublicKey | undefined> {
  const path = publicFileOf(ref);
  return isThere(path) ? (await glanceAt(path)).public : undefined;
}

/** Refuses one key in two places, also in another form. */
export function refuseTwice(all: readonly (Looked & { public: PublicKey })[]): void {
  for (const [i, one] of all.entries()) {
    const twin = all.slice(0, i).find((other) => sameKey(one.public.key, other.public.key));
    if (!twin) continue;
    const [a, b] = [`${twin.option} ${twin.ref}`, `${one.option} ${one.ref}`];
    throw usage(
      `${a} and ${b} are the same key`,
      twin.option === one.option ? "give different keys" : "a root signs lists of keys and nothing else: make another key for releases",
    );
  }
}

const otherThan = (ref: string, path: string, what: string) =>
  usage(`${path} is ${what}, and not the public key of ${ref}`, "move it away, or give the right key");

/** Refuses a file that has the name of the public half of a key, and is something else. `key`: if it is known. */
async function refuseOtherPublic(path: string, ref: string, key: PublicKey | undefined): Promise<void> {
  const { public: there, stored } = await glanceAt(path);
  if (stored !== undefined) throw otherThan(ref, path, "a private key");
  if (!there || (key && !sameKey(there.key, key.key))) throw otherThan(ref, path, "another key");
}

/** The key of a product without a list, and the public keys that its file names. The key may be made later. */
export async function loneKey(ref: string): Promise<{ keys: ListedKey[]; trusted: string[] }> {
  if (schemeOf(ref) !== undefined) return { keys: [{ ref, publicKey: "", signs: true }], trusted: [] };
  const publicKey = publicFileOf(ref);
  const own = isThere(ref) ? await glanceAt(ref) : undefined;
  if (own && own.stored === undefined) throw usage(`--key ${ref} is a public key`, "give the private key that signs releases");
  const keys = [{ ref, publicKey, signs: true }];
  if (isThere(publicKey)) {
    await refuseOtherPublic(publicKey, ref, own?.public);
    return { keys, trusted: [publicKey] };
  }
  // keygen writes both
  return { keys, trusted: own ? [] : [publicKey] };
}

/** The public halves that are not there yet. Refuses another key under the name of one. */
async function missingPublic(all: readonly (Looked & { public: PublicKey })[]): Promise<NewFile[]> {
  const files = new Map<string, NewFile>();
  for (const { ref, publicKey: path, public: key } of all) {
    if (files.has(path)) throw otherThan(ref, path, "that of another key given");
    if (!isThere(path)) {
      checkNew(path);
      files.set(path, { path, bytes: formatPublic(key, "pem") });
      continue;
    }
    await refuseOtherPublic(path, ref, key);
  }
  return [...files.values()];
}

/** Says which keys were not opened: what the roots sign then rests on the files beside them. */
function noteUnopened(all: readonly (Looked & { public: PublicKey })[]): void {
  for (const { ref, isBeside, public: key } of all)
    if (isBeside)
      notice(
        visible(
          `${ref} is encrypted: the list has the key of ${publicFileOf(ref)}, ${keyWords(keyFacts(key))}: is that what keygen showed?`,
        ),
      );
}

/** One root may be lost; of three or more, one may also be stolen. */
const rootsNeeded = (roots: number) => Math.min(2, roots - 1);

function refuseCounts(roots: number, keys: number): void {
  if (roots > MAX_SIGNATURES || keys > MAX_SIGNATURES)
    throw usage(`a list of keys has at most ${MAX_SIGNATURES} roots and ${MAX_SIGNATURES} release keys here`, "give fewer");
}

/** The files of a new list. Refuses a name whose files are there. */
function newFiles(out: string, name: string): { trust: string; description: string } {
  const [trust, description] = [join(dirname(out), `${name}.trust`), join(dirname(out), `${name}.json`)];
  if ([RECORD, WITHDRAWN].includes(basename(description).toLowerCase()))
    throw usage(`--name ${name}: ${description} would be taken for a file of a release`, "give another name: --name NAME");
  for (const path of [trust, description]) checkNew(path);
  return { trust, description };
}

/** The description of the list. Without a number: `trust create --previous-trust` sets the next one. */
function descriptionText({ out, name }: FirstListOptions, all: readonly Looked[], thresholds: { root: number; release: number }): string {
  const anchors = all.map(({ option, publicKey }) => {
    const key = JSON.stringify(relative(dirname(out), publicKey));
    return `    { "key": ${key}, "roles": ["${ROLE[option]}"] }`;
  });
  return `{
  "$schema": "urn:firmseal:trust:1",
  "name": ${JSON.stringify(name)},
  "anchors": [
${anchors.join(",\n")}
  ],
  "thresholds": { "root": ${thresholds.root}, "release": ${thresholds.release} }
}
`;
}

/** Whether a key is opened now: a release key in a file does not sign, and nobody need type its passphrase. */
const isOpened = ({ option, ref, signs }: Looked): boolean => signs && (option === "--root" || schemeOf(ref) !== undefined);

/** Looks at the keys of a new list, and asks for nothing. Refuses what no passphrase would change. */
export async function lookAtKeys(out: string, name: string, roots: readonly string[], keys: readonly string[]): Promise<Looked[]> {
  refuseCounts(roots.length, keys.length);
  newFiles(out, name);
  const looked: Looked[] = [];
  for (const [i, ref] of roots.entries()) looked.push(await lookAt(out, "--root", ref, `root-${i + 1}`));
  for (const [i, ref] of keys.entries()) looked.push(await lookAt(out, "--key", ref, i === 0 ? "release" : `release-${i + 1}`));
  refuseTwice(looked.flatMap((one) => (one.public ? [{ ...one, public: one.public }] : [])));
  const hidden = looked.find((one) => !one.public && !isOpened(one));
  if (hidden)
    throw usage(
      `${hidden.option} ${hidden.ref} is encrypted, and its public key is not beside it`,
      `firmseal pubkey ${shellWord(hidden.ref)} --out ${shellWord(publicFileOf(hidden.ref))} writes it`,
    );
  return looked;
}

/** Opens the keys, and makes the first trust file of a product. The roots sign it, if they can. */
export async function firstList(o: FirstListOptions): Promise<FirstList> {
  const { looked } = o;
  const { trust, description } = newFiles(o.out, o.name);
  const opened = looked.filter(isOpened);
  return withSigners(
    opened.map(({ ref }) => ref),
    o.passphrases,
    async (signers) => {
      const all: (Looked & { public: PublicKey })[] = [];
      for (const one of looked) {
        const signer = signers[opened.indexOf(one)];
        // the key of a token or a service counts with a proof only
        if (signer && one.option === "--key") await provePossession(signer.signer);
        // what is not opened shows its public key
        all.push({ ...one, isBeside: one.isBeside && !signer, public: (signer?.public ?? one.public) as PublicKey });
      }
      refuseTwice(all);
      refuseTestKeys(
        all.map((one) => one.public),
        o.allowTestKey,
      );
      const publicFiles = await missingPublic(all);
      noteUnopened(all);
      const of = (option: Looked["option"]) => all.filter((one) => one.option === option);
      const [roots, keys] = [of("--root"), of("--key")];
      const rootThreshold = rootsNeeded(roots.length);
      const thresholds = { root: rootThreshold, release: o.threshold };
      const unsigned = encodeTrust({
        name: o.name,
        sequence: 1n,
        anchors: all.map(({ option, public: key }) => ({ key, roles: [ROLE[option]] })),
        thresholds,
      });
      const signing = signers.filter((_, i) => opened[i]?.option === "--root");
      const { bytes, log } = await signedByRoots(unsigned, signing, o.name);
      return {
        trust,
        name: o.name,
        description,
        roots,
        keys,
        rootThreshold,
        log,
        files: [...publicFiles, { path: description, bytes: Buffer.from(descriptionText(o, all, thresholds)) }, { path: trust, bytes }],
      };
    },
  );
}

async function signedByRoots(
  unsigned: Uint8Array,
  roots: readonly SigningKey[],
  name: string,
): Promise<{ bytes: Uint8Array; log: Receipt[] }> {
  if (roots.length === 0) return { bytes: unsigned, log: [] };
  let log: Receipt[];
  try {
    const before = roots.map(() => undefined);
    log = await recordTrustSigning("trust sign", roots, {}, unsigned, before, []);
  } catch (e) {
    const fault = failureOf(e);
    if (fault.code !== "ERR_SEQUENCE") throw e;
    throw fault.with({ hint: `give another --name, or continue the list ${name} that they have signed: firmseal trust create`, cause: e });
  }
  const signers = roots.map((key) => key.signer);
  return { bytes: await signTrustWithoutLog(unsigned, signers), log };
}
