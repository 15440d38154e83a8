// The kinds of signed file, and the kind of a file by its first bytes. This decides what a person meant by it; the
// verifier decides whether it is valid.

import { TAG_MAC0, TAG_SIGN, TAG_SIGN1 } from "../spec/cose.js";
import { TAG_ENVELOPE } from "../spec/suit.js";

/** "message": an approval or a status, which begin alike. */
export type FileKind = "envelope" | "trust file" | "message";

interface FileKindRow {
  /** What the file is, for people. */
  readonly what: string;
  /** The tags that it begins with (RFC 8949 §3.4). */
  readonly tags: readonly number[];
  /** The major type of what is tagged: 4 is an array, 5 a map. */
  readonly major: 4 | 5;
}

/** Everything that knows a kind of signed file by its bytes, or names one, takes it from here. */
export const FILE_KINDS: Readonly<Record<FileKind, FileKindRow>> = {
  // SUIT_Envelope_Tagged (M37 §8.2)
  envelope: { what: "a SUIT envelope", tags: [TAG_ENVELOPE], major: 5 },
  // COSE_Sign (RFC 9052 §2)
  "trust file": { what: "a trust file", tags: [TAG_SIGN], major: 4 },
  // COSE_Sign1 and COSE_Mac0
  message: { what: "an approval or a status", tags: [TAG_SIGN1, TAG_MAC0], major: 4 },
};

/** The tag that the bytes begin with, in the one form that tags below 256 have, and where what it tags begins. */
function tagOf(head: ArrayLike<number>): { tag: number; body: number } | undefined {
  // below the first tag it is negative, and of no kind
  if (head[0] < 0xd8) return { tag: head[0] - 0xc0, body: 1 };
  return head[0] === 0xd8 && head[1] >= 24 ? { tag: head[1], body: 2 } : undefined;
}

const kindOfTag = (tag: number) => (Object.keys(FILE_KINDS) as FileKind[]).filter((kind) => FILE_KINDS[kind].tags.indexOf(tag) >= 0)[0];

/**
 * Recognizes a signed file by its tag, and the type of what is tagged. An envelope without its tag is not known: many
 * an image begins as it does.
 *
 * @param head - The first 3 bytes of a file.
 * @returns The kind, or undefined.
 */
export function taggedKind(head: ArrayLike<number>): FileKind | undefined {
  var begin = tagOf(head),
    kind = begin && kindOfTag(begin.tag);
  return begin && kind && head[begin.body] >> 5 === FILE_KINDS[kind].major ? kind : undefined;
}

/**
 * Recognizes the beginning of an envelope (M37 §8.2).
 *
 * @param head - The first bytes of a file.
 * @returns Whether they begin with tag 107 and a map, or with a map whose first key is 1, 2 or 3.
 */
export function looksLikeEnvelope(head: ArrayLike<number>): boolean {
  return taggedKind(head) === "envelope" || (head[0] >> 5 === 5 && head[1] >= 1 && head[1] <= 3);
}

/**
 * Recognizes the beginning of a trust file by its tag, whatever follows: the reader then says how the file is damaged.
 *
 * @param head - The first bytes of a file.
 * @returns Whether they begin with that tag.
 */
export function looksLikeTrustFile(head: ArrayLike<number>): boolean {
  return tagOf(head)?.tag === TAG_SIGN;
}
