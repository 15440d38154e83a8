/* The field of edwards25519: integers modulo p = 2^255 - 19, see internal.h. */

#include "internal.h"
#include "limb.h"

void fe_copy(uint32_t *r, const uint32_t *a) {
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = a[i];
  }
}

void fe_set(uint32_t *r, uint32_t n) {
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = 0;
  }
  r[0] = n;
}

/* r += 38 n, because 2^256 = 38 modulo p, for n of at most 38. After a carry out of the top, r is below 38 * 38: the second
 * pass has none. */
static void fold(uint32_t *r, uint32_t n) {
  uint32_t i;
  while (n) {
    n *= 38;
    for (i = 0; i < 8 && n; i++) {
      r[i] += n;
      n = r[i] < n;
    }
  }
}

void fe_add(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t carry = 0;
  uint32_t i;
  UNROLL
  for (i = 0; i < 8; i++) {
    r[i] = plus(a[i], b[i], &carry);
  }
  fold(r, carry);
}

/* a + (2^256 - 1 - b) + 1: without a carry it is 2^256 too high, which is 38. After a second borrow, r is above 2^256 - 39:
 * there is no third. */
void fe_sub(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t carry = 1;
  uint32_t i;
  uint32_t t;
  UNROLL
  for (i = 0; i < 8; i++) {
    r[i] = plus(a[i], ~b[i], &carry);
  }
  carry ^= 1;
  while (carry) {
    carry = 38;
    for (i = 0; i < 8 && carry; i++) {
      t = r[i];
      r[i] = t - carry;
      carry = t < carry;
    }
  }
}

#if defined(FIRMSEAL_UMAAL)
/* Limb i + j of the product is r[(i + j) % 8] until row i is done with it, then low[i]: unrolled, r stays in registers. */
void fe_mul(uint32_t *out, const uint32_t *a, const uint32_t *b) {
  fe low;
  fe r;
  uint32_t carry;
  uint32_t i;
  uint32_t j;
  UNROLL
  for (i = 0; i < 8; i++) {
    r[i] = 0;
  }
  UNROLL
  for (i = 0; i < 8; i++) {
    carry = 0;
    UNROLL
    for (j = 0; j < 8; j++) {
      step(&r[(i + j) % 8], &carry, a[i], b[j]);
    }
    low[i] = r[i];
    r[i] = carry;
  }
  carry = 0;
  UNROLL
  for (i = 0; i < 8; i++) {
    step(&low[i], &carry, r[i], 38);
    out[i] = low[i];
  }
  fold(out, carry);
}
#else
void fe_mul(uint32_t *out, const uint32_t *a, const uint32_t *b) {
  uint32_t product[16];
  uint32_t i;
  for (i = 0; i < 8; i++) {
    product[i] = 0;
  }
  for (i = 0; i < 8; i++) {
    product[i + 8] = row(product + i, b, a[i]);
  }
  i = row(product, product + 8, 38);
  fe_copy(out, product);
  fold(out, i);
}
#endif

void fe_square(uint32_t *r, const uint32_t *a, uint32_t times) {
  fe_mul(r, a, a);
  while (--times) {
    fe_mul(r, r, r);
  }
}

/* 250 is 11111010 in binary: from a^(2^n - 1), n = 1, to n = 250 by doubling n and adding 1. */
void fe_power(uint32_t *r, const uint32_t *a) {
  fe z;
  fe t;
  uint32_t n = 1;
  uint32_t bits = 0xf4000000; /* those below the leading 1 */
  fe_copy(z, a);
  fe_copy(r, a);
  while (n < 250) {
    fe_square(t, r, n);
    fe_mul(r, t, r);
    n += n;
    if (bits >> 31) {
      fe_square(r, r, 1);
      fe_mul(r, r, z);
      n++;
    }
    bits <<= 1;
  }
  fe_square(r, r, 2);
  fe_mul(r, r, z);
}

/* 8 (2^252 - 3) + 3 = 2^255 - 21 */
void fe_invert(uint32_t *r, const uint32_t *a) {
  fe t;
  fe_power(t, a);
  fe_square(t, t, 3);
  fe_mul(t, t, a);
  fe_mul(t, t, a);
  fe_mul(r, t, a);
}

/* The number below p. With the top bit counted as 19, r is below 2^255 + 19, and the second time below 2^255. Then r is at
 * least p exactly if r + 19 has the top bit. */
void fe_canonical(uint32_t *r) {
  uint32_t round;
  uint32_t carry;
  uint32_t i;
  fe t;
  for (round = 0; round < 2; round++) {
    carry = 19 * (r[7] >> 31);
    r[7] &= 0x7fffffff;
    for (i = 0; i < 8; i++) {
      r[i] += carry;
      carry = r[i] < carry;
    }
  }
  carry = 19;
  for (i = 0; i < 8; i++) {
    t[i] = r[i] + carry;
    carry = t[i] < carry;
  }
  if (t[7] >> 31) {
    t[7] &= 0x7fffffff;
    fe_copy(r, t);
  }
}

uint32_t fe_is_zero(const uint32_t *a) {
  uint32_t bits = 0;
  uint32_t i;
  fe t;
  fe_copy(t, a);
  fe_canonical(t);
  for (i = 0; i < 8; i++) {
    bits |= t[i];
  }
  return bits == 0;
}
