// What is given of an incident, and what follows from it: the next list, the devices that need a bridge to it, and the
// keys that can sign.

import { Failure, publicKeys } from "@firmseal/keys";
import { refusedInput, usage } from "@firmseal/keys/internal";
import { decodeTrust, describeTrust, encodeTrust, formatUuid, keyOfAnchor, type PublicKey, type TrustDescription } from "@firmseal/signer";
import type { Identity, TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, MAX_SIGNATURES, ROLE_RELEASE, rawKey, sameKey, toHex } from "@firmseal/verifier/tools";
import { bigSequence } from "../input/sequence.js";
import { type Product, takesTrust } from "../product/file/product.js";
import { bridgedBoard } from "../release/bridge.js";
import { readFleet } from "../rotation/fleet.js";
import { boardFinderOf } from "../rotation/fleet-product.js";
import { namedKeys, secretSet } from "../rotation/keys.js";
import { type Cohort, type DeviceModel, storesOf } from "../rotation/model.js";
import { type BridgedBoard, highestFloor } from "../rotation/move.js";
import type { KeyFates } from "../rotation/plan/reach.js";
import { withoutKey } from "../rotation/retire.js";
import { refuseLastNumber } from "../signing/authorize-trust.js";
import { higher, listedFor, numbersAbove, windowOf } from "../trust/quorum.js";
import { readTrustFile, type TrustOnFile } from "../trust/read.js";
import { isRefusal } from "../verify/refusals.js";

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
  /** The product that the devices are of. Its last release has the image that they run, unless `image` says it. */
  product?: Product | undefined;
  /** Public keys that take over the roles of the key. */
  replacement?: readonly string[];
  /** The image that devices run: for all, or `COHORT=FILE`. */
  image?: readonly string[];
}

/** What is given of an incident. */
export interface Given {
  readonly o: IncidentOptions;
  readonly current: TrustOnFile;
  readonly fleet: readonly Cohort[];
  readonly key: PublicKey;
  readonly entry: TrustDescription["anchors"][number];
  readonly gone: KeyFates;
  /** Today's list with the replacements. */
  readonly replaced: TrustDescription;
}

interface NextList {
  readonly bytes: Uint8Array;
  readonly next: TrustStore;
}

/** A next list, and how devices get it: with releases, or without one. */
export interface Way extends Given, NextList {
  readonly alone: boolean;
  /** The list keeps the lost key for what it has signed. */
  readonly isKept: boolean;
}

/**
 * The keys that take over. Throws a usage Failure if one has the secret of the key that is gone, of a key that the list
 * has, or of another one: the thief would stay on the list, in any form of the key, or one signer would count twice.
 */
async function replacementsOf({ replacement: refs = [] }: IncidentOptions, key: PublicKey, list: TrustDescription): Promise<PublicKey[]> {
  const added = refs.length > 0 ? await publicKeys(refs, []) : [];
  for (const [i, one] of added.entries()) {
    const isSame = (other: PublicKey) => sameKey(one.key, other.key);
    const twin = added.slice(0, i).findIndex(isSame);
    const what = isSame(key)
      ? "this is the same key as `key`"
      : list.anchors.some((a) => isSame(a.key))
        ? "the trust file already lists this key"
        : twin >= 0 && `this is the same key as \`replacement\` ${refs[twin]}`;
    if (what) throw usage(`\`replacement\` ${refs[i]}: ${what}`, "make a new key, and name it: firmseal keygen --out NEW.pem");
  }
  return added;
}

