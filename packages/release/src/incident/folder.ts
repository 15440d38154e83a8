// The folder of an incident: the next list, and a bridge for each kind of device. What is missing is made; what is
// there may have signatures.

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readAll, refusedInput, writeWhole } from "@firmseal/keys/internal";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, open, policyOf, type TrustStore } from "@firmseal/verifier";
import { equalBytes, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { announce } from "../rotation/bridge.js";
import { readTrustMove } from "../rotation/move.js";
import { carriedStores, stepOf } from "../rotation/plan/steps.js";
import { openWithTrialKey, warnBeforeSigning } from "../signing/draft.js";
import { selfSignedTrust } from "../trust/chain.js";
import { isEnough, rootProgress } from "../trust/facts.js";
import { readUnverifiedTrust } from "../trust/read.js";
import { isRefusal } from "../verify/refusals.js";
import type { FoundBridge, NeededBridge, RehearsedBridge } from "./bridges.js";
import { chainBefore, firstUuid, type Given, type Way, type Ways, waysOf } from "./situation.js";

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
export function listIn(path: string, given: Given): Ways & { bytes: Uint8Array | null; isSigned: boolean } {
  if (!existsSync(path)) return { ...waysOf(given), bytes: null, isSigned: false };
  const file = readUnverifiedTrust(path);
  const { ways, ...rest } = waysOf(given, file.store);
  const own = ways.filter(({ next }) => equalBytes(file.store.payload, next.payload));
  const [first] = own;
  if (!first)
    throw refusedInput(
      "ERR_FLEET",
      `${path} is not the next trust file of this incident`,
      "give the same options as before, or an empty folder: `dir`",
    );
  const enough = [first.current.store, first.next].every((store) => isEnough(rootProgress(file.bytes, store)));
  // with its signatures: devices with older lists go to it even if nobody can sign for theirs any more
  const signed = enough ? own.map((way) => ({ ...way, next: selfSignedTrust(file.bytes) })) : own;
  return { ...rest, ways: signed, bytes: file.bytes, isSigned: enough };
}

/** The file of a bridge in the folder. */
export interface BridgeFile extends NeededBridge {
  readonly path: string;
  readonly isSigned: boolean;
}

/** The bridges that the folder has. Throws a Failure if one of them does not bring the next list. */
export async function foundBridges(dir: string, next: TrustStore): Promise<FoundBridge[]> {
  const names = (existsSync(dir) ? readdirSync(dir) : []).filter((name) => BRIDGE.test(name));
  const out: FoundBridge[] = [];
  for (const path of names.sort((a, b) => numberIn(a) - numberIn(b)).map((name) => join(dir, name))) {
    const envelope = readAll(path, LIMITS.envelope);
    const step = await stepOf(path, envelope);
    if (!("envelope" in step) || !carriedStores([step]).some(({ payload }) => equalBytes(payload, next.payload)))
      throw refusedInput(
        "ERR_FLEET",
        `${path} does not bring the next trust file of this incident`,
        "move it away, and run this command again: it makes the bridge",
      );
    out.push({ path, envelope, step });
  }
  return out;
}

const BRIDGE = /^bridge-(\d{1,6})\.suit$/;
const numberIn = (name: string) => Number(BRIDGE.exec(name)?.[1]);

/** The files of these bridges; those that are not in the folder are made. `there`: those that it has. */
export async function bridgesIn(
  way: Way,
  bridges: readonly RehearsedBridge[],
  there: readonly FoundBridge[],
  list: string,
): Promise<BridgeFile[]> {
  const { o } = way;
  const out: BridgeFile[] = [];
  const made: { path: string; bytes: Uint8Array }[] = [];
  const before = chainBefore(way).map((file) => file.path);
  let last = there.reduce((most, { path }) => Math.max(most, numberIn(basename(path))), 0);
  for (const { group, sequence, found, lists } of bridges) {
    if (found) {
      const isSigned = lists.every((store) => isGoodUnder(found.envelope, store, group.identity));
      out.push({ path: found.path, group, sequence, found, isSigned });
      continue;
    }
    const path = join(o.dir, `bridge-${++last}.suit`);
    const facts = {
      board: group.bridged,
      trust: o.trust,
      nextTrust: list,
      before,
      vendor: firstUuid(group.identity.vendor),
      class: firstUuid(group.identity.class),
    };
    // the rehearsal has asked the devices
    const move = await readTrustMove(group.image, { ...facts, seq: sequence, out: path });
    const draft = move.prepared.draft(() => sequence);
    await warnBeforeSigning(await openWithTrialKey(draft), draft.outline, { isCount: group.bridged?.isCount === true });
    announce(move);
    made.push({ path, bytes: draft.bytes });
    out.push({ path, group, sequence, found, isSigned: false });
  }
  // all or none
  for (const { path, bytes } of made) writeWhole(path, bytes, { fresh: true });
  return out;
}
