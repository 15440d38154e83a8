// Steps and archives in files.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "@firmseal/keys";
import { environment, grouped, readAll, systemFault, tooMuch, usage } from "@firmseal/keys/internal";
import { errors } from "@firmseal/verifier";
import { looksLikeEnvelope, looksLikeTrustFile } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { bigSequence } from "../input/sequence.js";
import { wrongKind } from "../input/wrong-kind.js";
import { refusalHint } from "../verify/refusals.js";
import { type PlannedStep, stepOf } from "./plan/steps.js";

/** Reads a release, or a trust file without a release. Throws a Failure, ENVELOPE_NONE, for a file that is neither. */
export async function readStep(path: string): Promise<PlannedStep> {
  const bytes = readAll(path, LIMITS.envelope, (head) => {
    if (!looksLikeTrustFile(head) && !looksLikeEnvelope(head))
      throw new Failure(1, "ERR_ENVELOPE_NONE", wrongKind(path, head, "envelope", "trust file"), refusalHint(errors.ENVELOPE_NONE));
  });
  return stepOf(path, bytes);
}

/** An envelope that was read. */
export interface ReadEnvelope {
  readonly path: string;
  readonly envelope: Uint8Array;
}

/**
 * Reads the steps of a plan.
 *
 * @param paths - Envelopes and trust files, in order, or envelopes that were read.
 * @returns The steps, for planSteps().
 * @throws Failure with LIMIT if there are too many, and those of readStep().
 */
export async function readSteps(paths: readonly (string | ReadEnvelope)[]): Promise<PlannedStep[]> {
  if (paths.length > LIMITS.planSteps)
    throw tooMuch(`${grouped(paths.length)} steps`, `the limit is ${grouped(LIMITS.planSteps)}: plan for fewer at a time`);
  const steps: PlannedStep[] = [];
  for (const one of paths) steps.push(await (typeof one === "string" ? readStep(one) : stepOf(one.path, one.envelope)));
  return steps;
}

const numberOf = (step: PlannedStep) => ("trust" in step ? bigSequence(step.store.sequence) : step.sequence);

/**
 * Returns the .suit and .trust files of a folder, from the lowest number to the highest, releases before trust files.
 * Throws a Failure: ENVIRONMENT if the folder cannot be read, USAGE if it has no such file, LIMIT if it has too many.
 */
export async function readArchive(folder: string): Promise<PlannedStep[]> {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.(suit|trust)$/.test(name));
  } catch (e) {
    throw systemFault(e, folder) ?? environment(`${folder} cannot be read`, "give a folder with bridges and releases", e);
  }
  if (names.length === 0) throw usage(`${folder} has no .suit or .trust file`, "give a folder with bridges and releases");
  if (names.length > LIMITS.planSteps)
    throw tooMuch(
      `${folder} has ${grouped(names.length)} releases and trust files`,
      `the limit is ${grouped(LIMITS.planSteps)}: keep bridges, and the newest release, in a folder of their own`,
    );
  const steps = await readSteps(names.sort().map((name) => join(folder, name)));
  return steps.sort((a, b) => Number("trust" in a) - Number("trust" in b) || (numberOf(a) < numberOf(b) ? -1 : 1));
}
