// Reads, verifies and signs files in the formats of other boot loaders and tools.

import {
  type FieldFormat,
  type FormatFacts,
  type FormatFile,
  type FormatKey,
  FormatRefusal,
  formatKey,
  SIGNATURE_FORMATS,
  toolKey,
} from "@firmseal/formats";
import { KEY_LIMITS, keyFacts, publicKeys } from "@firmseal/keys";
import { type PassphraseOptions, passphraseOptions, readAll, shellWord, usage, warn, warnOfTestKeys } from "@firmseal/keys/internal";
import { LIMITS, nodeKeyOf, refusedFormat } from "@firmseal/release/internal";
import { fromJwk, type PublicKey, unlessThrown } from "@firmseal/signer";
import type { ForeignFile } from "./foreign.js";

/** Details by their names: a dependency may be there several times. */
function detailsByName(details: FormatFacts["details"]): { [name: string]: string[] } {
  const all: { [name: string]: string[] } = {};
  for (const { name, value } of details) all[name] = [...(all[name] ?? []), String(value)];
  return all;
}

const factsOf = ({ format, bytes, version, counter, sizes, encrypted, signatures, details, warnings }: FormatFacts) => ({
  ...{ format, bytes, version, counter, sizes: { ...sizes }, encrypted, signatures: [...signatures] },
  ...{ details: detailsByName(details), warnings: [...warnings] },
});

export type ForeignFacts = ReturnType<typeof factsOf>;

/** What sign says about an envelope, and nothing else has. */
export const NOT_OF_ENVELOPES = {
  payloads: { inside: [], outside: [] },
  target: undefined,
  for: undefined,
  signatures: undefined,
  lint: undefined,
  approval: undefined,
};

/** Runs `work`, and throws its refusal as a Failure, with the facts that are known by then. */
function refusing<T>(path: string, work: () => T, known?: () => object): T {
  try {
    return work();
  } catch (e) {
    throw refusedFormat(path, e, known?.());
  }
}

/** What a file says. Nothing in it is trusted. */
export function inspectForeign(path: string, { format, bytes }: ForeignFile, o: object) {
  refuseEnvelopeOptions(inFormat(path, format), o, ["json"]);
  const { facts } = refusing(path, () => format.read(bytes));
  for (const text of facts.warnings) warn(`${path}: ${text}`);
  return { verified: false, file: factsOf(facts), testKeys: [] };
}

/**
 * Refuses what would seem to be checked, and is not.
 *
 * @param what - What the options are given for, in words.
 * @param o - The options, by their names.
 * @param allowed - The names of the options that have an effect.
 */
export function refuseEnvelopeOptions(what: string, o: object, allowed: readonly string[]): void {
  const given = Object.entries(o).find(([name, value]) => value !== undefined && !allowed.includes(name));
  if (given) throw usage(`\`${given[0]}\` is for SUIT envelopes, and ${what}`, "drop the option");
}

/** Options that count for every file. */
const ALWAYS = ["key", "json", "passphraseEnv", "passphraseFd"];

/** The keys, and what a signature file does not say itself. */
export interface VerifyForeignOptions extends PassphraseOptions {
  readonly key?: readonly string[];
  readonly format?: string;
  readonly namespace?: string;
}

const inFormat = (path: string, { name }: FieldFormat) => `${path} is in the format ${name}`;

const TOOL_KEY = /^(untrusted comment:|(ssh|ecdsa)-\S+ )/;

/** A public key that no envelope has: P-384 or RSA as PEM, or the file of minisign, signify or OpenSSH. */
function foreignKey(ref: string): FormatKey | undefined {
  const text = unlessThrown(() => Buffer.from(readAll(ref, KEY_LIMITS.keyFile)).toString());
  if (text === undefined) return undefined;
  if (TOOL_KEY.test(text)) return refusing(ref, () => toolKey(text));
  const key = /^-----BEGIN (RSA )?PUBLIC KEY-----/.test(text) ? unlessThrown(() => formatKey(text)) : undefined;
  return key && key.kind !== "ed25519" && key.kind !== "p256" ? key : undefined;
}

/**
 * The keys of --key. Public keys as PEM may also be P-384 and RSA, which no envelope has, and those of other tools may
 * be in their own files; all others are read as for envelopes.
 */
async function formatKeys(refs: readonly string[], o: PassphraseOptions): Promise<GivenKey[]> {
  const keys: GivenKey[] = [];
  for (const ref of refs) {
    const foreign = foreignKey(ref);
    if (foreign) {
      // in the file of another tool it has the same name, and may be a published test key
      const own = unlessThrown(() => fromJwk(foreign.key.export({ format: "jwk" })));
      keys.push({ key: foreign, ...(own && { own }) });
    } else for (const own of await publicKeys([ref], passphraseOptions(o))) keys.push({ key: ownKey(ref, own), own });
  }
  return keys;
}

