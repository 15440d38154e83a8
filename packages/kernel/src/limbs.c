/* Products and squares of numbers of 8 limbs of 32 bits, least significant first: 16 limbs, see internal.h. */

#include "internal.h"
#include "limb.h"

#if defined(FIRMSEAL_THUMB1)
/* A step with a in halves, where a product has only its lower 32 bits: al bl + (ah bl + al bh) 2^16 + ah bh 2^32. */
#define STEP \
  "ldmia %[b]!, {%[w]}\n" \
  "uxth %[x], %[w]\n lsrs %[w], %[w], #16\n" \
  "movs %[y], %[x]\n muls %[y], %[al], %[y]\n muls %[x], %[ah], %[x]\n" \
  "movs %[z], %[w]\n muls %[z], %[al], %[z]\n muls %[w], %[ah], %[w]\n" \
  "adds %[y], %[y], %[hi]\n movs %[hi], #0\n adcs %[w], %[hi]\n" \
  "lsls %[hi], %[x], #16\n lsrs %[x], %[x], #16\n adds %[y], %[y], %[hi]\n adcs %[w], %[x]\n" \
  "lsls %[hi], %[z], #16\n lsrs %[z], %[z], #16\n adds %[y], %[y], %[hi]\n adcs %[w], %[z]\n" \
  "mov %[z], %[r]\n ldr %[hi], [%[z]]\n adds %[y], %[y], %[hi]\n movs %[hi], #0\n adcs %[hi], %[w]\n" \
  "stmia %[z]!, {%[y]}\n mov %[r], %[z]\n"
#endif

uint32_t row(uint32_t *r, const uint32_t *b, uint32_t a) {
  uint32_t hi = 0;
#if defined(FIRMSEAL_THUMB1)
  uint32_t w, x, y, z;
  __asm__ __volatile__(".syntax unified\n" STEP STEP STEP STEP STEP STEP STEP STEP
          : [r] "+h"(r), [b] "+l"(b), [hi] "+&l"(hi), [w] "=&l"(w), [x] "=&l"(x), [y] "=&l"(y), [z] "=&l"(z)
          : [al] "l"(a & 0xffff), [ah] "l"(a >> 16)
          : "cc", "memory");
#else
  uint32_t j;
  for (j = 0; j < 8; j++) {
    step(&r[j], &hi, a, b[j]);
  }
#endif
  return hi;
}

#if defined(FIRMSEAL_UMAAL)
/* UMAAL adds two words to a product, and both have the weight of its lower word: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1, so
 * nothing here can overflow. Limb k of the result is wk.
 *
 * limbs_product() and limbs_squared() are for assembly, with a in r1 and b in r2. They return w8 to w15 in r0 and r3 to r9, and
 * 11 words more on the stack: w0 to w7, and 3 to discard. They change every register. */

/* Four products of x with y0 to y3, added to l0 to l3. The carry comes in and goes out in c. */
#define ROW(c, x, l0, l1, l2, l3, y0, y1, y2, y3) \
  "umaal " #l0 ", " #c ", " #x ", " #y0 "\n umaal " #l1 ", " #c ", " #x ", " #y1 "\n" \
  "umaal " #l2 ", " #c ", " #x ", " #y2 "\n umaal " #l3 ", " #c ", " #x ", " #y3 "\n"
#define ADD(lo, hi, x, y) "umaal " #lo ", " #hi ", " #x ", " #y "\n"
#define FIRST(lo, hi, x, y) "umull " #lo ", " #hi ", " #x ", " #y "\n"

