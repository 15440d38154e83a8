// The requirements as tests of vitest.

import { describe, it } from "vitest";
import { type ContractOptions, deviceContract } from "./contract.js";
import type { MakeStore } from "./store.js";

/** Milliseconds for each test. Flash that is written word by word has thousands of points to cut. */
const TEST_TIMEOUT = 300_000;

/**
 * Declares the tests of vitest that a device must pass: those of deviceContract().
 *
 * @param name - The title of the tests.
 * @param make - Returns the storage of a new device.
 * @param options - How much is tried.
 * @example
 * ```ts
 * import { flashStore } from "@firmseal/simulator";
 * import { describeDevice } from "@firmseal/simulator/vitest";
 *
 * describeDevice("the hub's flash", (setup) => flashStore(setup));
 * ```
 */
export function describeDevice(name: string, make: MakeStore, options: ContractOptions = {}): void {
  describe(name, () => {
    for (const demand of deviceContract(make, options)) it(demand.name, demand.run, TEST_TIMEOUT);
  });
}
