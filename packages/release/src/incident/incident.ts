// An incident, from the moment when somebody is paged to the moment when the fleet is safe. It is run again after each
// step: what is in its folder says how far it is. It uses no private key, so that nothing it does can make matters
// worse.

import { join } from "node:path";
import { grouped, makeFolders, outputPlace, refusedInput, writeWhole } from "@firmseal/keys/internal";
import type { PublicKey, RoleName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { readSteps } from "../rotation/files.js";
import { type CohortResult, planSteps } from "../rotation/plan/plan.js";
import { exposedWords } from "../rotation/plan/reach.js";
import { LEFT_BEHIND, nameWords } from "../rotation/plan/verdict.js";
import { changeWarnings, changeWords, trustChanges } from "../trust/change.js";
import type { TrustOnFile } from "../trust/read.js";
import { type BridgeFile, bridgesIn, listIn } from "./folder.js";
import { rehearse } from "./rehearse.js";
import { chainBefore, groupsOf, type IncidentKind, type IncidentOptions, readGiven, releaseSigners, type Way } from "./situation.js";

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

const total = (results: readonly CohortResult[], one: (r: CohortResult) => boolean) =>
  results.reduce((n, r) => n + (one(r) ? r.devices : 0), 0);

/** What can be said of a fleet, in words: who is safe, and who is not and why. */
function judge(results: readonly CohortResult[]): { safe: string[]; unsafe: string[] } {
  const isLeft = (r: CohortResult) => r.verdict === "stranded" || r.verdict === "roots-lost";
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

/** How bad an outcome is: the devices that are left behind, and those that are not where they should be. */
function badness(results: readonly CohortResult[]): readonly [number, number] {
  return [
    total(results, (r) => LEFT_BEHIND.includes(r.verdict)),
    total(results, (r) => !["moved", "ahead", "unaffected"].includes(r.verdict)),
  ];
}

interface Rehearsal {
  readonly way: Way;
  readonly results: CohortResult[];
}

/** The way that leaves the fewest devices behind: the usual one, unless another one is better. */
async function bestWay(ways: readonly Way[], chain: readonly TrustOnFile[], groups: Parameters<typeof rehearse>[1]): Promise<Rehearsal> {
  let best: Rehearsal | undefined;
  for (const way of ways) {
    const results = await rehearse({ ...way, chain }, groups, (identity) => releaseSigners(way, identity));
    const [own, other] = [badness(results), best ? badness(best.results) : undefined];
    if (!best || !other || own[0] < other[0] || (own[0] === other[0] && own[1] < other[1])) best = { way, results };
  }
  const found = best as Rehearsal;
  const takes = ({ trust: { after } }: CohortResult) => after === formatSequence(found.way.next.sequence);
  if (groups.length > 0 && !found.results.some(takes))
    throw refusedInput(
      "STRANDED",
      `no device would accept the next trust file: ${found.results.find(({ why }) => why !== null)?.why ?? "too few keys are left"}`,
      "nobody has to sign; if devices run releases above the last number of a key in that file, move it away, and run this again",
    );
  return found;
}

function steps(
  { o, chain, alone }: { o: IncidentOptions; chain: readonly TrustOnFile[]; alone: readonly string[] | undefined },
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
  if (alone) {
    const files = [...chain.map(({ path }) => path), list];
    const file = chain.length > 0 ? join(o.dir, "chain.trust") : list;
    return {
      stage: "roll-out",
      todo: [
        ...(chain.length > 0 ? [`firmseal trust chain ${files.join(" ")} --out ${file}`] : []),
        `send ${file} to ${alone.join(", ")} without a release, and keep it`,
        `sign every later release with firmseal rotate bridge --trust ${list} --next-trust ${list}`,
        `write what the devices report into ${o.fleet}, and ${again}`,
      ],
    };
  }
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
      `sign every later release with firmseal rotate bridge --trust ${list} --next-trust ${list}`,
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
  const { current, key, entry, fleet, gone } = given;
  const list = join(o.dir, "next.trust");
  const found = listIn(list, given);
  const groups = groupsOf(given);
  const chain = chainBefore(given);
  const now = planSteps(fleet, [], gone, [current.store, ...(found.isSigned ? found.ways.slice(0, 1).map(({ next }) => next) : [])]);
  const isDone = found.isSigned && groups.length === 0;
  const best = isDone ? { way: found.ways[0] as Way, results: now } : await bestWay(found.ways, chain, groups);
  const { way } = best;
  const { next } = way;
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
  const bridges = found.isSigned && !way.alone ? await bridgesIn(way, groups, list) : [];
  const alone = way.alone ? groups.flatMap(({ names }) => names) : undefined;
  const { stage, todo } = steps({ o, chain, alone }, list, found.isSigned, bridges);
  const paths = bridges.map(({ path }) => path);
  const lone = { name: list, trust: Buffer.concat([...chain.map(({ bytes }) => bytes), found.bytes ?? way.bytes]), store: next };
  const offered = way.alone ? [lone] : await readSteps(paths);
  const after = stage === "roll-out" ? planSteps(fleet, offered, gone, [current.store, next]) : best.results;
  return { ...common, after, stage, ...judge(now), todo, files: [list, ...paths] };
}
