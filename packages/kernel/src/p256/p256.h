/* What the files of P-256 know of each other. */

#ifndef FIRMSEAL_P256_H
#define FIRMSEAL_P256_H

#include "../internal.h"

/* Integers in 8 limbs of 32 bits, least significant first. Modulo p or n, every value below 2^256 stands for one of them.
 * Products are those of Montgomery: a b / 2^256. Coordinates are held as their product with 2^256. Results may be the same
 * arrays as arguments. */
typedef uint32_t limbs[8];

void p256_add(uint32_t *r, const uint32_t *a, const uint32_t *b);
void p256_sub(uint32_t *r, const uint32_t *a, const uint32_t *b);
void p256_add_half(uint32_t *r, const uint32_t *a); /* a + a / 2 */
void p256_mul(uint32_t *r, const uint32_t *a, const uint32_t *b);
void p256_square(uint32_t *r, const uint32_t *a);
uint32_t p256_is_zero(const uint32_t *a); /* modulo p */
void p256_mul_n(uint32_t *r, const uint32_t *a, const uint32_t *b);
void p256_invert_n(uint32_t *r, const uint32_t *a); /* 2^256 / a modulo n */
uint32_t p256_below_p(const uint32_t *a);
uint32_t p256_below_n(const uint32_t *a);
uint32_t p256_add_n(uint32_t *r); /* r + n; returns whether that is below p */

/* x = X / Z^2, y = Y / Z^3; Z = 0 is the point at infinity. */
struct p256_point {
  limbs x, y, z;
};

void p256_load(uint32_t *r, const uint8_t *bytes);
uint32_t p256_decode(struct p256_point *p, const uint8_t *key);
void p256_combine(struct p256_point *p, const int8_t *g, const int8_t *q);

#endif
