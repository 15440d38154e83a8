// SHA-256 (FIPS 180-4 §6.2) for trees of one-time keys. Nearly every input is one block that differs from the previous
// one in a few words, and large trees take 2^30 hashes and more. One hash costs 310 ns here, and 510 ns with single()
// of the verifier, which is written for bytes of text and for engines without typed arrays. With bytes as input and
// output, it costs 670 ns with hash() and 1,200 ns with createHash() of node:crypto, and 1,000 ns with @noble/hashes.

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2), and of the square roots
// of the first 8 (§5.3.3).
const K = new Int32Array(64);
const IV = new Int32Array(8);
for (let prime = 2, i = 0; i < 64; prime++) {
  let divisor = 2;
  while (prime % divisor !== 0) divisor++;
  if (divisor < prime) continue;
  if (i < 8) IV[i] = (Math.sqrt(prime) % 1) * 2 ** 32;
  K[i++] = (Math.cbrt(prime) % 1) * 2 ** 32;
}

const schedule = new Int32Array(64);

// The functions of §4.1.2: Σ0, Σ1, σ0 and σ1. Shifts and rotations are by constants, so that the engine inlines them.
const sum0 = (x: number) => ((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10));
const sum1 = (x: number) => ((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7));
const sigma0 = (x: number) => ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
const sigma1 = (x: number) => ((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10);

/**
 * Compresses one block of 16 words of 32 bits into the 8 words of `state`. Every sum has at most 7 terms of 32 bits, so
 * it is exact before `| 0`.
 */
function compressBlock(state: Int32Array, block: Int32Array): void {
  const w = schedule;
  for (let i = 0; i < 16; i++) w[i] = block[i] as number;
  for (let i = 16; i < 64; i++)
    w[i] = (w[i - 16] as number) + sigma0(w[i - 15] as number) + (w[i - 7] as number) + sigma1(w[i - 2] as number);
  // read one by one: destructuring costs twice as much as everything below
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < 64; i++) {
    const t1 = (h + sum1(e) + (g ^ (e & (f ^ g))) + (K[i] as number) + (w[i] as number)) | 0;
    const t2 = (sum0(a) + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

/**
 * Like compressBlock(), but from the initial state: the digest of a message that fits one block. The caller pads the
 * block.
 */
export function hashSingleBlock(state: Int32Array, block: Int32Array): void {
  state.set(IV);
  compressBlock(state, block);
}

const schedWords = new Int32Array(16);
const sum = new Int32Array(8);

/** Writes the first `n` bytes of the digest of `input[0 … length)` to `out` at offset `at`. `length` is below 2^28. */
export function digestInto(input: Uint8Array, length: number, out: Uint8Array, at: number, n: number): void {
  sum.set(IV);
  const byte = (i: number) => (i < length ? (input[i] as number) : i === length ? 0x80 : 0);
  const blocks = (length + 72) >> 6;
  for (let b = 0; b < blocks; b++) {
    const from = b << 6;
    if (from + 64 <= length) {
      for (let k = 0; k < 16; k++) {
        const i = from + 4 * k;
        schedWords[k] =
          ((input[i] as number) << 24) | ((input[i + 1] as number) << 16) | ((input[i + 2] as number) << 8) | (input[i + 3] as number);
      }
    } else {
      for (let k = 0; k < 16; k++) {
        const i = from + 4 * k;
        schedWords[k] = (byte(i) << 24) | (byte(i + 1) << 16) | (byte(i + 2) << 8) | byte(i + 3);
      }
      // the length in bits is below 2^31
      if (b === blocks - 1) schedWords[15] = length * 8;
    }
    compressBlock(sum, schedWords);
  }
  wordsInto(sum, out, at, n);
}

/** Writes the first `n` bytes of big-endian words. */
export function wordsInto(from: Int32Array, out: Uint8Array, at: number, n: number): void {
  for (let k = 0; k < n; k++) out[at + k] = (from[k >> 2] as number) >>> (24 - 8 * (k & 3));
}
