// URIs with placeholders.

import type { Failure } from "@firmseal/keys";
import { suggestion } from "@firmseal/signer";

/** What placeholders stand for. */
export interface Placeholders {
  readonly product: string;
  readonly board: string;
  /** undefined: none is given. */
  readonly version: string | undefined;
  /** The name of a further component; "image" for the image. */
  readonly component: string;
  /** a or b, if each slot has its own image; else "ab". */
  readonly slot: string;
  /** The role in which it is signed. */
  readonly role: string;
}

/** Replaces the placeholders. `fault` makes the error for one that is not known. */
export function expandUri(template: string, values: Placeholders, fault: (what: string) => Failure): string {
  const known = Object.keys(values);
  const uri = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw fault(`unknown placeholder {${name}}${suggestion(name, known)}`);
    const value = values[name as keyof Placeholders];
    if (value === undefined) throw fault(`{${name}} is not known: \`${name}\` is missing`);
    return value;
  });
  if (/[{}]/.test(uri)) throw fault("a brace outside a placeholder");
  return uri;
}
