// Parts that a device bundle may omit. All are true here. The bundler sets those that a product does not need to false,
// and removes the code behind them. open() refuses a manifest that needs a missing part, before anything runs.

/** The directives copy and swap. */
export const HAS_COPY = true;

/** Reading parts of SUIT that are not run, for decodeEnvelope(). Device bundles do not have it. */
export const HAS_TOOLS = true;

/** Our own SHA-512 and SHA-384, for images and manifests. */
export const HAS_SHA512 = true;

/** Micro verifiers: the SHA-512 of Ed25519 is the host's. */
export const HAS_HOST512 = true;

/** Ed25519 anchors with a precomputed table. */
export const HAS_PREPARED = true;

/**
 * Tables of multiples for Ed25519: they save a twelfth of the operations and take 2 kB of RAM. A module for Espruino
 * has none.
 */
export const HAS_TABLES = true;

/** Thresholds for families of algorithms, in trust files. */
export const HAS_FAMILIES = true;

/** Trust files, and anchors that are restricted to a range of sequence numbers. */
export const HAS_TRUST = true;

/** Anchors that are restricted to a range of sequence numbers. */
export const HAS_WINDOWS = true;

/** Micro verifiers: a threshold of 2. Without it, one signature counts, and releases may still have two. */
export const HAS_PAIRS = true;

/** Micro verifiers: images outside the envelope. Without it, they are refused. */
export const HAS_FETCH = true;

/**
 * Micro verifiers: boot(), and the envelope that a device keeps for it. Without it, the boot file of the Storage device
 * starts the app, and compares it with its record.
 */
export const HAS_BOOT = true;

/** Our own SHA-256. A micro verifier omits it if the engine has one: the host then has to pass it in. */
export const HAS_SHA256 = true;

/**
 * The general verifier. Without it, for micro verifiers: keys have no tables, inner borders repeat nothing, and devices
 * get what they keep as bytes in RAM.
 */
export const HAS_GENERAL = true;

/** Hosts whose SHA-256 takes one piece. Without it, the host has to take several: `sha256.joined`, as in Espruino. */
export const HAS_ONCE = true;

/**
 * Engines without typed arrays, whose bytes and numbers are in plain arrays. Only bundles of the form umd have it. The
 * others still take plain arrays of the caller, of a host and of a Source, and check and convert them where they enter.
 */
export const HAS_PLAIN = true;
