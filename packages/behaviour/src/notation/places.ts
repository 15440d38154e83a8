// Where in the format an item is: what its numbers mean, and which of its byte strings hold CBOR. Diagnostic notation
// and trees of items share this.

import {
  ALG_NAMES,
  type ArgumentKind,
  COM_SHARED_SEQUENCE,
  COMMAND_NAMES,
  COMMAND_ROWS,
  COMMON_NAMES,
  ELEMENT_NAMES,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  FILE_ANCHORS,
  HASH_NAMES,
  HEADER_ALG,
  type Item,
  MAN_CANDIDATE_VERIFICATION,
  MAN_COMMON,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_TEXT,
  MAN_UNINSTALL,
  MAN_VALIDATE,
  MANIFEST_NAMES,
  type Names,
  PARAM_IMAGE_DIGEST,
  PARAMETER_NAMES,
} from "@firmseal/verifier/tools";

/** Where an item of an envelope or a trust file is, which determines what its keys and numbers mean. */
export type Place =
  | "envelope"
  | "wrapper"
  | "digest"
  | "block"
  | "headers"
  | "manifest"
  | "common"
  | "sequence"
  | "parameters"
  | "alternatives"
  | "trust"
  | "trust-list"
  | "trust-keys"
  | "trust-key"
  | "signatures"
  | "plain";

const SEQUENCES = [
  MAN_VALIDATE,
  MAN_LOAD,
  MAN_INVOKE,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_PAYLOAD_FETCH,
  MAN_CANDIDATE_VERIFICATION,
  MAN_INSTALL,
  MAN_UNINSTALL,
];

/** The names of trust files (docs/guides/trust.md), by number. */
const TRUST_NAMES: Names = {
  1: "version",
  2: "sequence",
  3: "keys",
  4: "thresholds",
  5: "name",
  6: "jumps",
  7: "epoch",
  8: "families",
};
const TRUST_KEY_NAMES: Names = {
  1: "algorithm",
  2: "key",
  3: "roles",
  4: "kid",
  5: "vendor",
  6: "class",
  7: "since",
  8: "until",
  9: "devices",
};

/** The names of the keys of a map, or of the commands of a sequence. */
export const PLACE_NAMES: { readonly [place in Place]?: Names } = {
  envelope: { ...MANIFEST_NAMES, ...ELEMENT_NAMES },
  manifest: MANIFEST_NAMES,
  common: COMMON_NAMES,
  sequence: COMMAND_NAMES,
  parameters: PARAMETER_NAMES,
  "trust-list": TRUST_NAMES,
  "trust-key": TRUST_KEY_NAMES,
};

/** What the positions of an array hold: COSE_Sign1 and COSE_Sign (RFC 9052 §4), SUIT_Digest. */
export const POSITION_NAMES: { readonly [place in Place]?: readonly string[] } = {
  wrapper: ["digest"],
  digest: ["algorithm", "bytes"],
  block: ["protected headers", "unprotected headers", "payload", "signature"],
  trust: ["protected headers", "unprotected headers", "list", "signatures"],
};

/** The elements whose content decodeEnvelope() checks. Any other content stays bytes. */
function elementPlace(key: number | undefined): Place | undefined {
  if (key === MAN_TEXT) return "plain";
  return key !== undefined && SEQUENCES.includes(key) ? "sequence" : undefined;
}

/** What follows a command. */
function argumentOf(code: number | undefined): ArgumentKind | undefined {
  return code === undefined ? undefined : COMMAND_ROWS[code]?.argument;
}

const TRUST_POSITIONS: readonly (Place | undefined)[] = ["headers", undefined, "trust-list", "signatures"];

/**
 * Finds the meaning of a byte string.
 *
 * @param place - Where the byte string is.
 * @param key - Its key there.
 * @returns What it contains, or undefined if it contains plain bytes.
 */
