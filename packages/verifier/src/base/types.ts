// The shapes that cross the border of this package. Nothing here exists at run time.

/** Octets, 0..255 each: a Uint8Array, or a plain array where an engine has no typed arrays. */
export type Bytes = ArrayLike<number>;

/**
 * Where bytes lie: RAM, or a flash that is read through a window. `read` returns exactly `n` octets from `offset`; they are copied before it
 * is called again. `chunk` is how many are read at a time where many are needed; 1,024 where it is left out.
 */
export interface Source {
  length: number;
  chunk?: number;
  read(offset: number, n: number): Bytes;
  /**
   * Dangerous: wrapper, manifest and severed elements are not copied into RAM but read again and again where they lie. Whoever can make `read` answer
   * differently from one time to the next decides what is executed. Only for manifests that do not fit the RAM, in a flash that nobody else writes.
   */
  dangerouslyReadInPlace?: boolean;
}

/** An unsigned 64-bit number as two unsigned 32-bit halves, [high, low]. Exact where a double is not. */
export type Sequence = [number, number];

export interface HashState {
  update(bytes: Bytes): void;
  /** Ends the computation; the state must not be used again. */
  digest(): Bytes;
}

/**
 * A hash function. `once` may be the engine's own one-shot call; it is used where all the input is at hand. `joined`, where an engine has
 * typed arrays and such a call: the hash of several octets and strings of octets, one after the other, as Espruino's `crypto.SHA256` takes them.
 */
export interface Hash {
  create(): HashState;
  once?(bytes: Bytes): Bytes;
  joined?(pieces: (number | Bytes)[]): Bytes;
}

/**
 * What an engine offers. A hash that is left out, the entry of the package or bundle fills with ours. `memory`: how many bytes of an envelope (wrapper,
 * manifest, severed elements) or of a trust file may be copied into RAM; 65,536 where it is left out. More is refused: HEAD_LENGTH, TRUST_LIMIT.
 */
export interface Host {
  memory?: number;
  sha256?: Partial<Hash>;
  sha384?: Partial<Hash>;
  sha512?: Partial<Hash>;
}

/**
 * A key in a form worked out beforehand; `key` is always the raw public key, so that two forms of one key count once. `digest`: SHA-256 over the text
 * of the table, 32 octets. It belongs in the code, as the key does; the table may lie elsewhere.
 */
export interface Prepared {
  key: Bytes;
  table: unknown;
  digest?: Bytes;
}

/**
 * A signature or MAC algorithm.
 * `ids`: the COSE algorithm numbers that it answers to. `valid`: whether a raw key can be used at all. `verify` returns false on
 * every bad signature and never throws, whatever the lengths of its arguments.
 */
export interface Alg {
  ids: number[];
  valid(key: Bytes): boolean;
  verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean;
}

/**
 * A key that is trusted, with the one algorithm it is trusted for: the message never chooses. `since`, `until`: the lowest and the highest
 * sequence number of a manifest that it counts for; `vendor`, `class`: the only identifier, 16 bytes each, for whose devices it counts. A bundle looks at
 * these where it has trust files.
 */
export interface Anchor {
  alg: Alg;
  key: Bytes | Prepared;
  kid?: Bytes;
  since?: Sequence;
  until?: Sequence;
  vendor?: Bytes;
  class?: Bytes;
  /** Counts only for manifests that ask for the one device that they are for. */
  single?: boolean;
}

/** Whom to believe. `threshold` distinct anchors must have signed (default 1, at least 1); `floor` is the lowest sequence number accepted. */
export interface Trust {
  anchors: Anchor[];
  threshold?: number;
  floor?: Sequence;
  /** How far above the device's floor a release may be: from policyOf(), as `store` and `role`, which belong to it. */
  jump?: Sequence;
  store?: unknown;
  role?: number;
}
