// An incident, from the moment when somebody is paged to the moment when the fleet is safe. It is run again after each
// step: what is in its folder says how far it is. It uses no private key, so that nothing it does can make matters
// worse.

import { join } from "node:path";
import { grouped, makeFolders, outputPlace, writeWhole } from "@firmseal/keys";
import type { PublicKey, RoleName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { readSteps } from "../rotation/files.js";
import { type CohortResult, planSteps } from "../rotation/plan/plan.js";
import { exposedWords } from "../rotation/plan/reach.js";
import { changeWarnings, changeWords, trustChanges } from "../trust/change.js";
import type { TrustOnFile } from "../trust/read.js";
import { type BridgeFile, bridgesIn, listIn } from "./folder.js";
import { rehearse } from "./rehearse.js";
import { chainBefore, groupsOf, type IncidentKind, type IncidentOptions, readGiven, releaseSigners } from "./situation.js";

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
  /** The present state of the fleet, in words: which devices are safe, and which are not. */
  readonly safe: readonly string[];
  readonly unsafe: readonly string[];
  /** Lines to type, or things to do, in order. */
  readonly todo: readonly string[];
  /** Files of the folder, the list first. */
  readonly files: readonly string[];
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

function steps(
  { o, chain }: { o: IncidentOptions; chain: readonly TrustOnFile[] },
  list: string,
  signed: boolean,
  bridges: readonly BridgeFile[],
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
  const now = planSteps(fleet, [], gone, [current.store]);
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
  const rehearsed = await rehearse({ ...given, chain }, groups, releaseSigners(given));
  makeFolders(outputPlace(o.dir));
  // fails if the list was made meanwhile: nobody has compared that one
  if (found.isNew) writeWhole(list, found.bytes, { fresh: true });
  const bridges = found.isSigned ? await bridgesIn(given, groups, list) : [];
  const { stage, todo } = steps({ o, chain }, list, found.isSigned, bridges);
  const paths = bridges.map(({ path }) => path);
  const after = stage === "roll-out" ? planSteps(fleet, await readSteps(paths), gone, [current.store, next]) : rehearsed;
  return { ...common, after, stage, ...judge(now), todo, files: [list, ...paths] };
}
