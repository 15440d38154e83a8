// The clock, before anything is entered in a log: a log only grows, and so it would keep a wrong time.

import { environment, type Failure } from "../errors/failure.js";
import { RELEASED } from "./released.js";

const DAY = 24 * 3600_000;
/** After so many days without a sign of use, a clock that is right is less likely than one that is wrong. */
const LONGEST_REST = 400;
/** No version of this program is older. */
const EARLIEST = Date.UTC(2025, 0, 1);

/** What a person may override of the clock. The signing log records it. */
export interface ClockOverride {
  /** Enter the time of this clock, although it is far from the last entry and from the day of this version. */
  allowClock?: boolean;
}

/** The name of the override in a log. */
export const ALLOW_CLOCK = "allow-clock";

/** Two machines that share a ledger may be so far apart; then neither is refused because of the other. */
const FARTHEST = 3600_000;

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Why a clock that says `now` is not believed. Undefined if it is. */
function clockFault(last: readonly string[] | undefined, now: number, released: number): string | undefined {
  if (now < EARLIEST) return "which is in the past";
  if (now < released - DAY) return `and this version of firmseal is of ${dayOf(released)}`;
  if (!last) return undefined;
  const times = last.map((time) => Date.parse(time)).filter(Number.isFinite);
  const ahead = times.find((time) => time > now + DAY);
  if (ahead !== undefined) return `but the signing log has an entry of ${dayOf(ahead)}`;
  const newest = Math.max(released, ...times);
  const days = Math.floor((now - newest) / DAY);
  if (newest <= 0 || days <= LONGEST_REST) return undefined;
  return `${days} days after the last entry of the signing log${newest === released ? " and after this version of firmseal" : ""}`;
}

/**
 * Refuses a clock that is far off: one that is before a log or before this version of the program, or more than 400
 * days after both.
 *
 * @param last - The time of the last entry of each log. undefined: they are not known yet.
 * @param o - Whether a person allows it.
 * @param now - What the clock says. In milliseconds since 1970.
 * @param released - The day of this version. 0: not known.
 * @returns What was overridden, in words. Undefined if the clock may be right.
 * @throws Failure of the environment.
 */
export function refuseClock(
  last: readonly string[] | undefined,
  { allowClock }: ClockOverride = {},
  now = Date.now(),
  released = RELEASED,
): string | undefined {
  const fault = clockFault(last, now, released);
  if (fault === undefined) return undefined;
  const what = `the clock of this machine says ${dayOf(now)}, ${fault}`;
  if (!allowClock) throw clockFailure(what);
  return what;
}

/**
 * Refuses a clock that differs from that of a ledger by more than an hour: its entries would make others refuse theirs.
 *
 * @param server - What the clock of the ledger says. In milliseconds since 1970.
 * @param o - Whether a person allows it.
 * @returns What was overridden, in words. Undefined if the clock may be right.
 * @throws Failure of the environment.
 */
export function refuseOtherClock(server: number, { allowClock }: ClockOverride, now = Date.now()): string | undefined {
  if (Math.abs(now - server) <= FARTHEST) return undefined;
  const minute = (time: number) => `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const what = `the clock of this machine says ${minute(now)}, but that of the ledger ${minute(server)}`;
  if (!allowClock) throw clockFailure(what);
  return what;
}

function clockFailure(what: string): Failure {
  return environment(what, "set the clock, then run the command again; if it is right, give `allow-clock` to the command that signs");
}
