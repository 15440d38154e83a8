/* ECDSA verification with P-256 (FIPS 186-5 section 6.4.2), see kernel.h. */

#include "p256.h"

int32_t firmseal_p256_key(const uint8_t *key) {
  struct p256_point q;
  return p256_decode(&q, key) ? FIRMSEAL_VALID : 0;
}

static uint32_t is_nothing(const uint32_t *a) {
  return !(a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7]);
}

int32_t firmseal_p256_verify(const uint8_t *signed_by, const uint8_t *digest) {
  struct p256_point q;
  limbs r;
  limbs s;
  limbs e;
  int8_t g_digits[DIGITS];
  int8_t q_digits[DIGITS];
  static const limbs one = {1, 0, 0, 0, 0, 0, 0, 0};
  p256_load(r, signed_by + 65);
  p256_load(s, signed_by + 97);
  if (is_nothing(r) || is_nothing(s) || !p256_below_n(r) || !p256_below_n(s) || !p256_decode(&q, signed_by)) {
    return 0;
  }
  p256_invert_n(s, s);
  p256_load(e, digest);
  p256_mul_n(e, e, s);
  scalar_windows(g_digits, e, BASE_WIDTH);
  p256_mul_n(e, r, s);
  scalar_windows(q_digits, e, WIDTH);
  p256_combine(&q, g_digits, q_digits);
  if (p256_is_zero(q.z)) {
    return 0;
  }
  /* X / Z^2 is r modulo n, so r or r + n. Here products take away the factor of X. */
  p256_square(q.z, q.z);
  p256_mul(q.x, q.x, one);
  do {
    p256_mul(s, r, q.z);
    p256_sub(s, s, q.x);
    if (p256_is_zero(s)) {
      return FIRMSEAL_VALID;
    }
  } while (p256_add_n(r));
  return 0;
}
