// --for and --cose-alg: what they change in a release, and what the user reads about it.

import { type SigningKey, usage } from "@firmseal/keys";
import type { AlgChoice } from "@firmseal/release";
import type { EnvelopeDraft, PublicKey } from "@firmseal/signer";
import { ALG_NAMES } from "@firmseal/verifier/tools";
import { onDemand } from "./on-demand.js";

/** The recipe of an image: for a consumer without what that does not accept. Undefined: the usual one. */
export async function consumerRecipe({ for: name }: AlgChoice) {
  if (!name) return undefined;
  const parts = await onDemand();
  return parts.recipeFor(parts.consumerOf(name));
}

/** Refuses --cose-alg for a key that is not there, and finds the COSE algorithm number that signatures with each key name. */
export async function namedAlgs(keys: readonly PublicKey[], o: AlgChoice): Promise<number[] | undefined> {
  if (!o.for && !o.coseAlg?.length) return undefined;
  const { coseAlgFor, namesFault } = await onDemand();
  const fault = namesFault(o.coseAlg ?? [], keys);
  if (fault) throw usage(`--cose-alg ${fault.what}`, fault.hint);
  return keys.map((key) => coseAlgFor(key, o));
}

/** The keys, whose signatures name the algorithms that are asked for. */
export async function asNamed(keys: readonly SigningKey[], o: AlgChoice): Promise<readonly SigningKey[]> {
  const algs = await namedAlgs(
    keys.map((key) => key.public),
    o,
  );
  return algs ? (await onDemand()).withCoseAlgs(keys, o) : keys;
}

/** What refuses a release that a consumer does not accept, before anything is logged or signed. */
export async function judgeFor({ for: name }: AlgChoice, keys: readonly SigningKey[]) {
  if (!name) return {};
  const { checkDraftFor } = await onDemand();
  const algs = keys.map(({ signer }) => signer.alg);
  return { judge: (draft: EnvelopeDraft) => checkDraftFor(name, draft, algs) };
}

/** The consumer of --for, as it appears in the JSON output. */
export async function consumerFacts(name: AlgChoice["for"], keys: readonly SigningKey[]) {
  if (!name) return {};
  const { givenUp } = (await onDemand()).consumerOf(name);
  return { for: { consumer: name, algorithms: keys.map(({ signer }) => ALG_NAMES[signer.alg] ?? String(signer.alg)), givenUp } };
}

type ConsumerFacts = Awaited<ReturnType<typeof consumerFacts>>["for"];

export function consumerWords(facts: ConsumerFacts | undefined): string[] {
  return facts ? [`for ${facts.consumer}, signed as ${facts.algorithms.join(", ")}; left out: ${facts.givenUp}`] : [];
}
