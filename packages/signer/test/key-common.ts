// Keys of RFCs and of the specification, and helpers, for the tests of keys.

import fc from "fast-check";
import { toHex } from "../../test-support/src/bytes.js";
import type { KeyAlg } from "../src/alg/algorithms.js";
import { KeyError } from "../src/key-error.js";

export const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

export const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

export const algs: KeyAlg[] = ["ed25519", "es256"];

export const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((s) => toHex(s) < N && s.some((b) => b !== 0));

export function codeOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof KeyError) return e.fault;
    throw e;
  }
  return "accepted";
}
