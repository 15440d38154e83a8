// What the negative vectors are made with: a list that they are added to, and the pieces that several of them share.

import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec, TrustSpec, Vector } from "../../index.mjs";
import {
  C0,
  type EnvelopeSpec,
  envelope,
  hex,
  int,
  manifest,
  map,
  override,
  type Pair,
  type Piece,
  seq,
  uriParam,
} from "../pieces/assemble.js";

const { COM_COMPONENTS, COND_IMAGE_MATCH, DIR_FETCH, MAN_INSTALL, MAN_REFERENCE_URI } = suit;

/** A vector as a maker leaves it: its trust and its device may be left out, or named in part. */
export interface Made extends Vector {
  /** The folder, for what is accepted; left out, it follows from the action. */
  group?: string;
}

export interface Rest {
  trust?: TrustSpec;
  device?: DeviceSpec;
  sections?: number[];
  outcomes?: (boolean | null)[];
  action?: Vector["action"];
  previous?: string;
  role?: number;
  store?: { file: string; role: number };
  memory?: number;
}

export const pair = (key: number, value: Piece): Pair => [int(key), value];

/** A 64-bit number as two halves of 32 bits. */
export const halves = (n: bigint): [number, number] => [Number(n >> 32n), Number(n & 4294967295n)];

/** The smallest manifest, and its envelope. */
export const good = manifest();
export const signedEnvelope = (): Promise<Piece> => envelope(good);
export const commonOf = (components: Piece): Piece => manifest({ common: map(pair(COM_COMPONENTS, components)) });
/** A manifest whose install is this. */
export const section = (commands: Piece, components: Piece[] = [C0]): Piece =>
  manifest({ components, sections: { [MAN_INSTALL]: commands } });
export const referenceUri = (item: Piece): Piece => manifest({ more: [[MAN_REFERENCE_URI, item]] });
export const install = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
/** A manifest that holds the digest of its install only. */
export const severed = (d: Piece): Piece => manifest({ more: [[MAN_INSTALL, d]] });

export interface Adder {
  all: Vector[];
  /** An envelope, or null where the vector has none. */
  add(code: number, name: string, about: string, piece: Piece | null, rest?: Rest): void;
  /** A fault inside a manifest that is signed as it is. */
  inside(code: number, name: string, about: string, content: Piece, rest?: Rest, e?: EnvelopeSpec): Promise<void>;
}

export function adder(): Adder {
  const all: Vector[] = [];
  const add: Adder["add"] = (code, name, about, piece, rest = {}) => {
    const { action = "open", ...more } = rest;
    all.push({ name, about, action, ...(piece && { envelope: hex(piece) }), ...more, expect: { code } });
  };
  return {
    all,
    add,
    async inside(code, name, about, content, rest = {}, e = {}) {
      add(code, name, about, await envelope(content, e), rest);
    },
  };
}
