// How much the tests try. The default shows within a few minutes on two processors whether a change works. CI tries
// more, within an hour, and `pnpm test:long` tries everything.

/** FIRMSEAL_LONG=1: what takes minutes as well. */
export const LONG = /^[12]$/.test(process.env["FIRMSEAL_LONG"] ?? "");

/** FIRMSEAL_LONG=2: everything. */
export const ALL = process.env["FIRMSEAL_LONG"] === "2";

/** How often a test kills what it watches. 0: such tests skip themselves. */
export const KILLS = ALL ? 500 : LONG ? 25 : 0;

/** Ends the name of a test that kills. */
export const TIMES = KILLS > 0 ? `${KILLS} times` : "(skipped: takes long, FIRMSEAL_LONG=1 kills 25 times)";

/** Ends the name of a test that is for LONG only. */
export const AT_LENGTH = LONG ? "" : " (skipped: takes long, FIRMSEAL_LONG=1 runs it)";

/**
 * All of a list with LONG; by default every `n`th of it, beginning with the first. Name the test so that it says so:
 * OF_SOME.
 */
export const some = <T>(all: readonly T[], n: number): T[] => all.filter((_, i) => LONG || i % n === 0);

/** Ends the name of a test that by default tries a part. */
export const OF_SOME = LONG ? "" : ", of some (FIRMSEAL_LONG=1: of all)";

/** How many random schedules signers are run under. */
export const SCHEDULES = ALL ? 2 ** 10 : LONG ? 2 ** 7 : 2 ** 3;

/**
 * FIRMSEAL_LONG=0: the tests run once for each mutant of the verifier. Tests that take long and detect no more mutants
 * skip themselves.
 */
export const LEAST = process.env["FIRMSEAL_LONG"] === "0";

/** All of a list, or with LEAST every `n`th of it. */
export const sparse = <T>(all: readonly T[], n: number): T[] => all.filter((_, i) => !LEAST || i % n === 0);
