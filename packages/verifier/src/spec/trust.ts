// The numbers of trust files (docs/guides/trust.md), which this project defines.

/** The external_aad: a signature on a manifest is never valid on a trust file, nor the reverse. */
export const TRUST_CONTEXT = "firmseal.trust";

// The payload
export const FILE_VERSION = 1;
export const FILE_SEQUENCE = 2;
export const FILE_ANCHORS = 3;
export const FILE_THRESHOLDS = 4;
export const FILE_NAME = 5;
export const FILE_JUMPS = 6;
export const FILE_EPOCH = 7;
export const FILE_FAMILIES = 8;

// One anchor
export const ANCHOR_ALG = 1;
export const ANCHOR_KEY_BYTES = 2;
export const ANCHOR_ROLES = 3;
export const ANCHOR_KID = 4;
export const ANCHOR_VENDOR = 5;
export const ANCHOR_CLASS = 6;
export const ANCHOR_SINCE = 7;
export const ANCHOR_UNTIL = 8;
export const ANCHOR_DEVICES = 9;

// Roles of an anchor. Roots sign only trust files; the other roles sign manifests.
export const ROLE_ROOT = 1;
export const ROLE_RELEASE = 2;
export const ROLE_DEBUG = 3;
export const ROLE_RECOVERY = 4;

/** How far above its floor a device accepts a release if the list says nothing: half of all numbers, [high, low]. */
export const JUMP: [number, number] = [2147483648, 0];
