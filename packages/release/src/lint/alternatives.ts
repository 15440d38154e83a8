// Finds alternatives of try-each that no device can run: an earlier alternative holds whenever they do.

import { DIR_OVERRIDE_PARAMETERS, DIR_SET_COMPONENT_INDEX, DIR_TRY_EACH } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { IDENTITY } from "../verify/manifest-facts.js";
import type { SequenceCommand } from "../verify/tree.js";

/** What an alternative asks of the device before it does anything. */
interface Demands {
  /** Each condition on the identity, with its component and value. */
  readonly all: ReadonlySet<string>;
  /** Whether nothing else in it can fail. */
  readonly only: boolean;
}

function demandsOf(alternative: readonly SequenceCommand[]): Demands {
  const all = new Set<string>();
  const values = new Map<number, string>();
  let component = "as before";
  let only = true;
  for (const { code, index, parameters } of alternative) {
    if (code === DIR_SET_COMPONENT_INDEX) {
      component = JSON.stringify(index);
      // another component has parameters of its own
      values.clear();
    } else if (code === DIR_OVERRIDE_PARAMETERS)
      for (const { code: parameter, raw } of parameters ?? []) values.set(parameter, Buffer.from(raw).toString("hex"));
    else if (IDENTITY[code] !== undefined) all.add(`${code} ${component} ${values.get(IDENTITY[code] as number) ?? "as before"}`);
    // later demands hold only if this did
    else only = false;
  }
  return { all, only: only && all.size <= LIMITS.lintConditions };
}

/** The first earlier alternative that holds whenever this one does; -1 if there is none. */
function coveredBy(all: readonly (Demands | null)[], i: number): number {
  return all.slice(0, Math.min(i, LIMITS.lintAlternatives)).findIndex((earlier) => {
    // nil: nothing has to match
    if (earlier === null) return true;
    const own = all[i];
    return earlier.only && own !== null && own !== undefined && [...earlier.all].every((demand) => own.all.has(demand));
  });
}

/** An alternative that never runs, and the one that runs in its place: numbers from 1, in the order of the list. */
export interface DeadAlternative {
  readonly alternative: number;
  readonly of: number;
  readonly because: number;
}

/** The alternatives in commands, and in commands inside them, that no device runs. */
export function deadAlternatives(commands: readonly SequenceCommand[]): DeadAlternative[] {
  const out: DeadAlternative[] = [];
  for (const { code, sequences } of commands) {
    if (code === DIR_TRY_EACH && sequences) {
      const demands = sequences.map((one) => one && demandsOf(one));
      for (let i = 1; i < demands.length; i++) {
        const because = coveredBy(demands, i);
        if (because >= 0) out.push({ alternative: i + 1, of: demands.length, because: because + 1 });
      }
    }
    for (const one of sequences ?? []) if (one) for (const dead of deadAlternatives(one)) out.push(dead);
  }
  return out;
}
