// An incident in a random world, as people live through it: they sign what `firmseal incident` says, and publish it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "@firmseal/keys";
import { EnvelopeDraft, signedWithoutLog, TrustDraft, thumbprint, toJwk } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, ROLE_RELEASE, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { draws, randoms } from "../../../test-support/src/randoms.js";
import { imageOf, VENDOR } from "../../../test-support/src/rotation-world.js";
import { type Incident, runIncident } from "../../src/incident/incident.js";
import { chainBefore, type IncidentOptions, readGiven } from "../../src/incident/situation.js";
import type { Cohort } from "../../src/rotation/model.js";
import { type CohortResult, planSteps } from "../../src/rotation/plan/plan.js";
import { stepOf } from "../../src/rotation/plan/steps.js";
import { LEFT_BEHIND } from "../../src/rotation/plan/verdict.js";
import { selfSignedTrust } from "../../src/trust/chain.js";
import { fleetOf, type Offer, type Scenario, statesOf } from "./fleet.js";
import { compare, play } from "./play.js";
import { es256Key, type Key, key as keyOf, type List } from "./world.js";

const DEVICES = 40;
const ORDERS = 3;
const CLASS = "board-v2";

/** What an incident ended with. */
export interface Lived {
  readonly end: "refused" | "list alone" | "bridges";
  /** How many bridges there were. */
  readonly bridges: number;
  readonly faults: readonly string[];
}

/** Writes each content once. Returns the name of its file. */
function filesIn(dir: string): (bytes: Uint8Array, ending: string) => string {
  return (bytes, ending) => {
    const name = `${sha256Hex(bytes).slice(0, 16)}.${ending}`;
    writeFileSync(join(dir, name), bytes);
    return name;
  };
}

const byName = (results: readonly CohortResult[]) =>
  new Map(results.flatMap((r) => r.names.map((name) => [name, `${r.verdict} ${r.trust.after}`] as const)));

function differences(what: string, one: readonly CohortResult[], other: readonly CohortResult[]): string[] {
  const [a, b] = [byName(one), byName(other)];
  return [...a].filter(([name, said]) => b.get(name) !== said).map(([name, said]) => `${what}: ${name}: ${said}, and ${b.get(name)}`);
}

/** How many devices are not certain to be reached later. */
const left = (results: readonly CohortResult[]) =>
  results.filter(({ verdict, assumes }) => LEFT_BEHIND.includes(verdict) || assumes !== null).reduce((n, { devices }) => n + devices, 0);

