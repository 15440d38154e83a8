/* Points of P-256, y^2 = x^3 - 3 x + b (SP 800-186 section 3.2.1.3), in Jacobian coordinates. */

#include "p256.h"
#define WANT_P256_POINT
#include "p256_tables.h"

static void copy(uint32_t *r, const uint32_t *a) {
  uint32_t i;
  for (i = 0; i < 8; i++) {
    r[i] = a[i];
  }
}

/* p = 2 p. With a = 3 (X - Z^2) (X + Z^2) / 2 and b = X Y^2: X' = a^2 - 2 b, Y' = a (b - X') - Y^4, Z' = Y Z. These are the usual
 * formulas with Z' = 2 Y Z, scaled by 1/2. Infinity stays. No point has y = 0, as the order is odd. */
static void p256_twice(struct p256_point *p) {
  limbs a;
  limbs b;
  p256_square(a, p->z);
  p256_mul(p->z, p->z, p->y);
  p256_add(b, p->x, a);
  p256_sub(a, p->x, a);
  p256_mul(a, a, b);
  p256_add_half(a, a);
  p256_square(p->y, p->y);
  p256_mul(b, p->x, p->y);
  p256_square(p->y, p->y);
  p256_square(p->x, a);
  p256_sub(p->x, p->x, b);
  p256_sub(p->x, p->x, b);
  p256_sub(b, b, p->x);
  p256_mul(a, a, b);
  p256_sub(p->y, a, p->y);
}

/* p += q, or p -= q with `minus`. q: X, Y, and unless it is `affine`, Z, Z^2, Z^3.
 * With U = X1 Z2^2, S = Y1 Z2^3, h = X2 Z1^2 - U, r = Y2 Z1^3 - S and v = U h^2: X' = r^2 - h^3 - 2 v, Y' = r (v - X') - S h^3,
 * Z' = Z1 Z2 h. For -q, r is made with the opposite sign. */
static void p256_join(struct p256_point *p, const limbs *q, uint32_t affine, uint32_t minus) {
  limbs h;
  limbs r;
  limbs v;
  if (p256_is_zero(p->z)) {
    copy(p->x, q[0]);
    copy(p->y, q[1]);
    copy(p->z, affine ? ONE : q[2]);
    if (minus) {
      p256_sub(p->y, p->z, p->z);
      p256_sub(p->y, p->y, q[1]);
    }
    return;
  }
  p256_square(h, p->z);
  p256_mul(r, h, p->z);
  p256_mul(h, h, q[0]);
  p256_mul(r, r, q[1]);
  if (!affine) {
    /* the same point, with another Z */
    p256_mul(p->x, p->x, q[3]);
    p256_mul(p->y, p->y, q[4]);
    p256_mul(p->z, p->z, q[2]);
  }
  p256_sub(h, h, p->x);
  if (minus) {
    p256_add(r, r, p->y);
  } else {
    p256_sub(r, r, p->y);
  }
  if (p256_is_zero(h)) {
    /* Equal x: the formulas do not hold. An attacker who has the private key can make both cases. */
    if (p256_is_zero(r)) {
      p256_twice(p);
    } else {
      p256_sub(p->z, h, h);
    }
    return;
  }
  p256_mul(p->z, p->z, h);
  p256_square(v, h);
  p256_mul(h, h, v);
  p256_mul(v, v, p->x);
  p256_mul(p->y, p->y, h);
  p256_square(p->x, r);
  p256_sub(p->x, p->x, h);
  p256_sub(p->x, p->x, v);
  p256_sub(p->x, p->x, v);
  if (minus) {
    p256_sub(v, p->x, v);
  } else {
    p256_sub(v, v, p->x);
  }
  p256_mul(v, v, r);
  p256_sub(p->y, v, p->y);
}

static void p256_prepare(limbs *q, const struct p256_point *p) {
  copy(q[0], p->x);
  copy(q[1], p->y);
  copy(q[2], p->z);
  p256_square(q[3], p->z);
  p256_mul(q[4], q[3], p->z);
}

/* 8 limbs, most significant byte first. */
void p256_load(uint32_t *r, const uint8_t *bytes) {
  uint32_t i;
  for (i = 8; i > 0; i--, bytes += 4) {
    r[i - 1] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  }
}

/* Decodes 04, x and y (SEC 1 section 2.3.4). Returns whether both are below p, and the point is on the curve. */
uint32_t p256_decode(struct p256_point *p, const uint8_t *key) {
  limbs t;
  p256_load(p->x, key + 1);
  p256_load(p->y, key + 33);
  if (key[0] != 4 || !p256_below_p(p->x) || !p256_below_p(p->y)) {
    return 0;
  }
  copy(p->z, ONE);
  p256_mul(p->x, p->x, SQUARE);
  p256_mul(p->y, p->y, SQUARE);
  /* x (x^2 - 3) + b - y^2 */
  p256_square(t, p->x);
  p256_sub(t, t, ONE);
  p256_sub(t, t, ONE);
  p256_sub(t, t, ONE);
  p256_mul(t, t, p->x);
  p256_add(t, t, B);
  p256_square(p->z, p->y);
  p256_sub(t, t, p->z);
  copy(p->z, ONE);
  return p256_is_zero(t);
}

/* p = [g] G + [q] p, for windows g and q. The order is a prime: no odd multiple of p up to 15 is 2 p or -2 p. */
void p256_combine(struct p256_point *p, const int8_t *g, const int8_t *q) {
  limbs table[TABLE][5];
  int32_t i;
  int32_t n;
  /* p, 3 p, .. 15 p. The last entry is 2 p until it is made. */
  p256_prepare(table[0], p);
  p256_twice(p);
  p256_prepare(table[TABLE - 1], p);
  copy(p->x, table[0][0]);
  copy(p->y, table[0][1]);
  copy(p->z, ONE);
  for (i = 1; i < TABLE; i++) {
    p256_join(p, (const limbs *)table[TABLE - 1], 0, 0);
    p256_prepare(table[i], p);
  }
  p256_sub(p->z, p->z, p->z);
  for (i = DIGITS - 1; i >= 0; i--) {
    p256_twice(p);
    n = g[i];
    if (n) {
      p256_join(p, MULTIPLES[(n < 0 ? -n : n) >> 1], 1, n < 0);
    }
    n = q[i];
    if (n) {
      p256_join(p, (const limbs *)table[(n < 0 ? -n : n) >> 1], 0, n < 0);
    }
  }
}