export function insideBytes(place: Place, key: number | undefined): Place | undefined {
  switch (place) {
    case "envelope":
      if (key === ENV_AUTHENTICATION_WRAPPER) return "wrapper";
      if (key === ENV_MANIFEST) return "manifest";
      return elementPlace(key);
    case "manifest":
      return key === MAN_COMMON ? "common" : elementPlace(key);
    case "common":
      return key === COM_SHARED_SEQUENCE ? "sequence" : undefined;
    case "wrapper":
      return key === 0 ? "digest" : "block";
    case "block":
      return key === 0 ? "headers" : undefined;
    case "trust":
      return key === 0 || key === 2 ? TRUST_POSITIONS[key] : undefined;
    case "sequence":
      return argumentOf(key) === "sequence" ? "sequence" : undefined;
    case "alternatives":
      return "sequence";
    case "parameters":
      return key === PARAM_IMAGE_DIGEST ? "digest" : undefined;
    default:
      return undefined;
  }
}

/**
 * Finds the place of the items of a value that is a container itself.
 *
 * @param item - The value.
 * @param place - Where it is.
 * @param key - Its key there.
 * @returns The place of its items.
 */
export function valuePlace(item: Pick<Item, "kind">, place: Place, key: number | undefined): Place {
  if (item.kind === "tag") return place;
  const argument = place === "sequence" ? argumentOf(key) : undefined;
  if (argument === "parameters" || argument === "alternatives") return argument;
  // a severed element: its digest is here instead
  if (place === "manifest" && elementPlace(key) && item.kind === "array") return "digest";
  if (place === "trust-list" && key === FILE_ANCHORS) return "trust-keys";
  if (place === "trust-keys") return "trust-key";
  if (place === "trust" && key === 3) return "signatures";
  if (place === "signatures") return "block";
  return "plain";
}

/**
 * Finds the names for the value of `key` in `place`.
 *
 * @param place - Where the value is.
 * @param key - Its key there.
 * @returns The names by number, or undefined if the value is not a number of a registry.
 */
export function valueNames(place: Place, key: number | undefined): Names | undefined {
  if (place === "headers" && key === HEADER_ALG) return ALG_NAMES;
  if (place === "digest" && key === 0) return HASH_NAMES;
  return place === "trust-key" && key === 1 ? ALG_NAMES : undefined;
}

/** Returns whether the elements of an array in this place are told apart by their position. */
export const isNumbered = (place: Place) => place === "wrapper" || place === "block" || place === "digest" || place === "trust";

/**
 * Computes the argument of an item's head from its two halves.
 *
 * @param item - The kind of the item, and the high and the low 32 bits.
 * @returns The argument, exactly: up to 64 bits.
 */
export function exactArgument({ kind, high, low }: Pick<Item, "kind" | "high" | "low">): bigint {
  const n = (BigInt(high) << 32n) | BigInt(low);
  return kind === "negative" ? -1n - n : n;
}

/**
 * Reads an item as a key.
 *
 * @param item - The key of a map, or the code of a command in a sequence.
 * @returns The key or the code, or undefined if it is neither.
 */
export function keyOf(item: Pick<Item, "kind" | "high" | "low">): number | undefined {
  return item.kind === "unsigned" || item.kind === "negative" ? Number(exactArgument(item)) : undefined;
}

/**
 * Counts the items of one element: a pair of a map, or a command with its argument.
 *
 * @param item - The container.
 * @param place - Its place.
 * @returns How many items are one element.
 */
export const itemsPerElement = (item: Pick<Item, "kind">, place: Place) => (item.kind === "map" || place === "sequence" ? 2 : 1);

/**
 * Finds what the element at a position of a container is called by.
 *
 * @param item - The container.
 * @param place - Its place.
 * @param i - The position of the element.
 * @returns Its key or code, or its position if positions have a meaning. undefined if it has neither.
 */
export function keyAt(
  item: Pick<Item, "kind"> & { readonly items: readonly Pick<Item, "kind" | "high" | "low">[] },
  place: Place,
  i: number,
): number | undefined {
  if (itemsPerElement(item, place) === 2) return keyOf(item.items[i] as Item);
  return isNumbered(place) ? i : undefined;
}
