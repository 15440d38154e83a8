// What a device bundle may leave out. Here everything is there; the bundler sets to false what a product does not ask for, and what stands
// behind it falls away. A manifest that needs what is missing is refused by open(), before anything runs.

/** The directives copy and swap. */
export const HAS_COPY = true;

/** Reading what is not run, for decodeEnvelope(). No device bundle has it. */
export const HAS_TOOLS = true;

/** SHA-512 and SHA-384 of our own, for images and manifests. */
export const HAS_SHA512 = true;

/** Ed25519 anchors with a table worked out beforehand. */
export const HAS_PREPARED = true;

/** Tables of multiples for Ed25519: a twelfth fewer operations, and 2 kB more of RAM. A module for Espruino has none. */
export const HAS_TABLES = true;

/** Trust files, and anchors that count for some sequence numbers only. */
export const HAS_TRUST = true;
