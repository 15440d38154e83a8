/* Integers modulo L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, in limbs of 32 bits. */

#include "internal.h"
#include "limb.h"

static const fe L = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};

void words_load(uint32_t *r, const uint8_t *bytes, uint32_t n) {
  uint32_t i;
  for (i = 0; i < n; i++, bytes += 4) {
    r[i] = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  }
}

uint32_t scalar_subtract(uint32_t *n) {
  fe t;
  uint32_t carry = 1;
  uint32_t i;
  for (i = 0; i < 8; i++) {
    t[i] = plus(n[i], ~L[i], &carry);
  }
  if (carry) {
    fe_copy(n, t);
  }
  return carry;
}

/* Bit by bit: r stays below L, so 2 r + 1 is below 2 L and 2^254. The top 252 bits are below L from the start. */
void scalar_reduce(uint32_t *r, const uint32_t *n) {
  uint32_t i;
  int32_t bit;
  for (i = 0; i < 8; i++) {
    r[i] = n[i + 8] >> 4 | (i < 7 ? n[i + 9] << 28 : 0);
  }
  for (bit = 259; bit >= 0; bit--) {
    for (i = 7; i > 0; i--) {
      r[i] = r[i] << 1 | r[i - 1] >> 31;
    }
    r[0] = r[0] << 1 | (n[bit >> 5] >> (bit & 31) & 1);
    scalar_subtract(r);
  }
}

/* Signed windows of n, which is below 2^253: n is the sum of digits[i] 2^i, and a digit is 0 or odd. A window that is above
 * half of its range counts negative, and carries 1. */
void scalar_windows(int8_t *digits, const uint32_t *n) {
  uint32_t i;
  uint32_t j;
  uint32_t window;
  uint32_t carry = 0;
  for (i = 0; i < DIGITS; i++) {
    digits[i] = 0;
  }
  i = 0;
  while (i < 254) {
    if ((n[i >> 5] >> (i & 31) & 1) == carry) {
      i++;
      continue;
    }
    window = carry;
    for (j = 0; j < WIDTH && i + j < 256; j++) {
      window += (n[(i + j) >> 5] >> ((i + j) & 31) & 1) << j;
    }
    carry = window >> (WIDTH - 1);
    digits[i] = (int8_t)(window - (carry << WIDTH));
    i += WIDTH;
  }
}
