/* Arithmetic modulo p and n of P-256, see p256.h. */

#include "../internal.h"
#include "../limb.h"
#include "p256.h"
#define WANT_P256_FIELD
#include "p256_tables.h"

/* r = a + b. Returns the carry. */
static uint32_t sum(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t carry = 0;
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = plus(a[i], b[i], &carry);
  }
  return carry;
}

/* r = a - b. Returns whether a is at least b. */
static uint32_t difference(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t carry = 1;
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = plus(a[i], ~b[i], &carry);
  }
  return carry;
}

uint32_t p256_below_p(const uint32_t *a) {
  limbs t;
  return !difference(t, a, P);
}

uint32_t p256_below_n(const uint32_t *a) {
  limbs t;
  return !difference(t, a, N);
}

uint32_t p256_add_n(uint32_t *r) {
  return !sum(r, r, N) && p256_below_p(r);
}

#if defined(FIRMSEAL_UMAAL)

/* 2^256 - p has the limbs 1, 0, 0, 2^32 - 1 (three times), 2^32 - 2, 0. It is below 2^224. A carry out of the top comes back
 * as that number, and once more if that carries too: r is then below 2^224. */
NAKED void p256_add(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r1!, {r3-r6}\n"
      "ldmia r2!, {r7-r10}\n"
      "adds r3, r3, r7\n adcs r4, r4, r8\n adcs r5, r5, r9\n adcs r6, r6, r10\n"
      "ldmia r1, {r7-r10}\n"
      "ldmia r2, {r1, r2, r11, r12}\n"
      "p256_add_rest:\n"
      "adcs r7, r7, r1\n adcs r8, r8, r2\n adcs r9, r9, r11\n adcs r10, r10, r12\n"
      "bcs 2f\n"
      "1: stmia r0, {r3-r10}\n"
      "pop {r4-r11, pc}\n"
      "2: adds r3, r3, #1\n adcs r4, r4, #0\n adcs r5, r5, #0\n adcs r6, r6, #0xffffffff\n"
      "adcs r7, r7, #0xffffffff\n adcs r8, r8, #0xffffffff\n sbcs r9, r9, #1\n adcs r10, r10, #0\n"
      "bcs 2b\n"
      "b 1b\n");
}

/* A borrow takes that number off, and once more if that borrows too: r is then at least 2^256 - 2^224. */
NAKED void p256_sub(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
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
      "2: subs r3, r3, #1\n sbcs r4, r4, #0\n sbcs r5, r5, #0\n sbcs r6, r6, #0xffffffff\n"
      "sbcs r7, r7, #0xffffffff\n sbcs r8, r8, #0xffffffff\n adcs r9, r9, #1\n sbcs r10, r10, #0\n"
      "bcc 2b\n"
      "b 1b\n");
}

/* a, or a + p if a is odd, shifted right by one bit; then + a, as in p256_add(). */
NAKED void p256_add_half(UNUSED uint32_t *r, UNUSED const uint32_t *a) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r1, {r3-r10}\n"
      "lsrs r2, r3, #1\n"
      "bcc 3f\n"
      "adds r3, r3, #0xffffffff\n adcs r4, r4, #0xffffffff\n adcs r5, r5, #0xffffffff\n adcs r6, r6, #0\n"
      "adcs r7, r7, #0\n adcs r8, r8, #0\n adcs r9, r9, #1\n adcs r10, r10, #0xffffffff\n"
      "3: rrxs r10, r10\n rrxs r9, r9\n rrxs r8, r8\n rrxs r7, r7\n rrxs r6, r6\n rrxs r5, r5\n rrxs r4, r4\n rrx r3, r3\n"
      "ldmia r1!, {r2, r11, r12, lr}\n"
      "adds r3, r3, r2\n adcs r4, r4, r11\n adcs r5, r5, r12\n adcs r6, r6, lr\n"
      "ldmia r1, {r1, r2, r11, r12}\n"
      "b p256_add_rest\n");
}

/* Montgomery's reduction of the product w. Three limbs m at a time, p is 2^224 (2^32 - 1) + 2^192 + 2^96 - 1: adding m p makes
 * them 0, adds m at the limbs 3 and 6 above them, and m (2^32 - 1) at 7. The lower half w0 to w7 alone comes to at most p in
 * the place of w8 to w15. With those it is below 2^256 + p, and less p, if there is a carry, below 2^256. */
