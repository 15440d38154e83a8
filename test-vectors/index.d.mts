// The types of what index.mjs reads: a vector as a player takes it, with keys in place of their names, and numbers of
// 64 bits that a device compares (floor, since, until, its own sequence number) as pairs [high, low].

/** Octets are hexadecimal, sequence numbers decimal. */
export interface Vector {
  name: string;
  /** What it is about, in one line. */
  about: string;
  /**
   * open, decode: that call. anchor: the first anchor is made. start: a decoded envelope is passed to start(). run:
   * open, start, step to the end. step: the same, with every argument of step() listed. install, boot: that call on a
   * device in memory, to the end. trust: `envelope` is a trust file, which trustFile() takes; with `role`, policyOf()
   * as well. embedded: the same with embeddedTrust().
   */
  action: "open" | "decode" | "anchor" | "start" | "run" | "step" | "install" | "boot" | "trust" | "embedded";
  envelope?: string;
  /**
   * The envelope comes in a plain array, as from JSON.parse(), which holds no octets from a position on, so many of
   * them: a number as it is written here, "NaN", "Infinity", "undefined", "null", "object" ({}) or "text" ("1").
   */
  strange?: [at: number, count: number, value: string][];
  /** trust: the trust file before, in place of the roots in `trust`. */
  previous?: string;
  /** trust, embedded: the role that policyOf() is asked for. */
  role?: number;
  /** open, install, boot: an embedded trust file, whose keys count in place of `trust`. */
  store?: { file: string; role: number };
  /** The keys that the device trusts. In the maker of a vector, left out: `defaults` in src/make.ts. */
  trust?: TrustSpec;
  /**
   * The device, if the action needs one: who it is, and what it holds. Left out in a maker, in whole or in part: as in
   * `trust`.
   */
  device?: DeviceSpec;
  /** Bytes that the host sets aside for wrapper, manifest and severed elements. */
  memory?: number;
  /** run, step: the sections to run, in order. */
  sections?: number[];
  /**
   * run: how each effect goes, in order; true where the list is used up. step: the arguments of step(), null for none.
   */
  outcomes?: (boolean | null)[];
  expect: Expect;
}

export interface TrustSpec {
  anchors: {
    alg: string;
    key: string;
    kid?: string;
    since?: [number, number];
    until?: [number, number];
    vendor?: string;
    class?: string;
  }[];
  threshold?: number;
  /** The lowest sequence number accepted, as [high, low], 32 bits each. */
  floor?: [number, number];
}

export interface DeviceSpec {
  vendor?: string[];
  class?: string[];
  device?: string[];
  /** Identifiers of the components: their parts. */
  components?: string[][];
  /** Bytes that each can hold. */
  capacity?: number;
  /** What is current in each component, by its index. */
  current?: { [component: string]: string };
  /** Sequence number of what is current. */
  sequence?: [number, number];
  /**
   * What counters() gives: 28 octets of the digest of the manifest that the sequence number comes from. Left out: it
   * does not know.
   */
  counters?: string;
  /** Which of its two slots is current in each component; 0 where it is left out. */
  slots?: number[];
  payloads?: { [uri: string]: string };
  /** Payloads that arrive piece by piece; false: one that is not available. */
  chunks?: { [uri: string]: string[] | false };
  /**
   * A call that throws, or "rot": storage in which the first byte of an image changes once it is written. "full":
   * erase() refuses with STORAGE_FULL. "trial": begin() refuses with UNCONFIRMED.
   */
  fault?: "erase" | "write" | "persist" | "rot" | "full" | "trial";
  dangerouslySkipIdentity?: boolean;
  dangerouslySkipDigest?: boolean;
}

export type EffectSpec = { [name: string]: number | string | [number, string] };

export type Expect =
  | { code: number; at?: number; effects?: EffectSpec[] }
  | {
      ok: true;
      sequence?: string;
      signers?: number[];
      absent?: number[];
      effects?: EffectSpec[];
      /** install, boot: what is current afterwards in each component. */
      current?: string[];
      invoked?: { component: string[]; args?: string }[];
      /** trust, embedded: the positions of the anchors that policyOf() gives, and how many of them must sign. */
      trusted?: number[];
      threshold?: number;
    };

export type Kind = "accepted" | "refused" | "effects";
/**
 * Who settles what is expected: an RFC, the drafts of SUIT, or this project, where another implementation may differ.
 */
export type Strictness = "rfc" | "draft" | "firmseal";

/** What the index says about a vector. */
export interface Listed {
  /** From the folder of the index: vectors/GROUP/KIND/NAME.json. */
  file: string;
  name: string;
  group: string;
  kind: Kind;
  action: Vector["action"];
  /** The number of a refusal. */
  code?: number;
  strictness: Strictness;
  /** Algorithms, structures and commands that an implementation needs to play it. */
  features: string[];
}

/** A vector with its header. */
export interface Published extends Vector {
  group: string;
  kind: Kind;
  /** What is expected, in words. */
  expected: string;
  /** The rule that it comes from: a section. */
  source: string;
  strictness: Strictness;
  features: string[];
}

export interface Key {
  alg: string;
  /** What an anchor holds: a public key, or the secret of a MAC. */
  key: string;
  /** What it signs with. All are published: never trust one of them. */
  secret: string;
  source: string;
}

export interface Index {
  /** Rises when a player has to change. */
  format: number;
  about: string;
  vectors: Listed[];
}

export function readIndex(): Index;
export function readKeys(): { [name: string]: Key };
/** One vector, by its path in the index. */
export function readVector(file: string): Published;
/** The vectors for micro verifiers, which accept only the template firmseal-single-1. */
export function readMicroVectors(): (Vector & { action: "open" | "install" | "boot" })[];
/** Every vector, or those of one kind, in the order of the index. */
export function readVectors(kind?: Kind): Published[];
