// Runs commands of the built command line in sequence in one process, and reports on descriptor 3 what each took. One
// process for many: then loading is not measured. On Linux the peak of memory begins again with each run; elsewhere it
// is that of all so far.

import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { setTimeout as later } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [main, plan] = process.argv.slice(2);
let runs = 0;
const { exit } = process;
// the command line ends its process two seconds after the last of its work
process.exit = () => {};

function beginPeak() {
  globalThis.gc();
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // not Linux
  }
}

function peak() {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}

for (const { cwd, state, args } of JSON.parse(plan)) {
  process.chdir(cwd);
  process.env.FIRMSEAL_STATE = state;
  process.argv = [process.execPath, "firmseal", ...args];
  process.exitCode = undefined;
  beginPeak();
  const before = process.cpuUsage();
  // the program begins again, and ends when it has an exit code
  await import(`${pathToFileURL(main)}?${runs++}`);
  while (process.exitCode === undefined) await later(1);
  const { user, system } = process.cpuUsage(before);
  writeSync(3, `${JSON.stringify({ exit: process.exitCode, seconds: (user + system) / 1e6, megabytes: peak() })}\n`);
  // what was said belongs to this run
  writeSync(2, "\0");
}
exit(0);
