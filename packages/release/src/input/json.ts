// Reads JSON that a person wrote.

import { parse as locate } from "@humanwhocodes/momoa";

/** Names the fault, and its place if that is known. */
function faultOf(text: string): string {
  if (text.trim() === "") return "not JSON: it is empty";
  try {
    locate(text, { mode: "json" });
    return "not JSON";
  } catch (e) {
    const { line, column } = e as { line?: number; column?: number };
    return line === undefined ? "not JSON" : `not JSON (line ${line}, column ${column})`;
  }
}

/**
 * Parses UTF-8 JSON. Throws SyntaxError. Its message has no part of the text, which may be a secret that was named by
 * mistake: those of the engine quote it.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(text === undefined ? "not JSON: not text in UTF-8" : faultOf(text));
  }
}
