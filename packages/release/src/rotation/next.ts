// What a device needs next, from an archive of bridges, releases and trust files: the shortest way to the newest trust file that it can reach, and on
// it to the newest release.

import { grouped, tooMuch } from "@firmseal/keys";
import { toHex } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { LIMITS } from "../limits.js";
import { refusalMeaning } from "../refusals.js";
import { type Played, play, type State } from "./dry-run.js";
import { type Cohort, storesOf } from "./fleet.js";
import { newest, stateOf } from "./plan.js";
import { big } from "./quorum.js";
import { type Group, statesOf } from "./states.js";
import { carriedStores, type PlannedStep } from "./steps.js";

export interface NextResult {
  readonly name: string;
  readonly names: readonly string[];
  readonly devices: number;
  readonly trust: { readonly before: string | null; readonly after: string | null };
  readonly floor: { readonly lowest: string; readonly highest: string };
  /** Names of the steps, in order; the first is what they need next. Empty: there is nothing for them. */
  readonly path: readonly string[];
  /** Whether the way ends at the newest trust file of the archive and the fleet, and no release that is for them is left that they refuse. */
  readonly complete: boolean;
  /** In words, if it does not. */
  readonly why: string | null;
}

/** What became of a step in a state is asked once: cohorts of one kind that have taken a step are in one state. */
class Plays {
  private readonly known = new Map<string, Played>();
  private readonly ids = new Map<object, number>();

  private idOf(thing: object): number {
    const id = this.ids.get(thing) ?? this.ids.size;
    this.ids.set(thing, id);
    return id;
  }

  play(step: PlannedStep, state: State): Played {
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
  readonly state: State;
  readonly path: readonly PlannedStep[];
}

/** States that a step brings nothing new to. */
const keyOf = ({ store, floor, envelope }: State) =>
  `${store ? toHex(Uint8Array.from(store.payload)) : ""} ${formatSequence(floor)} ${envelope ? "known" : ""}`;

/** The newest trust file first, then the highest number; of ways that are alike the shortest was found first. */
function isBetter(a: State, b: State): boolean {
  const [x, y] = [a.store ? big(a.store.sequence) : 0n, b.store ? big(b.store.sequence) : 0n];
  return x === y ? big(a.floor) > big(b.floor) : x > y;
}

function search(start: State, archive: readonly PlannedStep[], plays: Plays): { best: Node; refused: Played[] } {
  const seen = new Set([keyOf(start)]);
  let best: Node = { state: start, path: [] };
  let level: Node[] = [best];
  while (level.length > 0) {
    const following: Node[] = [];
    for (const { state, path } of level)
      for (const step of archive) {
        const played = plays.play(step, state);
        // a release without an image leaves a device with nothing to start, and what is only assumed is no way
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

/** For each state of a fleet, what it needs next. Throws a Failure where two trust files contradict each other, or there are too many states. */
export function whatNext(fleet: readonly Cohort[], archive: readonly PlannedStep[]): NextResult[] {
  const stores = [...storesOf(fleet), ...carriedStores(archive)];
  const newestIn = newest(stores);
  const plays = new Plays();
  return statesOf(fleet, archive, stores).map(({ first, names, devices, lowest, highest }: Group) => {
    const before = stateOf(first);
    const { best, refused } = search(before, archive, plays);
    const today = best.state.store && newestIn(best.state.store);
    const isLate = today !== null && best.state.store !== null && big(best.state.store.sequence) < big(today.sequence);
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