/** Lives through an incident with a random key of the newest list. */
export async function incidentIn(world: Scenario, seed: number, dir: string): Promise<Lived> {
  const draw = draws(seed);
  const one = <T>(of: readonly T[]): T => of[draw(of.length)] as T;
  const newest = world.lists.at(-1) as List;
  const bad = one(newest.keys);
  const what = one(["stolen", "lost"] as const);
  const spare = one([undefined, keyOf("N"), bad.public.alg === "es256" ? es256Key("N") : keyOf("N")]);
  const known = new Map([...world.lists.flatMap(({ keys }) => keys), ...(spare ? [spare] : [])].map((k) => [k.hex, k]));

  mkdirSync(dir, { recursive: true });
  const put = filesIn(dir);
  const random = randoms(seed);
  const { rows } = fleetOf(statesOf(world, random), DEVICES, random);
  const rowOf = ({ name, devices, model, floor }: Cohort) => ({
    ...{ name, devices, vendor: VENDOR, class: CLASS, floor: formatSequence(floor), algorithms: model.algorithms },
    trust: put(model.trust?.bytes as Uint8Array, "trust"),
    ...(model.release && { release: put(model.release, "suit") }),
  });
  const fleet = join(dir, "fleet.json");
  const putFleet = (order: readonly Cohort[]) => writeFileSync(fleet, JSON.stringify({ cohorts: order.map(rowOf) }));
  putFleet(rows);
  const o: IncidentOptions = {
    ...{ what, fleet, key: toHex(thumbprint(bad.public)), trust: join(dir, put(newest.bytes, "trust")), dir: join(dir, "night") },
    image: [join(dir, put(imageOf("app"), "bin"))],
    ...(spare && { replacement: [join(dir, put(Buffer.from(JSON.stringify(toJwk(spare.public))), "jwk"))] }),
  };

  let begun: Incident;
  try {
    begun = await runIncident(o);
  } catch (e) {
    if (!(e instanceof Failure)) throw e;
    return { end: "refused", bridges: 0, faults: [] };
  }
  const signersOf = (role: number, ...stores: readonly TrustStore[]) => {
    const keys = stores.flatMap(({ anchors }) => anchors.filter(({ roles }) => roles.includes(role)));
    const found = new Set(keys.flatMap((a) => known.get(toHex(Uint8Array.from(a.key))) ?? []));
    return [...found].filter((k) => what === "stolen" || k !== bad).slice(0, 8);
  };
  const by = (keys: readonly Key[]) => keys.map((k) => k.signer);
  const [path] = begun.files as [string];
  const roots = signersOf(ROLE_ROOT, newest.store, begun.next);
  const list = (await signedWithoutLog(TrustDraft.read(readFileSync(path), [newest.store]), by(roots))).bytes;
  writeFileSync(path, list);
  const releases = by(signersOf(ROLE_RELEASE, newest.store, begun.next));
  for (const bridge of (await runIncident(o)).files.slice(1))
    writeFileSync(bridge, (await signedWithoutLog(EnvelopeDraft.read(readFileSync(bridge)), releases)).bytes);
  const done = await runIncident(o);
  const bridges = done.files.slice(1);
  if (done.stage !== "roll-out") return { end: "bridges", bridges: bridges.length, faults: [`it stays at ${done.stage}`] };

  const faults = differences("rehearsed", begun.after, done.after);
  const chain = chainBefore(await readGiven(o));
  const alone: Offer = { name: path, bytes: Buffer.concat([...chain.map(({ bytes }) => bytes), list]) };
  const steps = bridges.map((name): Offer => ({ name, bytes: readFileSync(name), to: { vendor: VENDOR, class: CLASS } }));
  const gone = { [what]: [bad] };
  const onNext = (k: Key) => begun.next.anchors.some((a) => toHex(Uint8Array.from(a.key)) === k.hex);
  const next: List = { bytes: list, store: selfSignedTrust(list), keys: [...known.values()].filter(onNext) };
  // what nobody has told the command: lists that no row has
  const isKnown = ({ store }: List) => rows.some(({ model }) => model.trust && equalBytes(model.trust.store.payload, store.payload));
  const lists = [...world.lists.filter((l) => l === newest || isKnown(l)), next];
  const { lost: _l, stolen: _s, have: _h, ...rest } = world;
  const s: Scenario = { ...rest, ...gone, lists, steps: steps.length > 0 ? steps : [alone] };
  const told = (found: Incident) => (_rows: unknown, offered: readonly unknown[]) => [...(offered.length > 0 ? found.after : found.now)];
  const { wrong, fooled, alarmed } = await compare(await play(s, DEVICES, seed), told(done));
  faults.push(...wrong, ...fooled.map((text) => `fooled: ${text}`), ...alarmed.map((text) => `alarmed: ${text}`));

  const fates = { lost: new Set<string>(), stolen: new Set<string>(), [what]: new Set([bad.hex]) };
  const without = planSteps(rows, [await stepOf(path, alone.bytes)], fates, [newest.store, begun.next]);
  if (left(without) < left(done.after)) faults.push(`it leaves ${left(done.after)} behind, and the list alone ${left(without)}`);
  for (let i = 0; i < ORDERS; i++) {
    putFleet(
      rows
        .map((row) => [draw(2 ** 20), row] as const)
        .sort(([a], [b]) => a - b)
        .map(([, row]) => row),
    );
    faults.push(...differences("in another order", done.after, (await runIncident(o)).after));
  }
  return { end: steps.length > 0 ? "bridges" : "list alone", bridges: bridges.length, faults };
}
