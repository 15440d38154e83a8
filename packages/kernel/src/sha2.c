/* SHA-256 and SHA-512 (FIPS 180-4) in pieces. A state has 8 words of H, the bytes of a block that is not complete, and the length
 * in bytes as 2 words of 32 bits, least significant first. H of SHA-512 has words of 64 bits (`wide`): two of 32 bits, upper half
 * first. */

#include "internal.h"
#include "limb.h"
#define WANT_SHA2
#include "tables.h"

/* Bytes have any alignment. */
INLINE uint32_t load(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t rotate(uint32_t x, uint32_t n) {
  return x >> n | x << (32 - n);
}

/* Eight rounds leave each word where it was. The constants are the upper halves of those of SHA-512. `ab` is a ^ b, which is
 * b ^ c of the next round. */
#define ROUND(a, b, c, d, e, f, g, h, i) \
  h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + w[i] + (uint32_t)(k[i] >> 32); \
  d += h; \
  bc &= ab = a ^ b; \
  h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (b ^ bc); \
  bc = ab

static void block256(uint32_t *state, const uint8_t *bytes) {
  uint32_t words[64];
  uint32_t a, b, c, d, e, f, g, h, ab, bc;
  uint32_t *w = words;
  const uint64_t *k = ROUNDS;
  do {
    *w++ = load(bytes);
    bytes += 4;
  } while (w < words + 16);
  w = words;
  b = *w;
  do {
    a = b;
    b = w[1];
    a += w[9] + (rotate(b, 7) ^ rotate(b, 18) ^ b >> 3);
    c = w[14];
    w[16] = a + (rotate(c, 17) ^ rotate(c, 19) ^ c >> 10);
  } while (++w < words + 48);
  a = state[0];
  b = state[1];
  c = state[2];
  d = state[3];
  e = state[4];
  f = state[5];
  g = state[6];
  h = state[7];
  bc = b ^ c;
  w = words;
  do {
    ROUND(a, b, c, d, e, f, g, h, 0);
    ROUND(h, a, b, c, d, e, f, g, 1);
    ROUND(g, h, a, b, c, d, e, f, 2);
    ROUND(f, g, h, a, b, c, d, e, 3);
    ROUND(e, f, g, h, a, b, c, d, 4);
    ROUND(d, e, f, g, h, a, b, c, 5);
    ROUND(c, d, e, f, g, h, a, b, 6);
    ROUND(b, c, d, e, f, g, h, a, 7);
    w += 8;
    k += 8;
  } while (w < words + 64);
  FORGET;
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

static uint64_t rotate64(uint64_t x, uint32_t n) {
  return x >> n | x << (64 - n);
}

/* The words of the schedule are in reverse order, below a to h. Each round puts the new a in the place of the word that it has
 * used: then a to h are one place lower. */
static void block512(uint32_t *state, const uint8_t *bytes) {
  uint64_t words[88];
  uint64_t *w;
  const uint64_t *k = ROUNDS;
  uint64_t t;
  uint32_t i;
  for (i = 0; i < 8; i++) {
    words[80 + i] = (uint64_t)state[2 * i] << 32 | state[2 * i + 1];
  }
  for (w = words + 80; w > words + 64; bytes += 8) {
    *--w = (uint64_t)load(bytes) << 32 | load(bytes + 4);
  }
  while (w > words) {
    w--;
    t = w[16] + (rotate64(w[15], 1) ^ rotate64(w[15], 8) ^ w[15] >> 7);
    *w = t + w[7] + (rotate64(w[2], 19) ^ rotate64(w[2], 61) ^ w[2] >> 6);
  }
  for (w = words + 80; w > words; w--) {
    t = w[7] + w[-1] + *k++ + (w[6] ^ (w[4] & (w[5] ^ w[6])));
    t += rotate64(w[4], 14) ^ rotate64(w[4], 18) ^ rotate64(w[4], 41);
    w[3] += t;
    t += (w[0] & w[1]) | (w[2] & (w[0] | w[1]));
    w[-1] = t + (rotate64(w[0], 28) ^ rotate64(w[0], 34) ^ rotate64(w[0], 39));
  }
  for (i = 0; i < 8; i++) {
    t = words[i] + ((uint64_t)state[2 * i] << 32 | state[2 * i + 1]);
    state[2 * i] = (uint32_t)(t >> 32);
    state[2 * i + 1] = (uint32_t)t;
  }
}

static void block(uint32_t *state, const uint8_t *bytes, uint32_t wide) {
  if (wide) {
    block512(state, bytes);
  } else {
    block256(state, bytes);
  }
}

static void hash_begin(uint32_t *state, const uint32_t *h, uint32_t wide) {
  uint32_t i;
  for (i = 0; i < 8u << wide; i++) {
    state[i] = h[i];
  }
  state[24u << wide] = 0;
  state[(24u << wide) + 1] = 0;
}

/* Blocks that are complete are hashed where they are. */
static void hash_update(uint32_t *state, const uint8_t *data, uint32_t length, uint32_t wide) {
  uint32_t size = 64u << wide;
  uint8_t *bytes = (uint8_t *)(state + (8u << wide));
  uint32_t *total = state + (24u << wide);
  uint32_t at = total[0] & (size - 1);
  total[0] += length;
  total[1] += total[0] < length;
  while (length) {
    if (!at && length >= size) {
      block(state, data, wide);
      data += size;
      length -= size;
      continue;
    }
    bytes[at++] = *data++;
    length--;
    if (at == size) {
      block(state, bytes, wide);
      at = 0;
    }
  }
}

/* A bit, zeros, and the length in bits, in 8 or 16 bytes at the end of a block. */
static void hash_finish(uint32_t *state, uint8_t *out, uint32_t wide) {
  uint32_t size = 64u << wide;
  uint8_t *bytes = (uint8_t *)(state + (8u << wide));
  uint32_t *total = state + (24u << wide);
  uint32_t at = total[0] & (size - 1);
  uint32_t low = total[0] << 3;
  uint32_t high = total[1] << 3 | total[0] >> 29;
  bytes[at] = 0x80;
  while (++at != size - (8u << wide)) {
    if (at == size) {
      block(state, bytes, wide);
      at = 0;
    }
    bytes[at] = 0;
  }
  while (at < size) {
    bytes[at++] = 0;
  }
  while (low | high) {
    bytes[--at] = (uint8_t)low;
    low = low >> 8 | high << 24;
    high >>= 8;
  }
  block(state, bytes, wide);
  for (at = 0; at < 32u << wide; at++) {
    out[at] = (uint8_t)(state[at >> 2] >> (24 - 8 * (at & 3)));
  }
}

void firmseal_sha256_begin(uint32_t *state) {
  hash_begin(state, H256, 0);
}

void firmseal_sha256_update(uint32_t *state, const uint8_t *data, uint32_t length) {
  hash_update(state, data, length, 0);
}

void firmseal_sha256_finish(uint32_t *state, uint8_t *out) {
  hash_finish(state, out, 0);
}

void firmseal_sha512_begin(uint32_t *state) {
  hash_begin(state, H512, 1);
}

void firmseal_sha512_update(uint32_t *state, const uint8_t *data, uint32_t length) {
  hash_update(state, data, length, 1);
}

void firmseal_sha512_finish(uint32_t *state, uint8_t *out) {
  hash_finish(state, out, 1);
}
