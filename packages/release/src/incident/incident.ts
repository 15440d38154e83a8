// An incident, from the moment when somebody is paged to the moment when the fleet is safe. It is run again after each
// step: what is in its folder says how far it is. It uses no private key, so that nothing it does can make matters
// worse.

import { dirname, join, relative } from "node:path";
import { grouped, isSameFile, makeFolders, outputPlace, shellWord, someOf, writeWhole } from "@firmseal/keys/internal";
import type { PublicKey, RoleName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import type { Product } from "../product/file/product.js";
import { readSteps } from "../rotation/files.js";
import type { Cohort } from "../rotation/model.js";
import { highestFloor } from "../rotation/move.js";
import { type CohortResult, planSteps } from "../rotation/plan/plan.js";
import { exposedWords } from "../rotation/plan/reach.js";
import { nameWords } from "../rotation/plan/verdict.js";
import { changeWarnings, changeWords, trustChanges } from "../trust/change.js";
import type { TrustOnFile } from "../trust/read.js";
import { namesIn, takersOf } from "./bridges.js";
import { bestWay, isLeft, type Rehearsal, takes, total } from "./choice.js";
import { type BridgeFile, bridgesIn, foundBridges, listIn } from "./folder.js";
import {
  chainBefore,
  type DeviceGroup,
  groupsOf,
  hasNext,
  type IncidentKind,
  type IncidentOptions,
  readGiven,
  type Way,
} from "./situation.js";

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
  /** The devices, as the fleet file describes them. */
  readonly fleet: readonly Cohort[];
  /** The number of devices in the fleet. */
  readonly devices: number;
  /** The fleet now, and with the next trust file: rehearsed, or as it is signed. */
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

/** What can be said of a fleet, in words: who is safe, and who is not and why. */
function judge(results: readonly CohortResult[]): { safe: string[]; unsafe: string[] } {
  const open = (r: CohortResult) => exposedWords(r.exposed);
  const who = ({ name, names, devices }: CohortResult) => `${nameWords({ name, rows: names.length })}, ${grouped(devices)} devices`;
  const safe = total(results, (r) => !isLeft(r) && open(r) === "");
  return {
    safe: safe > 0 ? [`${grouped(safe)} devices: the key alone can sign nothing for them, and you can reach them`] : [],
    unsafe: results.flatMap((r) => [
      ...(open(r) === "" ? [] : [`${who(r)}: a thief with the key can sign ${open(r)} for them now`]),
      ...(isLeft(r) ? [`${who(r)}: ${r.why}${r.next === null ? "" : `; ${r.next}`}`] : []),
    ]),
  };
}

/** The results with the files, and those of the rehearsal for groups that are offered none: they take no bridge. */
function withRehearsed(results: readonly CohortResult[], { way, bridges, results: before }: Rehearsal, groups: readonly DeviceGroup[]) {
  const without = way.alone ? [] : groups.filter((group) => !bridges.some((bridge) => bridge.group === group));
  const names = new Set(without.flatMap(({ cohorts }) => cohorts.map(({ name }) => name)));
  const isWithout = (r: CohortResult) => r.names.some((name) => names.has(name));
  return [...results.filter((r) => !isWithout(r)), ...before.filter(isWithout)];
}

/** How later releases bring the list. Nothing is left to do if they carry it. */
function carryStep(product: Product | undefined, listPath: string): string[] {
  const list = shellWord(listPath);
  if (!product) return [`sign every later release with firmseal rotate bridge --trust ${list} --next-trust ${list}`];
  const { path, trust } = product;
  if (trust.carry !== undefined && isSameFile(trust.carry, listPath)) return [];
  return [`name it in ${path}: [trust] carry = ${JSON.stringify(relative(dirname(path), listPath))}; every later release then brings it`];
}

function steps(
  { o, chain, fleet }: Way & { chain: readonly TrustOnFile[] },
  listPath: string,
  signed: boolean,
  /** The devices that get the list alone. */
  alone: readonly string[] | undefined,
  bridges: readonly (BridgeFile & { takers: readonly string[] })[],
): { stage: IncidentStage; todo: string[] } {
  const [trust, list] = [o.trust, listPath].map(shellWord) as [string, string];
  const again = "run this command again, with the same options";
  const others = chain.map(({ path }) => path).filter((path) => path !== o.trust);
  const previous = [o.trust, ...others].map((path) => ` --previous-trust ${shellWord(path)}`).join("");
  if (!signed)
    return {
      stage: "list",
      todo: [`firmseal trust diff ${trust} ${list}`, `each root, where it is: firmseal trust sign ${list}${previous} --key ROOT`, again],
    };
  const later = [...carryStep(o.product, listPath), `write what the devices report into ${o.fleet}, and ${again}`];
  if (alone) {
    const files = [...chain.map(({ path }) => shellWord(path)), list];
    const file = chain.length > 0 ? join(o.dir, "chain.trust") : listPath;
    return {
      stage: "roll-out",
      todo: [
        ...(chain.length > 0 ? [`firmseal trust chain ${files.join(" ")} --out ${shellWord(file)}`] : []),
        ...(alone.length > 0 ? [`send ${file} to ${someOf(alone)} without a release, and keep it`] : []),
        ...later,
      ],
    };
  }
  const open = bridges.filter(({ isSigned }) => !isSigned);
  if (open.length > 0) {
    // the keys have signed what devices above it run
    const lower = ({ group, sequence }: BridgeFile) => (sequence <= highestFloor(fleet, group.identity) ? " --allow-lower-sequence" : "");
    return {
      stage: "bridges",
      todo: [
        ...open.map(
          (bridge) =>
            `each release key, where it is: firmseal sign ${shellWord(bridge.path)} --key KEY --trust ${trust} --trust ${list}${lower(bridge)}`,
        ),
        again,
      ],
    };
  }
  return {
    stage: "roll-out",
    todo: [
      ...bridges.flatMap(({ path, takers }) => (takers.length > 0 ? [`publish ${path} for ${someOf(takers)}, and keep it`] : [])),
      ...later,
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
  const { current, key, entry, fleet, gone } = given;
  const list = join(o.dir, "next.trust");
  const found = listIn(list, given);
  const groups = await groupsOf(given);
  const chain = chainBefore(given);
  const [first] = found.ways as [Way];
  const now = planSteps(fleet, [], gone, [current.store, ...(found.isSigned ? [first.next] : [])]);
  const there = found.isSigned ? await foundBridges(o.dir, first.next) : [];
  const isOver = found.isSigned && groups.length === 0;
  const best = isOver
    ? { way: first, results: now, bridges: [] }
    : await bestWay(found.isSigned ? { ways: found.ways } : found, now, chain, groups, there);
  const { way } = best;
  const waiting = groups.flatMap(({ cohorts }) => cohorts).filter((cohort) => !hasNext(cohort, current));
  const isDone = found.isSigned && waiting.length === 0 && best.bridges.length === 0;
  const { next } = way;
  const common = {
    what: o.what,
    key,
    roles: entry.roles,
    current,
    next,
    changes: trustChanges(current.store, next).map(changeWords),
    warnings: changeWarnings(current.store, next),
    fleet,
    devices: total(now, () => true),
    now,
  };
  if (isDone) {
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
  makeFolders(outputPlace(o.dir));
  // fails if the list was made meanwhile: nobody has compared that one
  if (!found.bytes) writeWhole(list, way.bytes, { fresh: true });
  const bridges = found.isSigned ? await bridgesIn(way, best.bridges, there, list) : [];
  const paths = bridges.map(({ path }) => path);
  const isReady = found.isSigned && bridges.every(({ isSigned }) => isSigned);
  const lone = { name: list, trust: Buffer.concat([...chain.map(({ bytes }) => bytes), found.bytes ?? way.bytes]), store: next };
  const offered = way.alone ? [lone] : await readSteps(paths);
  const signed = () => withRehearsed(planSteps(fleet, offered, gone, [current.store, next]), best, groups);
  const after = isReady ? signed() : best.results;
  const moved = new Set(after.filter(takes(way)).flatMap(({ names }) => names));
  const alone = waiting.map(({ name }) => name).filter((name) => moved.has(name));
  const published = bridges.map((bridge) => ({ ...bridge, takers: namesIn(bridge.group, takersOf(bridge, bridge.path, after)) }));
  const { stage, todo } = steps({ ...way, chain }, list, found.isSigned, way.alone ? alone : undefined, published);
  return { ...common, after, stage, ...judge(now), todo, files: [list, ...paths] };
}