/** Reads all that is given. */
export async function readGiven(o: IncidentOptions): Promise<Given> {
  const current = readTrustFile(o.trust);
  refuseLastNumber(bigSequence(current.store.sequence) + 1n);
  const fleet = await readFleet(o.fleet, o.product);
  const [key] = (await namedKeys([o.key], "`key`", [current.store])) as [PublicKey];
  const before = describeTrust(current.store);
  const entry = before.anchors.find((a) => equalBytes(a.key.key, key.key)) as TrustDescription["anchors"][number];
  if (o.what === "debug-leaked" && !entry.roles.includes("debug"))
    throw usage(
      `\`key\` ${o.key} has the role ${entry.roles.join(" and ")}, not debug`,
      "for a key with another role: firmseal incident stolen",
    );
  if (o.what === "expired" && entry.until === undefined)
    throw usage(
      `\`key\` ${o.key} has no last sequence number, so it does not expire`,
      "firmseal trust show FILE shows the last sequence number of each key",
    );
  const ahead = storesOf(fleet).find(
    (store) => equalBytes(store.name, current.store.name) && bigSequence(store.sequence) > bigSequence(current.store.sequence) + 1n,
  );
  if (ahead)
    throw refusedInput(
      "ERR_FLEET",
      `${o.trust}: devices already have trust file ${formatSequence(ahead.sequence)}`,
      "give the newest one: `trust` FILE",
    );
  const { roles, vendor, class: name } = entry;
  const limits = { ...(vendor && { vendor }), ...(name && { class: name }) };
  const keys = await replacementsOf(o, key, before);
  const added = keys.map((one) => ({ key: one, roles, ...limits }));
  if (o.what === "expired" && added.length === 0) throw usage("no replacement key is given", "make one, and name it: `replacement` PUB");
  const replaced = { ...before, anchors: [...before.anchors, ...added] };
  const own = secretSet([key]);
  const none = new Set<string>();
  // a key that a list of today or before has may have signed what devices run
  const old = storesOf(fleet).filter((store) => bigSequence(store.sequence) <= bigSequence(current.store.sequence));
  const listed = new Set(old.flatMap(({ anchors }) => anchors.map((a) => windowOf(a).key)));
  const gone = {
    lost: o.what === "lost" ? own : none,
    stolen: o.what === "stolen" || o.what === "debug-leaked" ? own : none,
    unused: new Set([...secretSet(keys)].filter((one) => !listed.has(one))),
  };
  return { o, current, fleet, key, entry, gone, replaced };
}

function encoded(description: TrustDescription): NextList {
  const bytes = encodeTrust(description);
  return { bytes, next: decodeTrust(bytes).store };
}

/**
 * The list that keeps a lost release key up to the highest floor, or up to the number in `made`, the list that the
 * folder has: floors rise while an incident lasts. What the key has signed can still start, so devices accept the list
 * without a release, which too few keys may be left to sign. Undefined if that is not possible.
 */
function keepingKey({ fleet, current, entry, replaced }: Given, made?: TrustStore): NextList | undefined {
  const floors = fleet.flatMap(({ model, floor }) =>
    model.store && equalBytes(model.store.name, current.store.name) ? [bigSequence(floor)] : [],
  );
  const highest = floors.reduce(higher, 0n);
  if (entry.roles.includes("root") || !entry.roles.includes("release") || highest < (entry.since ?? 1n)) return undefined;
  const kept = made?.anchors.find((a) => equalBytes(rawKey(a.key), entry.key.key))?.until;
  const most = entry.until !== undefined && entry.until < highest ? entry.until : highest;
  const until = kept && bigSequence(kept) < most ? bigSequence(kept) : most;
  const anchors = replaced.anchors.map((a) => (equalBytes(a.key.key, entry.key.key) ? { ...a, until } : a));
  try {
    return encoded({ ...replaced, sequence: replaced.sequence + 1n, anchors });
  } catch (e) {
    // a key more than a list has room for
    if (!isRefusal(e)) throw e;
    return undefined;
  }
}

/** The ways out of an incident, and why the usual list is not among them, if it cannot be made. */
export interface Ways {
  readonly ways: readonly Way[];
  readonly fault?: unknown;
}

/**
 * The ways out of an incident, the usual one first. Each list may travel without a release: a release may be out of
 * reach of devices, or too few keys may be left for one. Nobody else has a key that was lost, so devices may keep it
 * for what it has signed. `made`: the list that the folder has. Throws the Failure of the usual list if no other one
 * can be made.
 */
export function waysOf(given: Given, made?: TrustStore): Ways {
  const { o, key, replaced } = given;
  const both = (list: NextList) => [false, true].map((alone) => ({ ...given, ...list, alone, isKept: false }));
  // what an expired key has signed can still start
  if (o.what === "expired") return { ways: both(encoded({ ...replaced, sequence: replaced.sequence + 1n })) };
  const kept = o.what === "lost" ? keepingKey(given, made) : undefined;
  const others = kept ? [{ ...given, ...kept, alone: true, isKept: true }] : [];
  try {
    return { ways: [...both(encoded(withoutKey(replaced, key, undefined).next)), ...others] };
  } catch (e) {
    if (!(e instanceof Failure || isRefusal(e)) || others.length === 0) throw e;
    return { ways: others, fault: e };
  }
}

/** Devices that bridges are for: those of one vendor and class. */
export interface DeviceGroup {
  readonly identity: Identity;
  readonly model: DeviceModel;
  readonly cohorts: Cohort[];
  readonly image: string | undefined;
  /** For devices of a board of the product. */
  bridged?: BridgedBoard;
}

