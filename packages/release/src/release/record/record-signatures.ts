// The signatures of a record: each key that signs the boards of a release also signs what release.json says about them,
// apart from the envelopes. No device reads this.

import { join } from "node:path";
import { RECORD, type RecordSignature, type ReleaseRecord, statementOf } from "@firmseal/behaviour";
import { keyWords, someOf, visible } from "@firmseal/keys/internal";
import { type KnownSignature, readRecordSignature, recordSignature, type SignedWith } from "@firmseal/signer";
import type { Anchor } from "@firmseal/verifier";
import { FirmsealError, MAX_SIGNATURES } from "@firmseal/verifier/tools";
import { GET_AGAIN, releaseFault } from "../../product/record.js";
import { isByAnchor } from "../../verify/doubts.js";
import type { VerifiedRelease } from "../../verify/verified.js";

/** Encodes a signature of a record. */
export const signatureOfRecord = (boards: readonly string[], key: SignedWith, signature: Uint8Array): RecordSignature => ({
  boards,
  cose: Buffer.from(recordSignature(key, signature)).toString("base64"),
});

/** A signature of a record, with the boards that it covers. It is not verified. */
export interface RecordClaim extends KnownSignature {
  readonly boards: readonly string[];
  /** As the record has it. */
  readonly written: RecordSignature;
}

/** Refuses more signatures of a board than its envelope can have: each takes a digest of all that it covers. */
function refuseMany(folder: string, { signatures, artifacts }: ReleaseRecord): void {
  const known = new Set(artifacts.map(({ board }) => board));
  const counts = new Map<string, number>();
  for (const { boards } of signatures) {
    // all names that the record does not have count as one board
    const covered = new Set(boards.map((name) => (known.has(name) ? name : "")));
    for (const board of covered) counts.set(board, (counts.get(board) ?? 0) + 1);
  }
  if ([...counts.values()].some((count) => count > MAX_SIGNATURES))
    throw releaseFault(`${join(folder, RECORD)} has more than ${MAX_SIGNATURES} signatures of a board`, GET_AGAIN);
}

/** Reads the signatures of a record. Throws a Failure: RELEASE. */
export function recordClaims(folder: string, record: ReleaseRecord): RecordClaim[] {
  refuseMany(folder, record);
  return record.signatures.map((written) => {
    const { boards, cose } = written;
    const bytes = Buffer.from(cose, "base64");
    try {
      if (bytes.toString("base64") !== cose) throw new FirmsealError("ERR_RECORD", "not base64 in its one form");
      return { ...readRecordSignature(Uint8Array.from(bytes), statementOf(record, boards)), boards, written };
    } catch (e) {
      if (!(e instanceof FirmsealError)) throw e;
      throw releaseFault(`${join(folder, RECORD)} has a signature that is not one`, GET_AGAIN);
    }
  });
}

/**
 * Refuses a record that a trusted key has not signed although it has signed a board.
 *
 * @param folder - The folder of the release.
 * @param claims - From recordClaims().
 * @param found - The board, and the trusted keys that signed it.
 * @param anchors - The trusted keys of its devices.
 * @param facts - What `signers` has of a key.
 */
export function refuseUnsignedRecord(
  folder: string,
  claims: readonly RecordClaim[],
  { board, signers }: Pick<VerifiedRelease, "signers"> & { readonly board: string },
  anchors: readonly Anchor[],
  facts: (anchor: Anchor) => VerifiedRelease["signers"][number],
): void {
  const covering = claims.filter(({ boards }) => boards.includes(board));
  const by = anchors.filter((anchor) => covering.some((claim) => isByAnchor(claim, anchor))).map((anchor) => facts(anchor).thumbprint);
  const others = signers.filter(({ thumbprint }) => !by.includes(thumbprint));
  if (others.length > 0)
    throw releaseFault(
      `${join(folder, RECORD)} was changed, or is not signed by ${visible(someOf(others.map(keyWords)))}, who signed board ${visible(board)}`,
      GET_AGAIN,
    );
}
