// Flags for the optimising compiler of V8 in processes of tests. Most functions there run for a moment only, and
// the compiler took a fifth of all processor time: it waits longer, and copies less of other functions into the one
// that it compiles. With `node --require`, this file sets the flags of the process.

const v8 = require("node:v8");

/** Newer versions optimise in two steps, and have no such budget. */
const budget = Number.parseInt(process.versions.v8, 10) < 12 ? ["--interrupt-budget=300000"] : [];

exports.OPTIMISER_FLAGS = [...budget, "--max-inlined-bytecode-size-cumulative=300"];
/** For NODE_OPTIONS: what a test starts, and what that starts. */
exports.OPTIMISER_OPTION = `--require=${JSON.stringify(__filename)}`;

if (module.parent?.id === "internal/preload") for (const flag of exports.OPTIMISER_FLAGS) v8.setFlagsFromString(flag);
