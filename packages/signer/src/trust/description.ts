// What a trust file says: the description from which it is made, and the description of one that was read
// (docs/guides/trust.md).

import type { Bytes, TrustAnchor, TrustStore } from "@firmseal/verifier";
import { formatSequence, ROLE_DEBUG, ROLE_RECOVERY, ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/tools";
import { coseAlg, deviceAlgs, deviceKeyAlgs, type KeyAlg } from "../alg/algorithms.js";
import { type PublicKey, publicKey } from "../key/key.js";
import { KeyError } from "../key-error.js";

/** The number of each role in a trust file, by name. */
export const ROLES = { root: ROLE_ROOT, release: ROLE_RELEASE, debug: ROLE_DEBUG, recovery: ROLE_RECOVERY } as const;

/** The name of a role of a key in a trust file. */
export type RoleName = keyof typeof ROLES;

/** The algorithms that can be verified here. Keys of other algorithms are skipped, as on a device that lacks them. */
export const KNOWN_ALGS = [...deviceAlgs];

/**
 * A key in a trust file. `vendor` and `class` (16 bytes each) restrict the key to these devices. `since` and `until`
 * are sequence numbers of manifests, inclusive.
 */
export interface TrustEntry {
  readonly key: PublicKey;
  readonly roles: readonly RoleName[];
  readonly vendor?: Uint8Array;
  readonly class?: Uint8Array;
  readonly since?: bigint;
  readonly until?: bigint;
  /** The key counts only for manifests that are for one device: they ask for the device identifier. */
  readonly devices?: "single";
}

/** A family of algorithms, and how many of its keys must sign. */
export interface FamilyEntry {
  readonly algorithms: readonly KeyAlg[];
  readonly threshold: number;
}

/**
 * The content of a trust file. `name`: the product line, 1 to 64 bytes of UTF-8. `thresholds`: for each role, how many
 * of its keys must sign.
 */
export interface TrustDescription {
  readonly name: string;
  readonly sequence: bigint;
  readonly anchors: readonly TrustEntry[];
  readonly thresholds: { readonly [role in RoleName]?: number };
  /** How far above its floor a device accepts a release of the role. Default: 2^63. */
  readonly jumps?: { readonly [role in RoleName]?: bigint };
  /**
   * For each role, families of algorithms, and how many keys of each must sign, besides the threshold. A device that
   * has none of the algorithms of a family does not count that family.
   */
  readonly families?: { readonly [role in RoleName]?: readonly FamilyEntry[] };
  /**
   * The epoch: how often counting has begun again, from 1 to 2^24 - 1, and the lowest number since then. Stays in every
   * list that follows.
   */
  readonly epoch?: { readonly number: number; readonly from: bigint };
}

/**
 * Reads the name of the product line.
 *
 * @param store - The content of the trust file.
 * @returns The name.
 */
export function trustName(store: TrustStore): string {
  return new TextDecoder().decode(Uint8Array.from(store.name));
}

/**
 * Names an anchor's roles.
 *
 * @param anchor - An anchor of a trust file.
 * @returns The names.
 */
export function roleNames(anchor: TrustAnchor): RoleName[] {
  return (Object.keys(ROLES) as RoleName[]).filter((name) => anchor.roles.includes(ROLES[name]));
}

/** The name of an algorithm. Throws KeyError `unsupported` for one that this tool lacks. */
function algName(cose: number): KeyAlg {
  const known = KNOWN_ALGS.find(({ ids }) => ids.includes(cose));
  const name = deviceKeyAlgs.find((one) => known?.ids.includes(coseAlg(one)));
  if (!name) throw new KeyError("unsupported", `a family has the unknown COSE algorithm ${cose}`);
  return name;
}

/**
 * Reads the key of an anchor.
 *
 * @param anchor - An anchor of a trust file.
 * @returns The key, or undefined if this tool lacks its algorithm.
 * @throws KeyError if the key is invalid.
 */
export function keyOfAnchor(anchor: TrustAnchor): PublicKey | undefined {
  const alg = deviceKeyAlgs.find((name) => anchor.alg?.ids.includes(coseAlg(name)));
  return alg && publicKey(alg, Uint8Array.from(anchor.key), anchor.kid && Uint8Array.from(anchor.kid));
}

/**
 * Describes a trust file, from which to make the next one.
 *
 * @param store - The content of the trust file.
 * @returns The description, for encodeTrust().
 * @throws KeyError `unsupported` for a key whose algorithm this tool lacks.
 */
export function describeTrust(store: TrustStore): TrustDescription {
  const uuid = (id: Bytes | undefined, name: "vendor" | "class") => (id ? { [name]: Uint8Array.from(id) } : {});
  const thresholds: { [role in RoleName]?: number } = {};
  const jumps: { [role in RoleName]?: bigint } = {};
  const families: { [role in RoleName]?: FamilyEntry[] } = {};
  for (const name of Object.keys(ROLES) as RoleName[]) {
    const n = store.thresholds[ROLES[name]];
    const jump = store.jumps[ROLES[name]];
    if (n) thresholds[name] = n;
    const own = store.families[ROLES[name]];
    if (own) families[name] = own.map(({ ids, threshold }) => ({ algorithms: ids.map(algName), threshold }));
    if (jump) jumps[name] = BigInt(formatSequence(jump));
  }
  return {
    name: trustName(store),
    sequence: BigInt(formatSequence(store.sequence)),
    anchors: store.anchors.map((a) => {
      const key = keyOfAnchor(a);
      if (!key) throw new KeyError("unsupported", `a key has the unknown COSE algorithm ${a.cose}`);
      const limits = {
        ...(a.since && { since: BigInt(formatSequence(a.since)) }),
        ...(a.until && { until: BigInt(formatSequence(a.until)) }),
        ...(a.single && { devices: "single" as const }),
      };
      return { key, roles: roleNames(a), ...uuid(a.vendor, "vendor"), ...uuid(a.class, "class"), ...limits };
    }),
    thresholds,
    ...(Object.keys(jumps).length > 0 && { jumps }),
    ...(Object.keys(families).length > 0 && { families }),
    ...(store.begins && { epoch: { number: store.epoch, from: BigInt(formatSequence(store.begins)) } }),
  };
}
