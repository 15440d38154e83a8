// Input that is made to cost: as a stranger would write it, with nothing of the signer's that refuses to.

import { createHash } from "node:crypto";
import { signer } from "@firmseal/signer";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../../../signer/src/cbor.js";
import { keyA } from "../../../../test-support/src/command-line/run.js";

const sha256 = (b: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(b).digest());
const digest = (b: Uint8Array): Encodable => [-16, sha256(b)];

/** A command sequence; commands are written as [code, argument]. */
export type Commands = readonly (readonly [number, Encodable])[];
export const sequence = (commands: Commands): Uint8Array => cbor(commands.flat() as Encodable[]);

export interface Written {
  components?: Encodable[];
  shared?: Uint8Array;
  /** By number: validate is 7, invoke 9, install 20. */
  sections?: readonly (readonly [number, Uint8Array])[];
  payloads?: readonly (readonly [string, Uint8Array])[];
  text?: Uint8Array;
}

async function signature(message: Uint8Array): Promise<Uint8Array> {
  const bucket = cbor(new Map<Encodable, Encodable>([[1, -19]]));
  const made = await signer(keyA).sign(cbor(["Signature1", bucket, new Uint8Array(), message]));
  return cbor(new Tagged(18, [bucket, new Map(), null, made]));
}

/** An envelope, signed by key A as often as is asked for. */
export async function envelope(w: Written, signatures = 0): Promise<Uint8Array> {
  const common = new Map<Encodable, Encodable>([[2, w.components ?? [[Uint8Array.of(0)]]]]);
  if (w.shared) common.set(4, w.shared);
  const manifest = cbor(
    new Map<Encodable, Encodable>([[1, 1], [2, 7], [3, cbor(common)], ...(w.sections ?? []), ...(w.text ? ([[23, w.text]] as const) : [])]),
  );
  const message = cbor(digest(cbor(manifest)));
  const block = signatures > 0 ? await signature(message) : undefined;
  return cbor(
    new Tagged(
      107,
      new Map<Encodable, Encodable>([
        [2, cbor([message, ...Array.from({ length: signatures }, () => block as Uint8Array)])],
        [3, manifest],
        ...(w.payloads ?? []),
      ]),
    ),
  );
}

/** Octets that are different for each number. */
export function uuid(n: number): Uint8Array {
  const out = new Uint8Array(16);
  new DataView(out.buffer).setUint32(0, n);
  return out;
}

export const parameters = (...pairs: [number, Encodable][]): readonly [number, Encodable] => [20, new Map(pairs)];
export const repeat = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** Sequences in sequences over 16 components: as many commands in a run as a device takes, for each of the vendors that are named. */
export function longRun(n: number, signatures = 0): Promise<Uint8Array> {
  const nested = (inner: Uint8Array): Uint8Array =>
    sequence([
      [12, true],
      [32, inner],
    ]);
  const leaf = sequence([[12, true], parameters([21, "#p"], [23, new Uint8Array(200)], [25, new Uint8Array(200)], [14, 1])]);
  return envelope(
    {
      components: repeat(16, (i) => [Uint8Array.of(i)]),
      shared: sequence([[12, 0], ...repeat(n, (i) => parameters([1, uuid(i)]))]),
      sections: [[20, nested(nested(nested(leaf)))]],
      payloads: [["#p", new Uint8Array(1)]],
    },
    signatures,
  );
}
