// Keys of RFCs and of the specification, and helpers, for the tests of keys.

import fc from "fast-check";
import type { KeyAlg } from "../src/alg/algorithms.js";
import { KeyError } from "../src/key/error.js";

export const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

export const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

export const utf8 = (text: string) => new TextEncoder().encode(text);

export const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

export const SPEC_D = "0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973";

export const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

export const algs: KeyAlg[] = ["ed25519", "es256"];

export const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((s) => toHex(s) < N && s.some((b) => b !== 0));

export function codeOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof KeyError) return e.code;
    throw e;
  }
  return "accepted";
}
