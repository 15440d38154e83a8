// The table of what hostile input may cost. By default every sixteenth row, at 1 and 4 times its size; with
// FIRMSEAL_LONG=1 every row, at 1, 2 and 4 times, and every fourth of them eight times as large; with FIRMSEAL_LONG=2 all. `-t NAME` runs one row, with FIRMSEAL_LONG=1 any.

import { beforeAll, describe, expect, it } from "vitest";
import { ALL, LONG, some } from "../../../../test-support/src/environment/effort.js";
import { faultsOf, type Measured, measure, prepare, type Row } from "./budget.js";
import { DESCRIPTIONS } from "./rows/descriptions.js";
import { ENVELOPES } from "./rows/envelopes.js";
import { IMAGES } from "./rows/images.js";
import { KEYS, LOGS } from "./rows/keys.js";
import { PRODUCTS } from "./rows/products.js";
import { STATUSES } from "./rows/statuses.js";
import { STDIN } from "./rows/stdin.js";

const SIZES = LONG ? [1, 2, 4] : [1, 4];
const GROUPS: [name: string, rows: readonly Row[], sizes: readonly number[], stdin: string][] = [
  ["an envelope", ENVELOPES, SIZES, "/dev/null"],
  ["a description", DESCRIPTIONS, SIZES, "/dev/null"],
  ["a product", PRODUCTS, SIZES, "/dev/null"],
  ["an image", IMAGES, SIZES, "/dev/null"],
  ["a key or a signature", KEYS, SIZES, "/dev/null"],
  ["a log", LOGS, SIZES, "/dev/null"],
  ["a status", STATUSES, SIZES, "/dev/null"],
  ["stdin that never ends", STDIN, [1], "/dev/zero"],
];
/** For all rows of a group; each alone has a fair part of it. */
const LIMIT = 200_000;

describe.each(GROUPS)("what %s costs", (_, all, sizes, stdin) => {
  const rows = some(all, 16);
  // what is long enough may be refused for its length alone
  const isLarge = (row: Row) => ALL || (LONG && rows.indexOf(row) % 4 === 0);
  const judged = (row: Row) => (isLarge(row) ? { ...row, exit: [0, 1, 2, 3] } : row);
  const units = (row: Row) => (isLarge(row) ? (row.long ?? 8 * row.units) : row.units);
  const results = new Map<Row, Measured>();

  beforeAll(async () => {
    const prepared = [];
    for (const row of rows) prepared.push(await prepare(row, sizes, units(row)));
    const measured = await measure(prepared, stdin, LIMIT);
    for (const [i, row] of rows.entries()) results.set(row, measured[i] as Measured);
  }, 2 * LIMIT);

  it.each(rows.map((row) => [row.name, row] as const))(
    "%s",
    async (_, row) => {
      const first = results.get(row) as Measured;
      let faults = first.costs.length > 0 ? faultsOf({ row: judged(row), sizes }, first) : ["not measured"];
      // alone and once more: other work on the machine must not make a test fail, nor what died before this row
      for (let tries = 0; tries < 2 && faults.length > 0; tries++) {
        const again = await prepare(judged(row), sizes, units(row));
        const [measured] = (await measure([again], stdin, LIMIT / 4)) as [Measured];
        faults = faultsOf(again, measured);
      }
      expect(faults).toEqual([]);
    },
    LIMIT,
  );
});
