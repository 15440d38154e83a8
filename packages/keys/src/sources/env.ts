// --key env:NAME: the variable NAME holds a key in any form that is text: PEM, OpenSSH, minisign, JWK, or a COSE_Key in base64.

import { KeyFileError } from "../errors/key-file.js";
import { takeVariable, variableOf } from "../secrets/environment.js";
import { holdKey } from "./file.js";
import type { Asking, OpenedKey } from "./source.js";

/** The key in a variable, which is taken out of the environment. */
export async function openVariable(ref: string, ask: Asking): Promise<OpenedKey> {
  const name = variableOf(ref);
  const value = takeVariable(name);
  if (value === undefined) throw new KeyFileError(`the environment has no variable ${name}`, `set it: ${name}=… firmseal …`, 3);
  return holdKey(Buffer.from(withLineBreaks(value)), ref, ask);
}

/** Variables of CI systems often hold no line breaks, but `\n` in two characters. In JSON that stands for itself. */
function withLineBreaks(value: string): string {
  return /[\n\r]/.test(value) || /^\s*[{[]/.test(value) ? value : value.replaceAll(/(\\r)?\\n/g, "\n");
}