NAKED void p256_mul(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_product\n"
      "push {r0, r3-r9}\n"
      "p256_reduce:\n"
      "add r1, sp, #32\n"
      "ldmia r1, {r2-r9}\n"
      "mov lr, #0xffffffff\n"
      /* m = r2 to r4; w3 to w7 in r5 to r9, w8 to w10 become r10 to r12 */
      "adds r5, r5, r2\n adcs r6, r6, r3\n adcs r7, r7, r4\n adcs r8, r8, r2\n"
      "adcs r12, r3, #0\n adcs r10, r4, #0\n mov r11, #0\n adc r11, r11, #0\n"
      "umaal r9, r12, r2, lr\n umaal r10, r12, r3, lr\n umaal r11, r12, r4, lr\n"
      /* m = r5 to r7; w11 to w13 become r2 to r4 */
      "adds r8, r8, r5\n adcs r9, r9, r6\n adcs r10, r10, r7\n adcs r11, r11, r5\n"
      "adcs r4, r6, #0\n adcs r2, r7, #0\n mov r3, #0\n adc r3, r3, #0\n"
      "umaal r12, r4, r5, lr\n umaal r2, r4, r6, lr\n umaal r3, r4, r7, lr\n"
      /* m = r8 and r9; w14 and w15 become r5 and r6 */
      "adds r11, r11, r8\n adcs r12, r12, r9\n adcs r2, r2, #0\n adcs r3, r3, r8\n"
      "adcs r6, r9, #0\n mov r5, #0\n adc r5, r5, #0\n"
      "umaal r4, r6, r8, lr\n umaal r5, r6, r9, lr\n"
      "pop {r1, r7, r8, r9}\n"
      "adds r10, r10, r1\n adcs r11, r11, r7\n adcs r12, r12, r8\n adcs r2, r2, r9\n"
      "pop {r1, r7, r8, r9}\n"
      "adcs r3, r3, r1\n adcs r4, r4, r7\n adcs r5, r5, r8\n adcs r6, r6, r9\n"
      "bcs 2f\n"
      "1: ldr r0, [sp, #44]\n"
      "add sp, #48\n"
      "stmia r0!, {r10-r12}\n"
      "stmia r0, {r2-r6}\n"
      "pop {r4-r11, pc}\n"
      "2: adds r10, r10, #1\n adcs r11, r11, #0\n adcs r12, r12, #0\n adcs r2, r2, #0xffffffff\n"
      "adcs r3, r3, #0xffffffff\n adcs r4, r4, #0xffffffff\n sbcs r5, r5, #1\n adc r6, r6, #0\n"
      "b 1b\n");
}

NAKED void p256_square(UNUSED uint32_t *r, UNUSED const uint32_t *a) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_squared\n"
      "push {r0, r3-r9}\n"
      "b p256_reduce\n");
}

/* Limb by limb: t, which is r3 to r10, += m n for the m that makes its lowest limb 0, with r11 above its highest. Then t moves by
 * one limb. The constants: -1 / n modulo 2^32, and the limbs 0 to 4 of n. 5 and 7 are as 4, and 6 is 0, as r3. As in
 * p256_mul(), the lower half comes to at most n. */
NAKED void p256_mul_n(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_product\n"
      "push {r0, r3-r9}\n"
      "p256_reduce_n:\n"
      "add r1, sp, #32\n"
      "ldmia r1, {r3-r10}\n"
      "adr r1, 4f\n"
      "movs r0, #8\n"
      "1: mov r11, #0\n"
      "ldrd r12, lr, [r1]\n"
      "mul r2, r3, r12\n umaal r3, r11, r2, lr\n"
      "ldrd r12, lr, [r1, #8]\n"
      "umaal r4, r11, r2, r12\n umaal r5, r11, r2, lr\n"
      "ldrd r12, lr, [r1, #16]\n"
      "umaal r6, r11, r2, r12\n umaal r7, r11, r2, lr\n umaal r8, r11, r2, lr\n"
      "umaal r9, r11, r2, r3\n umaal r10, r11, r2, lr\n"
      "push {r4-r11}\n"
      "pop {r3-r10}\n"
      "subs r0, r0, #1\n"
      "bne 1b\n"
      "pop {r0, r2, r11, r12}\n"
      "adds r3, r3, r0\n adcs r4, r4, r2\n adcs r5, r5, r11\n adcs r6, r6, r12\n"
      "pop {r0, r2, r11, r12}\n"
      "adcs r7, r7, r0\n adcs r8, r8, r2\n adcs r9, r9, r11\n adcs r10, r10, r12\n"
      "bcs 3f\n"
      "2: ldr r0, [sp, #44]\n"
      "add sp, #48\n"
      "stmia r0, {r3-r10}\n"
      "pop {r4-r11, pc}\n"
      "3: ldmia r1, {r0, r2, r11, r12}\n"
      "subs r3, r3, r2\n sbcs r4, r4, r11\n sbcs r5, r5, r12\n"
      "ldrd r0, r2, [r1, #16]\n"
      "sbcs r6, r6, r0\n sbcs r7, r7, r2\n sbcs r8, r8, r2\n sbcs r9, r9, #0\n sbc r10, r10, r2\n"
      "b 2b\n"
      ".balign 4\n"
      "4: .word 0xee00bc4f, 0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad, 0xffffffff\n");
}

