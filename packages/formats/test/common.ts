// What tests of every format share: the keys of the vectors, refusals, and files that are changed at random.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { haveVectors, vectorBytes, vectorJson } from "../../test-support/src/vectors.js";
import type { FormatFile } from "../src/format.js";
import { type FormatKey, formatKey } from "../src/key/key.js";
import { signScheme } from "../src/key/scheme.js";
import { FormatRefusal } from "../src/refusal.js";

/** A file of shared vectors of formats in the field. */
export const field = (name: string) => vectorBytes(`field/${name}`);

/** One of their private keys, by a name such as "p256" or "TEST-ONLY-p256.pub.pem". */
export function secretOf(name: string): KeyObject {
  return createPrivateKey(Buffer.from(field(`keys/TEST-ONLY-${name.replace(/^TEST-ONLY-|(\.pub)?\.pem$/g, "")}.pem`)));
}

export const publicOf = (name: string): FormatKey => formatKey(secretOf(name));

/** A row of an index.json. */
export interface FieldVector {
  readonly file: string;
  readonly command: string;
  readonly key: string | null;
  readonly expect: string;
  readonly imgtool_verify_rc: number;
  readonly why: string;
}

/** The index of a folder; without the vectors, nothing. */
export const fieldIndex = (folder: string) =>
  haveVectors
    ? vectorJson<{ readonly positive: readonly FieldVector[]; readonly negative: readonly FieldVector[] }>(`field/${folder}/index.json`)
    : { positive: [], negative: [] };

/** Signs with a key of the vectors. */
export function signedBy(file: FormatFile, name: string): FormatFile {
  const key = publicOf(name);
  const { message, scheme } = file.toBeSigned(key);
  return file.withSignature(key, signScheme(secretOf(name), scheme, message));
}

/** The name of the refusal, or "" if there is none. Any other exception passes. */
export function reasonOf(work: () => unknown): string {
  try {
    work();
    return "";
  } catch (e) {
    if (e instanceof FormatRefusal) return e.reason;
    throw e;
  }
}

/** A copy with one fault: a byte, a run of bytes, bytes removed, doubled, or a number of 16 bits at an edge. */
export function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const out = Uint8Array.from(bytes);
  const at = random(out.length);
  const length = 1 + random(8);
  switch (random(6)) {
    case 0:
      return Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + length)]);
    case 1:
      return Uint8Array.from([...out.subarray(0, at + length), ...out.subarray(at)]);
    case 2:
      out.fill(random(2) * 255, at, at + length);
      return out;
    case 3:
      out.set([0, 0xff, 0x7f, 0x80].slice(random(3)).slice(0, out.length - at), at);
      return out;
    default:
      out[at] = (out[at] as number) ^ (1 << random(8));
      return out;
  }
}
