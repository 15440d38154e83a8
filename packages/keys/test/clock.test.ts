// Which clocks are believed before something is entered in a log.

import { describe, expect, it } from "vitest";
import { refuseClock } from "../src/recording/clock.js";

const DAY = 24 * 3600_000;
const released = Date.UTC(2026, 5, 1);
const on = (time: number) => new Date(time).toISOString();
const judge = (now: number, last: readonly string[] | undefined, allowClock?: boolean) =>
  refuseClock(last, allowClock === undefined ? {} : { allowClock }, now, released);

describe("a clock", () => {
  it("is believed up to 400 days after the newest of the log and the version, and from a day before either", () => {
    for (const [now, last] of [
      [released, []],
      [released - DAY, []],
      [released + 400 * DAY, []],
      [released + 600 * DAY, [on(released + 200 * DAY)]],
      // of several logs, the newest counts
      [released + 600 * DAY, [on(released - 900 * DAY), on(released + 200 * DAY)]],
      [released + 10 * DAY, [on(released + 11 * DAY)]],
      // before the logs are known, nobody can say that it is late
      [released + 900 * DAY, undefined],
      // what is not a time says nothing
      [released, ["tomorrow"]],
    ] as const)
      expect(judge(now, last)).toBe(undefined);
  });

  it.each([
    [Date.UTC(1970, 0, 1), [], "says 1970-01-01, which is in the past"],
    [Date.UTC(1970, 0, 1), undefined, "says 1970-01-01, which is in the past"],
    [released - 2 * DAY, [], "says 2026-05-30, and this version of firmseal is of 2026-06-01"],
    [released, [on(released + 3 * DAY)], "says 2026-06-01, but the signing log has an entry of 2026-06-04"],
    [released, [on(released), on(released + 3 * DAY)], "but the signing log has an entry of 2026-06-04"],
    [released + 402 * DAY, [], "402 days after the last entry of the signing log and after this version of firmseal"],
    [released + 402 * DAY, [on(released - 5 * DAY)], "402 days after the last entry of the signing log and after this version of firmseal"],
    [released + 702 * DAY, [on(released + 300 * DAY)], "says 2028-05-03, 402 days after the last entry of the signing log"],
  ] as const)("of %d, with a log that ends at %j, is refused unless a person allows it: %s", (now, last, says) => {
    expect(() => judge(now, last)).toThrow(expect.objectContaining({ exit: 3, message: expect.stringContaining(says) }));
    expect(() => judge(now, last, false)).toThrow(says);
    expect(judge(now, last, true)).toContain(says);
  });

  it("is not late as long as neither a log nor the day of the version is known", () => {
    expect(refuseClock([], {}, released + 4000 * DAY, 0)).toBe(undefined);
    expect(() => refuseClock([on(released)], {}, released + 4000 * DAY, 0)).toThrow("4000 days after the last entry of the signing log");
  });
});
