// The cost of checking a passphrase. A file determines the amount of work, and no library can be interrupted. So the
// time is estimated first, from the measured cost of each step on the benchmark machine, and a file that needs more
// than two seconds is refused.

import { KeyFileError } from "../errors/key-file.js";

const MAX_SECONDS = 2;

/** Seconds per step, rounded up. */
const SECONDS_PER_STEP = {
  /** HMAC in PBKDF2, or a hash in the older schemes: 0.2 µs for SHA-256, 0.52 µs for SHA-512. */
  hash: 0.52e-6,
  /** A 128-byte block of scrypt, written and read, N · r · p times. 0.27 µs if they fit into a cache. */
  scrypt: 0.4e-6,
  /** A round of bcrypt_pbkdf in JavaScript, for the 48 bytes that OpenSSH needs. */
  bcrypt: 19e-3,
};

export type KdfStep = keyof typeof SECONDS_PER_STEP;

/** The number of seconds for `count` steps. */
export function secondsFor(step: KdfStep, count: number): number {
  return SECONDS_PER_STEP[step] * count;
}

/** Whether that is too long. NaN counts as too long. */
export function takesLong(seconds: number): boolean {
  return !(seconds <= MAX_SECONDS);
}

/** Refuses a file whose passphrase takes too long to check, before asking for it. */
export function refuseLong(name: string, seconds: number, hint: string): void {
  if (!takesLong(seconds)) return;
  throw new KeyFileError(
    `${name}: checking its passphrase takes about ${Math.ceil(seconds)} seconds, and the limit is ${MAX_SECONDS}`,
    hint,
    2,
  );
}
