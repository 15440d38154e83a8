import type { OpenedKey, SigningKey } from "@firmseal/keys";
import {
  Failure,
  hideSecrets,
  keyFacts,
  type PassphraseOptions,
  passphraseOptions,
  refusedInput,
  refuseTestKeys,
  usage,
  withSigners,
} from "@firmseal/keys";
import {
  big,
  type Cohort,
  type CohortResult,
  higher,
  isRefusal,
  type Keys,
  keySet,
  keysInRole,
  namedKeys,
  nameFile,
  newest,
  only,
  reach,
  readFleet,
  readTrustFile,
  recordTrustSigning,
  showChanges,
  standing,
  storesOf,
  type TrustOnFile,
  type TrustSigningOptions,
} from "@firmseal/release";
import {
  AlreadySigned,
  describeTrust,
  encodeTrust,
  equalBytes,
  type PublicKey,
  readTrust,
  signTrust,
  type TrustDescription,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { errors, type Identity, policyOf, type TrustStore, trustFile } from "@firmseal/verifier";
import { ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { cohortFacts, refuseStranded } from "../../common/cohorts.js";
import { allowStranded, allowTestKey, passphrases, sequenceChecks, sequenceNumber } from "../../common/options.js";
import { checkTrustOutput, deliver } from "../../common/output.js";
import { CHANGES, COHORTS, KEY, membersOf, OUT, RECEIPTS } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";

export interface RetireOptions extends PassphraseOptions, TrustSigningOptions {
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

/** The list without the key, or with its window ended. Wrong use if it has no such key, or if the other keys cannot meet a threshold. */
function without(d: TrustDescription, key: PublicKey, until: bigint | undefined): TrustDescription {
  const entry = d.anchors.find((a) => equalBytes(a.key.key, key.key));
  if (!entry) throw usage("the trust file does not list this key", "firmseal trust show FILE lists its keys");
  if (until !== undefined) {
    if (entry.roles.includes("root"))
      throw usage("--until: a root key signs no releases", "drop --until: the key is removed from the list");
    if (entry.until !== undefined && entry.until <= until)
      throw usage(`--until ${until}: the key counts up to ${entry.until} already`, "give a lower sequence number, or drop --until");
    if ((entry.since ?? 0n) > until)
      throw usage(`--until ${until}: the key counts only from ${entry.since}`, "drop --until: the key is removed from the list");
  }
  const left = d.anchors.filter((a) => a !== entry);
  for (const role of entry.roles) {
    const threshold = d.thresholds[role] ?? 0;
    const n = left.filter((a) => a.roles.includes(role) && (until === undefined || (a.until ?? until + 1n) > until)).length;
    if (n < threshold)
      throw refusedInput(
        "STRANDED",
        `without this key ${n} ${role} ${n === 1 ? "key is" : "keys are"} left, and ${threshold} ${threshold === 1 ? "is" : "are"} needed`,
        "put a new key on the list first, and bring that list to the devices with a bridge",
      );
  }
  const anchors = until === undefined ? left : d.anchors.map((a) => (a === entry ? { ...a, until } : a));
  return { ...d, sequence: d.sequence + 1n, anchors };
}

/**
 * For each key, a list of the line that has it as a root: a signature by any other key counts nowhere. Roots of older lists in the field sign
 * too, so that devices with those lists may accept the next one. The retired key may sign its successor.
 */
function listsOf(signingKeys: readonly OpenedKey[], lists: readonly TrustStore[]): TrustStore[] {
  return signingKeys.map(({ name, public: key }) => {
    const list = lists.find(({ anchors }) => anchors.some((a) => a.roles.includes(ROLE_ROOT) && equalBytes(a.key, key.key)));
    if (list) return list;
    throw usage(
      `--root ${name}: is not a root key of the trust file, or of one in the fleet`,
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
  for (const [list, what, reason] of [
    [current.store, `of ${current.path}`, "TRUST_PREVIOUS"],
    [next, "of the next trust file", "TRUST_SIGNERS"],
  ] as const) {
    const [n, threshold] = [rootsAmong(list, signing), list.thresholds[ROLE_ROOT] as number];
    if (n < threshold)
      throw new Failure(
        1,
        reason,
        errors[reason],
        `${n} of the roots ${what} would have signed, and it needs ${threshold}`,
        "give --root for each root that must sign, in one command",
      );
  }
}

type Fate = Pick<CohortResult, "verdict" | "why" | "next">;

/** What becomes of a cohort if only the keys of the next list sign. */
function fate({ model, floor }: Cohort, signing: Keys, next: TrustStore, until: bigint): Fate {
  const { store } = model;
  // a list of another line says nothing about this one
  if (!store || !equalBytes(store.name, next.name)) return { verdict: "unaffected", why: "the next trust file is not for it", next: null };
  const after = higher(big(floor), until);
  const now = reach({ model, store }, next, after, NONE);
  // lost roots do not matter to a device that accepts this list
  const takes = rootsAmong(store, signing) >= (store.thresholds[ROLE_ROOT] as number);
  if (now.verdict === "stranded" || (now.verdict === "roots-lost" && !takes)) return now;
  try {
    policyOf(next, ROLE_RELEASE, model.identity);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return {
      verdict: "stranded",
      why: "the next trust file gives it too few release keys",
      next: "put enough release keys for it on the next list",
    };
  }
  return reach({ model, store: next }, next, after, NONE);
}

function checkFleet(fleet: readonly Cohort[], current: TrustOnFile, signing: Keys, next: TrustStore, o: RetireOptions): CohortResult[] {
  newest([...storesOf(fleet), current.store, next]);
  const ahead = fleet.find(
    ({ model: { store } }) => store && equalBytes(store.name, next.name) && big(store.sequence) > big(current.store.sequence),
  );
  if (ahead)
    throw refusedInput(
      "FLEET",
      `${current.path}: cohort ${ahead.name} has a newer trust file, ${big((ahead.model.store as TrustStore).sequence)}`,
      "give the newest one: --trust FILE",
    );
  const until = o.until ?? 0n;
  const results = fleet.map((cohort) => standing(cohort, fate(cohort, signing, next, until), next, higher(big(cohort.floor), until), NONE));
  refuseStranded(results, o.allowStranded ?? []);
  return results;
}

/** Makes and signs the next trust file, without a key. Its effect on the fleet is checked before the file appears. */
async function retire(ref: string, o: RetireOptions) {
  // the passphrase of the retired key is asked for before those of the roots
  hideSecrets([ref, ...o.root], passphraseOptions(o));
  const current = readTrustFile(o.trust);
  const fleet = await readFleet(o.fleet);
  const [key] = (await namedKeys([ref], "KEY", [current.store])) as [PublicKey];
  const description = without(describeTrust(current.store), key, o.until);
  const unsigned = encodeTrust(description);
  const planned = readTrust(unsigned).store;
  const changes = showChanges(o.out, planned, current);
  return withSigners(o.root, passphraseOptions(o), async (signingKeys) => {
    checkTrustOutput(o.out, [o.trust, o.fleet, ...signingKeys.flatMap((k) => k.file ?? [])]);
    const line = storesOf(fleet).filter((store) => equalBytes(store.name, current.store.name));
    const lists = listsOf(signingKeys, [current.store, ...line]);
    // also the keys that stay on the list: the roots vouch for them again
    refuseTestKeys([...signingKeys.map((k) => k.public), ...description.anchors.map((a) => a.key)], o.allowTestKey ?? []);
    checkRoots(signingKeys, current, planned);
    const results = checkFleet(fleet, current, keySet(signingKeys.map((k) => k.public)), planned, o);
    const receipts = await recordTrustSigning("rotate retire", signingKeys, o, unsigned, lists, current);
    let bytes = unsigned;
    for (const [i, { signer }] of signingKeys.entries()) bytes = await signTrust(bytes, [signer], lists[i]);
    let next: TrustStore;
    try {
      next = trustFile(bytes, current.store, nodeHost);
    } catch (e) {
      throw nameFile(o.out, e);
    }
    const member = deliver(o.out, bytes, o.json);
    return {
      out: o.out,
      bytes: bytes.length,
      sequence: String(big(next.sequence)),
      retired: { ...keyFacts(key), until: o.until === undefined ? null : String(o.until) },
      roots: signingKeys.map((k) => keyFacts(k.public)),
      changes,
      log: receipts,
      ...cohortFacts(results, o.allowStranded ?? []),
      ...member,
    };
  });
}

export default define({
  name: "rotate retire",
  summary: "remove or limit a key, and sign the next trust file",
  arguments: [commandArgument("<key>", "the key: a file, or its thumbprint")],
  options: () => [
    option("--trust <file>", "the current trust file", { required: true }),
    option("--root <key>", "private root key", { repeat: true, required: true }),
    option("--fleet <file>", "the devices in the field: refuse to leave any behind", { required: true }),
    option("-o, --out <file>", "output file, or - for stdout", { required: true }),
    option("--until <n>", "keep the key for releases up to this sequence number", { parse: sequenceNumber }),
    ...passphrases(),
    allowStranded(),
    ...sequenceChecks(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal rotate retire old.jwk --trust fleet-2.trust --root root.pem --fleet fleet.json --out fleet-3.trust", "remove the key"],
    [
      "firmseal rotate retire old.jwk --until 20 --trust fleet-2.trust --root root.pem --fleet fleet.json --out fleet-3.trust",
      "keep it for releases up to 20",
    ],
  ],
  json: {
    ...OUT,
    sequence: ["string", "sequence number of the trust file"],
    retired: ["object", "the key"],
    ...membersOf("retired", { ...KEY, until: ["string|null", "last sequence number for which it counts; null: removed"] }),
    roots: ["object[]", "root keys that signed"],
    ...membersOf("roots[]", KEY),
    ...CHANGES,
    ...RECEIPTS,
    ...COHORTS,
  },
  run: retire,
  words: (f) => {
    const key = `key ${f.retired.thumbprint.slice(0, 16)}…`;
    const what = f.retired.until === null ? `without ${key}` : `in which ${key} counts up to ${f.retired.until}`;
    return [`${f.out}: trust file ${f.sequence}, ${what}, ${f.bytes} bytes`, ...receiptWords(f.log)];
  },
});
