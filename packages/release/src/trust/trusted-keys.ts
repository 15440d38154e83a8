// The trusted keys: those of --key, or those with the requested role in a trust file of --trust, whose own signatures
// are checked first.

import {
  anchors,
  Failure,
  keyFacts,
  type PassphraseOptions,
  passphraseOptions,
  publicKeys,
  readAll,
  usage,
  visible,
  warn,
  warnOfTestKeys,
} from "@firmseal/keys";
import {
  acceptTrust,
  decodeTrust,
  equalBytes,
  formatUuid,
  keyOfAnchor,
  type PublicKey,
  ROLES,
  type RoleName,
  roleNames,
  type TrustFile,
  toHex,
  trustName,
  trustSigners,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Anchor, errors, type Identity, policyOf, type Trust, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
import { formatSequence, looksLikeTrustFile, ROLE_ROOT } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { isRefusal, refusalFailure, refusalHint, refusalMeaning } from "../verify/refusals.js";
import { areReached, type FamilyProgress, familyProgress } from "./families.js";

const ROOT_HINT = "firmseal trust show FILE lists who has signed: give these roots, or have the others sign";

/** What a trust file is checked against: pinned root keys, or its predecessor. */
export interface PinOptions extends PassphraseOptions {
  root?: string[];
  previousTrust?: string;
}

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

/** Reads the bytes of a trust file. A file that is clearly of another kind is reported as such. */
export function readTrustBytes(path: string): Uint8Array {
  const bytes = readAll(path, LIMITS.trustFile);
  if (!looksLikeTrustFile(bytes))
    throw new Failure(1, "TRUST_NONE", errors.TRUST_NONE, `${path}: not a trust file`, refusalHint(errors.TRUST_NONE));
  return bytes;
}

/** Returns a refusal as a Failure that names the file. Returns other errors unchanged. */
export function withFileName(path: string, e: unknown): unknown {
  if (!isRefusal(e)) return e;
  const { exit, reason, code, message, hint } = refusalFailure(e);
  return new Failure(exit, reason, code, `${path}: ${message}`, hint, { cause: e });
}

/** Reads a trust file, signed or not. Verifies no signature. Throws a Failure with the refusal of the file. */
export function readTrustFrom(path: string): TrustFile & { bytes: Uint8Array } {
  const bytes = readTrustBytes(path);
  try {
    return { bytes, ...decodeTrust(bytes) };
  } catch (e) {
    throw withFileName(path, e);
  }
}

/** Reads a trust file that has at least one signature. Verifies none. */
function readSignedTrust(path: string): ReturnType<typeof readTrustFrom> {
  const file = readTrustFrom(path);
  refuseUnsigned(path, file);
  return file;
}

/** Refuses a trust file without signatures, which a device would report as damaged CBOR. */
export function refuseUnsigned(path: string, { signatures }: Pick<TrustFile, "signatures">): void {
  if (signatures.length === 0)
    throw new Failure(1, "TRUST_SIGNERS", errors.TRUST_SIGNERS, `${path}: refused: not signed`, refusalHint(errors.TRUST_SIGNERS));
}

/**
 * Reads a trust file that the user has named as trusted. Throws a Failure with its refusal if it is not valid, or not
 * signed by its own roots.
 */
export function acceptedTrust(path: string): { store: TrustStore; bytes: Uint8Array } {
  const { bytes, store } = readSignedTrust(path);
  try {
    return { bytes, store: acceptTrust(bytes, store, nodeHost) };
  } catch (e) {
    throw withFileName(path, e);
  }
}

/**
 * Reads a trust file and verifies it with its own roots and with what it is checked against. `pinned`: whether it was
 * checked against anything. Throws a Failure with the refusal of the file.
 */
export async function verifiedTrust(path: string, o: PinOptions): Promise<{ store: TrustStore; pinned: boolean; bytes: Uint8Array }> {
  if (o.root && o.previousTrust !== undefined) throw usage("root keys and a previous trust file are both given", "give one of the two");
  const { bytes, store: own } = readSignedTrust(path);
  let before: TrustStore | Trust;
  if (o.previousTrust !== undefined) before = acceptedTrust(o.previousTrust).store;
  else if (o.root) {
    const keys = await publicKeys(o.root, passphraseOptions(o));
    before = { anchors: anchors(keys), threshold: new Set(keys.map((k) => toHex(k.key))).size };
  } else {
    before = own;
    warn(`${visible(path)}: no root is given, so anybody may have made it: give --root PUB, or the previous trust file`);
  }
  try {
    return { store: acceptTrust(bytes, before, nodeHost), pinned: o.root !== undefined || o.previousTrust !== undefined, bytes };
  } catch (e) {
    // there is no previous trust file, only the keys of --root
    if (o.root && isRefusal(e) && e.code === errors.TRUST_PREVIOUS)
      throw new Failure(1, "TRUST_PREVIOUS", e.code, `${path}: refused: not signed by every key of --root`, ROOT_HINT);
    throw withFileName(path, e);
  }
}

/** How many roots have signed, and how many must. */
export interface RootProgress {
  readonly signed: number;
  readonly needed: number;
  readonly families: readonly FamilyProgress[];
}

/**
 * Returns how many roots of `store` have signed the trust file `bytes`, how many must, and the same for each family of
 * algorithms. Verifies the signatures.
 */
export function rootProgress(bytes: Uint8Array, store: TrustStore): RootProgress {
  const roots = { ...store, anchors: store.anchors.filter((a) => a.roles.includes(ROLE_ROOT)) };
  const signers = trustSigners(bytes, keysOf(roots));
  const families = familyProgress(store, "root", (a) => signers.some(({ key }) => equalBytes(key, a.key)));
  return { signed: signers.length, needed: store.thresholds[ROLE_ROOT] as number, families };
}

/** Returns whether enough roots have signed. */
export function isEnough({ signed, needed, families }: RootProgress): boolean {
  return signed >= needed && areReached(families);
}

/** The devices and sequence numbers for which an anchor counts, as in the JSON output. */
export interface Limits {
  vendor: string | null;
  class: string | null;
  since: string | null;
  until: string | null;
  devices: "single" | null;
}

export type AnchorFacts = ReturnType<typeof keyFacts | typeof unknownFacts> & Limits & { roles: RoleName[] };

const hexOrNull = (b: ArrayLike<number> | undefined) => (b ? toHex(b) : null);

/** The facts of a key whose algorithm this tool lacks. */
const unknownFacts = (a: TrustAnchor) => ({ kid: hexOrNull(a.kid), alg: String(a.cose), thumbprint: null });

export function limitsOf(a: Pick<TrustAnchor, "vendor" | "class" | "since" | "until" | "single">): Limits {
  return {
    vendor: hexOrNull(a.vendor),
    class: hexOrNull(a.class),
    since: a.since ? formatSequence(a.since) : null,
    until: a.until ? formatSequence(a.until) : null,
    devices: a.single ? "single" : null,
  };
}

/** Returns the existing limits, in words. */
export function limitWords({ vendor, class: name, since, until, devices }: Limits): string[] {
  const dashed = (id: string) => formatUuid(Buffer.from(id, "hex"));
  return [
    vendor !== null && `vendor ${dashed(vendor)}`,
    name !== null && `class ${dashed(name)}`,
    since !== null && `since ${since}`,
    until !== null && `until ${until}`,
    devices !== null && "one device at a time",
  ].filter((text) => text !== false);
}

/** Returns the facts of an anchor for the JSON output. */
export function anchorFacts(a: TrustAnchor): AnchorFacts {
  const key = keyOfAnchor(a);
  return { ...(key ? keyFacts(key) : unknownFacts(a)), roles: roleNames(a), ...limitsOf(a) };
}

/** Returns the keys of a trust file whose algorithms this tool has. */
export function keysOf(store: TrustStore): PublicKey[] {
  return store.anchors.flatMap((a) => keyOfAnchor(a) ?? []);
}

/** The trusted keys, for any device. */
export interface TrustedKeys {
  /** The policy of a device with this identity. */
  policy(identity: Identity): Trust;
  /** The facts of a trusted key for the JSON output. */
  facts(anchor: Anchor): object & { alg: string; thumbprint: string | null; roles?: string[] };
  /** Whether the policy depends on the identity. */
  scoped: boolean;
  /** The names of published test keys among them. */
  testKeys: string[];
  /** The facts of the trust file for the JSON output of a command. */
  trust?: { name: string; sequence: string; role: RoleName; threshold: number; pinned: boolean };
}

/**
 * Returns the keys of --key, or those of the trust file of --trust with one role. Throws a usage Failure if neither is
 * given, or both, and the errors of the files.
 */
export async function trustedKeys(o: TrustOptions): Promise<TrustedKeys> {
  if (o.trust === undefined) {
    if (o.root || o.previousTrust !== undefined)
      throw usage("a root is for a trust file, and --trust is not given", "give --trust FILE, or --key PUB alone");
    // if the role were ignored, a debug key could stand for a release key
    if (o.role !== undefined) throw usage("--role is for a trust file, and --trust is not given", "give --trust FILE, or drop it");
    if (!o.key) throw usage("no trusted keys: --key and --trust are missing", "give the signer's public key: --key PUB, or a trust file");
    const keys = await publicKeys(o.key, passphraseOptions(o));
    const all = anchors(keys);
    const different = new Set(keys.map((key) => keyFacts(key).thumbprint)).size;
    if (o.threshold !== undefined && o.threshold > different)
      throw usage(
        `--threshold ${o.threshold}: ${different === 1 ? "only one key is" : `only ${different} different keys are`} given`,
        "give the public key of each signer: --key PUB, once for each",
      );
    return {
      policy: () => ({ anchors: all, threshold: o.threshold ?? 1 }),
      facts: (anchor) => keyFacts(keys[all.indexOf(anchor)] as PublicKey),
      scoped: false,
      testKeys: warnOfTestKeys(keys),
    };
  }
  if (o.key) throw usage("keys and a trust file are both given", "give --key, or --trust");
  if (o.threshold !== undefined) throw usage("--threshold: the trust file says how many must have signed", "drop it");
  const { store, pinned } = await verifiedTrust(o.trust, o);
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
        throw new Failure(1, "TRUST_UNUSABLE", e.code, `${o.trust}: refused: ${what}`, refusalHint(e.code), { cause: e });
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
