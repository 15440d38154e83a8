// What the keys of a release sign about it as a whole: its record, without what their signatures change.

import type { Artifact, ReleaseRecord } from "./record.js";

/** JSON in its canonical form (RFC 8785), for strings, integers, null, lists and objects. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  // by UTF-16 code units
  const sorted = members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(",")}}`;
}

/** An envelope grows with each signature; the digest of its manifest does not change. */
function unsigned({ signers: _s, testKeys: _t, digest, size, ...facts }: Artifact): object {
  return facts.kind === "envelope" ? facts : { ...facts, digest, size };
}

/**
 * Returns what a signature in a record covers: the record without `created`, `missing` and `signatures`, and its
 * artifacts without `signers` and `testKeys`, envelopes also without `digest` and `size`. Its form is that of RFC 8785.
 *
 * @param record - The record.
 * @param boards - Names of the boards that the signature covers.
 * @returns JSON in UTF-8.
 */
export function statementOf(record: Omit<ReleaseRecord, "signatures">, boards: readonly string[]): Uint8Array {
  const { created: _c, missing: _m, signatures: _s, artifacts, ...facts } = record as ReleaseRecord;
  const own = artifacts.filter(({ board }) => boards.includes(board));
  return new TextEncoder().encode(canonical({ ...facts, artifacts: own.map(unsigned) }));
}
