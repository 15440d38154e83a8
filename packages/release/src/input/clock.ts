// The time of a release.

import { usage } from "@firmseal/keys/internal";

const DAY = 24 * 3600_000;

/** The time of SOURCE_DATE_EPOCH in seconds; undefined if it is not set. Throws a usage Failure if it is not a time. */
export function sourceDate(env: { readonly [name: string]: string | undefined } = process.env, now = Date.now()): number | undefined {
  const text = env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (!/^\d{1,12}$/.test(text) || seconds * 1000 > now + DAY)
    throw usage("SOURCE_DATE_EPOCH is not a time in the past", "seconds since 1970, for example: git log -1 --format=%ct");
  return seconds;
}
