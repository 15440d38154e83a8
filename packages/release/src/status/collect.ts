// Statuses that devices have sent become the state of a fleet: each is verified with the key of its device and its own
// nonce, and updates the row of this device. docs/reference/status.md describes the procedure.

import { usage, type WithdrawnRelease } from "@firmseal/keys/internal";
import type { Anchor } from "@firmseal/verifier";
import { formatSequence, readStatus, toHex } from "@firmseal/verifier/tools";
import type { Product } from "../product/file/product.js";
import type { WithdrawnManifest } from "../release/withdrawn/withdrawn.js";
import { readArchive } from "../rotation/files.js";
import { rowsWith } from "../rotation/fleet-product.js";
import { fleetRows } from "../rotation/fleet-rows.js";
import { checkFleetName, type FleetMembers, fleetText, movedRow } from "../rotation/fleet-write.js";
import { newestOfLine } from "../rotation/plan/plan.js";
import { carriedStores } from "../rotation/plan/steps.js";
import { isRefusal, refusalMeaning } from "../verify/refusals.js";
import { type Answer, readAnswers } from "./answers.js";
import { type BehindDevices, behindOf } from "./behind.js";
import { KnownFiles } from "./known-files.js";
import { readNonces, type SentNonce } from "./nonces.js";
import { type DeviceStatus, deviceStatus, withdrawnIn } from "./status.js";

/** What collectStatuses() compares statuses with. */
export interface CollectOptions {
  /** The fleet file to update; undefined: there is none yet. */
  fleet?: string | undefined;
  /** The product whose boards and versions the rows of the fleet file may name. */
  product?: Product | undefined;
  /** The name of the new fleet file, which the names of files in it are relative to. */
  out: string;
  /** The nonces that were sent. */
  nonces: string;
  /** The keys or secrets of the devices, each with the key identifier of its device. */
  anchors: readonly Anchor[];
  /** Trust files that devices may have, besides those of the fleet. */
  trust?: readonly string[];
  /** A folder with everything that is published for the devices. */
  archive?: string | undefined;
  /** Releases that were withdrawn: from productWithdrawals(). */
  withdrawn?: readonly WithdrawnManifest[];
  /** Of devices that have no row yet. */
  vendor?: string | undefined;
  class?: string | undefined;
  /** After how many days in one state a device that is behind counts as frozen. */
  frozenAfter: number;
}

/** A status that changes nothing. */
export interface RefusedStatus {
  readonly where: string;
  /** The device that it names; null if it names none. */
  readonly device: string | null;
  readonly why: string;
}

/** Devices that have not answered, by how long ago they last did. */
export interface UnheardDevices {
  /** The age in days is at most this; null: longer ago, or never. */
  readonly days: number | null;
  readonly names: readonly string[];
}

/** Devices that run a release that was withdrawn. */
export interface WithdrawnDevices extends WithdrawnRelease {
  readonly names: readonly string[];
}

/** The result of collectStatuses(). */
export interface Collection {
  /** The new fleet file. */
  readonly text: string;
  /** The number of devices whose status was accepted. */
  readonly heard: number;
  /** How many of them had no row. */
  readonly added: number;
  /** How many of them are in each state. */
  readonly states: { readonly [state in DeviceStatus["state"]]: number };
  /** The statuses that were refused. */
  readonly refused: readonly RefusedStatus[];
  /** Of these devices, those that run a withdrawn release, by release. */
  readonly withdrawn: readonly WithdrawnDevices[];
  /** Devices whose floor or trust file is lower than before. */
  readonly fell: readonly string[];
  /** Devices that do not run what is published for them. */
  readonly behind: readonly BehindDevices[];
  /** Devices of the fleet without an accepted status. */
  readonly unheard: readonly UnheardDevices[];
}

type Row = { [member: string]: unknown };

/** Why a status changes nothing. It must not end the collection: anybody can send one. */
class Refused extends Error {}

/** What a fleet file takes for a name, in ASCII. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$/;

/** The name of a device in a fleet file and in a file of nonces: its key identifier as text, or in hex. */
function nameOf(kid: ArrayLike<number>): string {
  const text = Buffer.from(Uint8Array.from(kid)).toString("latin1");
  return NAME.test(text) ? text : toHex(Uint8Array.from(kid));
}

interface Verified {
  readonly name: string;
  readonly status: DeviceStatus;
  readonly sent: string;
}