/** A key, and as envelopes have it if they have such keys. */
interface GivenKey {
  readonly key: FormatKey;
  readonly own?: PublicKey;
}

/**
 * A key of envelopes, for other formats. `ref`: how messages name it.
 *
 * @throws Failure USAGE if they have no such keys.
 */
export function ownKey(ref: string, key: PublicKey): FormatKey {
  const node = nodeKeyOf(key);
  if (!node) throw usage(`${ref}: only SUIT envelopes have signatures by a key of ${key.alg}`, "give an Ed25519 or P-256 key");
  return formatKey(node);
}

/** Verifies a file with the keys of --key. The members are those of an envelope. */
export async function verifyForeign(path: string, found: ForeignFile, o: VerifyForeignOptions) {
  refuseEnvelopeOptions(inFormat(path, found.format), o, ALWAYS);
  if (found.format.beside) throw usage(`${path} is a signature file, and the file that it is for is missing`, verifyLine(path));
  return judged(path, o, () => found.format.read(found.bytes));
}

const verifyLine = (signature: string) => `name both: firmseal verify FILE --signature ${shellWord(signature)} --key PUB`;

/** Verifies a file against its signature file, the file of --signature. */
export async function verifySigned(path: string, signature: string, o: VerifyForeignOptions) {
  refuseEnvelopeOptions(`${signature} is a signature file`, o, [...ALWAYS, "signature", "format", "namespace"]);
  const bytes = readAll(signature, LIMITS.image);
  const format =
    o.format === undefined ? SIGNATURE_FORMATS.find((one) => one.looksLike(bytes)) : SIGNATURE_FORMATS.find((one) => one.name === o.format);
  if (!format) throw usage(`${signature} does not show in which format it is`, "name it: --format raw, or --format der");
  const content = readAll(path, LIMITS.image);
  const { namespace } = o;
  return judged(path, o, () => format.read(bytes, content, { ...(namespace !== undefined && { namespace }) }));
}

/** A signature in an image, and the known key that made it. */
interface ForeignSignature<Key> {
  readonly algorithm: string;
  readonly by?: Key;
}

/**
 * Finds out which known keys signed an image. Keys that the format does not have are passed over.
 *
 * @param path - The file, for messages.
 * @param found - The same, read.
 * @param known - The keys.
 * @throws Failure for a file that is damaged, or in which any key would find a fault.
 */
export function signaturesIn<Key extends { readonly key: PublicKey }>(path: string, found: ForeignFile, known: readonly Key[]) {
  if (found.format.beside) throw usage(`${path} is a signature file, and the file that it is for is missing`, verifyLine(path));
  const file = refusing(path, () => found.format.read(found.bytes));
  const signatures: ForeignSignature<Key>[] = file.facts.signatures.map(({ algorithm }) => ({ algorithm }));
  for (const one of known) {
    const key = unlessThrown(() => ownKey("", one.key));
    if (!key) continue;
    try {
      for (const { signature } of file.verify([key])) {
        const { algorithm, by = one } = signatures[signature] as ForeignSignature<Key>;
        signatures[signature] = { algorithm, by };
      }
    } catch (e) {
      if (!(e instanceof FormatRefusal) || !["FORMAT_NO_KEY", "FORMAT_KEY"].includes(e.reason)) throw refusedFormat(path, e);
    }
  }
  return { facts: file.facts, signatures };
}

async function judged(path: string, o: VerifyForeignOptions, read: () => FormatFile) {
  if (!o.key) throw usage("no trusted keys: --key is missing", "give the signer's public key: --key PUB");
  const given = await formatKeys(o.key, o);
  const testKeys = warnOfTestKeys(given.flatMap(({ own }) => own ?? []));
  let file: FormatFile | undefined;
  const known = () => ({ testKeys, ...(file && { file: factsOf(file.facts) }) });
  const by = refusing(
    path,
    () => {
      file = read();
      return file.verify(given.map(({ key }) => key));
    },
    known,
  );
  const facts = (file as unknown as FormatFile).facts;
  for (const text of facts.warnings) warn(`${path}: ${text}`);
  return {
    sequence: null,
    ...(facts.version !== null && { version: facts.version }),
    file: factsOf(facts),
    signers: by.map(({ key, signature }) => {
      const own = given.find((one) => one.key === key)?.own;
      const { kid, thumbprint } = own ? keyFacts(own) : { kid: null, thumbprint: null };
      return { kid, alg: facts.signatures[signature]?.algorithm ?? null, thumbprint, spki: key.id };
    }),
    testKeys,
    // no envelope, so nothing of one: no payload outside of the file, no device of which its code is known
    ...{ signedByTestKeys: [], otherSignatures: [], refusing: [], payloadsChecked: [], payloadsNotChecked: [], severedAbsent: [] },
    keysFrom: [...o.key],
  };
}

export type VerifiedForeign = Awaited<ReturnType<typeof verifyForeign>>;
export type InspectedForeign = ReturnType<typeof inspectForeign>;
