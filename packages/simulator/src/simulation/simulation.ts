// The simulation. Installs an update once without a cut, then with a power cut at every operation, and again with a cut
// at every operation of each recovery. After each cut, the device starts, and the installation is tried again.

import { compareSequence, type Sequence, type Trust } from "@firmseal/verifier";
import { FirmsealError, formatSequence } from "@firmseal/verifier/tools";
import {
  type Boots,
  type CutFault,
  type CutPoint,
  countPoint,
  isFault,
  type Report,
  type StartVerdict,
  tally,
  verdictOf,
} from "../report.js";
import type { Cut, Machine, MakeStore, Setup, Store } from "../store.js";
import { chosenCuts, spread } from "./chosen.js";
import { rememberedTrust } from "./remembered.js";
import { bootOn, installOn, type Release } from "./start-install.js";

/** The simulation cannot begin: `step` failed without any cut. `again`: a second installation of the update. */
export class Unsimulated extends FirmsealError {
  override readonly name = "Unsimulated";
  constructor(
    readonly step: "previous" | "start" | "update" | "again",
    cause: unknown,
  ) {
    super("ERR_DEVICE", `${step} failed without a power cut`, { cause });
  }
}

const MAX_FAULTS = 20;

/** Describes an error in a few words, including the error of the device behind a refusal. */
function faultWords(e: unknown): string {
  const { cause, message } = e as { cause?: unknown; message?: string };
  return cause === undefined ? (message ?? String(e)) : faultWords(cause);
}

/** Everything that follows a start without further cuts: start, installation, start. */
interface Course extends StartVerdict {
  machine: Machine;
  floorNow: Sequence;
}

/** An update on a device, which is installed once without a cut, and then again with each cut. */
export class Simulation {
  private readonly setup: Setup;
  private readonly update: Release;
  private readonly trust: Trust;
  private readonly known: { course: Course; floor: string }[] = [];
  private before = "";
  private after = "";
  /** Like `after`, after a second installation: into the other slot, for which a release may have another image. */
  private afterAgain = "";
  private from!: Store;
  private floor: Sequence = [0, 0];
  /**
   * The update's sequence number, if it starts a new epoch below the old floor. The floor may fall only to this number,
   * in one step.
   */
  private anew: string | undefined;
  private courses = 0;

  /**
   * Installs `previous` without a cut. If null, the device is new, and "old" then means that nothing starts. Throws
   * Unsimulated if that, or the update, fails without a cut.
   */
  constructor(make: MakeStore, setup: Setup, previous: Release | null, update: Release) {
    this.setup = setup;
    this.update = { ...update, trust: rememberedTrust(update.trust) };
    // the stored release may be either one, each installed under its own trust policy
    this.trust = rememberedTrust({ anchors: [...update.trust.anchors, ...(previous?.trust.anchors ?? [])] });
    if (update.trust.threshold !== undefined) this.trust.threshold = update.trust.threshold;
    this.prepare(make, previous);
  }

  private prepare(make: MakeStore, previous: Release | null): void {
    const attempt = <T>(step: Unsimulated["step"], work: () => T): T => {
      try {
        return work();
      } catch (e) {
        throw new Unsimulated(step, e);
      }
    };
    const machine = make(this.setup).power();
    if (previous) attempt("previous", () => installOn(machine.start(), previous));
    const started = machine.start();
    if (previous) {
      this.before = attempt("previous", () => bootOn(started, this.setup, this.trust));
      started.confirm?.();
    }
    this.floor = started.device.floor();
    this.from = machine.off();

    const rehearsal = this.from.power();
    attempt("update", () => installOn(rehearsal.start(), this.update));
    const updated = rehearsal.start();
    this.after = attempt("start", () => bootOn(updated, this.setup, this.trust));
    updated.confirm?.();
    attempt("again", () => installOn(rehearsal.start(), this.update));
    this.afterAgain = attempt("start", () => bootOn(rehearsal.start(), this.setup, this.trust));
    const floor = updated.device.floor();
    // only the number of the update itself: another floor that falls is a fault of the device
    if (compareSequence(floor, this.floor) < 0 && formatSequence(floor) === (JSON.parse(this.after) as string[])[0])
      this.anew = formatSequence(floor);
  }

