// What a micro verifier reads of a release, and its constants.

import type { Bytes, Sequence } from "../../base/types.js";

/** What a release says: an authenticated manifest. What every release has alike is absent. */
export interface MicroManifest {
  sequence: Sequence;
  /** Indices in `trust.anchors` of the anchors that signed, not more than were needed. */
  signers: number[];
  /** SHA-256 of the manifest. */
  digest: Bytes;
  // the rest has names that bundles shorten
  /** SHA-256 of the image, its size in bytes, and its URI. */
  image: Bytes;
  imageSize: number;
  imageUri: string;
  forVendor: Bytes;
  forClass: Bytes;
  /** The offset of the image in the envelope, or 0. */
  imageAt: number;
  /** What boot() needs: the envelope without tag and image. Absent from a bundle without boot(). */
  kept: Bytes;
}

/** What follows a length of the template at most before the next one: key and head of a payload. */
export const AHEAD = 15;

/** Where `!` continues in the template: the first byte string of a signature. */
export const AGAIN = 23;

/** Characters of the template, as codes: see tools/template-table.ts. */
export const REPEAT = 33;
export const FIXED = 71;
export const SIZE = 80;
export const WIDE = 84;
export const OPEN = 123;
export const CHOICE = 124;

/** ["Signature1", …]: the beginning of a Sig_structure of four elements (RFC 9052 §4.4). */
export var SIGNATURE1 = [132, 106, 83, 105, 103, 110, 97, 116, 117, 114, 101, 49];

/**
 * The algorithms that a signature may name, as bits, like the list in spec/cose.ts. Bit n is the algorithm -1 - n, and
 * in the second set -33 - n.
 */
export const KNOWN = 262592;
export const KNOWN_ABOVE = 2072588;
