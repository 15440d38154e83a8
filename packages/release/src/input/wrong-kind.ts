// What messages call an input, and one that is not of the kind that a command reads.

import { STDIO } from "@firmseal/keys";
import { FILE_KINDS, type FileKind, taggedKind } from "@firmseal/verifier/tools";

/** The name of an input: its path, or "stdin". */
export const inputName = (path: string): string => (path === STDIO ? "stdin" : path);

/** Says that a file is of none of these kinds, and what it is if that is known. `head`: its first bytes. */
export function wrongKind(path: string, head: ArrayLike<number>, ...wanted: readonly [FileKind, ...FileKind[]]): string {
  const there = taggedKind(head);
  const what = wanted.map((kind) => FILE_KINDS[kind].what);
  const none = what.length === 1 ? `not ${what[0]}` : `neither ${what.join(" nor ")}`;
  return there === undefined ? `${path}: ${none}` : `${path} is ${FILE_KINDS[there].what}, ${none}`;
}
