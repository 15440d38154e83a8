// The table of the algorithms for devices. A device bundle has only those that it was asked for.

import type { Alg } from "../base/types.js";
import { ed25519 } from "./ed25519.js";
import { es256 } from "./es256.js";
import { hmac256 } from "./hmac.js";
import { hsslms } from "./hsslms.js";

var ALL = { ed25519: ed25519, es256: es256, hmac256: hmac256, hsslms: hsslms };

/** The names of algorithms that anchor() accepts. */
export type AlgorithmName = keyof typeof ALL;

/** All algorithms for devices, by name. */
export var algorithms: { readonly [name: string]: Alg } = ALL;

export { ed25519, es256, hmac256, hsslms };