NAKED static void square_n(UNUSED uint32_t *r, UNUSED const uint32_t *a) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_squared\n"
      "push {r0, r3-r9}\n"
      "b p256_reduce_n\n");
}

#else
/* r += 2^256 carry. Less p it may still be above 2^256, but not twice. */
static void fold(uint32_t *r, uint32_t carry) {
  while (carry) {
    carry = difference(r, r, P);
  }
}

void p256_add(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  fold(r, sum(r, a, b));
}

/* As there: a borrow may remain, but not twice. */
void p256_sub(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t carry = difference(r, a, b);
  while (!carry) {
    carry = sum(r, r, P);
  }
}

void p256_add_half(uint32_t *r, const uint32_t *a) {
  limbs t;
  uint32_t carry = 0;
  uint32_t i;
  for (i = 0; i < 8; i++) {
    t[i] = a[i];
  }
  if (a[0] & 1) {
    carry = sum(t, t, P);
  }
  for (i = 0; i < 8; i++) {
    t[i] = t[i] >> 1 | (i < 7 ? t[i + 1] : carry) << 31;
  }
  p256_add(r, a, t);
}

/* Montgomery's reduction: r = t / 2^256 modulo m, for inverse = -1 / m modulo 2^32. Each round makes t[i] 0, and keeps there the
 * carry of its row. (t + 2^256 m) / 2^256 is below 2^256 + m, and less m, if there is a carry, below 2^256. */
static void reduce(uint32_t *r, uint32_t *t, const uint32_t *m, uint32_t inverse) {
  uint32_t i;
  for (i = 0; i < 8; i++) {
    t[i] = row(t + i, m, t[i] * inverse);
  }
  if (sum(r, t, t + 8)) {
    difference(r, r, m);
  }
}

void p256_mul(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t t[16];
  limbs_multiply(t, a, b);
  reduce(r, t, P, 1);
}

void p256_square(uint32_t *r, const uint32_t *a) {
  p256_mul(r, a, a);
}

void p256_mul_n(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t t[16];
  limbs_multiply(t, a, b);
  reduce(r, t, N, N_INVERSE);
}

static void square_n(uint32_t *r, const uint32_t *a) {
  p256_mul_n(r, a, a);
}
#endif

uint32_t p256_is_zero(const uint32_t *a) {
  uint32_t zero = 0;
  uint32_t p = 0;
  uint32_t i;
  for (i = 0; i < 8 && !(zero && p); i++) {
    zero |= a[i];
    p |= a[i] ^ P[i];
  }
  return !(zero && p);
}

/* a^(n - 2) by windows of 4 bits. Without the factors 2^-256 of the products it is 1 / a, with them 2^512 / a; then times 1. */
void p256_invert_n(uint32_t *r, const uint32_t *a) {
  limbs power[16];
  int32_t i;
  uint32_t n;
  for (i = 0; i < 8; i++) {
    power[0][i] = i == 0;
    power[1][i] = a[i];
  }
  for (i = 1; i < 15; i++) {
    p256_mul_n(power[i + 1], power[i], power[1]);
  }
  /* The first window is 15. */
  a = power[15];
  for (i = 4 * 63 - 1; i >= 0; i--) {
    square_n(r, a);
    a = r;
    n = (N[i >> 5] - (i < 32 ? 2 : 0)) >> (i & 31) & 15;
    if (!(i & 3) && n) {
      p256_mul_n(r, r, power[n]);
    }
  }
  p256_mul_n(r, r, power[0]);
}
