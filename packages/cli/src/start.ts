// The program: main(), with the arguments of this process.

import { setFlagsFromString } from "node:v8";
import { main } from "./main.js";

// The lines of a log are garbage at once: V8 would keep 40 MB more of them, to save a tenth of the time. Newer versions
// of it raise the factor again.
if (process.argv.includes("audit")) setFlagsFromString("--semi-space-growth-factor=1");

// a file-size limit then shows as EFBIG, which has words
process.on("SIGXFSZ", () => {});

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  // All is written. The library of a key service may still try what it was asked to stop: it must not keep the process
  // alive.
  setTimeout(() => process.exit(), 2_000).unref();
});
