// The next trust file without a key: its content, its required signers, and its effect on a fleet.

import {
  type ClockOverride,
  Failure,
  keyName,
  type OpenedKey,
  type Receipt,
  refuseTestKeys,
  type SequenceOverrides,
  type SigningKey,
} from "@firmseal/keys";
import { refusedInput, usage, warn } from "@firmseal/keys/internal";
import {
  AlreadySigned,
  decodeTrust,
  describeTrust,
  encodeTrust,
  type PublicKey,
  type RoleName,
  signTrustWithoutLog,
  type TrustDescription,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, policyOf, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { equalBytes, parseSequence, ROLE_RELEASE, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { bigSequence } from "../input/sequence.js";
import type { Product } from "../product/file/product.js";
import { recordTrustSigning, refuseLastNumber } from "../signing/authorize-trust.js";
import { showChanges, type TrustChange } from "../trust/change.js";
import { areReached, familyProgress, progressWords } from "../trust/families.js";
import { higher, type Keys, keysInRole, only } from "../trust/quorum.js";
import { readTrustFile, type TrustOnFile } from "../trust/read.js";
import { isRefusal, withFileName } from "../verify/refusals.js";
import { readFleet } from "./fleet.js";
import { keySet, namedKeys } from "./keys.js";
import { type Cohort, storesOf } from "./model.js";
import { type CohortResult, newestOfLine, standing } from "./plan/plan.js";
import { acceptsRoots, reach } from "./plan/reach.js";

const NONE = { lost: new Set<string>(), stolen: new Set<string>() };

/** What the trust file without a key is made from. */
export interface RetireOptions extends SequenceOverrides, ClockOverride {
  /** Name of the next list in messages. */
  out: string;
  /** The current trust file. */
  trust: string;
  /** The fleet file of the devices in the field. */
  fleet: string;
  /** The product whose boards and versions the rows of the fleet file may name. */
  product?: Product | undefined;
  /** Keep the key for releases up to this number. */
  until?: bigint;
  /** The log of the keys, if it is elsewhere. */
  log?: string;
  /** See ComparisonOptions. */
  allowNoPreviousTrust?: boolean;
  /** Names of published test keys that may sign. */
  allowTestKey?: string[];
  /** Examines the outcome for the fleet before anything is logged or signed. Throws to refuse. */
  judge?(results: readonly CohortResult[]): void;
}

/** The next list, without signatures. */
export interface Retirement {
  readonly key: PublicKey;
  readonly current: TrustOnFile;
  readonly fleet: readonly Cohort[];
  readonly description: TrustDescription;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
  readonly changes: TrustChange[];
  /** Roles without keys in the next list. */
  readonly retiredRoles: readonly RoleName[];
  readonly options: RetireOptions;
}

/** A device without keys for these roles still accepts releases and trust files. */
const MAY_END: readonly RoleName[] = ["debug", "recovery"];

/** Throws a usage Failure if the window of the key cannot end there. */
function checkWindow(entry: TrustDescription["anchors"][number], until: bigint): void {
  if (entry.roles.includes("root"))
    throw usage("`until`: a root key signs no releases", "drop `until`: the key is removed from the trust file");
  if (entry.until !== undefined && entry.until <= until)
    throw usage(`\`until\` ${until}: the key already counts up to ${entry.until}`, "give a lower sequence number, or drop `until`");
  if ((entry.since ?? 0n) > until)
    throw usage(`\`until\` ${until}: the key counts only from ${entry.since}`, "drop `until`: the key is removed from the trust file");
}

/**
 * Returns the next trust file without the key, or with a limit for it. Throws if there is no such key, or if the other
 * keys cannot meet a threshold.
 */
export function withoutKey(
  d: TrustDescription,
  key: PublicKey,
  until: bigint | undefined,
): { next: TrustDescription; retiredRoles: RoleName[] } {
  const entry = d.anchors.find((a) => equalBytes(a.key.key, key.key));
  if (!entry) throw usage("the trust file does not list this key", "firmseal trust show FILE lists its keys");
  if (until !== undefined) checkWindow(entry, until);
  const left = d.anchors.filter((a) => a !== entry);
  const thresholds = { ...d.thresholds };
  const jumps = { ...d.jumps };
  const families = { ...d.families };
  const retiredRoles: RoleName[] = [];
  for (const role of entry.roles) {
    const threshold = d.thresholds[role] ?? 0;
    const counting = left.filter((a) => a.roles.includes(role) && (until === undefined || (a.until ?? until + 1n) > until));
    const n = counting.length;
    if (n === 0 && until === undefined && MAY_END.includes(role)) {
      for (const facts of [thresholds, jumps, families]) delete facts[role];
      retiredRoles.push(role);
      warn(`role ${role}: this was its last key, so the next trust file does not have this role, and nobody can sign in it`);
    } else if (n < threshold)
      throw refusedInput(
        "ERR_STRANDED",
        `without this key ${n} ${role} ${n === 1 ? "key is" : "keys are"} left, and ${threshold} ${threshold === 1 ? "is" : "are"} needed`,
        "put a new key into the trust file first, and bring that file to the devices with a bridge",
      );
    for (const { algorithms, threshold: needed } of families[role] ?? []) {
      const of = counting.filter((a) => algorithms.includes(a.key.alg)).length;
      const family = algorithms.join(" or ");
      if (of < needed)
        throw refusedInput(
          "ERR_STRANDED",
          `without the ${key.alg} key ${keyName(key)} ${of} ${role} ${of === 1 ? "key" : "keys"} of the family ${family} ${of === 1 ? "is" : "are"} left, and ${needed} ${needed === 1 ? "is" : "are"} needed`,
          `put a new key of this family into the trust file: firmseal keygen --alg ${algorithms[0]}`,
        );
    }
  }
  const anchors = until === undefined ? left : d.anchors.map((a) => (a === entry ? { ...a, until } : a));
  return { next: { ...d, sequence: d.sequence + 1n, anchors, thresholds, jumps, families }, retiredRoles };
}

/** The lists of this line that devices have, the current one first. */
function line({ fleet, current }: Retirement): TrustStore[] {
  return [current.store, ...storesOf(fleet).filter((store) => equalBytes(store.name, current.store.name))];
}

/**
 * For each key, a list of the line that has it as a root: a signature by any other key counts nowhere. Roots of older
 * lists in the field sign too, so that devices with those lists may accept the next one. The retired key may sign its
 * successor.
 */
function listsOf(signingKeys: readonly OpenedKey[], lists: readonly TrustStore[]): TrustStore[] {
  return signingKeys.map(({ name, public: key }) => {
    const list = lists.find(({ anchors }) => anchors.some((a) => a.roles.includes(ROLE_ROOT) && equalBytes(a.key, key.key)));
    if (list) return list;
    throw usage(
      `\`key\` ${name} is not a root key of the trust file, or of one in the fleet`,
      "firmseal trust show FILE lists its keys and their roles",
    );
  });
}

/** The number of roots of a list among the keys that sign. */
function rootsAmong(list: TrustStore, signing: Keys): number {
  return only(keysInRole(list, ROLE_ROOT, {} as Identity), signing).length;
}

/** Checks before a root is used: each signs once, and there are as many as the current list and the next one need. */
function checkRoots(signingKeys: readonly SigningKey[], current: TrustOnFile, next: TrustStore): void {
  const again = signingKeys.find((k, i) => signingKeys.slice(0, i).some((other) => equalBytes(other.public.key, k.public.key)));
  if (again) throw new AlreadySigned(again.signer, "trust file");
  const signing = keySet(signingKeys.map((k) => k.public));
  for (const [list, what, code] of [
    [current.store, `of ${current.path}`, "ERR_TRUST_PREVIOUS"],
    [next, "of the next trust file", "ERR_TRUST_SIGNERS"],
  ] as const) {
    const [n, threshold] = [rootsAmong(list, signing), list.thresholds[ROLE_ROOT] as number];
    const families = familyProgress(list, "root", (a) => signing.has(toHex(a.key)));
    if (n < threshold || !areReached(families))
      throw new Failure(
        1,
        code,
        `${n} of the roots ${what} would have signed, and it needs ${threshold}${families.length > 0 ? `, and of each family: ${progressWords(families)}` : ""}`,
        "give `key` for each root that must sign; if they are in different places, give none, and each signs with firmseal trust sign",
      );
  }
}

type Fate = Pick<CohortResult, "verdict" | "why" | "next">;

/** The outcome for a cohort if only the keys of the next list sign. */
function fate({ model, floor }: Cohort, signing: Keys, next: TrustStore, until: bigint): Fate {
  const { store } = model;
  // a list of another product line does not concern this one
  if (!store || !equalBytes(store.name, next.name)) return { verdict: "unaffected", why: "the next trust file is not for it", next: null };
  const after = higher(bigSequence(floor), until);
  // the device follows the releases up to that number, whatever its limit on jumps
  const at = parseSequence(String(after));
  const now = reach({ model, store, floor: at }, next, after, NONE);
  // lost roots do not matter to a device that accepts this list
  const takes = acceptsRoots({ model, store, floor: at }, signing);
  if (now.verdict === "stranded" || (now.verdict === "roots-lost" && !takes)) return now;
  try {
    policyOf(next, ROLE_RELEASE, model.identity);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return {
      verdict: "stranded",
      why: "the next trust file gives it too few release keys",
      next: "put enough release keys for it into the next trust file",
    };
  }
  return reach({ model, store: next, floor: at }, next, after, NONE);
}

function fates({ fleet, current, store: next, options }: Retirement, signing: Keys): CohortResult[] {
  newestOfLine([...storesOf(fleet), current.store, next]);
  const ahead = fleet.find(
    ({ model: { store } }) =>
      store && equalBytes(store.name, next.name) && bigSequence(store.sequence) > bigSequence(current.store.sequence),
  );
  if (ahead)
    throw refusedInput(
      "ERR_FLEET",
      `${current.path}: cohort ${ahead.name} has a newer trust file, ${bigSequence((ahead.model.store as TrustStore).sequence)}`,
      "give the newest one: `trust` FILE",
    );
  const until = options.until ?? 0n;
  const results = fleet.map((cohort) =>
    standing(cohort, fate(cohort, signing, next, until), next, higher(bigSequence(cohort.floor), until), NONE),
  );
  options.judge?.(results);
  return results;
}

/** Makes the next list and shows its changes. `ref`: the key, by a file or its thumbprint. Signs nothing. */
export async function planRetirement(ref: string, options: RetireOptions): Promise<Retirement> {
  const current = readTrustFile(options.trust);
  const fleet = await readFleet(options.fleet, options.product);
  const [key] = (await namedKeys([ref], "KEY", [current.store])) as [PublicKey];
  refuseLastNumber(bigSequence(current.store.sequence) + 1n);
  const { next: description, retiredRoles } = withoutKey(describeTrust(current.store), key, options.until);
  const bytes = encodeTrust(description);
  const { store } = decodeTrust(bytes);
  const changes = showChanges(options.out, store, current);
  return { key, current, fleet, description, bytes, store, changes, retiredRoles, options };
}

/** Refuses test keys that stay on the list: the roots would sign them again. */
function refuseListedTestKeys({ description, options }: Retirement, signing: readonly PublicKey[]): void {
  refuseTestKeys([...signing, ...description.anchors.map((a) => a.key)], options.allowTestKey ?? []);
}

/**
 * Returns the outcome for the fleet if every root of the trust files in the field signs. For a trust file whose roots
 * sign in different places.
 */
export function judgeUnsigned(r: Retirement): CohortResult[] {
  refuseListedTestKeys(r, []);
  const roots = [r.store, ...line(r)].flatMap((store) => keysInRole(store, ROLE_ROOT, {} as Identity));
  return fates(r, new Set(roots.map(({ key }) => key)));
}

const OTHER_LAST =
  "give the newest file: `trust` FILE; or drop `key`, and sign with firmseal trust sign --previous-trust FILE; or allow it: `allowNoPreviousTrust`";

/** A signed trust file without the key. */
export interface SignedRetirement {
  /** The trust file, and its content. */
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
  /** The entries in the signing logs, one for each root. */
  readonly receipts: Receipt[];
  /** The outcome for the fleet. */
  readonly results: CohortResult[];
}

/** Signs the next list with all roots at once. Everything that can be refused is refused before anything is logged. */
export async function signRetirement(r: Retirement, signingKeys: readonly SigningKey[]): Promise<SignedRetirement> {
  const { current, options, bytes: unsigned } = r;
  const lists = listsOf(signingKeys, line(r));
  const keys = signingKeys.map((k) => k.public);
  refuseListedTestKeys(r, keys);
  checkRoots(signingKeys, current, r.store);
  const results = fates(r, keySet(keys));
  const receipts = await recordTrustSigning("rotate retire", signingKeys, { ...options, hint: OTHER_LAST }, unsigned, lists, [current]);
  let bytes = unsigned;
  for (const [i, { signer }] of signingKeys.entries()) bytes = await signTrustWithoutLog(bytes, [signer], lists[i]);
  try {
    return { bytes, store: trustFileUnchecked(bytes, current.store, nodeHost), receipts, results };
  } catch (e) {
    throw withFileName(options.out, e);
  }
}