  private boots(machine: Machine): { boots: Boots; fault?: string; floor: Sequence | null } {
    let floor: Sequence | null = null;
    try {
      const started = machine.start();
      floor = started.device.floor();
      if (!started.envelope && this.before === "") return { boots: "old", floor };
      const what = bootOn(started, this.setup, this.trust);
      started.confirm?.();
      return { boots: what === this.after || what === this.afterAgain ? "new" : what === this.before ? "old" : "mixed", floor };
    } catch (e) {
      return { boots: "none", fault: faultWords(e), floor };
    }
  }

  /** Runs a device from a store on, or reuses the result of another store that takes the same course. */
  private course(store: Store, floor: Sequence): Course {
    const key = formatSequence(floor);
    const at = this.known.findIndex((k) => k.floor === key && k.course.machine.sameCourse(store));
    if (at >= 0) {
      const [hit] = this.known.splice(at, 1) as [(typeof this.known)[number]];
      this.known.unshift(hit);
      return hit.course;
    }
    const machine = store.power();
    const first = this.boots(machine);
    let stuck: string | undefined;
    try {
      installOn(machine.start(), this.update);
    } catch (e) {
      stuck = faultWords(e);
    }
    const last = this.boots(machine);
    if (last.boots !== "new") stuck ??= last.fault ?? `${last.boots} starts`;
    else if (!last.floor || formatSequence(last.floor) !== (JSON.parse(this.after) as string[])[0]) stuck ??= "the floor is wrong";
    const course: Course = {
      machine,
      boots: first.boots,
      ...(first.fault !== undefined && { fault: first.fault }),
      floor: first.floor && formatSequence(first.floor),
      floorNow: first.floor ?? floor,
      floorFell: first.floor !== null && compareSequence(first.floor, floor) < 0 && formatSequence(first.floor) !== this.anew,
      converges: stuck === undefined,
      ...(stuck !== undefined && { stuck }),
    };
    this.known.unshift({ course, floor: key });
    this.courses++;
    return course;
  }

  /**
   * Cuts the power at every operation. `second`: the maximum number of cuts during the recovery from each cut, evenly
   * spread (default: all). `progress` is called with the number of cuts done.
   */
  run(second = Number.POSITIVE_INFINITY, progress: (done: number, total: number) => void = () => {}): Report {
    const report: Report = {
      cuts: 0,
      cutsDuringRecovery: 0,
      leftOut: 0,
      courses: 0,
      points: [],
      faults: [],
      faultCount: 0,
    };
    const place = ({ operation, what, tear }: Cut) => ({ operation, what, tear });
    const found = (fault: CutFault) => {
      report.faultCount++;
      if (report.faults.length < MAX_FAULTS) report.faults.push(fault);
    };
    const peace = this.course(this.from, this.floor);
    report.cuts = peace.machine.cutCount();
    for (const cut of peace.machine.cuts(this.from)) {
      progress(report.points.length, report.cuts);
      const store = cut.left();
      const course = this.course(store, this.floor);
      const point: CutPoint = { ...place(cut), ...verdictOf(course), again: tally() };
      if (isFault(course)) found({ ...place(cut), ...verdictOf(course) });
      const during = course.machine.cutCount();
      const chosen = spread(during, second);
      report.leftOut += during - (chosen?.length ?? during);
      for (const again of chosen ? chosenCuts(course.machine, store, chosen) : course.machine.cuts(store)) {
        const c = this.course(again.left(), course.floorNow);
        countPoint(point.again, c);
        if (isFault(c)) found({ ...place(cut), ...verdictOf(c), again: place(again) });
      }
      report.cutsDuringRecovery += point.again.cuts;
      report.points.push(point);
    }
    report.courses = this.courses;
    return report;
  }
}
