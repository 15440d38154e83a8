// The program: main(), with the arguments of this process.

import { main } from "./main.js";

// a file-size limit then shows as EFBIG, which has words
process.on("SIGXFSZ", () => {});

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  // All is written. The library of a key service may still try what it was asked to stop: it must not keep the process
  // alive.
  setTimeout(() => process.exit(), 2_000).unref();
});