/**
 * The devices that need a bridge, by vendor and class: they do not have the next list, or they are farther below the
 * releases of their kind than they can jump.
 */
export async function groupsOf({ fleet, current, o }: Given): Promise<DeviceGroup[]> {
  const boardOf = o.product && boardFinderOf(o.product);
  const images = new Map(
    (o.image ?? []).map((text): [string, string] => {
      const at = text.indexOf("=");
      const isNamed = at > 0 && fleet.some(({ name }) => name === text.slice(0, at));
      return isNamed ? [text.slice(0, at), text.slice(at + 1)] : ["", text];
    }),
  );
  const tops = new Map<string, bigint>();
  const groups = new Map<string, DeviceGroup>();
  for (const cohort of fleet) {
    const { name, model } = cohort;
    if (!model.store || !equalBytes(model.store.name, current.store.name)) continue;
    const { vendor, class: classes } = model.identity;
    const id = [...(vendor ?? []), ...(classes ?? [])].map((part) => toHex(Uint8Array.from(part))).join(" ");
    const top = tops.get(id) ?? highestFloor(fleet, model.identity);
    tops.set(id, top);
    if (hasNext(cohort, current) && reachesFrom(cohort) >= top) continue;
    const group = groups.get(id) ?? { identity: model.identity, model, cohorts: [], image: images.get(name) ?? images.get("") };
    const found = boardOf?.(model.identity);
    if (o.product && found && takesTrust(found.board))
      group.bridged ??= await bridgedBoard(o.product, found.board, group.image, found.class);
    else if (model.start === "release" && group.image === undefined)
      throw usage(
        `cohort ${name}: a bridge without an image leaves nothing to start`,
        `give the image that it runs: \`image\` ${name}=FILE`,
      );
    group.cohorts.push(cohort);
    groups.set(id, group);
  }
  return [...groups.values()];
}

/** Whether devices of the line have the list after `current`, or a later one. */
export const hasNext = ({ model }: Cohort, { store }: TrustOnFile) =>
  model.store !== null && equalBytes(model.store.name, store.name) && bigSequence(model.store.sequence) > bigSequence(store.sequence);

/** The highest number of a release that devices accept next. */
export function reachesFrom({ model, floor }: Pick<Cohort, "model" | "floor">): bigint {
  return numbersAbove(bigSequence(floor), model.store?.jumps[ROLE_RELEASE]).highest;
}

/**
 * What a bridge brings before the next list, for devices that have an older list than today's: the lists after theirs,
 * as far as they are known without a gap. Empty if every device has today's list.
 */
export function chainBefore({ current, fleet }: Pick<Given, "current" | "fleet">): TrustOnFile[] {
  const known = new Map<bigint, TrustOnFile>();
  for (const { model } of fleet)
    if (model.trust && equalBytes(model.trust.store.name, current.store.name))
      known.set(bigSequence(model.trust.store.sequence), model.trust);
  const today = bigSequence(current.store.sequence);
  if (![...known.keys()].some((n) => n < today)) return [];
  const out = [current];
  for (let n = today - 1n; known.has(n); n--) out.unshift(known.get(n) as TrustOnFile);
  return out;
}

/** The first identifier of a kind, as text. */
export const firstUuid = (ids: Identity["vendor"]) => formatUuid(Uint8Array.from(ids?.[0] ?? []));

/**
 * The keys with a role in these lists that can still sign for us, at most as many as an envelope has signatures. Those
 * that nobody has stolen come first. `identity`: of the devices, which have to accept the keys.
 */
export function keysLeft(stores: readonly TrustStore[], role: number, { lost, stolen }: KeyFates, identity: Identity): PublicKey[] {
  const all = new Map<string, PublicKey>();
  for (const anchor of stores.flatMap((store) => listedFor(store, role, identity))) {
    const key = keyOfAnchor(anchor);
    if (key && !lost.has(toHex(key.key))) all.set(toHex(key.key), key);
  }
  const isStolen = (key: PublicKey) => Number(stolen.has(toHex(key.key)));
  return [...all.values()].sort((a, b) => isStolen(a) - isStolen(b)).slice(0, MAX_SIGNATURES);
}

/** The release keys of both lists that can still sign for us, and that devices of this kind accept. */
export const releaseSigners = ({ current, next, gone }: Way, identity: Identity): PublicKey[] =>
  keysLeft([next, current.store], ROLE_RELEASE, gone, identity);
