/* What the files of the kernel know of each other. */

#ifndef FIRMSEAL_INTERNAL_H
#define FIRMSEAL_INTERNAL_H

#include "kernel.h"

/* r[0] to r[7] += a b. Returns the carry. */
uint32_t row(uint32_t *r, const uint32_t *b, uint32_t a);

/* 16 limbs of a b, and of a^2. The arguments have 8 limbs, and must not overlap r. */
void limbs_multiply(uint32_t *r, const uint32_t *a, const uint32_t *b);
void limbs_square(uint32_t *r, const uint32_t *a);

/* Integers modulo p = 2^255 - 19 in 8 limbs of 32 bits, least significant first. Every value below 2^256 is one of them:
 * only fe_canonical makes it the one below p. Results may be the same arrays as arguments. */
typedef uint32_t fe[8];

void fe_copy(uint32_t *r, const uint32_t *a);
void fe_set(uint32_t *r, uint32_t n); /* n */
void fe_add(uint32_t *r, const uint32_t *a, const uint32_t *b);
void fe_sub(uint32_t *r, const uint32_t *a, const uint32_t *b);
void fe_mul(uint32_t *r, const uint32_t *a, const uint32_t *b);
void fe_square(uint32_t *r, const uint32_t *a, uint32_t times); /* a^(2^times); times is at least 1 */
void fe_power(uint32_t *r, const uint32_t *a);                  /* a^(2^252 - 3) */
void fe_invert(uint32_t *r, const uint32_t *a);                 /* a^(p - 2) */
void fe_canonical(uint32_t *r);
uint32_t fe_is_zero(const uint32_t *a);

/* A prepared point: Y - X, Y + X, 2 d T, 2 Z. The points of tables have Z = 1, and not the fourth. */
typedef fe prepared[4];
/* Widths of windows, whose digits are odd: of n bits, digits from 1 - 2^(n - 1) to 2^(n - 1) - 1, and half as many multiples as
 * positive numbers: 1, 3, .. The table of B takes 384 bytes of flash, and that of G 256. One of 8 would save 2 % of a
 * verification. */
#define WIDTH 5
#define TABLE 8
#define BASE_WIDTH 4
#define BASE_TABLE 4
#define DIGITS 257

uint32_t point_decode(uint32_t *x, uint32_t *y, const uint8_t *bytes);
uint32_t point_is_small(const uint32_t *x, const uint32_t *y);
void point_combine(uint32_t *x, uint32_t *y, const int8_t *s, const int8_t *k);

void words_load(uint32_t *r, const uint8_t *bytes, uint32_t n);
uint32_t scalar_is_reduced(const uint32_t *n); /* n < L */
void scalar_reduce(uint32_t *n);               /* 16 words modulo L, in the first 8. n has room for 17 */
void scalar_windows(int8_t *digits, const uint32_t *n, uint32_t width);

#endif
