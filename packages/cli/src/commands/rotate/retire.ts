// rotate retire: the next trust file, in which a key is no more, or counts up to a sequence number only.

import type { HeldKey, SigningKey } from "@firmseal/keys";
import {
  Failure,
  hideSecrets,
  keyFacts,
  type PassphraseOptions,
  passphraseOptions,
  refusedInput,
  refuseTestKeys,
  usage,
  visible,
  withSigners,
} from "@firmseal/keys";
import {
  about,
  big,
  type Cohort,
  type CohortResult,
  enterTrustUse,
  exposure,
  higher,
  holders,
  isRefusal,
  type Keys,
  keySet,
  namedKeys,
  newest,
  only,
  reach,
  readFleet,
  readTrustFile,
  showChanges,
  type TrustOnFile,
  type TrustUseOptions,
  type Verdict,
} from "@firmseal/release";
import {
  AlreadySigned,
  describeTrust,
  encodeTrust,
  type PublicKey,
  readTrust,
  signTrust,
  type TrustDescription,
  thumbprint,
  toHex,
} from "@firmseal/signer";
import { host } from "@firmseal/simulator";
import { errors, type Identity, policyOf, type TrustStore, trustFile } from "@firmseal/verifier";
import { same } from "@firmseal/verifier/bytes";
import { ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/spec";
import { facts, refuseStranded } from "../../common/cohorts.js";
import { checkTrustOutput, deliver } from "../../common/output.js";
import { json, say } from "../../show/ui.js";

export interface RetireOptions extends PassphraseOptions, TrustUseOptions {
  trust: string;
  root: string[];
  fleet: string;
  out: string;
  until?: bigint;
  allowStranded?: string[];
  allowTestKey?: string[];
  json?: boolean;
}

const NONE = { lost: new Set<string>(), stolen: new Set<string>() };

/** The list without the key, or with its window ended. Wrong use where it has no such key, or what is left cannot meet a threshold. */
function without(d: TrustDescription, key: PublicKey, until: bigint | undefined): TrustDescription {
  const entry = d.anchors.find((a) => same(a.key.key, key.key));
  if (!entry) throw usage("the trust file does not list this key", "firmseal trust show FILE lists its keys");
  if (until !== undefined) {
    if (entry.roles.includes("root"))
      throw usage("--until: a root key signs no releases", "leave --until out: the key is taken off the list");
    if (entry.until !== undefined && entry.until <= until)
      throw usage(`--until ${until}: the key counts up to ${entry.until} already`, "give a lower sequence number, or leave --until out");
    if ((entry.since ?? 0n) > until)
      throw usage(`--until ${until}: the key counts from ${entry.since} on only`, "leave --until out: the key is taken off the list");
  }
  const left = d.anchors.filter((a) => a !== entry);
  for (const role of entry.roles) {
    const need = d.thresholds[role] ?? 0;
    const n = left.filter((a) => a.roles.includes(role) && (until === undefined || (a.until ?? until + 1n) > until)).length;
    if (n < need)
      throw refusedInput(
        "STRANDED",
        `without this key ${n} ${role} ${n === 1 ? "key is" : "keys are"} left, and ${need} ${need === 1 ? "is" : "are"} needed`,
        "put a new key on the list first, and bring that list to the devices by a bridge",
      );
  }
  const anchors = until === undefined ? left : d.anchors.map((a) => (a === entry ? { ...a, until } : a));
  return { ...d, sequence: d.sequence + 1n, anchors };
}

/**
 * For each key, a list of the line that has it as a root: a signature by any other would count nowhere. Roots of older lists that are still in the
 * field sign too, so that devices which have those may take the next one; and the key that is retired may sign its own successor.
 */
function listsOf(held: readonly HeldKey[], lists: readonly TrustStore[]): TrustStore[] {
  return held.map(({ name, public: key }) => {
    const list = lists.find(({ anchors }) => anchors.some((a) => a.roles.includes(ROLE_ROOT) && same(a.key, key.key)));
    if (list) return list;
    throw usage(
      `--root ${name}: is no root key of the trust file, nor of one in the fleet`,
      "firmseal trust show FILE lists its keys and their roles",
    );
  });
}

/** How many of the roots of a list are among the keys that sign. */
function rootsAmong(list: TrustStore, signing: Keys): number {
  return only(holders(list, ROLE_ROOT, {} as Identity), signing).length;
}

/** All that can be told before a root is used: each signs once, and there are as many as the list of today and the next one want. */
function checkRoots(held: readonly SigningKey[], current: TrustOnFile, next: TrustStore): void {
  const again = held.find((k, i) => held.slice(0, i).some((other) => same(other.public.key, k.public.key)));
  if (again) throw new AlreadySigned(again.signer, "trust file");
  const signing = keySet(held.map((k) => k.public));
  for (const [list, what, reason] of [
    [current.store, `of ${current.path}`, "TRUST_PREVIOUS"],
    [next, "of the next trust file", "TRUST_SIGNERS"],
  ] as const) {
    const [n, need] = [rootsAmong(list, signing), list.thresholds[ROLE_ROOT] as number];
    if (n < need)
      throw new Failure(
        1,
        reason,
        errors[reason],
        `${n} of the roots ${what} would have signed, and it wants ${need}`,
        "give --root for each root that is needed, all in one command",
      );
  }
}

/** What becomes of a cohort when the keys of the next list are the only ones that sign. */
function fate(cohort: Cohort, signing: Keys, next: TrustStore, until: bigint): { verdict: Verdict; why: string | null } {
  const state = { store: cohort.trust.store, identity: cohort.identity, floor: cohort.floor };
  // a list of another line of products says nothing about this one
  if (!same(state.store.name, next.name)) return { verdict: "moved", why: null };
  const after = higher(big(cohort.floor), until);
  const now = reach(state, next, after, NONE);
  // roots that are gone do not matter to a device that takes this very list
  const takes = rootsAmong(state.store, signing) >= (state.store.thresholds[ROLE_ROOT] as number);
  if (now.verdict === "stranded" || (now.verdict === "frozen" && !takes)) return now;
  try {
    policyOf(next, ROLE_RELEASE, cohort.identity);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return { verdict: "stranded", why: "the next trust file gives it too few release keys" };
  }
  return reach({ ...state, store: next }, next, after, NONE);
}

function checkFleet(fleet: readonly Cohort[], current: TrustOnFile, signing: Keys, next: TrustStore, o: RetireOptions): CohortResult[] {
  const line = fleet.filter((c) => same(c.trust.store.name, next.name));
  newest([...fleet.map((c) => c.trust.store), current.store, next]);
  const ahead = line.find((c) => big(c.trust.store.sequence) > big(current.store.sequence));
  if (ahead)
    throw refusedInput(
      "FLEET",
      `${current.path}: cohort ${ahead.name} has a newer trust file, ${big(ahead.trust.store.sequence)}`,
      "give the newest one that there is: --trust FILE",
    );
  const results = fleet.map((cohort): CohortResult => {
    const sequence = String(big(cohort.trust.store.sequence));
    const state = { store: cohort.trust.store, identity: cohort.identity, floor: cohort.floor };
    return {
      name: cohort.name,
      devices: cohort.devices,
      steps: [],
      trust: { before: sequence, after: sequence },
      exposed: exposure(state, new Set()),
      ...fate(cohort, signing, next, o.until ?? 0n),
    };
  });
  refuseStranded(results, o.allowStranded ?? []);
  return results;
}

/** Makes and signs the trust file that comes after a key. What it does to the fleet is looked at before the file appears. */
export async function retire(ref: string, o: RetireOptions): Promise<void> {
  // the key that is retired is asked for before the roots are
  hideSecrets([ref, ...o.root], passphraseOptions(o));
  const current = readTrustFile(o.trust);
  const fleet = readFleet(o.fleet);
  const [key] = (await namedKeys([ref], "KEY", [current.store])) as [PublicKey];
  const description = without(describeTrust(current.store), key, o.until);
  const unsigned = encodeTrust(description);
  const planned = readTrust(unsigned).store;
  const changes = showChanges(o.out, planned, current);
  await withSigners(o.root, passphraseOptions(o), async (held) => {
    checkTrustOutput(o.out, [o.trust, o.fleet, ...held.flatMap((k) => k.file ?? [])]);
    const line = fleet.map((c) => c.trust.store).filter((store) => same(store.name, current.store.name));
    const lists = listsOf(held, [current.store, ...line]);
    // those that stay on the list as well: the roots vouch for them once more
    refuseTestKeys([...held.map((k) => k.public), ...description.anchors.map((a) => a.key)], o.allowTestKey ?? []);
    checkRoots(held, current, planned);
    const results = checkFleet(fleet, current, keySet(held.map((k) => k.public)), planned, o);
    const receipts = await enterTrustUse("rotate retire", held, o, unsigned, lists, current);
    let bytes = unsigned;
    for (const [i, { signer }] of held.entries()) bytes = await signTrust(bytes, [signer], lists[i]);
    let next: TrustStore;
    try {
      next = trustFile(bytes, current.store, host);
    } catch (e) {
      throw about(o.out, e);
    }
    const member = deliver(o.out, bytes, o.json);
    const { name, sequence } = { name: toHex(thumbprint(key)), sequence: String(big(next.sequence)) };
    if (o.json)
      json({
        ok: true,
        code: 0,
        reason: "OK",
        out: o.out,
        bytes: bytes.length,
        sequence,
        retired: { ...keyFacts(key), until: o.until === undefined ? null : String(o.until) },
        roots: held.map((k) => keyFacts(k.public)),
        changes,
        log: receipts,
        ...facts(results, o.allowStranded ?? []),
        ...member,
      });
    else
      say(
        `${visible(o.out)}: trust file ${sequence}, ${o.until === undefined ? `without key ${name.slice(0, 16)}…` : `in which key ${name.slice(0, 16)}… counts up to ${o.until}`}, ${bytes.length} bytes`,
      );
    if (!o.json) for (const { path, entry } of receipts) say(`${visible(path)}: entry ${entry}`);
  });
}
