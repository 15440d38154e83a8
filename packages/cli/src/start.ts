// The program: main(), with the arguments of this process.

import { main } from "./main.js";

// a file-size limit then shows as EFBIG and is told in words
process.on("SIGXFSZ", () => {});

process.exitCode = await main(process.argv.slice(2));
// All is written. A library of a key service may go on trying what it was told to give up, and that must not keep the process.
setTimeout(() => process.exit(), 2_000).unref();