/** The keys of each device, by its key identifier in hex. Throws a usage Failure if two devices have one name. */
function byDevice(anchors: readonly Anchor[]): Map<string, Anchor[]> {
  const out = new Map<string, Anchor[]>();
  const names = new Map<string, string>();
  for (const anchor of anchors) {
    if (!anchor.kid || anchor.kid.length === 0) continue;
    const [hex, name] = [toHex(Uint8Array.from(anchor.kid)), nameOf(anchor.kid)];
    // text and hex: one device would answer for the other
    if ((names.get(name) ?? hex) !== hex)
      throw usage(
        `two devices have the name ${name}: the key identifier of one is this text, and of the other these bytes in hex`,
        "change one of them",
      );
    names.set(name, hex);
    const own = out.get(hex);
    if (own) own.push(anchor);
    else out.set(hex, [anchor]);
  }
  return out;
}

/** The words of a refusal of the verifier. */
function asRefused<T>(work: () => T): T {
  try {
    return work();
  } catch (e) {
    if (isRefusal(e)) throw new Refused(refusalMeaning(e.code));
    throw e;
  }
}

/** Verifies an answer. Calls `named` with the device that it names as soon as that is known. */
function verified(
  { message }: Answer,
  keys: ReadonlyMap<string, readonly Anchor[]>,
  nonces: ReadonlyMap<string, SentNonce>,
  named: (device: string) => void,
): Verified {
  if (!message) throw new Refused("not a status in base64");
  const kid = asRefused(() => readStatus(message).signature.kid);
  if (!kid || kid.length === 0) throw new Refused("the status names no device");
  const name = nameOf(kid);
  named(name);
  const own = keys.get(toHex(Uint8Array.from(kid)));
  if (!own) throw new Refused("no key of this device is given");
  const nonce = nonces.get(name);
  if (!nonce) throw new Refused("no nonce was sent to this device");
  const status = asRefused(() => deviceStatus(message, own, nonce.nonce));
  if (!NAME.test(name)) throw new Refused("its key identifier cannot be a name in a fleet file");
  return { name, status, sent: nonce.sent };
}

/** Numbers up to 2^53 - 1, and text above. */
const numberOf = (sequence: string) => (Number.isSafeInteger(Number(sequence)) ? Number(sequence) : sequence);

function newRow(name: string, { vendor, class: own }: CollectOptions): Row {
  if (vendor === undefined || own === undefined) throw new Refused("the fleet file has no row of this name");
  return { name, vendor, class: own, floor: 0 };
}

/** The row of a device, with what its status says. */
function updated(before: FleetMembers | undefined, { name, status, sent }: Verified, known: KnownFiles, o: CollectOptions): Row {
  const row: Row = before ? { ...before } : newRow(name, o);
  if (((row["devices"] as number | undefined) ?? 1) !== 1) throw new Refused(`its row is about ${row["devices"]} devices`);
  if (typeof row["seen"] === "string" && Date.parse(row["seen"]) > Date.parse(sent))
    throw new Refused("older than what the fleet file knows of this device");
  const list = known.trustOf(status);
  if (status.trust) {
    if (!list)
      throw new Refused(
        `the device has trust file ${status.trust.name} ${status.trust.sequence}, which is not among the given files: give it with --trust`,
      );
    delete row["keys"];
    delete row["threshold"];
    row["trust"] = list.file;
  } else if (!row["keys"]) throw new Refused("the device has keys in its firmware, and the fleet file has no keys for it");
  const { release: floor, debug, recovery } = status.floors as { [role: string]: string };
  row["floor"] = numberOf(floor as string);
  if (debug !== undefined || recovery !== undefined)
    row["floors"] = {
      ...(row["floors"] as object | undefined),
      ...(debug !== undefined && { debug: numberOf(debug) }),
      ...(recovery !== undefined && { recovery: numberOf(recovery) }),
    };
  const release = known.releaseOf(status);
  if (release === undefined) delete row["release"];
  else row["release"] = release;
  const isSame = before !== undefined && String(before["floor"]) === String(row["floor"]) && before["trust"] === row["trust"];
  row["since"] = isSame ? (before["since"] ?? before["seen"] ?? sent) : sent;
  row["seen"] = sent;
  return row;
}

