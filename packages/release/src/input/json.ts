// Reads JSON that a person wrote.

import { parse as locate } from "@humanwhocodes/momoa";

/** Where the fault is; empty if it is unknown. */
function placeOf(text: string): string {
  try {
    locate(text, { mode: "json" });
    return "";
  } catch (e) {
    const { line, column } = e as { line?: number; column?: number };
    return line === undefined ? "" : ` (line ${line}, column ${column})`;
  }
}

/**
 * Parses UTF-8 JSON. Throws SyntaxError. Its message has no part of the text, which may be a secret that was named by
 * mistake: those of the engine quote it.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(`not JSON${placeOf(text)}`);
  }
}
