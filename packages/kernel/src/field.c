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

#if defined(FIRMSEAL_UMAAL)
/* 2^256 = 38 modulo p. A carry out of the top comes back as 38, and once more if that carries too: r is then below 38. */
NAKED void fe_add(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r1!, {r3-r6}\n"
      "ldmia r2!, {r7-r10}\n"
      "adds r3, r3, r7\n adcs r4, r4, r8\n adcs r5, r5, r9\n adcs r6, r6, r10\n"
      "ldmia r1, {r7-r10}\n"
      "ldmia r2, {r1, r2, r11, r12}\n"
      "adcs r7, r7, r1\n adcs r8, r8, r2\n adcs r9, r9, r11\n adcs r10, r10, r12\n"
      "bcs 2f\n"
      "1: stmia r0, {r3-r10}\n"
      "pop {r4-r11, pc}\n"
      "2: adds r3, r3, #38\n bcc 1b\n"
      "adcs r4, r4, #0\n adcs r5, r5, #0\n adcs r6, r6, #0\n adcs r7, r7, #0\n"
      "adcs r8, r8, #0\n adcs r9, r9, #0\n adcs r10, r10, #0\n"
      "bcs 2b\n"
      "b 1b\n");
}

/* A borrow comes back as 38, and once more if that borrows too: r is then at least 2^256 - 38. */
NAKED void fe_sub(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r1!, {r3-r6}\n"
      "ldmia r2!, {r7-r10}\n"
      "subs r3, r3, r7\n sbcs r4, r4, r8\n sbcs r5, r5, r9\n sbcs r6, r6, r10\n"
      "ldmia r1, {r7-r10}\n"
      "ldmia r2, {r1, r2, r11, r12}\n"
      "sbcs r7, r7, r1\n sbcs r8, r8, r2\n sbcs r9, r9, r11\n sbcs r10, r10, r12\n"
      "bcc 2f\n"
      "1: stmia r0, {r3-r10}\n"
      "pop {r4-r11, pc}\n"
      "2: subs r3, r3, #38\n bcs 1b\n"
      "sbcs r4, r4, #0\n sbcs r5, r5, #0\n sbcs r6, r6, #0\n sbcs r7, r7, #0\n"
      "sbcs r8, r8, #0\n sbcs r9, r9, #0\n sbcs r10, r10, #0\n"
      "bcc 2b\n"
      "b 1b\n");
}

/* The result is w0 + 38 w8, w1 + 38 w9, .. w7 + 38 w15. The top word comes first: what it has above bit 31 (2^255, which is
 * 19) is at most 39 (2^32 - 1) / 2^31, so below 78, and goes into the lowest word. Then the carry into the top word is
 * below 40, and that word has 31 bits: nothing is left over, and the result is below 2^255 + 2^230. */
NAKED void fe_mul(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_product\n"
      "fe_reduce:\n"
      "ldr lr, [sp, #28]\n"
      "mov r11, #38\n"
      "mov r12, #0\n"
      "umaal lr, r12, r9, r11\n"
      "adds lr, lr, lr\n"
      "adc r12, r12, r12\n"
      "mul r12, r12, r11\n"
      "lsr r12, r12, #1\n"
      "lsr lr, lr, #1\n"
      "pop {r1, r2, r9, r10}\n"
      "umaal r1, r12, r0, r11\n umaal r2, r12, r3, r11\n umaal r9, r12, r4, r11\n umaal r10, r12, r5, r11\n"
      "pop {r3-r5}\n"
      "umaal r3, r12, r6, r11\n umaal r4, r12, r7, r11\n umaal r5, r12, r8, r11\n"
      "add lr, lr, r12\n"
      "add sp, #16\n"
      "pop {r0}\n"
      "stmia r0!, {r1, r2, r9, r10}\n"
      "stmia r0, {r3-r5, lr}\n"
      "pop {r4-r11, pc}\n");
}

NAKED static void square(UNUSED uint32_t *r, UNUSED const uint32_t *a) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_squared\n"
      "b fe_reduce\n");
}
#else
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

void fe_mul(uint32_t *out, const uint32_t *a, const uint32_t *b) {
  uint32_t product[16];
  uint32_t carry;
  limbs_multiply(product, a, b);
  carry = row(product, product + 8, 38);
  fe_copy(out, product);
  fold(out, carry);
}

static void square(uint32_t *r, const uint32_t *a) {
  fe_mul(r, a, a);
}
#endif

void fe_square(uint32_t *r, const uint32_t *a, uint32_t times) {
  square(r, a);
  while (--times) {
    square(r, r);
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
