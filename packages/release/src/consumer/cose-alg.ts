// Which COSE algorithm number a signature names, if an algorithm has several: by --cose-alg, the product file, or the
// consumer.

import type { SigningKey } from "@firmseal/keys";
import { refusedInput } from "@firmseal/keys/internal";
import { algWords, coseAlg, coseAlgs, deviceKeyAlgs, inWords, type PublicKey, withCoseAlg } from "@firmseal/signer";
import { algName, algsOf, type ConsumerFault } from "./accepts.js";
import { type ConsumerName, consumerOf } from "./consumers.js";

/** The names of the COSE algorithm numbers that can be chosen: those of algorithms with two numbers. */
export const coseAlgNames: readonly string[] = deviceKeyAlgs.flatMap((alg) => {
  const ids = coseAlgs(alg);
  return ids.length > 1 ? ids.map(algName) : [];
});

/** What determines the COSE algorithm number. Later members are defaults. */
export interface AlgChoice {
  /** Names out of coseAlgNames, at most one for each kind of key. */
  readonly coseAlg?: readonly string[] | undefined;
  readonly for?: ConsumerName | undefined;
}

/** The kind of key that a name is for. */
const kindOf = (name: string) => deviceKeyAlgs.find((alg) => coseAlgs(alg).some((cose) => algName(cose) === name));

/**
 * Returns the fault of names that are unknown, leave the choice open, or are for none of the keys. Returns undefined if
 * there is none. If names are for several kinds of key, one of these kinds need not sign this time.
 */
export function namesFault(names: readonly string[], keys: readonly PublicKey[]): ConsumerFault | undefined {
  const unknown = names.find((name) => !coseAlgNames.includes(name));
  if (unknown !== undefined) return { what: `${unknown}: not the name of a COSE algorithm`, hint: `name one of ${inWords(coseAlgNames)}` };
  const kinds = names.map(kindOf);
  const twice = kinds.findIndex((kind, i) => kinds.indexOf(kind) !== i);
  if (twice >= 0)
    return { what: `${names[kinds.indexOf(kinds[twice])]} and ${names[twice]} are for the same keys`, hint: "name one of them" };
  const [kind] = kinds;
  if (kind === undefined || kinds.some((one) => keys.some(({ alg }) => alg === one))) return undefined;
  return {
    what: `${names.join(" and ")}: none of the signing keys is ${article(algWords([kind]))} key`,
    hint: `drop it, or sign with such a key: firmseal keygen --alg ${kind} makes one`,
  };
}

/** Whether a number is for the same keys as a name, and not the one that is named. */
export function isOtherName(cose: number, name: string): boolean {
  const kind = kindOf(name);
  return kind !== undefined && coseAlgs(kind).includes(cose) && algName(cose) !== name;
}

const article = (words: string) => `${/^[AEIOU]/.test(words) ? "an" : "a"} ${words}`;

/**
 * Returns the COSE algorithm number that signatures with this key contain. Throws a Failure (CONSUMER) if the consumer
 * accepts no number that the key can have.
 */
export function coseAlgFor(key: PublicKey, { coseAlg: names = [], for: name }: AlgChoice): number {
  const own = coseAlgs(key.alg);
  const named = own.find((cose) => names.includes(algName(cose)));
  const row = name && consumerOf(name);
  if (!row?.algs) return named ?? coseAlg(key.alg);
  const cose = named ?? row.algs.find((alg) => own.includes(alg)) ?? coseAlg(key.alg);
  if (row.algs.includes(cose)) return cose;
  const possible = deviceKeyAlgs.filter((alg) => coseAlgs(alg).some((one) => row.algs?.includes(one)));
  throw refusedInput(
    "ERR_CONSUMER",
    `not for ${name}: the signature would name ${algName(cose)}, not ${algsOf(row)}`,
    named === undefined
      ? `sign with ${article(algWords(possible))} key: firmseal keygen --alg ${inWords(possible)} makes one`
      : `name ${algsOf(row)}: \`coseAlg\`, or cose-alg in the product file`,
  );
}

/** Returns the same keys. Their signatures name the chosen numbers. */
export function withCoseAlgs(keys: readonly SigningKey[], choice: AlgChoice): SigningKey[] {
  return keys.map((key) => ({ ...key, signer: withCoseAlg(key.signer, coseAlgFor(key.public, choice)) }));
}
