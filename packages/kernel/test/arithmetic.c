/* Plays records from stdin to the arithmetic, and writes the results to stdout. A record: kind, a and b (1, 8 and 8 words of 32 bits,
 * least significant byte first). The result has 16 words. */

#include "system.h"
#include "../src/internal.h"
#include "../src/p256/p256.h"

static void field(uint32_t kind, uint32_t *r, const uint32_t *a, const uint32_t *b) {
  if (kind == 2) {
    fe_mul(r, a, b);
  } else if (kind == 3) {
    fe_square(r, a, 1);
  } else if (kind == 4) {
    fe_add(r, a, b);
  } else if (kind == 5) {
    fe_sub(r, a, b);
  } else if (kind == 7) {
    p256_mul(r, a, b);
  } else if (kind == 8) {
    p256_square(r, a);
  } else if (kind == 9) {
    p256_add(r, a, b);
  } else if (kind == 10) {
    p256_sub(r, a, b);
  } else if (kind == 11) {
    p256_add_half(r, a);
  } else if (kind == 12) {
    p256_mul_n(r, a, b);
  } else {
    p256_invert_n(r, a);
  }
}

static uint32_t differ(const uint32_t *a, const uint32_t *b) {
  uint32_t i;
  for (i = 0; i < 8 && a[i] == b[i]; i++) {
  }
  return i < 8;
}

static int play(void) {
  uint32_t in[17];
  uint32_t out[17];
  fe t;
  const uint32_t *a = in + 1;
  const uint32_t *b = in + 9;
  uint32_t i;
  while (take(in, sizeof in)) {
    for (i = 0; i < 16; i++) {
      out[i] = in[0] == 6 ? a[i] : 0;
    }
    if (in[0] == 0) {
      limbs_multiply(out, a, b);
    } else if (in[0] == 1) {
      limbs_square(out, a);
    } else if (in[0] != 6) {
      field(in[0], out, a, b);
      /* The result may be the same array as an argument. */
      fe_copy(t, a);
      field(in[0], t, t, b);
      if (differ(out, t)) {
        return 2;
      }
      fe_copy(t, b);
      field(in[0], t, a, t);
      if (differ(out, t)) {
        return 2;
      }
    } else {
      scalar_reduce(out);
      for (i = 8; i < 16; i++) {
        out[i] = 0;
      }
    }
    if (write(1, out, 64) != 64) {
      return 1;
    }
  }
  return 0;
}

#if defined(__arm__)
void _start(void) {
  _exit(play());
}
#else
int main(void) {
  return play();
}
#endif
