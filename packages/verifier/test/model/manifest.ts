// What a manifest says, as the model sees it: no offsets, no bytes, no encoding. Octets are hexadecimal, so that they compare with ===.

import type { Piece } from "../../../../test-vectors/src/pieces/assemble.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
} from "../../src/spec/suit.js";

/** Commands whose argument is a reporting policy, by the names of the specification. */
export const CODES = {
  vendor: COND_VENDOR_IDENTIFIER,
  class: COND_CLASS_IDENTIFIER,
  device: COND_DEVICE_IDENTIFIER,
  image: COND_IMAGE_MATCH,
  slot: COND_COMPONENT_SLOT,
  content: COND_CHECK_CONTENT,
  abort: COND_ABORT,
  fetch: DIR_FETCH,
  write: DIR_WRITE,
  copy: DIR_COPY,
  swap: DIR_SWAP,
  invoke: DIR_INVOKE,
} as const;
export type Plain = keyof typeof CODES;
/** Those with side effects, which may not be in the shared sequence (M37 §8.4.5). */
export const DIRECTIVES: string[] = ["fetch", "write", "copy", "swap", "invoke"];
export const PLAIN = Object.keys(CODES) as Plain[];

export interface Digest {
  /** COSE number of the hash. */
  alg: number;
  /** The octets that it is the digest of. */
  of: string;
}

/** What override-parameters can set. */
export interface Parameters {
  vendor?: string;
  class?: string;
  device?: string;
  digest?: Digest;
  size?: number;
  slot?: number;
  content?: string;
  uri?: string;
  fetchArgs?: string;
  invokeArgs?: string;
  source?: number;
  strict?: boolean;
  soft?: boolean;
}

export type Command =
  | { do: Plain }
  | { do: "index"; to: number | true | number[] }
  | { do: "override"; set: Parameters }
  | { do: "try"; of: Command[][]; nil: boolean }
  | { do: "run"; of: Command[] }
  /** Something that no manifest may hold, and what it is refused with before anything runs. */
  | { do: "wrong"; code: number; arg: Piece; refused: number };

export type Sequence = Command[];

export interface Manifest {
  sequence: bigint;
  /** Identifiers of one part each. */
  components: string[];
  shared?: Sequence;
  sections: { [key: number]: Sequence };
  /**
   * Sections that are in the envelope, with their digest in the manifest; those of `absent` were left out of the
   * envelope.
   */
  severed: number[];
  absent: number[];
  /** Integrated payloads. */
  payloads: { [uri: string]: string };
  /**
   * What is wrong with the envelope: a severed section that was exchanged, is in the manifest as well, or has no digest
   * there.
   */
  fault?: "exchanged" | "redundant" | "uncovered";
}

/** Every command of a sequence, also those inside others. */
export function* commandsOf(sequence: Sequence): Generator<Command> {
  for (const c of sequence) {
    yield c;
    if (c.do === "run") yield* commandsOf(c.of);
    if (c.do === "try") for (const alternative of c.of) yield* commandsOf(alternative);
  }
}

/** Every available sequence. */
export function sequencesOf(m: Manifest): Sequence[] {
  const sections = Object.entries(m.sections).filter(([key]) => !m.absent.includes(Number(key)));
  return [...(m.shared ? [m.shared] : []), ...sections.map(([, s]) => s)];
}

/** The values of one parameter that are set anywhere. */
export function valuesOf<K extends keyof Parameters>(m: Manifest, name: K): NonNullable<Parameters[K]>[] {
  const all = sequencesOf(m).flatMap((s) => [...commandsOf(s)]);
  return [...new Set(all.flatMap((c) => (c.do === "override" && c.set[name] !== undefined ? [c.set[name]] : [])))];
}
