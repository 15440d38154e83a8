// Everything that is known of the withdrawn releases of a product: the signing logs, the marks in folders of releases,
// and the records of later releases. Of these, a record comes from outside: it withdraws only what the keys that the
// devices require have signed.

import { existsSync } from "node:fs";
import type { ReleaseRecord } from "@firmseal/behaviour";
import { anchors, keyName, numberVersion, versionNumber } from "@firmseal/keys";
import { isFolder, someOf, tooMuch, visible, warn } from "@firmseal/keys/internal";
import { draftOf, type EnvelopeDraft, type PublicKey, ROLES, SCHEMA, unlessThrown } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, policyOf, type Trust } from "@firmseal/verifier";
import { LIMITS } from "../../input/limits.js";
import type { Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { knownLog } from "../../product/ledger.js";
import { type KnownRelease, releasesIn } from "../../product/record.js";
import { windowOf } from "../../trust/quorum.js";
import { isByAnchor } from "../../verify/doubts.js";
import type { TrustedKeys } from "../../verify/verified.js";
import { identitiesOf, productLists, productTrustKeys, type TrustLists } from "../board/devices.js";
import { shelfPath } from "../names.js";
import { publishedAt } from "../number/numbers.js";
import { recordClaims } from "../record/record-signatures.js";
import { type KnownLogs, type WithdrawnManifest, withdrawnHere } from "./withdrawn.js";

/** Whose signatures devices require, and for which devices that is asked. */
export interface RequiredSigners extends Pick<TrustedKeys, "policy"> {
  readonly identities: readonly Identity[];
}

/** The signers that the devices of a product require, by trusted keys. */
export const requiredBy = (product: Product, { policy }: Pick<TrustedKeys, "policy">): RequiredSigners => ({
  policy,
  identities: product.boards.flatMap((board) => identitiesOf(product, board)),
});

/**
 * The signers that the devices of a product require. `signers`: the keys that sign, for a product file that names no
 * trusted key. Returns undefined if nothing says whom devices trust.
 */
export function requiredSigners(
  product: Product,
  role: SigningRole,
  { lists, trustKeys }: { readonly lists: TrustLists | undefined; readonly trustKeys: readonly PublicKey[] | undefined },
  signers: readonly PublicKey[] = [],
): RequiredSigners | undefined {
  if (lists) return requiredBy(product, { policy: (identity) => policyOf(lists[0].store, ROLES[role], identity) });
  const keys = trustKeys ?? signers;
  if (keys.length === 0) return undefined;
  const trust = { anchors: anchors(keys), threshold: product.trust.threshold };
  return requiredBy(product, { policy: () => trust });
}

/** A release with this number, and nothing that a device would do. */
const bareDraft = (sequence: string): EnvelopeDraft => draftOf({ $schema: SCHEMA, sequence, components: [[{ hex: "00" }]] });

/**
 * Returns whether the signers that all these devices require have signed a record, for what it says about the release
 * with a number: a key that has ended says nothing about releases above its last number. The code of the devices
 * counts: it opens a release with the number of the record as if these keys had signed it. A damaged record has none.
 */
function beliefIn({ path, record }: KnownRelease, { policy, identities }: RequiredSigners): (about: bigint) => boolean {
  const found = unlessThrown(() => {
    if (!record) return undefined;
    const claims = recordClaims(path, record);
    // which boards a signature covers does not matter here
    const signed = identities.map((identity) => {
      const trust = policy(identity);
      return { ...trust, anchors: trust.anchors.filter((anchor) => claims.some((claim) => isByAnchor(claim, anchor))) };
    });
    return { draft: bareDraft(record.sequence), signed };
  });
  if (!found || identities.length === 0) return () => false;
  const { draft, signed } = found;
  const accepts = (trust: Trust, about: bigint): boolean => {
    const anchors = trust.anchors.filter((anchor) => about <= windowOf(anchor).until);
    return unlessThrown(() => draft.openAsIfSigned({ ...trust, anchors }, nodeHost)) !== undefined;
  };
  return (about) => signed.every((trust) => accepts(trust, about));
}

/** Compares releases by their versions. */
export const byVersion = (a: KnownRelease, b: KnownRelease): number => (versionNumber(a.version) < versionNumber(b.version) ? -1 : 1);

/** A record that names a withdrawn release, without the signatures that devices require. Nothing else says so. */
export interface DoubtedWithdrawal {
  /** Its folder. */
  readonly path: string;
  readonly version: string;
}

export interface KnownWithdrawals {
  /** One for each manifest, in the order of sequence numbers. */
  readonly withdrawn: readonly WithdrawnManifest[];
  readonly doubted: readonly DoubtedWithdrawal[];
}

/**
 * Collects what is known of withdrawn releases.
 *
 * @param logs - What the logs say: withdrawnHere().
 * @param known - The releases with their marks and records.
 * @param required - Who must have signed a record that is believed. Undefined: no record is believed or doubted.
 */
export function knownWithdrawals(
  logs: readonly WithdrawnManifest[],
  known: readonly KnownRelease[],
  required: RequiredSigners | undefined,
): KnownWithdrawals {
  const found = new Map(logs.map((one) => [one.manifest, one]));
  const add = (manifests: Iterable<string>, what: Omit<WithdrawnManifest, "manifest">) => {
    for (const manifest of manifests) if (!found.has(manifest)) found.set(manifest, { ...what, manifest });
  };
  for (const { mark, manifests } of known) {
    if (!mark) continue;
    const { version, sequence, time, reason } = mark;
    add(manifests.values(), { version, sequence, time, reason });
  }
  const doubted: DoubtedWithdrawal[] = [];
  // a later record repeats what an earlier one says
  for (const one of known.toSorted(byVersion).reverse()) {
    const news = (one.record?.withdrawn ?? []).filter(({ manifests }) => manifests.some((manifest) => !found.has(manifest)));
    if (news.length === 0 || !required) continue;
    const isBelieved = beliefIn(one, required);
    for (const { version, sequence, date, reason, manifests } of news)
      if (isBelieved(BigInt(sequence))) add(manifests, { version, sequence, time: date, reason });
      else doubted.push({ path: one.path, version });
  }
  return { withdrawn: [...found.values()].sort(byNumber), doubted };
}

function byNumber(a: WithdrawnManifest, b: WithdrawnManifest): number {
  const [n, m] = [BigInt(a.sequence), BigInt(b.sequence)];
  return n < m || (n === m && a.manifest < b.manifest) ? -1 : 1;
}

/** Where withdrawals of a product are looked for, besides in its folder of releases and beside its keys. */
export interface WithdrawalSources extends KnownLogs {
  /** Later releases: a folder of releases, a release, or its release.json. Default: that of the product file. */
  readonly previousRelease?: string | undefined;
  /** Further releases. */
  readonly also?: readonly KnownRelease[];
}

/** The releases in the folder of releases of a product. */
export function shelfOf(product: Product, role: SigningRole | undefined): KnownRelease[] {
  const path = shelfPath(product, role);
  return isFolder(path) ? releasesIn(path, product, role) : [];
}

/** The releases elsewhere that are named: by the option, or by the product file if it is there. */
function namedReleases(product: Product, { role, previousRelease }: WithdrawalSources): KnownRelease[] {
  const own = role === undefined || role === "release" ? product.sequence.previous : undefined;
  const path = previousRelease ?? (own !== undefined && existsSync(own) ? own : undefined);
  return path === undefined ? [] : publishedAt(path, product, role);
}

/** Collects what this machine knows of the withdrawn releases of a product. */
export function withdrawalsOf(product: Product, required: RequiredSigners | undefined, o: WithdrawalSources): KnownWithdrawals {
  const all = [...namedReleases(product, o), ...(o.also ?? []), ...shelfOf(product, o.role)];
  return knownWithdrawals(withdrawnHere(product, o), all, required);
}

/** Like withdrawalsOf(), by the trusted keys that the product file names. Opens no private key. */
export async function productWithdrawals(product: Product, o: WithdrawalSources = {}): Promise<KnownWithdrawals> {
  await knownLog(product, o.log);
  const { lists } = await productLists(product);
  const trustKeys = await productTrustKeys(product, lists);
  const required = requiredSigners(product, o.role ?? "release", { lists, trustKeys });
  return withdrawalsOf(product, required, { ...o, thumbprints: (trustKeys ?? []).map(keyName) });
}

/** Says which records are not believed: they may be forged, or signed by keys that were replaced. */
export function warnOfDoubted(doubted: readonly DoubtedWithdrawal[]): void {
  for (const path of new Set(doubted.map((one) => one.path))) {
    const versions = doubted.filter((one) => one.path === path).map(({ version }) => version);
    warn(
      visible(
        `${path}: release.json names ${someOf(versions)} as withdrawn, and the keys that devices trust have not signed that: not believed`,
      ),
    );
  }
}

/** Says if the newest complete release is not signed by the keys that devices trust: only its numbers are compared. */
export function warnOfUnsigned(product: Product, known: readonly KnownRelease[], required: Pick<TrustedKeys, "policy"> | undefined): void {
  const whole = known.filter(({ record }) => record?.missing.length === 0).sort(byVersion);
  // one may be here, and a copy elsewhere
  for (const newest of required ? whole.filter(({ version }) => version === whole.at(-1)?.version) : []) {
    const boards = product.boards.filter(({ name }) => newest.manifests.has(name));
    if (!beliefIn(newest, requiredBy({ ...product, boards }, required as RequiredSigners))(newest.sequence))
      warn(visible(`${newest.path}: release.json was changed, or is not signed by the keys that devices trust now`));
  }
}

/**
 * Returns the withdrawn releases as a record names them. Throws a Failure, LIMIT, if they are more than a record may
 * have.
 */
export function recordedWithdrawals(withdrawn: readonly WithdrawnManifest[]): ReleaseRecord["withdrawn"] {
  const groups = new Map<string, WithdrawnManifest[]>();
  for (const one of withdrawn) {
    const version = one.version ?? numberVersion(BigInt(one.sequence));
    const key = `${version} ${one.sequence}`;
    groups.set(key, [...(groups.get(key) ?? []), { ...one, version }]);
  }
  if (groups.size > LIMITS.withdrawn)
    throw tooMuch(
      `${groups.size} releases of this product were withdrawn, and a record names at most ${LIMITS.withdrawn}`,
      "continue under a new product name",
    );
  return [...groups.values()].map((all) => {
    const [first] = [...all].sort((a, b) => (a.time < b.time ? -1 : 1)) as [WithdrawnManifest];
    const { version = "", sequence, time, reason } = first;
    return { version, sequence, date: time.slice(0, 10), reason, manifests: all.map(({ manifest }) => manifest).sort() };
  });
}
