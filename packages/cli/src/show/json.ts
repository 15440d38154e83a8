// JSON in parts: a list may be longer than memory, like the entries of a log, if something gives its elements one by
// one.

import { replaceUnsafe } from "@firmseal/keys/internal";

/** Control characters as JSON escapes: a parser gets the character back, a terminal does not get it. */
export function visibleJson(text: string): string {
  const asEscape = (c: string) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
  // newlines between members stay: those in strings are escaped already
  return text
    .split("\n")
    .map((line) => replaceUnsafe(line, asEscape))
    .join("\n");
}

/** Whether a value is `{ [Symbol.iterator]: … }`. */
const isList = (value: unknown): value is Iterable<unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && Symbol.iterator in value;

/** Whether such a list is in a value. */
const hasList = (value: unknown): boolean =>
  isList(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasList));

/** The text of a value, as JSON.stringify() writes it with two spaces. What has a list comes in parts. */
function* textOf(value: unknown, indent: string): Generator<string> {
  if (!hasList(value)) {
    yield visibleJson(JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`));
    return;
  }
  const elements = isList(value) || Array.isArray(value) ? value : undefined;
  const [begin, end] = elements ? ["[", "]"] : ["{", "}"];
  const inner = `${indent}  `;
  let isEmpty = true;
  for (const one of elements ?? Object.entries(value as object)) {
    const [name, member]: [string?, unknown?] = elements ? [undefined, one] : one;
    if (name !== undefined && member === undefined) continue;
    yield `${isEmpty ? begin : ","}\n${inner}${name === undefined ? "" : `${visibleJson(JSON.stringify(name))}: `}`;
    isEmpty = false;
    yield* textOf(member, inner);
  }
  yield isEmpty ? `${begin}${end}` : `\n${indent}${end}`;
}

/** A JSON text and a line end. `{ [Symbol.iterator]: … }` is written as an array. */
export function* jsonParts(value: object): Generator<string> {
  yield* textOf(value, "");
  yield "\n";
}
