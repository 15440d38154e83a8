/* SHA-256 and SHA-512 (FIPS 180-4) in pieces. A state has 8 words of H, a block of 16 words, and the length in bytes as 2 words
 * of 32 bits, least significant first. Words of 64 bits (`wide`) are two of 32 bits, upper half first: bytes go into the block of
 * both hashes in the same way. */

#include "internal.h"
#define WANT_SHA2
#include "tables.h"

static uint32_t rotate(uint32_t x, uint32_t n) {
  return x >> n | x << (32 - n);
}

static void block256(uint32_t *state) {
  uint32_t *w = state + 8;
  uint32_t s[8];
  uint32_t i;
  uint32_t t;
  uint32_t u;
  for (i = 0; i < 8; i++) {
    s[i] = state[i];
  }
  for (i = 0; i < 64; i++) {
    if (i > 15) {
      t = w[(i + 14) & 15];
      u = w[(i + 1) & 15];
      w[i & 15] += (rotate(t, 17) ^ rotate(t, 19) ^ t >> 10) + w[(i + 9) & 15] + (rotate(u, 7) ^ rotate(u, 18) ^ u >> 3);
    }
    /* The constants are the upper halves of those of SHA-512. */
    t = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + (s[6] ^ (s[4] & (s[5] ^ s[6]))) + w[i & 15] +
        (uint32_t)(ROUNDS[i] >> 32);
    u = t + (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
    s[7] = s[6];
    s[6] = s[5];
    s[5] = s[4];
    s[4] = s[3] + t;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = u;
  }
  for (i = 0; i < 8; i++) {
    state[i] += s[i];
  }
}

static uint64_t rotate64(uint64_t x, uint32_t n) {
  return x >> n | x << (64 - n);
}

static uint64_t get(const uint32_t *w, uint32_t i) {
  return (uint64_t)w[2 * i] << 32 | w[2 * i + 1];
}

static void set(uint32_t *w, uint32_t i, uint64_t x) {
  w[2 * i] = (uint32_t)(x >> 32);
  w[2 * i + 1] = (uint32_t)x;
}

static void block512(uint32_t *state) {
  uint32_t *w = state + 16;
  uint64_t s[8];
  uint32_t i;
  uint64_t t;
  uint64_t u;
  for (i = 0; i < 8; i++) {
    s[i] = get(state, i);
  }
  for (i = 0; i < 80; i++) {
    if (i > 15) {
      t = get(w, (i + 14) & 15);
      u = get(w, (i + 1) & 15);
      t = rotate64(t, 19) ^ rotate64(t, 61) ^ t >> 6;
      u = rotate64(u, 1) ^ rotate64(u, 8) ^ u >> 7;
      set(w, i & 15, get(w, i & 15) + t + get(w, (i + 9) & 15) + u);
    }
    t = s[7] + (rotate64(s[4], 14) ^ rotate64(s[4], 18) ^ rotate64(s[4], 41)) + (s[6] ^ (s[4] & (s[5] ^ s[6]))) +
        get(w, i & 15) + ROUNDS[i];
    u = t + (rotate64(s[0], 28) ^ rotate64(s[0], 34) ^ rotate64(s[0], 39)) + ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
    s[7] = s[6];
    s[6] = s[5];
    s[5] = s[4];
    s[4] = s[3] + t;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = u;
  }
  for (i = 0; i < 8; i++) {
    set(state, i, get(state, i) + s[i]);
  }
}

/* H, and everything else 0. */
static void begin(uint32_t *state, const uint32_t *h, uint32_t wide) {
  uint32_t i;
  for (i = 0; i < (24u << wide) + 2; i++) {
    state[i] = i < (8u << wide) ? h[i] : 0;
  }
}

/* The next byte of the block: the first of a word is its highest. */
static void put(uint32_t *state, uint32_t byte, uint32_t wide) {
  uint32_t *length = state + (24u << wide);
  uint32_t last = (64u << wide) - 1;
  uint32_t n = length[0]++ & last;
  uint32_t *w = state + (8u << wide) + (n >> 2);
  length[1] += !length[0];
  *w = *w << 8 | byte;
  if (n == last) {
    if (wide) {
      block512(state);
    } else {
      block256(state);
    }
  }
}

static void update(uint32_t *state, const uint8_t *data, uint32_t length, uint32_t wide) {
  while (length--) {
    put(state, *data++, wide);
  }
}

static void hash_finish(uint32_t *state, uint8_t *out, uint32_t wide) {
  uint32_t *length = state + (24u << wide);
  uint32_t low = length[0] << 3;
  uint32_t high = length[1] << 3 | length[0] >> 29;
  uint32_t n = 8u << wide;
  uint32_t i;
  put(state, 0x80, wide);
  while ((length[0] & ((64u << wide) - 1)) != (64u << wide) - n) {
    put(state, 0, wide);
  }
  while (n--) {
    put(state, (n < 4 ? low >> 8 * n : n < 8 ? high >> 8 * (n - 4) : 0) & 255, wide);
  }
  for (i = 0; i < 32u << wide; i++) {
    out[i] = (uint8_t)(state[i >> 2] >> (24 - 8 * (i & 3)));
  }
}

void firmseal_sha256_begin(uint32_t *state) {
  begin(state, H256, 0);
}

void firmseal_sha256_update(uint32_t *state, const uint8_t *data, uint32_t length) {
  update(state, data, length, 0);
}

void firmseal_sha256_finish(uint32_t *state, uint8_t *out) {
  hash_finish(state, out, 0);
}

void firmseal_sha512_begin(uint32_t *state) {
  begin(state, H512, 1);
}

void firmseal_sha512_update(uint32_t *state, const uint8_t *data, uint32_t length) {
  update(state, data, length, 1);
}

void firmseal_sha512_finish(uint32_t *state, uint8_t *out) {
  hash_finish(state, out, 1);
}
