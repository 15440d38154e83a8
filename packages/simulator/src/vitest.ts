// The requirements as tests of vitest.

import { describe, it } from "vitest";
import { type ContractOptions, deviceContract } from "./contract.js";
import type { MakeStore } from "./store.js";

/** Milliseconds for each test. Flash that is written word by word has thousands of points to cut. */
const TEST_TIMEOUT = 300_000;

/**
 * Declares the tests that a device must pass.
 *
 * @example describeDevice("the hub's flash", (setup) => hubStore(setup));
 */
export function describeDevice(name: string, make: MakeStore, options: ContractOptions = {}): void {
  describe(name, () => {
    for (const demand of deviceContract(make, options)) it(demand.name, demand.run, TEST_TIMEOUT);
  });
}
