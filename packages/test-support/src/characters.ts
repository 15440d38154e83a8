// Characters for random texts.

import fc from "fast-check";

/** What has no text: surrogates. */
const FIRST = 0xd800;
const COUNT = 0x800;

/** Any character, like the unit "binary" of fast-check, which first makes a table of all characters, in two seconds. */
export const anyCharacter = fc.integer({ min: 0, max: 0x10ffff - COUNT }).map(
  (n) => String.fromCodePoint(n < FIRST ? n : n + COUNT),
  (text) => {
    const [character, ...more] = typeof text === "string" ? [...text] : [];
    const code = more.length === 0 ? (character?.codePointAt(0) ?? FIRST) : FIRST;
    if (code >= FIRST && code < FIRST + COUNT) throw new Error("not one character");
    return code < FIRST ? code : code - COUNT;
  },
);
