// The trusted keys: those of --key, or those with the requested role in a trust file of --trust, whose own signatures
// are checked first.

import { anchors, Failure, keyFacts, publicKeys } from "@firmseal/keys";
import { passphraseOptions, usage, warnOfTestKeys } from "@firmseal/keys/internal";
import { keyOfAnchor, type PublicKey, ROLES, type RoleName, trustName } from "@firmseal/signer";
import { policyOf, type TrustAnchor } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { isRefusal, refusalHint, refusalMeaning } from "../verify/refusals.js";
import type { TrustedKeys } from "../verify/verified.js";
import { anchorFacts } from "./facts.js";
import { type PinOptions, readPinnedTrust } from "./read.js";

/** Which keys a release must be signed by: keys and a threshold, or a trust file and a role. */
export interface TrustOptions extends PinOptions {
  /** References of public keys. */
  key?: string[];
  /** How many of the keys must have signed. Default: 1. */
  threshold?: number;
  /** The path of a trust file. */
  trust?: string;
  /** The role in the trust file that the release is signed in. Default: release. */
  role?: RoleName;
}

/**
 * Returns the keys of --key, or those of the trust file of --trust with one role. Throws a usage Failure if neither is
 * given, or both, and the errors of the files.
 */
export async function trustedKeys(o: TrustOptions): Promise<TrustedKeys> {
  if (o.trust === undefined) {
    if (o.root || o.previousTrust !== undefined)
      throw usage("a root is for a trust file, and `trust` is not given", "give `trust` FILE, or `key` PUB alone");
    // if the role were ignored, a debug key could stand for a release key
    if (o.role !== undefined) throw usage("`role` is for a trust file, and `trust` is not given", "give `trust` FILE, or drop it");
    if (!o.key) throw usage("no trusted keys: `key` and `trust` are missing", "give the signer's public key: `key` PUB, or a trust file");
    const keys = await publicKeys(o.key, passphraseOptions(o));
    const all = anchors(keys);
    const different = new Set(keys.map((key) => keyFacts(key).thumbprint)).size;
    if (o.threshold !== undefined && o.threshold > different)
      throw usage(
        `\`threshold\` ${o.threshold}: ${different === 1 ? "only one key is" : `only ${different} different keys are`} given`,
        "give the public key of each signer: `key` PUB, once for each",
      );
    return {
      policy: () => ({ anchors: all, threshold: o.threshold ?? 1 }),
      facts: (anchor) => keyFacts(keys[all.indexOf(anchor)] as PublicKey),
      scoped: false,
      testKeys: warnOfTestKeys(keys),
    };
  }
  if (o.key) throw usage("keys and a trust file are both given", "give `key`, or `trust`");
  if (o.threshold !== undefined) throw usage("`threshold`: the trust file says how many must have signed", "drop it");
  const { store, pinned } = await readPinnedTrust(o.trust, o);
  const name = o.role ?? "release";
  const role = ROLES[name];
  const inRole = store.anchors.filter((a) => a.roles.includes(role));
  return {
    policy(identity) {
      try {
        return policyOf(store, role, identity);
      } catch (e) {
        if (!isRefusal(e)) throw e;
        const what = inRole.length === 0 ? `no key has the role ${name}` : refusalMeaning(e.code);
        throw new Failure(1, "ERR_TRUST_UNUSABLE", `${o.trust}: refused: ${what}`, refusalHint(e.code), { cause: e });
      }
    },
    facts: (anchor) => anchorFacts(anchor as TrustAnchor),
    scoped: true,
    testKeys: warnOfTestKeys(inRole.flatMap((a) => keyOfAnchor(a) ?? [])),
    trust: {
      name: trustName(store),
      sequence: formatSequence(store.sequence),
      role: name,
      threshold: store.thresholds[role] as number,
      pinned,
    },
  };
}
