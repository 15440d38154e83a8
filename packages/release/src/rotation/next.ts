// Finds what a device needs next, from an archive of bridges, releases and trust files: the shortest path to the newest
// trust file that it can reach, and then to the newest release.

import { grouped, sha256Hex, tooMuch } from "@firmseal/keys/internal";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { bigSequence } from "../input/sequence.js";
import { refusalMeaning } from "../verify/refusals.js";
import { type Cohort, storesOf } from "./model.js";
import { type DeviceState, type Played, play } from "./plan/dry-run.js";
import { newestOfLine, stateOf } from "./plan/plan.js";
import { type Group, statesOf } from "./plan/states.js";
import { carriedStores, type PlannedStep } from "./plan/steps.js";

/** What devices in one state need next. */
export interface NextResult {
  /** The name of the first cohort in this state. */
  readonly name: string;
  /** The names of all cohorts in this state. */
  readonly names: readonly string[];
  /** The number of devices. */
  readonly devices: number;
  /** The sequence numbers of the trust file before and after the path; null for embedded keys. */
  readonly trust: { readonly before: string | null; readonly after: string | null };
  /** The lowest and the highest floor of these devices. */
  readonly floor: { readonly lowest: string; readonly highest: string };
  /** The names of the steps, in order. The first one is needed next. Empty if there is nothing for the devices. */
  readonly path: readonly string[];
  /**
   * Whether the path ends at the newest trust file of the archive and the fleet, and the devices refuse no release that
   * is for them.
   */
  readonly complete: boolean;
  /** If not, the reason in words. */
  readonly why: string | null;
}

/** Caches the outcome of a step in a state: cohorts of one kind that have taken the same step are in one state. */
class Plays {
  private readonly known = new Map<string, Played>();
  private readonly ids = new Map<object, number>();

  private idOf(thing: object): number {
    const id = this.ids.get(thing) ?? this.ids.size;
    this.ids.set(thing, id);
    return id;
  }

  play(step: PlannedStep, state: DeviceState): Played {
    const { model, envelope } = state;
    const key = `${this.idOf(step)} ${this.idOf(model)} ${envelope ? this.idOf(envelope) : ""} ${keyOf(state)}`;
    let played = this.known.get(key);
    if (!played) {
      if (this.known.size === LIMITS.planTries)
        throw tooMuch(
          `more than ${grouped(LIMITS.planTries)} tries`,
          "ask for a part of the fleet at a time, or keep bridges and the newest release in an archive of their own",
        );
      played = play(step, state);
      this.known.set(key, played);
    }
    return played;
  }
}

interface Node {
  readonly state: DeviceState;
  readonly path: readonly PlannedStep[];
}

/** Identifies states in which a step changes nothing. */
const keyOf = ({ store, floor, envelope, pending }: DeviceState) =>
  `${store ? toHex(Uint8Array.from(store.payload)) : ""} ${formatSequence(floor)} ${envelope ? "known" : ""} ${pending ? sha256Hex(pending) : ""}`;

/** Prefers the newest trust file, then the highest number. Of equal paths, the shortest was found first. */
function isBetter(a: DeviceState, b: DeviceState): boolean {
  const [x, y] = [a.store ? bigSequence(a.store.sequence) : 0n, b.store ? bigSequence(b.store.sequence) : 0n];
  return x === y ? bigSequence(a.floor) > bigSequence(b.floor) : x > y;
}

function search(start: DeviceState, archive: readonly PlannedStep[], plays: Plays): { best: Node; refused: Played[] } {
  const seen = new Set([keyOf(start)]);
  let best: Node = { state: start, path: [] };
  let level: Node[] = [best];
  while (level.length > 0) {
    const following: Node[] = [];
    for (const { state, path } of level)
      for (const step of archive) {
        const played = plays.play(step, state);
        // not a path: a release without an image leaves the device with nothing to start, and an assumed outcome is not
        // certain
        if (played.fit !== "addressed" || played.code !== 0 || !played.starts || played.assumed) continue;
        const key = keyOf(played.state);
        if (seen.has(key)) continue;
        seen.add(key);
        const node = { state: played.state, path: [...path, step] };
        if (isBetter(node.state, best.state)) best = node;
        following.push(node);
      }
    level = following;
  }
  const refused = archive.map((step) => plays.play(step, best.state)).filter((p) => p.fit === "addressed" && p.code !== 0);
  return { best, refused };
}

/**
 * Finds what each state of a fleet needs next. Throws a Failure if two trust files contradict each other, or if there
 * are too many states.
 */
export function whatNext(fleet: readonly Cohort[], archive: readonly PlannedStep[]): NextResult[] {
  const stores = [...storesOf(fleet), ...carriedStores(archive)];
  const newestIn = newestOfLine(stores);
  const plays = new Plays();
  return statesOf(fleet, archive, stores).map(({ first, names, devices, lowest, highest }: Group) => {
    const before = stateOf(first);
    const { best, refused } = search(before, archive, plays);
    const today = best.state.store && newestIn(best.state.store);
    const isLate = today !== null && best.state.store !== null && bigSequence(best.state.store.sequence) < bigSequence(today.sequence);
    const [last] = refused;
    const late = isLate ? `the archive has no way to trust file ${formatSequence(today.sequence)}` : undefined;
    const why = [late, last && `it refuses ${last.step.name}: ${refusalMeaning(last.code)}`].filter((text) => text !== undefined);
    return {
      name: first.name,
      names,
      devices,
      trust: {
        before: before.store && formatSequence(before.store.sequence),
        after: best.state.store && formatSequence(best.state.store.sequence),
      },
      floor: { lowest: String(lowest), highest: String(highest) },
      path: best.path.map(({ name }) => name),
      complete: why.length === 0,
      why: why.length > 0 ? why.join("; ") : null,
    };
  });
}