/* Blocks of 4 by 4 limbs. A row frees the register of its own limb, which then takes the carry of the next one. */
NAKED void limbs_product(void) {
  __asm__(
      "ldmia r1!, {r7-r10}\n"
      "push {r1, r2, lr}\n"
      "ldmia r2!, {r3-r6}\n"
      "sub sp, #32\n"
      /* a0 to a3 by b0 to b3 in columns: the first product of a column needs no words to add. */
      FIRST(r0, r1, r7, r3) "str r0, [sp]\n"
      FIRST(r0, r11, r7, r4) ADD(r0, r1, r8, r3) "str r0, [sp, #4]\n"
      FIRST(r0, r12, r7, r5) ADD(r0, r11, r8, r4) ADD(r0, r1, r9, r3) "str r0, [sp, #8]\n"
      FIRST(r0, lr, r7, r6) ADD(r0, r12, r8, r5) ADD(r0, r11, r9, r4) ADD(r0, r1, r10, r3) "str r0, [sp, #12]\n"
      ADD(r1, r11, r8, r6) ADD(r1, r12, r9, r5) ADD(r1, lr, r10, r4)
      ADD(r11, r12, r9, r6) ADD(r11, lr, r10, r5)
      ADD(r12, lr, r10, r6)
      /* a0 to a3 by b4 to b7, added to w4 to w7 in r1, r11, r12, lr. w8 to w11 wait on the stack. */
      "ldmia r2, {r3-r6}\n"
      "movs r0, #0\n" ROW(r0, r7, r1, r11, r12, lr, r3, r4, r5, r6)
      "movs r7, #0\n" ROW(r7, r8, r11, r12, lr, r0, r3, r4, r5, r6)
      "mov r8, #0\n" ROW(r8, r9, r12, lr, r0, r7, r3, r4, r5, r6)
      "mov r9, #0\n" ROW(r9, r10, lr, r0, r7, r8, r3, r4, r5, r6)
      "push {r0, r7, r8, r9}\n"
      /* b0 to b3 by a4 to a7, added to w4 to w7, which are then complete. */
      "ldrd r0, r2, [sp, #48]\n"
      "ldmia r0, {r7-r10}\n"
      "ldmia r2!, {r3-r6}\n"
      "movs r0, #0\n" ROW(r0, r3, r1, r11, r12, lr, r7, r8, r9, r10)
      "movs r3, #0\n" ROW(r3, r4, r11, r12, lr, r0, r7, r8, r9, r10)
      "movs r4, #0\n" ROW(r4, r5, r12, lr, r0, r3, r7, r8, r9, r10)
      "movs r5, #0\n" ROW(r5, r6, lr, r0, r3, r4, r7, r8, r9, r10)
      "strd r1, r11, [sp, #32]\n"
      "strd r12, lr, [sp, #40]\n"
      /* a4 to a7 by b4 to b7: the words that wait come in as carries. */
      "ldmia r2, {r1, r11, r12, lr}\n"
      "pop {r6}\n" ROW(r6, r7, r0, r3, r4, r5, r1, r11, r12, lr)
      "pop {r7}\n" ROW(r7, r8, r3, r4, r5, r6, r1, r11, r12, lr)
      "ldr r8, [sp], #4\n" ROW(r8, r9, r4, r5, r6, r7, r1, r11, r12, lr)
      "ldr r9, [sp], #4\n" ROW(r9, r10, r5, r6, r7, r8, r1, r11, r12, lr)
      "ldr pc, [sp, #40]\n");
}

