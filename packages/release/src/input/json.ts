// Reads JSON that a person wrote.

import { decodeUtf8 } from "@firmseal/signer";
import { parse as locate } from "@humanwhocodes/momoa";

/** No JSON of ours nests this deeply. */
const DEEPEST = 1_000;

/** Whether a text nests too deeply, and otherwise how many members its objects have. */
function shapeOf(text: string): { isTooDeep: boolean; members: number } {
  let [depth, members, quoted] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else quoted = c !== '"';
    } else if (c === '"') quoted = true;
    else if (c === ":") members++;
    else if (c === "[" || c === "{") {
      if (++depth > DEEPEST) return { isTooDeep: true, members };
    } else if (c === "]" || c === "}") depth--;
  }
  return { isTooDeep: false, members };
}

/**
 * Whether a text has more brackets open at once than JSON.parse() may get: it takes 100 bytes of memory for each of
 * them.
 */
export const isTooDeep = (text: string): boolean => shapeOf(text).isTooDeep;

/** The members of all objects in a value. */
function membersIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const all = Object.values(value);
  return all.reduce((n: number, one) => n + membersIn(one), Array.isArray(value) ? 0 : all.length);
}

/**
 * Characters of a text in which a fault is located. What a person writes is shorter, and it takes 100 bytes for each.
 */
const LONGEST_LOCATED = 2 ** 21;

/** Names the fault, and its place if that is known. */
function faultOf(text: string): string {
  if (text.trim() === "") return "not JSON: it is empty";
  if (isTooDeep(text)) return "the JSON is nested too deeply";
  if (text.length > LONGEST_LOCATED) return "not JSON";
  try {
    locate(text, { mode: "json" });
    return "not JSON";
  } catch (e) {
    const { line, column } = e as { line?: number; column?: number };
    return line === undefined ? "not JSON" : `not JSON (line ${line}, column ${column})`;
  }
}

/**
 * Parses UTF-8 JSON. Throws SyntaxError, also for an object that has a member twice: two readers can read two things in
 * it. The message has no part of the text, which may be a secret that was named by mistake: those of the engine quote
 * it. `once`: false for lines of devices, each of which is judged alone.
 */
export function parseJson(bytes: Uint8Array, once = true): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SyntaxError("not JSON: not text in UTF-8");
  const { isTooDeep: isDeep, members } = shapeOf(text);
  let value: unknown;
  try {
    if (!isDeep) value = JSON.parse(text);
  } catch {
    // named below
  }
  if (value === undefined) throw new SyntaxError(faultOf(text));
  if (once && membersIn(value) !== members) throw new SyntaxError("not JSON: an object has a member twice");
  return value;
}
