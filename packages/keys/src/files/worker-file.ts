import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Returns the module of the workers of the module at `from`: worker.js beside it, or the entry `built` of the built
 * command line. Returns undefined when run from the sources.
 */
export function workerFile(from: string, built: string): string | undefined {
  return ["./worker.js", `../${built}`, `./${built}`].map((path) => fileURLToPath(new URL(path, from))).find((path) => existsSync(path));
}
