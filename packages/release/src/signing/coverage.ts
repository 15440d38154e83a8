// Whether a key may sign a manifest: by its role, devices, sequence numbers and algorithm in a trust file, and by its
// earlier signatures. Checked before anything is logged.

import type { Entry } from "@firmseal/keys";
import { keyName } from "@firmseal/keys";
import { isOfTrustFile, movedTo, refusedInput, usage } from "@firmseal/keys/internal";
import { coseAlg, isDeviceAlg, type PublicKey, ROLES, type RoleName, roleNames } from "@firmseal/signer";
import { compareSequence, type Manifest, policyOf, type TrustAnchor } from "@firmseal/verifier";
import { equalBytes, formatSequence, rawKey } from "@firmseal/verifier/tools";
import { limitsOf, limitWords } from "../trust/facts.js";
import { readTrustFile, type TrustOnFile } from "../trust/read.js";
import { namedIdentities } from "../verify/manifest-facts.js";
import { isRefusal, refusalMeaning } from "../verify/refusals.js";

/** The options --trust and --role of commands that sign manifests. */
export interface CoverOptions {
  /** Trust files, or their names: a key must count under one of them. */
  trust?: readonly (string | TrustOnFile)[];
  /** Left out: release. */
  role?: RoleName;
  /** Sign although the key has signed trust files. */
  allowRootKey?: boolean;
}

/** A key and its name on the command line. */
export interface NamedKey {
  readonly name: string;
  readonly public: PublicKey;
}

/**
 * Returns the trust files that keys are checked against: those of --trust, or none. Throws a usage Failure for a role
 * without a trust file, and the Failures of readTrustFile().
 */
export function coveringTrustFiles(o: CoverOptions): TrustOnFile[] {
  if (o.trust !== undefined) return o.trust.map((one) => (typeof one === "string" ? readTrustFile(one) : one));
  // ignoring a role would let a debug key sign a release
  if (o.role !== undefined) throw usage("`role` is for a trust file, and `trust` is not given", "give `trust` FILE, or drop it");
  return [];
}

/** Why devices with this list would not count a signature by this anchor. Returns undefined if they count it. */
function whyNot(m: Manifest, { alg, cose, ...a }: TrustAnchor, key: PublicKey, { path, store }: TrustOnFile, role: RoleName) {
  const has = roleNames({ alg, cose, ...a } as TrustAnchor);
  if (!has.includes(role)) return `has the role ${has.join(" and ")} in ${path}, not ${role}`;
  if (cose !== coseAlg(key.alg) && !alg?.ids.includes(coseAlg(key.alg)))
    return `is listed in ${path} for an algorithm other than ${key.alg}`;
  for (const identity of namedIdentities(m)) {
    let counts: boolean;
    try {
      // the policy of a device of this kind, and of `firmseal verify --trust`
      counts = policyOf(store, ROLES[role], identity).anchors.some((one) => equalBytes(rawKey(one.key), key.key));
    } catch (e) {
      if (!isRefusal(e)) throw e;
      return `would sign for devices for which ${path} lists too few keys: ${refusalMeaning(e.code)}`;
    }
    if (!counts)
      return `is trusted by ${path} for ${limitWords({ ...limitsOf(a), since: null, until: null }).join(", ")} only, but this manifest is for others`;
  }
  if ((a.since && compareSequence(m.sequence, a.since) < 0) || (a.until && compareSequence(m.sequence, a.until) > 0))
    return `is trusted by ${path} for sequence numbers ${limitWords({ ...limitsOf(a), vendor: null, class: null }).join(" ")}, but this is ${formatSequence(m.sequence)}`;
  return undefined;
}

/** Refuses a key whose signature no device with any of the lists would count. Without lists, nothing is refused. */
export function refuseUncovered(m: Manifest, keys: readonly NamedKey[], lists: readonly TrustOnFile[], role: RoleName = "release"): void {
  if (lists.length === 0) return;
  // trust files cannot list algorithms that no device verifies: such a key signs beside one that is checked
  const looked = keys.filter((key) => isDeviceAlg(key.public.alg));
  for (const { name, public: key } of looked.length > 0 ? looked : keys) {
    const reasons = lists.map((list) => {
      const anchor = list.store.anchors.find((a) => equalBytes(a.key, key.key));
      return anchor ? whyNot(m, anchor, key, list, role) : `is not a key of ${list.path}`;
    });
    if (reasons.every((reason) => reason !== undefined))
      throw refusedInput(
        "ERR_KEY_ROLE",
        `${name} ${[...new Set(reasons)].join("; ")}`,
        "sign with a key that the trust file lists for this; firmseal trust show FILE lists its keys",
      );
  }
}

/**
 * Refuses a key whose numbers another key continues, unless that one signs as well. `entries`: those of the logs of all
 * keys.
 */
export function refuseMovedKeys(keys: readonly NamedKey[], entries: readonly Entry[]): void {
  const names = new Set(keys.map(({ public: key }) => keyName(key)));
  for (const { name, public: key } of keys) {
    const to = movedTo(keyName(key), entries);
    if (to === undefined || names.has(to)) continue;
    throw refusedInput(
      "ERR_KEY_ROLE",
      `${name}: key ${to.slice(0, 16)}… continues its numbers, so it does not sign alone`,
      "sign with that key, or with both; firmseal keys move NEW OLD takes it back",
    );
  }
}

/**
 * Refuses a key that has signed trust files: roots do not sign manifests, and a root key on a build machine is in the
 * wrong place. `entries`: those of the logs of all keys. Returns the overrides that were needed, as option names.
 */
export function refuseRootKeys(keys: readonly NamedKey[], entries: readonly Entry[], o: CoverOptions): string[] {
  for (const { name, public: key } of keys) {
    const own = keyName(key);
    const as = entries.find((e) => e.key === own && isOfTrustFile(e));
    if (!as) continue;
    if (o.allowRootKey) return ["allow-root-key"];
    throw refusedInput(
      "ERR_KEY_ROLE",
      `${name} has signed a trust file as a root (entry ${as.n} of its log, ${as.time.slice(0, 10)}), and a root signs no manifests`,
      "sign with a release key, or allow it: `allowRootKey`",
    );
  }
  return [];
}
