// The types of the public interface of this package. Nothing here exists at run time.

/** Bytes, each from 0 to 255: a Uint8Array, or a plain array in engines without typed arrays. */
export type Bytes = ArrayLike<number>;

/**
 * A source of bytes: RAM, or flash that is read through a window. `read` returns exactly `n` bytes from `offset`; they
 * are copied before the next call. `chunk` is the number of bytes to read at a time for long inputs (default 1,024).
 */
export interface Source {
  length: number;
  chunk?: number;
  read(offset: number, n: number): Bytes;
  /**
   * Dangerous: wrapper, manifest and severed elements are not copied into RAM but read again from the source each time.
   * An attacker who can make `read` return different bytes at different times decides what is executed. Only for
   * manifests that do not fit in RAM, in flash that nothing else writes.
   */
  dangerouslyReadInPlace?: boolean;
}

/** An unsigned 64-bit number as two unsigned 32-bit halves, [high, low]. A double could not represent it exactly. */
export type Sequence = [number, number];

/** A hash computation in progress. */
export interface HashState {
  update(bytes: Bytes): void;
  /** Ends the computation and returns the digest. The state must not be used afterwards. */
  digest(): Bytes;
}

/** A hash of several bytes and byte strings in sequence. Of a number, the low 8 bits count, as in a Uint8Array. */
export type Joined = (pieces: (number | Bytes)[]) => Bytes;

/**
 * A hash function. `once` is an optional one-shot function, such as the engine's own; it is used when all input is in
 * memory. `joined` is an optional one-shot function for several bytes and byte strings in sequence, like Espruino's
 * `crypto.SHA256`; it is only used with typed arrays.
 */
export interface Hash {
  create(): HashState;
  once?(bytes: Bytes): Bytes;
  joined?: Joined;
}

/**
 * The functions that an engine offers. Missing hash functions are replaced by those of the package or bundle. `memory`
 * limits how many bytes of an envelope (wrapper, manifest, severed elements) or of a trust file are copied into RAM
 * (default 65,536). Larger input is refused with HEAD_LENGTH or TRUST_LIMIT.
 */
export interface Host {
  memory?: number;
  sha256?: Partial<Hash>;
  sha384?: Partial<Hash>;
  sha512?: Partial<Hash>;
}

/**
 * A key with a precomputed table. `key` is always the raw public key, so that two forms of one key count once. `digest`
 * is SHA-256 over the text of the table, 32 bytes. Store it in the code, like the key; the table may be elsewhere.
 */
export interface Prepared {
  key: Bytes;
  table: unknown;
  digest?: Bytes;
}

/**
 * A signature or MAC algorithm. `ids` are its COSE algorithm numbers. `valid` returns whether a raw key is usable.
 * `verify` returns false for every invalid signature, and for arguments that are missing or not bytes. Both functions
 * throw only what the hash of a host throws. Without `host`, the hash functions of the package or bundle are used.
 */
export interface Alg {
  ids: number[];
  valid(key: Bytes): boolean;
  verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host?: Host): boolean;
}

/**
 * A trusted key and the one algorithm that it is trusted for: the message never chooses the algorithm. `since` and
 * `until` are the lowest and highest sequence numbers of manifests that it is trusted for. `vendor` and `class` (16
 * bytes each) restrict it to these devices. Only bundles with trust files check these four members.
 */
export interface Anchor {
  alg: Alg;
  key: Bytes | Prepared;
  kid?: Bytes | undefined;
  since?: Sequence;
  until?: Sequence;
  vendor?: Bytes;
  class?: Bytes;
  /** Counts only for manifests that ask for the one device that they are for. */
  single?: boolean;
}

/**
 * A threshold for a family of algorithms: how many keys with one of these COSE algorithms must have signed. `known`:
 * whether this build has one of them. If not, the threshold does not apply.
 */
export interface Family {
  threshold: number;
  ids: number[];
  known: boolean;
}

/**
 * A trust policy. `threshold` distinct anchors must have signed (default 1, at least 1). `floor` is the lowest accepted
 * sequence number.
 */
export interface Trust {
  anchors: Anchor[];
  threshold?: number;
  floor?: Sequence;
  /** How far above the device's floor a release may be: from policyOf(), as `store` and `role`, which belong to it. */
  jump?: Sequence;
  store?: unknown;
  role?: number;
  /** From policyOf(): thresholds that apply besides `threshold`. */
  families?: Family[] | undefined;
}
