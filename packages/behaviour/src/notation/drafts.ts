// Drafts of SUIT before -29, whose numbers mean other things: how an envelope shows its draft, and what today's number
// for the same thing is. Devices refuse them; inspect and whosigned say what they are.

import {
  DIR_RUN_SEQUENCE,
  DIR_SWAP,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_INSTALL,
  MAN_INSTALL_OLD,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_TEXT,
  MAN_VALIDATE,
} from "@firmseal/verifier/tools";
import { type LooseItem, looseItemIn } from "./loose-item.js";
import { keyOf, type Place } from "./places.js";

type Numbers = { readonly [number: number]: number };

/** A group of drafts with the same numbers. */
export interface Draft {
  /** How people call it. */
  readonly name: string;
  /** What of an envelope shows it. */
  readonly sign: string;
  /** Today's numbers of its elements, in the envelope and in the manifest. */
  readonly envelope: Numbers;
  readonly manifest: Numbers;
}

/** The sections before draft -18. */
const SECTIONS: Numbers = {
  7: MAN_DEPENDENCY_RESOLUTION,
  8: MAN_PAYLOAD_FETCH,
  9: MAN_INSTALL,
  10: MAN_VALIDATE,
  11: MAN_LOAD,
  12: MAN_INVOKE,
  13: MAN_TEXT,
};

const BEFORE_7: Draft = {
  name: "draft -06 or older",
  sign: "its wrapper is element 1, and its manifest element 2",
  envelope: { 1: ENV_AUTHENTICATION_WRAPPER, 2: ENV_MANIFEST, ...SECTIONS },
  manifest: SECTIONS,
};

const BEFORE_18: Draft = {
  name: "draft -07 to -17",
  sign: "its elements or hashes have the numbers of that draft",
  envelope: SECTIONS,
  manifest: SECTIONS,
};

const BEFORE_29: Draft = {
  name: "draft -18 to -28",
  sign: "its section install is element 17",
  envelope: { [MAN_INSTALL_OLD]: MAN_INSTALL },
  manifest: { [MAN_INSTALL_OLD]: MAN_INSTALL },
};

/** SHA-256, in the drafts that had hash algorithms of their own. */
const OLD_SHA_256 = 2;

/**
 * Finds the value under a key of a map.
 *
 * @param map - The map. Anything else has no keys.
 * @param key - The key.
 * @returns The value, or undefined if it is not there.
 */
export function under(map: LooseItem | undefined, key: number): LooseItem | undefined {
  if (map?.kind !== "map") return undefined;
  const i = map.items.findIndex((item, n) => n % 2 === 0 && keyOf(item) === key);
  return i < 0 ? undefined : map.items[i + 1];
}

/**
 * Opens a byte string that contains CBOR.
 *
 * @param bytes - The file.
 * @param item - An item of the file.
 * @returns What the byte string contains, or the item itself if it is of another kind.
 */
export function openedItem(bytes: Uint8Array, item: LooseItem | undefined): LooseItem | undefined {
  if (item?.kind !== "bytes" || item.items.length > 0) return item;
  return looseItemIn(bytes, { at: item.body, n: item.value });
}

/**
 * Removes the tags around an item.
 *
 * @param item - The item.
 * @returns The item in the tags.
 */
export function untagged(item: LooseItem | undefined): LooseItem | undefined {
  let out = item;
  while (out?.kind === "tag") out = out.items[0];
  return out;
}

/**
 * Recognizes a COSE message: an array of four, tagged or not. A digest is an array of two.
 *
 * @param item - The item.
 * @returns Whether it is one.
 */
export const isMessage = (item: LooseItem | undefined): boolean => {
  const inside = untagged(item);
  return inside?.kind === "array" && inside.items.length === 4;
};

/** Whether the wrapper names its hash by an old number, beside its signatures or in one. */
function hasOldHash(bytes: Uint8Array, wrapper: LooseItem | undefined): boolean {
  const first = openedItem(bytes, openedItem(bytes, wrapper)?.items[0]);
  const digest = isMessage(first) ? openedItem(bytes, untagged(first)?.items[2]) : first;
  const alg = digest?.kind === "array" ? digest.items[0] : undefined;
  return alg?.kind === "unsigned" && alg.value === OLD_SHA_256;
}

/**
 * Detects an envelope of an old draft by its numbers.
 *
 * @param bytes - The file.
 * @param envelope - The item of the file.
 * @returns The old draft, and undefined for today's.
 */
export function oldDraftOf(bytes: Uint8Array, envelope: LooseItem): Draft | undefined {
  const map = untagged(envelope);
  const isOldest = !under(map, ENV_MANIFEST) && openedItem(bytes, under(map, ENV_AUTHENTICATION_WRAPPER))?.kind === "map";
  if (isOldest) return BEFORE_7;
  const manifest = openedItem(bytes, under(map, ENV_MANIFEST));
  const has = (key: number) => under(manifest, key) !== undefined || under(map, key) !== undefined;
  if ([10, 11, 12, 13].some(has) || hasOldHash(bytes, under(map, ENV_AUTHENTICATION_WRAPPER))) return BEFORE_18;
  return has(MAN_INSTALL_OLD) ? BEFORE_29 : undefined;
}

/** Returns today's number for what has the number `key` in a draft. */
export function numberNow(draft: Draft | undefined, place: Place, key: number, value: LooseItem): number {
  if (!draft) return key;
  if (place === "envelope" || place === "manifest") return draft[place][key] ?? key;
  if (place !== "sequence" || draft === BEFORE_29) return key;
  // before -09, run-sequence had the number 30, and swap that of run-sequence
  if (key === 30 && value.kind === "bytes") return DIR_RUN_SEQUENCE;
  return key === DIR_RUN_SEQUENCE && value.kind === "unsigned" ? DIR_SWAP : key;
}

/**
 * Finds an element of an envelope, whatever draft it was made with.
 *
 * @param map - The envelope, or the manifest.
 * @param place - Which of the two `map` is.
 * @param number - The number that the element has today.
 * @param draft - The draft of the envelope, from oldDraftOf().
 * @returns The value of the element, or undefined if it is not there.
 */
export function elementNow(
  map: LooseItem | undefined,
  place: "envelope" | "manifest",
  number: number,
  draft: Draft | undefined,
): LooseItem | undefined {
  if (map?.kind !== "map") return undefined;
  const i = map.items.findIndex((item, n) => {
    const key = n % 2 === 0 ? keyOf(item) : undefined;
    return key !== undefined && numberNow(draft, place, key, map.items[n + 1] as LooseItem) === number;
  });
  return i < 0 ? undefined : map.items[i + 1];
}
