// An incident in a random world, as people live through it: they sign what `firmseal incident` says, publish it, write
// down what a part of the devices reports, and go on.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "@firmseal/keys";
import { EnvelopeDraft, signedWithoutLog, TrustDraft, thumbprint, toJwk } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, ROLE_RELEASE, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { LONG } from "../../../test-support/src/environment/effort.js";
import { draws, randoms } from "../../../test-support/src/randoms.js";
import { imageOf, VENDOR } from "../../../test-support/src/rotation-world.js";
import { type Incident, runIncident } from "../../src/incident/incident.js";
import {
  chainBefore,
  type Given,
  type IncidentKind,
  type IncidentOptions,
  readGiven,
  type Way,
  waysOf,
} from "../../src/incident/situation.js";
import { bigSequence } from "../../src/input/sequence.js";
import type { CohortResult } from "../../src/rotation/plan/plan.js";
import { selfSignedTrust } from "../../src/trust/chain.js";
import { fleetOf, type Offer, offer, releasesOf, type Scenario, type State, stateOf, statesOf } from "./fleet.js";
import { compare, playFleet } from "./play.js";
import { isLess, type Known, offersOf, planFor, truthFor } from "./ways.js";
import { es256Key, type Key, key as keyOf, type List } from "./world.js";
import { randomWorld, WORLDS, type WorldKind } from "./worlds.js";

const DEVICES = 40;
/** In turn, so that a few worlds have all of them. */
const KINDS: readonly IncidentKind[] = ["stolen", "lost", "expired", "debug-leaked"];
/** How often devices report. */
const ROUNDS = 3;
/** Orders of rows, besides the first one. */
const ORDERS = LONG ? 8 : 2;
const CLASS = "board-v2";
const TO = { vendor: VENDOR, class: CLASS };

/** What an incident ended with. */
export interface Lived {
  readonly what: IncidentKind;
  readonly end: "refused" | "list alone" | "bridges" | "safe";
  /** How many rounds there were: a round ends with what some devices report. */
  readonly rounds: number;
  /** How many other ways the devices have played, because the one taken lost some. */
  readonly ways: number;
  readonly faults: readonly string[];
}

/** A row of the fleet file, and the device behind it. */
interface Row {
  readonly name: string;
  readonly state: State;
  /** It names the release that the device runs. */
  readonly isNamed: boolean;
}

const byName = (results: readonly CohortResult[]) =>
  new Map(results.flatMap((r) => r.names.map((name) => [name, `${r.verdict} ${r.trust.after}`] as const)));

function differences(what: string, one: readonly CohortResult[], other: readonly CohortResult[]): string[] {
  const [a, b] = [byName(one), byName(other)];
  return [...a].filter(([name, said]) => b.get(name) !== said).map(([name, said]) => `${what}: ${name}: ${said}, and ${b.get(name)}`);
}

const isOn = ({ anchors }: TrustStore, k: Key) => anchors.some((a) => toHex(Uint8Array.from(a.key)) === k.hex);

const nameOf = ({ alone, isKept }: Way) => (alone ? `the list alone${isKept ? ", with the lost key," : ""}` : "bridges");

class Night {
  readonly faults: string[] = [];
  rounds = 0;
  ways = 0;
  private readonly newest: List;
  private readonly known: ReadonlyMap<string, Key>;

  constructor(
    private readonly world: Scenario,
    private readonly o: IncidentOptions,
    private readonly bad: Key,
    spare: Key | undefined,
    private readonly folder: string,
    private readonly draw: (n: number) => number,
    private readonly random: () => number,
  ) {
    this.newest = world.lists.at(-1) as List;
    this.known = new Map([...world.lists.flatMap(({ keys }) => keys), ...(spare ? [spare] : [])].map((k) => [k.hex, k]));
  }

  /** Writes each content once. Returns the name of its file. */
  private put(bytes: Uint8Array, ending: string): string {
    const name = `${sha256Hex(bytes).slice(0, 16)}.${ending}`;
    writeFileSync(join(this.folder, name), bytes);
    return name;
  }

  putFleet(rows: readonly Row[]): void {
    const cohorts = rows.map(({ name, isNamed, state: { kind, device, release, role } }) => ({
      ...{ name, devices: 1, vendor: VENDOR, class: CLASS, floor: formatSequence(device.memory.sequence) },
      ...{ algorithms: kind.algorithms ?? ["ed25519"], trust: this.put(device.kept, "trust") },
      ...(isNamed && release && role === ROLE_RELEASE && { release: this.put(release, "suit") }),
    }));
    writeFileSync(this.o.fleet, JSON.stringify({ cohorts }));
  }

