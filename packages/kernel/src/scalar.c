/* Integers modulo L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, in limbs of 32 bits. */

#include "internal.h"
#include "limb.h"

static const fe L = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};
/* 2^256 - L */
static const fe MINUS_L = {0xa30a2c13, 0xa7ed9ce5, 0x5d086329, 0xeb210621, 0xffffffff, 0xffffffff, 0xffffffff, 0xefffffff};

void words_load(uint32_t *r, const uint8_t *bytes, uint32_t n) {
  uint32_t i;
  for (i = 0; i < n; i++, bytes += 4) {
    r[i] = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  }
}

uint32_t scalar_is_reduced(const uint32_t *n) {
  fe t;
  fe_copy(t, n);
  return !row(t, MINUS_L, 1);
}

/* Long division by L, with quotients q of 32 bits. Before each, n has 9 words at i, and is below 2^32 L. L = 2^252 + c with c
 * below 2^125, so q = n / 2^252 is at most 1 too high: q c is below L. If n is 2^284 or more, q does not fit. Then 2^32 - 1 is
 * the quotient: n is below (2^32 - 1) L + L, and at least 2^284, which is above (2^32 - 1) L. What is added to the top word is
 * 2^32 (a carry) for each q L that is taken off as q (2^256 - L) - q 2^256. */
void scalar_reduce(uint32_t *n) {
  int32_t i;
  uint32_t q;
  uint32_t *top;
  n[16] = 0;
  for (i = 8; i >= 0; i--) {
    top = n + i + 8;
    q = *top >> 28 ? 0xffffffff : *top << 4 | top[-1] >> 28;
    *top += row(n + i, MINUS_L, q) - q;
    if (*top) {
      *top += row(n + i, L, 1);
    }
  }
}

/* Signed windows of n: n is the sum of digits[i] 2^i, and a digit is 0 or odd. A window that is above half of its range counts
 * negative, and carries 1. */
void scalar_windows(int8_t *digits, const uint32_t *n, uint32_t width) {
  uint32_t i;
  uint32_t j;
  uint32_t window;
  uint32_t carry = 0;
  for (i = 0; i < DIGITS; i++) {
    digits[i] = 0;
  }
  i = 0;
  while (i < 256) {
    if ((n[i >> 5] >> (i & 31) & 1) == carry) {
      i++;
      continue;
    }
    window = carry;
    for (j = 0; j < width && i + j < 256; j++) {
      window += (n[(i + j) >> 5] >> ((i + j) & 31) & 1) << j;
    }
    carry = window >> (width - 1);
    digits[i] = (int8_t)(window - (carry << width));
    i += width;
  }
  /* The window that carries is complete, and ends here. */
  if (carry) {
    digits[256] = 1;
  }
}
