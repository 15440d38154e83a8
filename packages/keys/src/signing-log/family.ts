// What a key signs: manifests and trust files, or signature files. A signature file is over bytes that somebody else
// chose, so its key must not be one that devices trust for updates.

import { refusedInput } from "../errors/failure.js";
import type { Entry, EntryFacts } from "./entry.js";

/** The prefix of the scope of signature files. No device identifier and no line of trust files begins with it. */
const FILE_PREFIX = "file:";

type Family = "manifests and trust files" | "signature files";

/**
 * Returns the scope of signature files in a format. They have no numbers.
 *
 * @param format - The name of the format, such as "minisign".
 */
export const scopeOfSignatureFile = (format: string): string[] => [`${FILE_PREFIX}${format}`];

/** Whether an entry is about a signature file. */
const isOfSignatureFile = ({ scope }: Pick<Entry, "scope">): boolean => scope?.[0]?.startsWith(FILE_PREFIX) === true;

const familyOf = (e: Pick<Entry, "scope">): Family => (isOfSignatureFile(e) ? "signature files" : "manifests and trust files");

/**
 * Refuses a use of a key that its log, or its mark, knows for something else: the first entry of a key decides.
 *
 * @param known - Entries of the log and of the mark, whole or those that decide.
 * @param use - The facts of the use.
 * @throws Failure ERR_KEY_ROLE (exit 1).
 */
export function refuseOtherFamily(known: readonly Entry[], use: Pick<EntryFacts, "key" | "scope">): void {
  const asked = familyOf(use);
  const other = known.find((e) => e.key === use.key && familyOf(e) !== asked);
  if (other)
    throw refusedInput(
      "ERR_KEY_ROLE",
      `the key signs ${familyOf(other)}, as entry ${other.n} of its log shows, so it does not sign ${asked}`,
      "make a key for each purpose: firmseal keygen; a signature over bytes of a file must never count on a device",
    );
}