/** Whether a device has gone back. */
function hasFallen(before: FleetMembers | undefined, after: Row, known: KnownFiles): boolean {
  if (!before) return false;
  const [old, now] = [known.storeOf(before["trust"]), known.storeOf(after["trust"])];
  const isLower = old && now && BigInt(formatSequence(now.sequence)) < BigInt(formatSequence(old.sequence));
  return BigInt(String(after["floor"])) < BigInt(String(before["floor"])) || isLower === true;
}

/** Devices of one release together, in the order of sequence numbers. */
function byRelease(all: readonly WithdrawnDevices[]): WithdrawnDevices[] {
  const out = new Map<string, WithdrawnDevices>();
  for (const { version, sequence, time, reason, names } of all) {
    const key = JSON.stringify([version, sequence]);
    const before = out.get(key);
    out.set(key, before ? { ...before, names: [...before.names, ...names] } : { version, sequence, time, reason, names });
  }
  return [...out.values()].sort((a, b) => (BigInt(a.sequence) < BigInt(b.sequence) ? -1 : 1));
}

const AGES = [1, 7, 30, 365, null] as const;
const DAY = 24 * 3600_000;

function ages(rows: Iterable<Row>, now: number): UnheardDevices[] {
  const names = AGES.map((): string[] => []);
  for (const { name, seen } of rows) {
    const days = typeof seen === "string" ? (now - Date.parse(seen)) / DAY : Number.POSITIVE_INFINITY;
    names[AGES.findIndex((limit) => limit === null || days <= limit)]?.push(String(name));
  }
  return AGES.map((days, i) => ({ days, names: names[i] as string[] })).filter((group) => group.names.length > 0);
}

/** Reads the rows of the fleet file, with names of files as the new one has them. */
function readRows({ fleet, out, product }: CollectOptions): Map<string, Row> {
  const rows = new Map<string, Row>();
  if (fleet === undefined) return rows;
  const resolved = rowsWith(fleet, product);
  for (const { value } of [...fleetRows(fleet)].map(resolved)) rows.set(String(value["name"]), { ...movedRow(value, fleet, out) });
  return rows;
}

/**
 * Collects statuses into a fleet file. A status that is refused changes nothing and is reported: a device that sends
 * garbage must not keep the server from hearing of the others. A row that nobody has answered for stays as it is.
 * Writes nothing.
 *
 * @param paths - Files with statuses.
 * @param o - The fleet, the nonces, and the keys of the devices.
 * @returns The text of the new fleet file, and what was heard.
 * @throws Failure for a file that cannot be read or has another form.
 */
export async function collectStatuses(paths: readonly string[], o: CollectOptions): Promise<Collection> {
  checkFleetName(o.out, "`out`");
  const nonces = readNonces(o.nonces);
  const archive = o.archive === undefined ? [] : await readArchive(o.archive);
  const rows = readRows(o);
  const known = new KnownFiles(o.out);
  for (const row of rows.values()) known.addRow(row);
  for (const path of o.trust ?? []) known.addTrust(path);
  known.addSteps(archive);
  const newestIn = newestOfLine([...known.stores, ...carriedStores(archive)]);

  const keys = byDevice(o.anchors);
  const heard = new Map<string, Row>();
  const states = { confirmed: 0, trial: 0, "rolled-back": 0 };
  const refused: RefusedStatus[] = [];
  const fell: string[] = [];
  const running: WithdrawnDevices[] = [];
  let added = 0;
  for (const answer of readAnswers(paths)) {
    let device: string | null = null;
    try {
      const one = verified(answer, keys, nonces, (name) => {
        device = name;
      });
      if (heard.has(one.name)) throw new Refused("the device answers twice");
      const before = rows.get(one.name);
      const row = updated(before, one, known, o);
      if (hasFallen(before, row, known)) fell.push(one.name);
      if (!before) added++;
      states[one.status.state]++;
      heard.set(one.name, row);
      const withdrawn = withdrawnIn(one.status, o.withdrawn ?? []);
      if (withdrawn) running.push({ ...withdrawn, names: [one.name] });
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      refused.push({ where: answer.where, device, why: e.message });
    }
  }
  const unheard = [...rows.values()].filter((row) => !heard.has(String(row["name"])));
  for (const [name, row] of heard) rows.set(name, row);
  const now = Date.now();
  return {
    text: fleetText(o.out, rows.values()),
    heard: heard.size,
    added,
    states,
    refused,
    fell,
    withdrawn: byRelease(running),
    behind: await behindOf(o.out, heard, archive, newestIn, now - o.frozenAfter * DAY),
    unheard: ages(unheard, now),
  };
}
