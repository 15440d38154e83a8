// Keys that sign for other tools and boot loaders: as their formats have them, and which ones must not sign.

import { createPublicKey, type KeyObject } from "node:crypto";
import type { FormatKey } from "@firmseal/formats";
import { KEY_LIMITS, keyName, type SigningKey } from "@firmseal/keys";
import { glanceAt, isFile, isMinisign, isSameFile, publicFileOf, readAll, refusedInput, schemeOf, usage } from "@firmseal/keys/internal";
import { type PublicKey, toJwk, unlessThrown } from "@firmseal/signer";
import type { Product } from "../product/file/product.js";
import { readTrustChain } from "../trust/chain.js";
import { keysOf } from "../trust/facts.js";
import { readTrustFile } from "../trust/read.js";
import { refusedFormat } from "./refused-format.js";

/** A key as node:crypto has it. Undefined for a kind that only envelopes have. */
export const nodeKeyOf = (key: PublicKey): KeyObject | undefined =>
  unlessThrown(() => createPublicKey({ key: { ...toJwk(key) }, format: "jwk" }));

/** The public half of a key, for a format. Throws a Failure (usage) for a key of a kind that only envelopes have. */
export async function formatKeyOf({ public: key }: Pick<SigningKey, "public">, format: string): Promise<FormatKey> {
  const own = nodeKeyOf(key);
  if (!own) throw usage(`a key of ${key.alg} has no signatures in the format ${format}`, "sign with an Ed25519 or a P-256 key");
  return (await import("@firmseal/formats")).formatKey(own);
}

/** The formats whose signatures have the number of the key. */
const NUMBERED = ["minisign", "signify"];

/** The same. `publicKey`: the file of minisign or signify that has the number of the key. */
export async function numberedKeyOf(key: SigningKey, format: string, publicKey: string | undefined): Promise<FormatKey> {
  const own = await formatKeyOf(key, format);
  if (publicKey === undefined) return own;
  if (!NUMBERED.includes(format)) throw usage(`a signature in the format ${format} has no key number`, "drop `publicKey`");
  const text = Buffer.from(readAll(publicKey, KEY_LIMITS.keyFile)).toString();
  let published: FormatKey;
  try {
    published = (await import("@firmseal/formats")).toolKey(text);
  } catch (e) {
    throw refusedFormat(publicKey, e);
  }
  if (published.number === undefined)
    throw usage(`${publicKey} has no key number`, "give the public key file that minisign or signify wrote");
  if (published.id !== own.id)
    throw refusedInput(
      "ERR_KEY",
      `${publicKey} is not the public key of ${key.name}`,
      "give the public key file that was published for this key",
    );
  return published;
}

/** Refuses a key file of minisign without the number that its users know. `path`: of the key, if it is in a file. */
export function refuseUnknownNumber(path: string | undefined, { format, publicKey }: { format: string; publicKey?: string }): void {
  if (publicKey !== undefined || path === undefined || !NUMBERED.includes(format) || !isFile(path)) return;
  if (isMinisign(Buffer.from(readAll(path, KEY_LIMITS.keyFile)).toString("latin1")))
    throw usage(
      `${path}: minisign has numbered this key, and verifies signatures with that number only`,
      "give the public key file that minisign wrote: `publicKey` FILE",
    );
}

/** What a key signs that no manifest covers. */
export type ForeignPurpose = "image" | "signature file";

/** All keys that a product file names, files and other references, but for those that may sign this. */
const referencesOf = ({ keys, trust, approval, boot }: Product, purpose: ForeignPurpose): string[] => [
  ...Object.values(keys).flat(),
  ...trust.root,
  ...trust.keys,
  ...approval.keys,
  ...(purpose === "image" ? [] : [...boot.keys, ...boot.trusted]),
];

const isSameKey = (one: string, other: string) => one === other || (isFile(one) && isFile(other) && isSameFile(one, other));

/** The keys in a file, and in the one beside it with its public half, as far as no passphrase is needed. */
async function keysAt(ref: string): Promise<PublicKey[]> {
  const keys: PublicKey[] = [];
  for (const path of [ref, unlessThrown(() => publicFileOf(ref)) ?? []].flat().filter(isFile)) {
    const { public: key } = await glanceAt(path);
    if (key) keys.push(key);
  }
  return keys;
}

const ofProduct = ({ path }: Product, name: string) =>
  refusedInput(
    "ERR_KEY_ROLE",
    `${name} is a key of ${path}, and devices trust its signatures for updates`,
    "make a key for each purpose: firmseal keygen; what counts for one purpose must never count for another",
  );

/** Refuses references that a product file has too. */
export function refuseProductReferences(product: Product | undefined, keys: readonly string[], purpose: ForeignPurpose): void {
  const named = product ? referencesOf(product, purpose) : [];
  for (const key of keys) if (named.some((ref) => isSameKey(ref, key))) throw ofProduct(product as Product, key);
}

/** Refuses a key that a product file or its trust files name. Of its private keys, those in files are known. */
export async function refuseProductKey(product: Product, { name, public: key }: SigningKey, purpose: ForeignPurpose): Promise<void> {
  const known: PublicKey[] = [];
  for (const ref of referencesOf(product, purpose)) if (schemeOf(ref) === undefined) known.push(...(await keysAt(ref)));
  const { file, earlier, carry } = product.trust;
  const lists = [...[file ?? [], earlier].flat().map(readTrustFile), ...[carry ?? []].flat().map(readTrustChain)];
  known.push(...lists.flatMap(({ store }) => keysOf(store)));
  if (known.some((one) => keyName(one) === keyName(key))) throw ofProduct(product, name);
}
