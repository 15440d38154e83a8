// What the folders around one envelope say about its release, for commands that have no product file: the mark of its
// release, and the records of the releases beside it.

import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RECORD, type ReleaseRecord } from "@firmseal/behaviour";
import { STDIO, type WithdrawnRelease, withdrawnFailure } from "@firmseal/keys/internal";
import { unlessThrown } from "@firmseal/signer";
import type { UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { LIMITS } from "../../input/limits.js";
import { bigSequence } from "../../input/sequence.js";
import { type KnownRelease, knownRelease, readRecordFile } from "../../product/record.js";
import { logDigest } from "../../signing/scope.js";
import { namedIdentities } from "../../verify/manifest-facts.js";
import type { TrustedKeys } from "../../verify/verified.js";
import { knownWithdrawals } from "./known-withdrawals.js";
import { withdrawalOf } from "./withdrawn.js";

/** A record that can be read. Anything else around an envelope may be there for other reasons. */
const recordAt = (folder: string): ReleaseRecord | undefined => unlessThrown(() => readRecordFile(join(folder, RECORD)));

/** The records of the folder that a file is in, and of those beside that folder, or, if it has none, in it. */
function recordsAround(path: string): { path: string; record: ReleaseRecord }[] {
  const folder = dirname(path);
  const own = recordAt(folder);
  const shelf = own ? join(folder, "..") : folder;
  const names = unlessThrown(() => readdirSync(shelf)) ?? [];
  const others = names.slice(0, LIMITS.releases).flatMap((name) => {
    const record = recordAt(join(shelf, name));
    return record ? [{ path: join(shelf, name), record }] : [];
  });
  return [...(own ? [{ path: folder, record: own }] : []), ...others];
}

/**
 * Returns how the release of an envelope was withdrawn, by the mark of a folder around it, or by a record that the
 * trusted keys have signed. Undefined if nothing around it says so. Throws a Failure, RELEASE, for a damaged mark.
 *
 * @param path - The envelope.
 * @param outline - Its content. Undefined for a file that is not an envelope, and so was not released.
 * @param whom - The trusted keys. Undefined: no record is believed.
 */
export function withdrawalAround(
  path: string,
  outline: UnverifiedEnvelope | undefined,
  whom: TrustedKeys | undefined,
): WithdrawnRelease | undefined {
  if (path === STDIO || !outline?.digest) return undefined;
  const name = logDigest({ digest: outline.digest });
  const known = recordsAround(path).flatMap((one): KnownRelease[] => {
    const isOwn = one.record.artifacts.some((artifact) => artifact.kind === "envelope" && artifact.manifest === name);
    if (isOwn) return [knownRelease(one.path, one.record)];
    const { version, sequence, withdrawn } = one.record;
    if (!withdrawn.some(({ manifests }) => manifests.includes(name))) return [];
    return [{ ...one, version, sequence: BigInt(sequence), manifests: new Map() }];
  });
  const identities = whom?.scoped ? namedIdentities(outline.manifest) : [{ vendor: [], class: [] }];
  const sequence = bigSequence(outline.manifest.sequence);
  const { withdrawn } = knownWithdrawals([], known, whom && { policy: whom.policy, identities });
  return withdrawalOf({ sequence, manifests: new Map([["", name]]), mark: undefined }, withdrawn);
}

/** Refuses an envelope whose release was withdrawn, as withdrawalAround() finds it. Throws a Failure: WITHDRAWN. */
export function refuseWithdrawnAround(path: string, outline: UnverifiedEnvelope, whom: TrustedKeys): void {
  const withdrawn = withdrawalAround(path, outline, whom);
  if (withdrawn) throw withdrawnFailure(withdrawn, path);
}
