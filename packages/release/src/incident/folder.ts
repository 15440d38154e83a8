// The folder of an incident: the next list, and a bridge for each kind of device. What is missing is made; what is
// there may have signatures.

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readAll, refusedInput, writeWhole } from "@firmseal/keys/internal";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, open, policyOf, type TrustStore } from "@firmseal/verifier";
import { equalBytes, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { unsignedBridge } from "../rotation/bridge.js";
import { readTrustMove } from "../rotation/move.js";
import { mismatch } from "../rotation/plan/dry-run.js";
import { carriedStores, type PlannedRelease, stepOf } from "../rotation/plan/steps.js";
import { isEnough, rootProgress } from "../trust/facts.js";
import { readUnverifiedTrust } from "../trust/read.js";
import { isRefusal } from "../verify/refusals.js";
import { chainBefore, type DeviceGroup, firstUuid, type Given, releaseSigners, type Way, waysOf } from "./situation.js";

function isGoodUnder(envelope: Uint8Array, store: TrustStore, identity: Identity): boolean {
  try {
    open(envelope, policyOf(store, ROLE_RELEASE, identity), nodeHost);
    return true;
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return false;
  }
}

/** The list in the folder, or null, and the ways that it belongs to: all if there is none yet. */
export function listIn(path: string, given: Given): { ways: readonly Way[]; bytes: Uint8Array | null; isSigned: boolean } {
  if (!existsSync(path)) return { ways: waysOf(given), bytes: null, isSigned: false };
  const file = readUnverifiedTrust(path);
  const own = waysOf(given, file.store).filter(({ next }) => equalBytes(file.store.payload, next.payload));
  const [first] = own;
  if (!first)
    throw refusedInput(
      "FLEET",
      `${path} is not the next trust file of this incident`,
      "give the same options as before, or an empty folder: --dir",
    );
  const enough = [first.current.store, first.next].every((store) => isEnough(rootProgress(file.bytes, store)));
  return { ways: own, bytes: file.bytes, isSigned: enough };
}

/** The file of a bridge in the folder. */
export interface BridgeFile {
  readonly path: string;
  readonly group: DeviceGroup;
  readonly isSigned: boolean;
}

interface FoundBridge {
  readonly path: string;
  readonly envelope: Uint8Array;
  readonly step: PlannedRelease;
}

/** The bridges that the folder has. Throws a Failure if one of them does not bring the next list. */
async function foundBridges(dir: string, next: TrustStore): Promise<FoundBridge[]> {
  const names = readdirSync(dir).filter((name) => BRIDGE.test(name));
  const out: FoundBridge[] = [];
  for (const path of names.sort((a, b) => numberIn(a) - numberIn(b)).map((name) => join(dir, name))) {
    const envelope = readAll(path, LIMITS.envelope);
    const step = await stepOf(path, envelope);
    if (!("envelope" in step) || !carriedStores([step]).some(({ payload }) => equalBytes(payload, next.payload)))
      throw refusedInput(
        "FLEET",
        `${path} does not bring the next trust file of this incident`,
        "move it away, and run this command again: it makes the bridge",
      );
    out.push({ path, envelope, step });
  }
  return out;
}

const BRIDGE = /^bridge-(\d{1,6})\.suit$/;
const numberIn = (name: string) => Number(BRIDGE.exec(name)?.[1]);

/** The bridges in the folder, for the devices that each is for; those that are missing are made. */
export async function bridgesIn(given: Given, groups: readonly DeviceGroup[], list: string): Promise<BridgeFile[]> {
  const { o, current, next } = given;
  const out: BridgeFile[] = [];
  const made: { path: string; bytes: Uint8Array }[] = [];
  const before = chainBefore(given).map((file) => file.path);
  const there = await foundBridges(o.dir, next);
  let last = there.reduce((most, { path }) => Math.max(most, numberIn(basename(path))), 0);
  for (const group of groups) {
    // devices may have passed an earlier one
    const found = there.find(({ envelope, step }) => mismatch(envelope, group.model) === 0 && step.sequence > group.floor);
    if (found) {
      const isSigned = [current.store, next].every((store) => isGoodUnder(found.envelope, store, group.identity));
      out.push({ path: found.path, group, isSigned });
      continue;
    }
    const path = join(o.dir, `bridge-${++last}.suit`);
    const facts = {
      trust: o.trust,
      nextTrust: list,
      before,
      fleet: o.fleet,
      vendor: firstUuid(group.identity.vendor),
      class: firstUuid(group.identity.class),
    };
    const move = await readTrustMove(group.image, { ...facts, seq: "next", out: path });
    const { draft } = await unsignedBridge(move, releaseSigners(given, group.identity));
    made.push({ path, bytes: draft.bytes });
    out.push({ path, group, isSigned: false });
  }
  // all or none
  for (const { path, bytes } of made) writeWhole(path, bytes, { fresh: true });
  return out;
}