  /** The keys with a role on these lists that people have, at most as many as an envelope has signatures. */
  readonly signersOf = (role: number, ...stores: readonly TrustStore[]): Key[] => {
    const keys = stores.flatMap(({ anchors }) => anchors.filter(({ roles }) => roles.includes(role)));
    const found = new Set(keys.flatMap((a) => this.known.get(toHex(Uint8Array.from(a.key))) ?? []));
    return [...found].filter((k) => this.o.what !== "lost" || k !== this.bad).slice(0, 8);
  };

  /** A next list, as the roots sign it that people have. */
  async signed({ bytes, next }: Pick<Way, "bytes" | "next">): Promise<Uint8Array> {
    const roots = this.signersOf(ROLE_ROOT, this.newest.store, next).map((k) => k.signer);
    return (await signedWithoutLog(TrustDraft.read(bytes, [this.newest.store]), roots)).bytes;
  }

  /** Signs the bridges that nobody has signed yet. */
  private async signBridges({ files, next }: Incident): Promise<void> {
    const releases = this.signersOf(ROLE_RELEASE, this.newest.store, next).map((k) => k.signer);
    for (const path of files.slice(1)) {
      const draft = EnvelopeDraft.read(readFileSync(path));
      if (draft.outline.signatures.length === 0) writeFileSync(path, (await signedWithoutLog(draft, releases)).bytes);
    }
  }

  /** What happens to the devices if they are offered this now. `list`: the next one, signed. */
  private played(rows: readonly Row[], fleet: Given["fleet"], list: Uint8Array, steps: readonly Offer[]) {
    const { lost: _l, stolen: _s, have: _h, lists, ...rest } = this.world;
    const store = selfSignedTrust(list);
    const next: List = { bytes: list, store, keys: [...this.known.values()].filter((k) => isOn(store, k)) };
    // what nobody has told the command: lists that no row has
    const isTold = (l: List) =>
      l === this.newest || fleet.some(({ model }) => model.trust && equalBytes(model.trust.store.payload, l.store.payload));
    const gone = { [this.o.what === "lost" ? "lost" : "stolen"]: this.o.what === "expired" ? [] : [this.bad] };
    const s: Scenario = { ...rest, ...gone, lists: [...lists.filter(isTold), next], steps };
    const of = rows.map(({ state }) => state);
    return playFleet(s, [...new Set(of)], { rows: [...fleet], of }, this.random);
  }

