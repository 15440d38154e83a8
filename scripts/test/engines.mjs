// The engines that tests of bundles run on. With CI set, those that Debian has are not left out.

import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** Whether a folder of PATH has this command. */
export const onPath = (command) => (process.env.PATH ?? "").split(delimiter).some((at) => existsSync(join(at, command)));

const ENGINES = [
  { name: "node", command: process.execPath },
  { name: "duk", command: "duk" },
  { name: "qjs", command: "qjs", args: ["--script"] },
  { name: "mujs", command: "mujs" },
  ...["XST", "JERRY", "ESPRUINO"].map((variable) => ({
    name: variable.toLowerCase(),
    command: process.env[variable] && resolve(process.env[variable]),
    variable,
  })),
];

/** Name, command and arguments of each; `missing`, and `why` for the name of a test that is left out. */
export function engines() {
  return ENGINES.map(({ name, command, args = [], variable }) => {
    const missing = !command || (command === name && !onPath(command) && !process.env.CI);
    return { name, command, args, missing, why: variable && missing ? ` (skipped: set ${variable}=/path/to/${name})` : "" };
  });
}
