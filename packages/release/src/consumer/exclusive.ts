// Whether the alternatives of a try-each exclude each other: for a consumer that does not stop at the first that succeeds.

import { DIR_OVERRIDE_PARAMETERS } from "@firmseal/verifier/tools";
import { IDENTITY } from "../lint/alternatives.js";
import type { ManifestStep } from "../payload-check/tree.js";

/** The conditions on the device with which an alternative begins, and the value that each asks for. */
function beginning(alternative: readonly ManifestStep[]): Map<number, string> {
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
 * Whether no device meets two of these alternatives: each begins with the same condition on the device (class, component
 * slot, …), with a value of its own.
 */
export function excludeEachOther(sequences: readonly (readonly ManifestStep[] | null)[]): boolean {
  const all = sequences.flatMap((one) => (one ? [beginning(one)] : []));
  return Object.keys(IDENTITY).some((code) => {
    const values = all.map((one) => one.get(Number(code)));
    return !values.includes(undefined) && new Set(values).size === values.length;
  });
}
