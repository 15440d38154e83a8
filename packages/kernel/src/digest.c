/* Hashes of one piece, in one call: an interpreter takes longer for a call than the hash takes for a block. */

#include "kernel.h"

void firmseal_sha256(const uint8_t *data, uint32_t length, uint8_t *out) {
  uint32_t state[FIRMSEAL_SHA256_WORDS];
  firmseal_sha256_begin(state);
  firmseal_sha256_update(state, data, length);
  firmseal_sha256_finish(state, out);
}

void firmseal_sha512(const uint8_t *data, uint32_t length, uint8_t *out) {
  uint32_t state[FIRMSEAL_SHA512_WORDS];
  firmseal_sha512_begin(state);
  firmseal_sha512_update(state, data, length);
  firmseal_sha512_finish(state, out);
}
