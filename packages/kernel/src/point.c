/* Points of edwards25519, -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 section 5.1). */

#include "internal.h"
#define WANT_CURVE
#include "tables.h"

/* A point in computation: x = X/Z, y = Y/Z. Every operation ends with (E F : G H : F G), so T = X Y / Z = E H. */
struct point {
  fe x, y, z, e, f, g, h;
};

static void finish(struct point *p) {
  fe_mul(p->x, p->e, p->f);
  fe_mul(p->y, p->g, p->h);
  fe_mul(p->z, p->f, p->g);
}

/* p = 2 p. E and G have the opposite sign of RFC 8032 section 5.1.4, which gives the same point. */
static void twice(struct point *p) {
  fe_mul(p->e, p->x, p->y);
  fe_add(p->e, p->e, p->e);
  fe_square(p->f, p->z, 1);
  fe_add(p->f, p->f, p->f);
  fe_square(p->x, p->x, 1);
  fe_square(p->y, p->y, 1);
  fe_add(p->h, p->y, p->x);
  fe_sub(p->g, p->y, p->x);
  fe_sub(p->f, p->f, p->g);
  finish(p);
}

static void prepare(fe *q, const struct point *p) {
  fe_sub(q[0], p->y, p->x);
  fe_add(q[1], p->y, p->x);
  fe_mul(q[2], p->e, p->h);
  fe_mul(q[2], q[2], TWICE_D);
  fe_add(q[3], p->z, p->z);
}

/* p += q, or p -= q with `minus` 1. z: 2 Z of q, or 0 if that is 2. Complete (RFC 8032 section 5.1.4): also correct for points
 * that are equal or opposite. */
static void join(struct point *p, const uint32_t (*q)[8], const uint32_t *z, uint32_t minus) {
  fe t;
  fe_mul(t, p->e, p->h);
  fe_mul(t, t, q[2]);
  fe_sub(p->e, p->y, p->x);
  fe_add(p->h, p->y, p->x);
  /* -q swaps Y - X with Y + X, and F with G. */
  fe_mul(p->x, p->e, q[minus]);
  fe_mul(p->y, p->h, q[1 - minus]);
  if (z) {
    fe_mul(p->z, p->z, z);
  } else {
    fe_add(p->z, p->z, p->z);
  }
  fe_sub(p->e, p->y, p->x);
  fe_add(p->h, p->y, p->x);
  fe_sub(minus ? p->g : p->f, p->z, t);
  fe_add(minus ? p->f : p->g, p->z, t);
  finish(p);
}

static void start(struct point *p, const uint32_t *x, const uint32_t *y) {
  fe_copy(p->x, x);
  fe_copy(p->y, y);
  fe_copy(p->e, x);
  fe_copy(p->h, y);
  fe_set(p->z, 1);
}

/* Decodes y and the sign of x from 32 bytes (RFC 8032 section 5.1.3). Returns whether y is below p, and there is such a point. */
uint32_t point_decode(uint32_t *x, uint32_t *y, const uint8_t *bytes) {
  fe u;
  fe v;
  fe w;
  uint32_t sign = bytes[31] >> 7;
  uint32_t i;
  words_load(y, bytes, 8);
  y[7] &= 0x7fffffff;
  fe_copy(w, y);
  fe_canonical(w);
  for (i = 0; i < 8; i++) {
    if (w[i] != y[i]) {
      return 0;
    }
  }
  /* x^2 = u / v with u = 2 (y^2 - 1), v = 2 (d y^2 + 1). For x = u (u v)^((p - 5) / 8), v x^2 is u (u v)^((p - 1) / 4): u or -u
   * if u v is a square. v is never 0. */
  fe_set(w, 2);
  fe_square(u, y, 1);
  fe_mul(v, u, TWICE_D);
  fe_add(v, v, w);
  fe_add(u, u, u);
  fe_sub(u, u, w);
  fe_mul(w, u, v);
  fe_power(w, w);
  fe_mul(x, w, u);
  fe_square(w, x, 1);
  fe_mul(w, w, v);
  fe_sub(v, w, u);
  if (!fe_is_zero(v)) {
    fe_add(v, w, u);
    if (!fe_is_zero(v)) {
      return 0;
    }
    fe_mul(x, x, ROOT);
  }
  fe_canonical(x);
  if ((x[0] & 1) != sign) {
    fe_set(w, 0);
    fe_sub(x, w, x);
  }
  return 1;
}

/* Whether the order divides 8: x = 0 (1 and 2), y = 0 (4), or the double has y = 0, x^2 = -y^2 (8). */
uint32_t point_is_small(const uint32_t *x, const uint32_t *y) {
  fe t;
  fe u;
  fe_square(t, x, 1);
  fe_square(u, y, 1);
  fe_add(t, t, u);
  fe_mul(t, t, x);
  fe_mul(t, t, y);
  return fe_is_zero(t);
}

/* (x, y) = [s] B - [k] (x, y), for windows s and k. */
void point_combine(uint32_t *x, uint32_t *y, const int8_t *s, const int8_t *k) {
  prepared table[TABLE];
  struct point p;
  int32_t i;
  int32_t n;
  fe *q;
  /* A, 3 A, .. 15 A. The last entry is 2 A until it is made. */
  start(&p, x, y);
  prepare(table[0], &p);
  twice(&p);
  prepare(table[TABLE - 1], &p);
  start(&p, x, y);
  for (i = 1; i < TABLE; i++) {
    join(&p, (const fe *)table[TABLE - 1], table[TABLE - 1][3], 0);
    prepare(table[i], &p);
  }
  fe_set(x, 0);
  fe_set(y, 1);
  start(&p, x, y);
  /* s and k are below 2^253 */
  for (i = 253; i >= 0; i--) {
    twice(&p);
    n = s[i];
    if (n) {
      join(&p, BASE[(n < 0 ? -n : n) >> 1], 0, n < 0);
    }
    n = k[i];
    if (n) {
      q = table[(n < 0 ? -n : n) >> 1];
      join(&p, (const fe *)q, q[3], n > 0);
    }
  }
  fe_invert(p.z, p.z);
  fe_mul(x, p.x, p.z);
  fe_mul(y, p.y, p.z);
  fe_canonical(x);
  fe_canonical(y);
}
