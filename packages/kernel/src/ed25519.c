/* Ed25519 verification (RFC 8032 section 5.1.7), see kernel.h. */

#include "internal.h"
#include "limb.h"

/* The windows of SHA-512(R, A, message) modulo L. */
OUTLINE static void challenge(int8_t *k, const uint8_t *signed_by, const uint8_t *message, uint32_t length) {
  uint32_t state[FIRMSEAL_SHA512_WORDS];
  uint32_t words[17];
  uint8_t digest[64];
  firmseal_sha512_begin(state);
  firmseal_sha512_update(state, signed_by + 32, 32);
  firmseal_sha512_update(state, signed_by, 32);
  firmseal_sha512_update(state, message, length);
  firmseal_sha512_finish(state, digest);
  words_load(words, digest, 16);
  scalar_reduce(words);
  scalar_windows(k, words, WIDTH);
}

static uint32_t decode(uint32_t *x, uint32_t *y, const uint8_t *key) {
  return point_decode(x, y, key) && !point_is_small(x, y);
}

int32_t firmseal_ed25519_key(const uint8_t *key) {
  fe x;
  fe y;
  return decode(x, y, key) ? FIRMSEAL_VALID : 0;
}

/* The equation [S] B - [k] A = R is checked on the encodings: a point encodes to R only if R is canonical and on the curve. */
int32_t firmseal_ed25519_verify(const uint8_t *signed_by, const uint8_t *message, uint32_t length) {
  fe x;
  fe y;
  fe n;
  int8_t s[DIGITS];
  int8_t k[DIGITS];
  uint32_t difference = 0;
  uint32_t i;
  words_load(n, signed_by + 64, 8);
  if (!scalar_is_reduced(n) || !decode(x, y, signed_by)) {
    return 0;
  }
  scalar_windows(s, n, BASE_WIDTH);
  challenge(k, signed_by, message, length);
  point_combine(x, y, s, k);
  if (point_is_small(x, y)) {
    return 0;
  }
  y[7] |= x[0] << 31;
  words_load(n, signed_by + 32, 8);
  for (i = 0; i < 8; i++) {
    difference |= n[i] ^ y[i];
  }
  return difference ? 0 : FIRMSEAL_VALID;
}
