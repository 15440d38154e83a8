// The device bundle with every algorithm, as devices load it.

import { createRequire } from "node:module";

export const deviceBundle = createRequire(import.meta.url)("../../verifier/dist/firmseal-full.js") as typeof import("@firmseal/verifier");
