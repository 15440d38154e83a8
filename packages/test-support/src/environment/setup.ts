// What vitest runs for each test file. Modules are loaded once for all files of a process, so a hook in a module would
// serve the first file alone.

import { afterAll, expect, vi } from "vitest";
import "./certificates.js";
import "./equality.js";
import { enterFile, leaveFile } from "./folders.js";

enterFile();

// after all others: it is registered first
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  expect(leaveFile(), "temporary files that the test file left").toEqual([]);
});
