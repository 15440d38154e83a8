// An incident, from the moment when somebody is paged to the moment when the fleet is safe. It is run again after each
// step: what is in its folder says how far it is. It uses no private key, so that nothing it does can make matters
// worse.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { grouped, makeFolders, publicKeys, readAll, refusedInput, usage, writeWhole } from "@firmseal/keys";
import {
  decodeTrust,
  describeTrust,
  encodeTrust,
  equalBytes,
  formatUuid,
  keyOfAnchor,
  type PublicKey,
  type RoleName,
  type TrustDescription,
  toHex,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, open, policyOf, type TrustStore } from "@firmseal/verifier";
import { formatSequence, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { LIMITS } from "../limits.js";
import { isRefusal } from "../refusals.js";
import { readMove, unsignedBridge } from "../rotation/bridge.js";
import { readSteps } from "../rotation/files.js";
import { type Cohort, readFleet, storesOf } from "../rotation/fleet.js";
import { keySet, namedKeys } from "../rotation/keys.js";
import { type CohortResult, plan } from "../rotation/plan.js";
import { big } from "../rotation/quorum.js";
import { exposedWords, type Gone } from "../rotation/reach.js";
import { withoutKey } from "../rotation/retire.js";
import { refuseLastNumber } from "../signing/authorize-trust.js";
import { changeWarnings, changeWords, trustChanges } from "../trust/trust-change.js";
import { readTrustFile, type TrustOnFile } from "../trust/trust-file.js";
import { isEnough, readTrustFrom, rootProgress } from "../trust/trust-ref.js";
import { rehearse } from "./rehearse.js";

/** What has happened to the key. */
export type IncidentKind = "stolen" | "lost" | "expired" | "debug-leaked";

/** What runIncident() needs to know. */
export interface IncidentOptions {
  what: IncidentKind;
  /** The key: a file, or its thumbprint. */
  key: string;
  /** The newest trust file, and the devices in the field. */
  trust: string;
  fleet: string;
  /** The folder of the incident. */
  dir: string;
  /** Public keys that take over the roles of the key. */
  replacement?: readonly string[];
  /** The image that devices run: for all, or `COHORT=FILE`. */
  image?: readonly string[];
}

/**
 * `list`: roots must sign the next trust file. `bridges`: release keys must sign the bridges. `roll-out`: devices must
 * take them.
 */
export type IncidentStage = "list" | "bridges" | "roll-out" | "safe";

/** How far an incident is, and what to do next. */
export interface Incident {
  readonly what: IncidentKind;
  readonly stage: IncidentStage;
  /** The key that the incident is about, and its roles. */
  readonly key: PublicKey;
  readonly roles: readonly RoleName[];
  /** The newest trust file, and the content of the next one. */
  readonly current: TrustOnFile;
  readonly next: TrustStore;
  /** What the next trust file changes, in words, and what to watch out for. */
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
  /** The number of devices in the fleet. */
  readonly devices: number;
  /** The fleet now, and with the bridges: rehearsed ones, or the signed ones. */
  readonly now: readonly CohortResult[];
  readonly after: readonly CohortResult[];
  /** What is true of the fleet now, in words: who is safe, and who is not. */
  readonly safe: readonly string[];
  readonly unsafe: readonly string[];
  /** Lines to type, or things to do, in order. */
  readonly todo: readonly string[];
  /** Files of the folder, the list first. */
  readonly files: readonly string[];
}

interface Given {
  readonly o: IncidentOptions;
  readonly current: TrustOnFile;
  readonly fleet: readonly Cohort[];
  readonly key: PublicKey;
  readonly entry: TrustDescription["anchors"][number];
  readonly gone: Gone;
  readonly description: TrustDescription;
  readonly bytes: Uint8Array;
  readonly next: TrustStore;
}

/** Reads all that is given, and makes the next list. */
async function readGiven(o: IncidentOptions): Promise<Given> {
  const current = readTrustFile(o.trust);
  refuseLastNumber(big(current.store.sequence) + 1n);
  const fleet = await readFleet(o.fleet);
  const [key] = (await namedKeys([o.key], "--key", [current.store])) as [PublicKey];
  const before = describeTrust(current.store);
  const entry = before.anchors.find((a) => equalBytes(a.key.key, key.key)) as TrustDescription["anchors"][number];
  if (o.what === "debug-leaked" && !entry.roles.includes("debug"))
    throw usage(
      `--key ${o.key}: has the role ${entry.roles.join(" and ")}, not debug`,
      "for a key with another role: firmseal incident stolen",
    );
  if (o.what === "expired" && entry.until === undefined)
    throw usage(
      `--key ${o.key}: has no last sequence number, so it does not expire`,
      "firmseal trust show FILE shows the last sequence number of each key",
    );
  const ahead = storesOf(fleet).find(
    (store) => equalBytes(store.name, current.store.name) && big(store.sequence) > big(current.store.sequence) + 1n,
  );
  if (ahead)
    throw refusedInput(
      "FLEET",
      `${o.trust}: devices have trust file ${formatSequence(ahead.sequence)} already`,
      "give the newest one: --trust FILE",
    );
  const { roles, vendor, class: name } = entry;
  const limits = { ...(vendor && { vendor }), ...(name && { class: name }) };
  const added = (o.replacement ? await publicKeys(o.replacement, []) : []).map((one) => ({ key: one, roles, ...limits }));
  if (o.what === "expired" && added.length === 0) throw usage("no replacement key is given", "make one, and name it: --replacement PUB");
  const both = { ...before, anchors: [...before.anchors, ...added] };
  // what an expired key has signed can still start
  const description = o.what === "expired" ? { ...both, sequence: before.sequence + 1n } : withoutKey(both, key, undefined).next;
  const bytes = encodeTrust(description);
  const own = keySet([key]);
  const none = new Set<string>();
  const gone = { lost: o.what === "lost" ? own : none, stolen: o.what === "stolen" || o.what === "debug-leaked" ? own : none };
  return { o, current, fleet, key, entry, gone, description, bytes, next: decodeTrust(bytes).store };
}

/** The devices that a bridge is for: one for each vendor and class. */
interface DeviceGroup {
  readonly identity: Identity;
  readonly names: string[];
  readonly image: string | undefined;
}

function groupsOf({ fleet, next, o }: Given): DeviceGroup[] {
  const images = new Map(
    (o.image ?? []).map((text): [string, string] => {
      const at = text.indexOf("=");
      const isNamed = at > 0 && fleet.some(({ name }) => name === text.slice(0, at));
      return isNamed ? [text.slice(0, at), text.slice(at + 1)] : ["", text];
    }),
  );
  const groups = new Map<string, DeviceGroup>();
  for (const { name, model } of fleet) {
    if (!model.store || !equalBytes(model.store.name, next.name) || big(model.store.sequence) >= big(next.sequence)) continue;
    const { vendor, class: classes } = model.identity;
    const id = [...(vendor ?? []), ...(classes ?? [])].map((part) => toHex(Uint8Array.from(part))).join(" ");
    const group = groups.get(id) ?? { identity: model.identity, names: [], image: images.get(name) ?? images.get("") };
    if (model.start === "release" && group.image === undefined)
      throw usage(`cohort ${name}: a bridge without an image leaves nothing to start`, `give the image that it runs: --image ${name}=FILE`);
    group.names.push(name);
    groups.set(id, group);
  }
  return [...groups.values()];
}

/**
 * What a bridge brings before the next list, for devices that have an older list than today's: the lists after theirs,
 * as far as they are known without a gap. Empty if every device has today's list.
 */
function chainBefore({ current, fleet }: Pick<Given, "current" | "fleet">): TrustOnFile[] {
  const known = new Map<bigint, TrustOnFile>();
  for (const { model } of fleet)
    if (model.trust && equalBytes(model.trust.store.name, current.store.name)) known.set(big(model.trust.store.sequence), model.trust);
  const today = big(current.store.sequence);
  if (![...known.keys()].some((n) => n < today)) return [];
  const out = [current];
  for (let n = today - 1n; known.has(n); n--) out.unshift(known.get(n) as TrustOnFile);
  return out;
}

const uuid = (ids: Identity["vendor"]) => formatUuid(Uint8Array.from(ids?.[0] ?? []));

/** The release keys of both lists that can still sign for us. */
function signersOf({ current, next, gone }: Given): PublicKey[] {
  const all = new Map<string, PublicKey>();
  for (const store of [next, current.store])
    for (const anchor of store.anchors) {
      const key = anchor.roles.includes(ROLE_RELEASE) ? keyOfAnchor(anchor) : undefined;
      if (key && !gone.lost.has(toHex(key.key))) all.set(toHex(key.key), key);
    }
  return [...all.values()].slice(0, 8);
}

function isGoodUnder(envelope: Uint8Array, store: TrustStore, identity: Identity): boolean {
  try {
    open(envelope, policyOf(store, ROLE_RELEASE, identity), nodeHost);
    return true;
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return false;
  }
}

const total = (results: readonly CohortResult[], one: (r: CohortResult) => boolean) =>
  results.reduce((n, r) => n + (one(r) ? r.devices : 0), 0);

/** What can be said of a fleet, in words: who is safe, and who is not and why. */
function judge(results: readonly CohortResult[]): { safe: string[]; unsafe: string[] } {
  const isLeft = (r: CohortResult) => r.verdict === "stranded" || r.verdict === "roots-lost";
  const open = (r: CohortResult) => exposedWords(r.exposed);
  const safe = total(results, (r) => !isLeft(r) && open(r) === "");
  return {
    safe: safe > 0 ? [`${grouped(safe)} devices: the key alone can sign nothing for them, and you can reach them`] : [],
    unsafe: results.flatMap((r) => [
      ...(open(r) === "" ? [] : [`${r.name}, ${grouped(r.devices)} devices: a thief with the key can sign ${open(r)} for them now`]),
      ...(isLeft(r) ? [`${r.name}, ${grouped(r.devices)} devices: ${r.why}${r.next === null ? "" : `; ${r.next}`}`] : []),
    ]),
  };
}

/** The list in the folder, which must be the one that is made now. */
function listIn(path: string, { bytes, next, current }: Given): { bytes: Uint8Array; isSigned: boolean } {
  if (!existsSync(path)) return { bytes, isSigned: false };
  const file = readTrustFrom(path);
  if (!equalBytes(file.store.payload, next.payload))
    throw refusedInput(
      "FLEET",
      `${path}: is not the next trust file of this incident`,
      "give the same options as before, or an empty folder: --dir",
    );
  const enough = [current.store, next].every((store) => isEnough(rootProgress(file.bytes, store)));
  return { bytes: file.bytes, isSigned: enough };
}

interface Bridge {
  readonly path: string;
  readonly group: DeviceGroup;
  readonly isSigned: boolean;
}

/** The bridges in the folder; those that are missing are made. */
async function bridgesIn(given: Given, groups: readonly DeviceGroup[], list: string): Promise<Bridge[]> {
  const { o, current, next } = given;
  const out: Bridge[] = [];
  const made: { path: string; bytes: Uint8Array }[] = [];
  const before = chainBefore(given).map((file) => file.path);
  for (const [i, group] of groups.entries()) {
    const path = join(o.dir, `bridge-${i + 1}.suit`);
    if (!existsSync(path)) {
      const facts = {
        trust: o.trust,
        next: list,
        before,
        fleet: o.fleet,
        vendor: uuid(group.identity.vendor),
        class: uuid(group.identity.class),
      };
      const { draft } = await unsignedBridge(await readMove(group.image, { ...facts, seq: "next", out: path }), signersOf(given));
      made.push({ path, bytes: draft.bytes });
      out.push({ path, group, isSigned: false });
      continue;
    }
    const envelope = readAll(path, LIMITS.envelope);
    out.push({ path, group, isSigned: [current.store, next].every((store) => isGoodUnder(envelope, store, group.identity)) });
  }
  // all or none
  for (const { path, bytes } of made) writeWhole(path, bytes, { fresh: true });
  return out;
}

function steps(
  { o, chain }: { o: IncidentOptions; chain: readonly TrustOnFile[] },
  list: string,
  signed: boolean,
  bridges: readonly Bridge[],
): { stage: IncidentStage; todo: string[] } {
  const again = "run this command again, with the same options";
  const others = chain.map(({ path }) => path).filter((path) => path !== o.trust);
  const previous = [o.trust, ...others].map((path) => ` --previous-trust ${path}`).join("");
  if (!signed)
    return {
      stage: "list",
      todo: [`firmseal trust diff ${o.trust} ${list}`, `each root, where it is: firmseal trust sign ${list}${previous} --key ROOT`, again],
    };
  const open = bridges.filter(({ isSigned }) => !isSigned);
  if (open.length > 0)
    return {
      stage: "bridges",
      todo: [
        ...open.map(({ path }) => `each release key, where it is: firmseal sign ${path} --key KEY --trust ${o.trust} --trust ${list}`),
        again,
      ],
    };
  return {
    stage: "roll-out",
    todo: [
      ...bridges.map(({ path, group }) => `publish ${path} for ${group.names.join(", ")}, and keep it`),
      `sign every later release with firmseal rotate bridge --trust ${list} --next ${list}`,
      `write what the devices report into ${o.fleet}, and ${again}`,
    ],
  };
}

/**
 * Continues with an incident as far as it can without a key. Returns what is safe, what is not, and what to do next.
 * Checks everything before it writes anything. Throws Failures: a usage error if something is not known yet, the
 * refusals of the files, STRANDED if too few keys are left.
 */
export async function runIncident(o: IncidentOptions): Promise<Incident> {
  const given = await readGiven(o);
  const { current, next, key, entry, fleet, gone } = given;
  const list = join(o.dir, "next.trust");
  const found = listIn(list, given);
  const groups = groupsOf(given);
  const now = plan(fleet, [], gone, [current.store]);
  const common = {
    what: o.what,
    key,
    roles: entry.roles,
    current,
    next,
    changes: trustChanges(current.store, next).map(changeWords),
    warnings: changeWarnings(current.store, next),
    devices: total(now, () => true),
    now,
  };
  if (found.isSigned && groups.length === 0) {
    const { safe, unsafe } = judge(now);
    return {
      ...common,
      after: now,
      stage: unsafe.length > 0 ? "roll-out" : "safe",
      safe,
      unsafe,
      todo: unsafe.length > 0 ? ["read what is not safe above"] : [],
      files: [list],
    };
  }
  const chain = chainBefore(given);
  const rehearsed = await rehearse({ ...given, chain }, groups, signersOf(given));
  makeFolders(o.dir);
  if (!existsSync(list)) writeWhole(list, found.bytes, { fresh: true });
  const bridges = found.isSigned ? await bridgesIn(given, groups, list) : [];
  const { stage, todo } = steps({ o, chain }, list, found.isSigned, bridges);
  const paths = bridges.map(({ path }) => path);
  const after = stage === "roll-out" ? plan(fleet, await readSteps(paths), gone, [current.store, next]) : rehearsed;
  return { ...common, after, stage, ...judge(now), todo, files: [list, ...paths] };
}
