// What checking a passphrase costs. A file says how much work it takes, and no library can be stopped once it has begun: so the time is worked
// out first, by what each step took on the machine of the benchmarks, and a file that asks for more than two seconds is refused.

import { KeyFileError } from "../errors/key-file.js";

const MAX_SECONDS = 2;

/** Seconds for one step, rounded up. */
const SECONDS_PER_STEP = {
  /** HMAC of PBKDF2, or a hash of the schemes before it: 0.2 µs for SHA-256, 0.52 µs for SHA-512. */
  hash: 0.52e-6,
  /** A block of 128 bytes of scrypt, written and read: N · r · p of them. 0.27 µs where they fit into a cache. */
  scrypt: 0.4e-6,
  /** A round of bcrypt_pbkdf in JavaScript, for the 48 bytes that OpenSSH needs. */
  bcrypt: 19e-3,
};

export type KdfStep = keyof typeof SECONDS_PER_STEP;

/** The seconds that so many steps take. */
export function secondsFor(step: KdfStep, count: number): number {
  return SECONDS_PER_STEP[step] * count;
}

/** Whether that is too long; what is not known to be short is. */
export function takesLong(seconds: number): boolean {
  return !(seconds <= MAX_SECONDS);
}

/** Refuses a file whose passphrase takes too long to check, before it is asked for. */
export function refuseLong(name: string, seconds: number, hint: string): void {
  if (!takesLong(seconds)) return;
  throw new KeyFileError(
    `${name}: checking its passphrase takes about ${Math.ceil(seconds)} seconds, and the limit is ${MAX_SECONDS}`,
    hint,
    2,
  );
}
