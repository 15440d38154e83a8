// The time of a release. A clock that is far off would put a wrong time into the signing log, which only grows.

import { environment, refusePastClock, usage } from "@firmseal/keys/internal";

const DAY = 24 * 3600_000;

/** Refuses a clock that is far off, by itself and by `last`, the time of the last entry of a log. */
export function refuseClock(last: readonly string[] = [], now = Date.now()): void {
  refusePastClock(now);
  const ahead = last.find((time) => Date.parse(time) > now + DAY);
  const shown = new Date(now).toISOString().slice(0, 10);
  if (ahead !== undefined)
    throw environment(
      `the clock of this machine says ${shown}, but the signing log has an entry of ${ahead.slice(0, 10)}`,
      "set the clock; if that entry is wrong, firmseal sign adds one with the right time",
    );
}

/** The time of SOURCE_DATE_EPOCH in seconds; undefined if it is not set. Throws a usage Failure if it is not a time. */
export function sourceDate(env: { readonly [name: string]: string | undefined } = process.env, now = Date.now()): number | undefined {
  const text = env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (!/^\d{1,12}$/.test(text) || seconds * 1000 > now + DAY)
    throw usage("SOURCE_DATE_EPOCH is not a time in the past", "seconds since 1970, for example: git log -1 --format=%ct");
  return seconds;
}
