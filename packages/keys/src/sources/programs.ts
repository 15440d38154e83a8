// Which keys bring code of their own: what signs with them starts it.

import { schemeOf, sourceRow } from "./key-sources.js";
import { parseUri } from "./pkcs11/uri.js";

/** Whether a key of this reference starts a program, or loads a library that the reference names. */
export function startsProgram(ref: string): boolean {
  if (schemeOf(ref) === "pkcs11") return parseUri(ref).modulePath !== undefined;
  return sourceRow(ref).startsProgram === true;
}
