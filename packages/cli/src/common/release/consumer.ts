// --for and --cose-alg: what they change in a release, and what the user reads about it.

import { usage } from "@firmseal/keys/internal";
import type { AlgChoice } from "@firmseal/release/internal";
import type { PublicKey } from "@firmseal/signer";
import { ALG_NAMES } from "@firmseal/verifier/tools";
import { onDemand } from "./on-demand.js";

/** The recipe of an image: for a consumer without what that does not accept. Undefined: the usual one. */
export async function consumerRecipe({ for: name }: AlgChoice) {
  if (!name) return undefined;
  const parts = await onDemand();
  return parts.recipeFor(parts.consumerOf(name));
}

/**
 * Refuses --cose-alg for a key that is not there, and finds the COSE algorithm number that signatures with each key
 * name.
 */
export async function namedAlgs(keys: readonly PublicKey[], o: AlgChoice): Promise<number[] | undefined> {
  if (!o.for && !o.coseAlg?.length) return undefined;
  const { coseAlgFor, namesFault } = await onDemand();
  const fault = namesFault(o.coseAlg ?? [], keys);
  if (fault) throw usage(`--cose-alg ${fault.what}`, fault.hint);
  return keys.map((key) => coseAlgFor(key, o));
}

/** The consumer of --for, as it appears in the JSON output. */
export async function consumerFacts(o: AlgChoice, keys: readonly PublicKey[]) {
  if (!o.for) return {};
  const { givenUp } = (await onDemand()).consumerOf(o.for);
  const algs = (await namedAlgs(keys, o)) ?? [];
  return { for: { consumer: o.for, algorithms: algs.map((alg) => ALG_NAMES[alg] ?? String(alg)), givenUp } };
}

type ConsumerFacts = Awaited<ReturnType<typeof consumerFacts>>["for"];

export function consumerWords(facts: ConsumerFacts | undefined): string[] {
  return facts ? [`for ${facts.consumer}, signed as ${facts.algorithms.join(", ")}; left out: ${facts.givenUp}`] : [];
}
