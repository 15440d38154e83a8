// What vitest runs for each test file. Modules are loaded once for all files of a process, so a hook in a module would
// serve the first file alone.

import { afterAll, vi } from "vitest";
import "./certificates.js";
import "./equality.js";
import { removeFolders } from "./folders.js";
import "../keys/kept-scrypt.js";

afterAll(() => {
  removeFolders();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