  /** Signs and compares until there is something to publish. Returns what is offered, or undefined at the end. */
  async round(rows: readonly Row[], begun: Incident | undefined, ways: readonly Known[]): Promise<readonly Offer[] | undefined> {
    this.rounds++;
    const { o, faults } = this;
    this.putFleet(rows);
    const found = await runIncident(o);
    const rehearsed = begun ?? found;
    await this.signBridges(found);
    const done = await runIncident(o);
    const [path, ...bridges] = done.files as [string, ...string[]];
    if (done.stage !== "roll-out" && done.stage !== "safe") {
      faults.push(`it stays at ${done.stage}`);
      return undefined;
    }
    faults.push(...differences("rehearsed", rehearsed.after, done.after));

    const list = readFileSync(path);
    const given = await readGiven(o);
    const alone: Offer = { name: path, bytes: Buffer.concat([...chainBefore(given).map(({ bytes }) => bytes), list]) };
    const published = bridges.map((name): Offer => ({ name, bytes: readFileSync(name), to: TO }));
    const isOver = given.fleet.every(({ model }) => bigSequence(model.store?.sequence ?? [0, 0]) >= bigSequence(done.next.sequence));
    const steps = published.length > 0 ? published : isOver ? [] : [alone];
    const real = await this.played(rows, given.fleet, list, steps);
    const told = (_rows: unknown, offered: readonly unknown[]) => [...(offered.length > 0 ? done.after : done.now)];
    const { wrong, fooled, alarmed } = await compare(real, told);
    faults.push(...wrong, ...fooled.map((text) => `fooled: ${text}`), ...alarmed.map((text) => `alarmed: ${text}`));

    await this.compareWays(rows, given, truthFor(real, given), done.after, ways);
    for (let i = 0; i < ORDERS; i++) {
      this.putFleet(
        rows
          .map((row) => [this.draw(2 ** 20), row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row),
      );
      faults.push(...differences("in another order", done.after, (await runIncident(o)).after));
    }
    this.putFleet(rows);
    return isOver ? undefined : steps;
  }

  /**
   * No way that is known is better: in a plan, and as the devices play it. Where rows do not name their release, those
   * who chose could not know more than the plan.
   */
  private async compareWays(
    rows: readonly Row[],
    given: Given,
    truth: readonly number[],
    after: readonly CohortResult[],
    ways: readonly Known[],
  ) {
    const chosen = planFor(after, given);
    for (const way of ways) {
      const { steps, results } = await offersOf(way, given, this.newest, TO, this.signersOf);
      const plan = planFor(results, given);
      const looksWorse = isLess(chosen.badness, plan.badness);
      if (isLess(plan.badness, chosen.badness)) this.faults.push(`${nameOf(way)}: planned ${plan.badness}, and taken ${chosen.badness}`);
      if ((looksWorse && plan.assumed > 0) || !isLess([0, 0], truth)) continue;
      this.ways++;
      const real = truthFor(await this.played(rows, given.fleet, way.list, steps), given);
      if (looksWorse ? (real[0] as number) < (truth[0] as number) : isLess(real, truth))
        this.faults.push(`${nameOf(way)}: really ${real}, and taken ${truth}`);
    }
  }

  /** The rows after a part of the devices has taken a part of what is published. */
  moved(rows: readonly Row[], steps: readonly Offer[]): Row[] {
    const published = releasesOf([...this.world.past, ...steps]);
    const states = new Map<string, State>();
    const all = [...new Set(rows.map(({ state }) => state))];
    const share = this.draw(3);
    return rows.map((row) => {
      // some devices are away, and some in the middle of the bridges
      const n = this.draw(4) > share ? 0 : this.draw(3) > 0 ? steps.length : this.draw(steps.length + 1);
      const id = `${all.indexOf(row.state)} ${n}`;
      let state = n === 0 ? row.state : states.get(id);
      if (!state) {
        const device = row.state.device.twin();
        for (const step of steps.slice(0, n)) offer(device, step);
        // a release of the round before may still run
        const now = stateOf(row.state.kind, device, published);
        state = now.release ? now : { ...row.state, device };
        states.set(id, state);
      }
      return { ...row, state };
    });
  }
}

/** Lives through an incident with a random key of the newest list. */
export async function incidentIn(kind: WorldKind, seed: number, dir: string): Promise<Lived> {
  // not the numbers of the world
  const draw = draws(Math.imul(seed, 2_654_435_761) >>> 0);
  const one = <T>(of: readonly T[]): T => of[draw(of.length)] as T;
  const drawn = KINDS[(seed + WORLDS.indexOf(kind)) % KINDS.length] as IncidentKind;
  const debug = drawn === "debug-leaked" ? [keyOf("G")] : [];
  const world = await randomWorld(kind, seed, debug);
  const newest = world.lists.at(-1) as List;
  const ending = newest.keys.filter((k) => newest.store.anchors.some((a) => a.until && toHex(Uint8Array.from(a.key)) === k.hex));
  // only some worlds have keys that end
  const what = drawn === "expired" && ending.length === 0 ? "lost" : drawn;
  const bad = one(what === "debug-leaked" ? debug : what === "expired" ? ending : newest.keys);
  const fresh = bad.public.alg === "es256" ? es256Key("N") : keyOf("N");
  const spare = what === "expired" ? fresh : one([undefined, keyOf("N"), fresh]);

  mkdirSync(dir, { recursive: true });
  const file = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const o: IncidentOptions = {
    ...{ what, key: toHex(thumbprint(bad.public)), fleet: join(dir, "fleet.json"), dir: join(dir, "night") },
    ...{ trust: file("newest.trust", newest.bytes), image: [file("app.bin", imageOf("app"))] },
    ...(spare && { replacement: [file("spare.jwk", Buffer.from(JSON.stringify(toJwk(spare.public))))] }),
  };
  const random = randoms(seed);
  const { rows: cohorts, of } = fleetOf(statesOf(world, random), DEVICES, random);
  const named = one([0, 0.8, 1]);
  let rows = cohorts.map(({ name }, i): Row => ({ name, state: of[i] as State, isNamed: random() < named }));
  const night = new Night(world, o, bad, spare, dir, draw, random);
  night.putFleet(rows);

  let begun: Incident;
  try {
    begun = await runIncident(o);
  } catch (e) {
    if (!(e instanceof Failure)) throw e;
    return { what, end: "refused", rounds: 0, ways: 0, faults: [] };
  }
  const all = await Promise.all(waysOf(await readGiven(o)).ways.map(async (way) => ({ ...way, list: await night.signed(way) })));
  // from now on, the list is signed
  const ways = all.filter(({ next }) => equalBytes(next.payload, begun.next.payload));
  writeFileSync(begun.files[0] as string, (ways[0] as Known).list);
  let steps = await night.round(rows, begun, all);
  const end = steps?.some(({ to }) => to) ? "bridges" : "list alone";
  while (steps && night.rounds < ROUNDS && night.faults.length === 0) {
    rows = night.moved(rows, steps);
    steps = await night.round(rows, undefined, ways);
  }
  return { what, end: steps ? end : "safe", rounds: night.rounds, ways: night.ways, faults: night.faults };
}
