// --key env:NAME: the variable NAME holds a key in any text format: PEM, OpenSSH, minisign, JWK, or a COSE_Key in
// base64.

import { KeyFileError } from "../errors/key-file.js";
import { takeVariable, variableOf } from "../secrets/environment.js";
import type { Asking, OpenedKey } from "../source.js";
import { holdKey } from "./file.js";

/** Opens the key in a variable, and removes the variable from the environment. */
export async function openVariable(ref: string, ask: Asking): Promise<OpenedKey> {
  const name = variableOf(ref);
  const value = takeVariable(name);
  const hint = `set it: ${name}=… firmseal …`;
  if (value === undefined) throw new KeyFileError(`environment variable ${name} is not set`, hint, 3);
  if (value === "") throw new KeyFileError(`environment variable ${name} is empty`, hint, 2);
  return holdKey(Buffer.from(withLineBreaks(value)), ref, ask);
}

/**
 * Variables of CI systems often contain a backslash and an `n` instead of line breaks. In JSON, these are an escape and
 * stay.
 */
function withLineBreaks(value: string): string {
  return /[\n\r]/.test(value) || /^\s*[{[]/.test(value) ? value : value.replaceAll(/(\\r)?\\n/g, "\n");
}
