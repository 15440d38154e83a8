// Whether the alternatives of a try-each exclude each other: for a consumer that does not stop at the first that
// succeeds.

import { COND_COMPONENT_SLOT, DIR_OVERRIDE_PARAMETERS } from "@firmseal/verifier/tools";
import { IDENTITY } from "../verify/manifest-facts.js";
import type { SequenceCommand } from "../verify/tree.js";

/** The conditions on the device with which an alternative begins, and the value that each asks for. */
function beginning(alternative: readonly SequenceCommand[]): Map<number, string> {
  const out = new Map<number, string>();
  const values = new Map<number, string>();
  for (const { code, parameters } of alternative) {
    const parameter = IDENTITY[code];
    if (code === DIR_OVERRIDE_PARAMETERS)
      for (const { code: set, raw } of parameters ?? []) values.set(set, Buffer.from(raw).toString("hex"));
    else if (parameter === undefined) break;
    else if (values.has(parameter)) out.set(code, values.get(parameter) as string);
  }
  return out;
}

/**
 * The parameters that an alternative sets. Undefined if it does more than ask conditions on the device and set them.
 */
function onlySets(alternative: readonly SequenceCommand[]): string | undefined {
  if (alternative.some(({ code }) => code !== DIR_OVERRIDE_PARAMETERS && IDENTITY[code] === undefined)) return undefined;
  const set = new Set(alternative.flatMap(({ parameters }) => (parameters ?? []).map(({ code }) => code)));
  return [...set].sort((a, b) => a - b).join();
}

/**
 * Whether it makes no difference if a device goes on to the next of these alternatives after one that succeeded. Each
 * begins with the same condition on the device, with a value of its own. A component is in one slot, so the component
 * slot excludes the others. A device can have several identifiers of a kind, so two alternatives may match it: then
 * they may only set parameters, and the same ones, so that all values are those of the last that matches.
 */
export function excludeEachOther(sequences: readonly (readonly SequenceCommand[] | null)[]): boolean {
  const alternatives = sequences.flatMap((one) => (one ? [one] : []));
  const all = alternatives.map(beginning);
  const areApart = (code: number) => {
    const values = all.map((one) => one.get(code));
    return !values.includes(undefined) && new Set(values).size === values.length;
  };
  if (areApart(COND_COMPONENT_SLOT)) return true;
  const sets = new Set(alternatives.map(onlySets));
  return sets.size === 1 && !sets.has(undefined) && Object.keys(IDENTITY).some((code) => areApart(Number(code)));
}
