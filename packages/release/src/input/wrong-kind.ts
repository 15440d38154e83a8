// What messages call an input, and one that is not of the kind that a command reads.

import { DESCRIPTION, inputName, ownFile, usage } from "@firmseal/keys/internal";
import { FILE_KINDS, type FileKind, taggedKind } from "@firmseal/verifier/tools";

/** Says that a file is of none of these kinds, and what it is if that is known. `head`: its first bytes. */
export function wrongKind(path: string, head: ArrayLike<number>, ...wanted: readonly [FileKind, ...FileKind[]]): string {
  const there = taggedKind(head);
  const what = wanted.map((kind) => FILE_KINDS[kind].what);
  const none = what.length === 1 ? `not ${what[0]}` : `neither ${what.join(" nor ")}`;
  return there === undefined ? `${path}: ${none}` : `${path} is ${FILE_KINDS[there].what}, ${none}`;
}

/** What to do with a signed file that is not an image. */
const SIGNED_HINTS: Readonly<Record<FileKind, string>> = {
  envelope: "firmseal sign signs it; an image is what the build wrote",
  "trust file": "firmseal trust sign signs it; to send it to devices, name it in a description",
  message: "an approval goes with `approval`; to send it to devices, name it in a description",
};

/**
 * Throws a usage Failure for a file that devices would start as firmware by mistake: a signed file, a signing log, a
 * product file and the like. `head`: its first bytes.
 */
export function refuseAsImage(path: string, head: Uint8Array): void {
  const name = inputName(path);
  const kind = taggedKind(head);
  if (kind !== undefined) throw usage(`${name} is ${FILE_KINDS[kind].what}, not an image`, SIGNED_HINTS[kind]);
  const own = ownFile(head);
  if (own !== undefined && own !== DESCRIPTION)
    throw usage(`${name} is ${own}, not an image`, "name the image, the description or the envelope");
}
