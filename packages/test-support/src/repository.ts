import { readFileSync } from "node:fs";

/** The text of a file of the repository. `path`: from its top. */
export const repositoryText = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
