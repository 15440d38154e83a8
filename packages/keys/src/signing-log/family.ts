// What a key signs: manifests and trust files, images of boot loaders, or signature files. A signature file is over
// bytes that somebody else chose, so its key must not be one that devices trust for updates; and a boot loader that
// trusts the key of manifests takes what its owner has never released.

import { formatUuid } from "@firmseal/signer";
import { refusedInput } from "../errors/failure.js";
import { type Entry, type EntryFacts, MOVE } from "./entry.js";

type Family = "manifests and trust files" | "images of boot loaders" | "signature files";

/** How the scopes of a family begin. No device identifier and no line of trust files begins so. */
const BEGINNINGS: { readonly [beginning: string]: Family } = {
  "file:": "signature files",
  "mcuboot:": "images of boot loaders",
  "esp32:": "images of boot loaders",
  "esp32-boot:": "images of boot loaders",
};

/**
 * Returns the scope of signature files in a format. They have no numbers.
 *
 * @param format - The name of the format, such as "minisign".
 */
export const scopeOfSignatureFile = (format: string): string[] => [`file:${format}`];

/**
 * Returns the scope of a boot loader's images for one kind of device. Their number is the security counter.
 *
 * @param format - The name of the format. "esp32-boot": of a boot loader of an ESP32, which has no counter.
 * @param identity - UUIDs of 16 bytes.
 */
export const scopeOfBootImage = (
  format: "mcuboot" | "esp32" | "esp32-boot",
  identity: { vendor: Uint8Array; class: Uint8Array },
): string[] => [`${format}:${formatUuid(identity.vendor)}/${formatUuid(identity.class)}`];

/** undefined: the entry says only that another key signs from now on. */
export function familyOf({ operation, scope }: Partial<Pick<Entry, "operation" | "scope">>): Family | undefined {
  if (operation === MOVE && scope === undefined) return undefined;
  const [name] = scope ?? [];
  const beginning = name?.slice(0, name.indexOf(":") + 1) ?? "";
  return (Object.hasOwn(BEGINNINGS, beginning) ? BEGINNINGS[beginning] : undefined) ?? "manifests and trust files";
}

/** Returns whether an entry is about an image of a boot loader. */
export const isOfBootImage = (e: Pick<Entry, "scope">): boolean => familyOf(e) === "images of boot loaders";

/**
 * Refuses a use of a key that its log, or its mark, knows for something else: the first entry of a key decides.
 *
 * @param known - Entries of the log and of the mark, whole or those that decide.
 * @param use - The facts of the use.
 * @throws Failure ERR_KEY_ROLE (exit 1).
 */
export function refuseOtherFamily(
  known: readonly Entry[],
  use: Pick<EntryFacts, "key" | "scope"> & Partial<Pick<EntryFacts, "operation">>,
): void {
  const asked = familyOf(use);
  if (asked === undefined) return;
  const other = known.find((e) => e.key === use.key && ![undefined, asked].includes(familyOf(e)));
  if (other)
    throw refusedInput(
      "ERR_KEY_ROLE",
      `the key signs ${familyOf(other)}, as entry ${other.n} of its log shows, so it does not sign ${asked}`,
      "make a key for each purpose: firmseal keygen; what counts for one purpose must never count for another",
    );
}