/* The sum S of the products of different limbs, in columns, and then 2 S plus the squares of the limbs. */
NAKED void limbs_squared(void) {
  __asm__(
      "push {r1, r2, lr}\n"
      "sub sp, #32\n"
      "ldmia r1, {r0, r1, r5-r10}\n"
      /* S1 to S7. Up to 4 upper words wait for the next column: then all 14 registers are in use. */
      FIRST(r12, r2, r0, r1) "str r12, [sp, #4]\n"
      "mov lr, #0\n" ADD(r2, lr, r0, r5)
      FIRST(r12, r3, r0, r6) ADD(r12, lr, r1, r5) "strd r2, r12, [sp, #8]\n"
      ADD(lr, r3, r0, r7) "mov r12, #0\n" ADD(lr, r12, r1, r6)
      FIRST(r2, r4, r0, r8) ADD(r2, r3, r1, r7) ADD(r2, r12, r5, r6) "strd lr, r2, [sp, #16]\n"
      ADD(r12, r3, r0, r9) ADD(r12, r4, r1, r8) "movs r2, #0\n" ADD(r12, r2, r5, r7)
      FIRST(lr, r11, r0, r10) ADD(lr, r3, r1, r9) ADD(lr, r4, r5, r8) ADD(lr, r2, r6, r7) "strd r12, lr, [sp, #24]\n"
      /* S8 to S14 become r2, r3, r4, r11, r12, r1, r0. */
      ADD(r2, r3, r1, r10) ADD(r2, r4, r5, r9) ADD(r2, r11, r6, r8)
      ADD(r3, r4, r5, r10) ADD(r3, r11, r6, r9) "mov r12, #0\n" ADD(r3, r12, r7, r8)
      ADD(r4, r11, r6, r10) ADD(r4, r12, r7, r9)
      ADD(r11, r12, r7, r10) "movs r1, #0\n" ADD(r11, r1, r8, r9)
      ADD(r12, r1, r8, r10)
      "movs r0, #0\n" ADD(r1, r0, r9, r10)
      /* wk is twice Sk, a word of a square, and the carry in r11. */
      "push {r0-r4, r11, r12}\n"
      "ldr r1, [sp, #60]\n"
      "add r0, sp, #28\n"
      "mov r10, #2\n"
      "mov r11, #0\n"
      "ldmia r1!, {r3, r5, r7, r9}\n"
      "ldmia r0, {r6, r8, r12, lr}\n"
      FIRST(r2, r3, r3, r3) ADD(r3, r11, r8, r10)
      FIRST(r4, r5, r5, r5) ADD(r4, r11, r12, r10) ADD(r5, r11, lr, r10)
      "stmia r0!, {r2-r5}\n"
      "ldmia r0, {r2-r5}\n"
      FIRST(r6, r7, r7, r7) ADD(r6, r11, r2, r10) ADD(r7, r11, r3, r10)
      FIRST(r8, r9, r9, r9) ADD(r8, r11, r4, r10) ADD(r9, r11, r5, r10)
      "stmia r0, {r6-r9}\n"
      "ldmia r1, {r3, r5, r7, r9}\n"
      "pop {r1, r2, r4, r6, r8, r12, lr}\n"
      FIRST(r0, r3, r3, r3) ADD(r0, r11, r4, r10) ADD(r3, r11, r6, r10)
      FIRST(r4, r5, r5, r5) ADD(r4, r11, r8, r10) ADD(r5, r11, r12, r10)
      FIRST(r6, r7, r7, r7) ADD(r6, r11, lr, r10) ADD(r7, r11, r2, r10)
      FIRST(r8, r9, r9, r9) ADD(r8, r11, r1, r10) "add r9, r9, r11\n"
      "ldr pc, [sp, #40]\n");
}

NAKED void limbs_multiply(UNUSED uint32_t *r, UNUSED const uint32_t *a, UNUSED const uint32_t *b) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_product\n"
      "limbs_store:\n"
      "ldr r1, [sp, #44]\n"
      "add r2, r1, #32\n"
      "stmia r2, {r0, r3-r9}\n"
      "pop {r2-r9}\n"
      "stmia r1, {r2-r9}\n"
      "add sp, #16\n"
      "pop {r4-r11, pc}\n");
}

NAKED void limbs_square(UNUSED uint32_t *r, UNUSED const uint32_t *a) {
  __asm__(
      "push {r0, r4-r11, lr}\n"
      "bl limbs_squared\n"
      "b limbs_store\n");
}
#else
void limbs_multiply(uint32_t *r, const uint32_t *a, const uint32_t *b) {
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = 0;
  }
  for (i = 0; i < 8; i++) {
    r[i + 8] = row(r + i, b, a[i]);
  }
}

void limbs_square(uint32_t *r, const uint32_t *a) {
  limbs_multiply(r, a, a);
}
#endif
