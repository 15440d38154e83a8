// The numbers of status messages (docs/reference/status.md), which this project defines.

/** The external_aad: a signature or tag on a status is never valid on a manifest or a trust file, nor the reverse. */
export const STATUS_CONTEXT = "firmseal.status";

// The payload
export const STATUS_VERSION = 1;
export const STATUS_CHALLENGE = 2;
export const STATUS_VERIFIER = 3;
export const STATUS_STATE = 4;
export const STATUS_FLOORS = 5;
export const STATUS_DIGEST = 6;
export const STATUS_SEQUENCE = 7;
export const STATUS_TRUST_NAME = 8;
export const STATUS_TRUST_SEQUENCE = 9;

// What a device runs: a confirmed release, one on trial, or the previous one, because the newer one used up its tries.
export const STATE_CONFIRMED = 0;
export const STATE_TRIAL = 1;
export const STATE_ROLLED_BACK = 2;

/** Minimum length in bytes of a nonce. */
export const MIN_NONCE = 8;
export const MAX_NONCE = 64;

/** The version of this verifier. `pnpm bump` sets it to the package version. */
export const VERIFIER_VERSION = "0.1.0";
