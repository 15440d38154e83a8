// Options that take several names, with commas between them.

import { usage } from "@firmseal/keys/internal";
import { suggestion } from "@firmseal/signer";

/**
 * The names in `text`, each once, in the order of `known`. Throws a usage error for an unknown name, with the nearest
 * one. `also`: what else the option takes.
 */
export function listOf<T extends string>(text: string, known: readonly T[], option: string, also = ""): T[] {
  const names = text.split(",").filter((name) => name !== "");
  for (const name of names)
    if (!known.includes(name as T))
      throw usage(`${option}: unknown name ${name}${suggestion(name, known)}`, `choose from ${known.join(", ")}, with commas${also}`);
  return known.filter((name) => names.includes(name));
}
