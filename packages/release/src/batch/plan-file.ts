// How a folder shows that it is that of a batch.

import { existsSync } from "node:fs";
import { join } from "node:path";

/** The file with the plan of a batch. */
export const PLAN = "batch.json";

/** Whether a folder is that of a batch, or says so. */
export const isBatchFolder = (path: string): boolean => existsSync(join(path, PLAN));
