// What a file is that firmseal writes, or reads for itself, and that no device runs: by its content, because a person
// who mistypes a name gives it any name. Signed files and keys are recognized elsewhere.

/** How many bytes of a file are examined. */
export const OWN_FILE_BYTES = 4096;

/** What people call a description of a manifest, which is signed as an image is. */
export const DESCRIPTION = "a description";

/** What records the signatures of keys: it is never replaced. */
const LOG = "a signing log";
const LAST_SEEN = "a last-seen mark";

/** The documents that a person writes, and those with a schema that firmseal writes. */
const DOCUMENTS: { readonly [schema: string]: string } = {
  manifest: DESCRIPTION,
  trust: "a trust description",
  fleet: "a fleet file",
  product: "a product file",
  release: "the record of a release",
  withdrawn: "the mark of a withdrawn release",
  batch: "the plan of a batch",
  shard: "the index of a shard",
};

/** `"$schema"` as a member of JSON, or of TOML at the beginning of a line, with the name of the schema. */
const NAMED = String.raw`"(?:urn:firmseal:([a-z]+):\d+|[^"\n]{0,1000}?([a-z]+)\.schema\.json)"`;
const IN_JSON = new RegExp(String.raw`"\$schema"\s*:\s*${NAMED}`);
const IN_TOML = new RegExp(String.raw`^["']\$schema["'][ \t]*=[ \t]*${NAMED}`, "m");

/** What every product file has, with a schema or without (docs/reference/product.md). */
const PRODUCT = [/^name[ \t]*=/m, /^vendor[ \t]*=/m, /^\[keys\]/m, /^\[boards\./m];

/** What the first line of every fleet file in CSV has (docs/reference/fleet.md). */
const FLEET = ["name", "vendor", "class", "floor"];

/** How an entry of a signing log begins, and so the log. */
export const ENTRY_BEGIN = '{"v":1,"n":';

/** How other files begin. */
const BEGINNINGS: readonly (readonly [begins: RegExp, what: string])[] = [
  [/^\{"v":1,"key":"[0-9a-f]{64}","count":"/, LAST_SEEN],
  [/^\/\* [^\n]* \*\/\n#ifndef FIRMSEAL_KEY_H\n/, "a C header with a public key"],
  [/^\/\* [^\n]* \*\/\n#ifndef FIRMSEAL_TRUST_H\n/, "a C header with a trust list"],
  // Sig_structure (RFC 9052 §4.4): an array of 4 or 5, with its context first
  [/^(?:\x84\x6aSignature1|\x85\x69Signature)/, "the bytes that a key on another machine has to sign"],
];

/** Returns whether a file begins like a signing log. */
export function looksLikeLog(head: Uint8Array): boolean {
  return Buffer.from(head).toString("latin1").startsWith(ENTRY_BEGIN);
}

/**
 * Returns what people call a file that begins with `head`, if firmseal writes it or reads it for itself: a signing log,
 * a last-seen mark, a product file, a trust description and the like. Returns undefined for any other file.
 */
export function ownFile(head: Uint8Array): string | undefined {
  if (looksLikeLog(head)) return LOG;
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, OWN_FILE_BYTES))
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "");
  const [, beginning] = BEGINNINGS.find(([begins]) => begins.test(text)) ?? [];
  if (beginning !== undefined) return beginning;
  // an image may hold any text as data
  if (text.includes("\0")) return undefined;
  if (PRODUCT.every((line) => line.test(text))) return DOCUMENTS["product"];
  const columns = /^([a-z.]+(?:,[a-z.]+)+)\r?\n/.exec(text)?.[1]?.split(",") ?? [];
  if (FLEET.every((column) => columns.includes(column))) return DOCUMENTS["fleet"];
  const [, urn, file] = (/^\s*\{/.test(text) ? IN_JSON : IN_TOML).exec(text) ?? [];
  return DOCUMENTS[urn ?? file ?? ""];
}

/** Returns whether a file that begins with `head` records what keys have signed: it is never replaced. */
export function isRecord(head: Uint8Array): boolean {
  const own = ownFile(head);
  return own === LOG || own === LAST_SEEN;
}
