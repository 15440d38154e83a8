// Who will sign, as far as that is known before a passphrase is asked for: what would be refused of them is refused
// before a person reads a review, and is said with a plan that is only shown.

import { keyName } from "@firmseal/keys";
import { glanceAt, logBeside, readLogIfThere, schemeOf } from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import type { NamedKey } from "../../signing/coverage.js";

/** The key of a log. The log tells only which of `known` it is. */
function keyOfLog(path: string, known: readonly PublicKey[]): PublicKey | undefined {
  const log = readLogIfThere(path);
  const names = new Set(log && log.faults.length === 0 ? log.entries.flatMap(({ key }) => key ?? []) : []);
  return names.size === 1 ? known.find((key) => names.has(keyName(key))) : undefined;
}

/** Returns a key without its secret. Undefined if it cannot be read, and for keys of programs, tokens and services. */
async function knownKey(ref: string, known: readonly PublicKey[]): Promise<PublicKey | undefined> {
  const log = logBeside(ref);
  if (log === undefined && schemeOf(ref) !== "env") return undefined;
  try {
    const { public: key, stored } = await glanceAt(ref);
    // a public key signs nothing
    if (stored === undefined) return undefined;
    return key ?? (log === undefined ? undefined : keyOfLog(log, known));
  } catch {
    // the command that opens it says why
    return undefined;
  }
}

/** Returns the keys that these references name, without those that are not known. `known`: keys of the product. */
export async function knownSigners(refs: readonly string[], known: readonly PublicKey[]): Promise<NamedKey[]> {
  const out: NamedKey[] = [];
  for (const name of refs) {
    const key = await knownKey(name, known);
    if (key) out.push({ name, public: key });
  }
  return out;
}
