// The verifier for engines with room: every algorithm and every hash. A device bundle holds only what it needs.

import { ed25519 } from "./alg/ed25519.js";
import { es256 } from "./alg/es256.js";
import { hmac256 } from "./alg/hmac.js";
import { hsslms } from "./alg/hsslms.js";
import { anchorOf } from "./anchor.js";
import type { Device, Progress } from "./device.js";
import { sha256 } from "./hash/sha256.js";
import { sha384, sha512 } from "./hash/sha512.js";
import { boot as bootWith, install as installWith } from "./install.js";
import { type Manifest, open as openWith } from "./open.js";
import type { Alg, Anchor, Bytes, Host, Prepared, Source, Trust } from "./types.js";

var ALGS: { [name: string]: Alg } = { ed25519: ed25519, es256: es256, hmac256: hmac256, hsslms: hsslms };

function fill(host: Host | undefined): Host {
  return {
    sha256: (host && host.sha256) || sha256,
    sha384: (host && host.sha384) || sha384,
    sha512: (host && host.sha512) || sha512,
  };
}

/**
 * A trusted key. `alg`: "ed25519" (32 bytes), "es256" (65 bytes, 04 ‖ x ‖ y), "hmac256" (32 bytes, shared secret) or
 * "hsslms" (HSS public key of RFC 8554 §6.1: 60 bytes, or 52 with hashes of 24).
 * Throws TRUST_POLICY for another algorithm, ANCHOR_KEY for a key that cannot be used.
 */
export function anchor(alg: string, key: Bytes | Prepared, kid?: Bytes): Anchor {
  return anchorOf(ALGS, alg, key, kid);
}

/** Opens an envelope: see open.ts. Hash functions that `host` leaves out are ours. */
export function open(envelope: Bytes | Source, trust: Trust, host?: Host): Manifest {
  return openWith(envelope, trust, fill(host));
}

/** Prepares an installation: see install.ts. */
export function install(envelope: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  return installWith(envelope, trust, device, fill(host));
}

/** Prepares the start of what is installed: see install.ts. */
export function boot(envelope: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  return bootWith(envelope, trust, device, fill(host));
}

export type { Commit, ComponentId, Device, Progress } from "./device.js";
export type { Digest } from "./digest.js";
export type { Effect, Identity, Run } from "./frame.js";
export { identified } from "./frame.js";
export { INSTALL_SECTIONS } from "./install.js";
export { compareSequence } from "./number.js";
export type { Manifest } from "./open.js";
export type { Refusal } from "./refuse.js";
export { start, step } from "./run.js";
export * as errors from "./spec/errors.js";
export type { Alg, Anchor, Bytes, Hash, HashState, Host, Prepared, Sequence, Source, Trust } from "./types.js";
export { ed25519, es256, hmac256, hsslms, sha256, sha384, sha512 };
