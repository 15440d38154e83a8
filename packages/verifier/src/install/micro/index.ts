// The micro verifier with every algorithm, for simulations, tests and tools. A device gets a bundle:
// `firmseal bundle --micro`.

export type { MicroProgress } from "./install.js";
export { bootMicro as boot, installMicro as install } from "./install.js";
export type { MicroManifest } from "./manifest.js";
export { openMicro as open } from "./open.js";
