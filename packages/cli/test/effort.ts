// How much the tests try. By default what a change needs to be told good or bad; in CI, and by `pnpm test:long`, all of it.

/** FIRMSEAL_LONG=1: what takes minutes as well. */
export const LONG = process.env["FIRMSEAL_LONG"] === "1";

/** FIRMSEAL_KILLS: how often a test kills what it watches. */
export const KILLS = Number(process.env["FIRMSEAL_KILLS"] ?? 10);
