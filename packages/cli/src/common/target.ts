// --target: what is said about the algorithms of the keys.

import { type Advice, advise, TARGETS } from "@firmseal/bundler";
import { usage } from "@firmseal/keys/internal";
import { suggestion } from "@firmseal/signer";

/** undefined: no target is named. An unknown name is a usage error. */
export function adviceFor(target: string | undefined, algs: readonly string[]): Advice | undefined {
  if (target === undefined) return undefined;
  try {
    return advise(target, algs);
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    const known = Object.keys(TARGETS);
    throw usage(`--target: ${e.message}${suggestion(target, known)}`, `one of ${known.join(", ")}`);
  }
}
