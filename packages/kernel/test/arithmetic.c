/* Plays records from stdin to the arithmetic, and writes the results to stdout. A record: kind, a and b (1, 8 and 8 words of 32 bits,
 * least significant byte first). The result has 16 words. */

#include "system.h"
#include "../src/internal.h"

static int play(void) {
  uint32_t in[17];
  uint32_t out[16];
  uint32_t n[17];
  const uint32_t *a = in + 1;
  const uint32_t *b = in + 9;
  uint32_t i;
  while (take(in, sizeof in)) {
    for (i = 0; i < 16; i++) {
      out[i] = 0;
    }
    if (in[0] == 0) {
      limbs_multiply(out, a, b);
    } else if (in[0] == 1) {
      limbs_square(out, a);
    } else if (in[0] == 2) {
      fe_mul(out, a, b);
    } else if (in[0] == 3) {
      fe_square(out, a, 1);
    } else if (in[0] == 4) {
      fe_add(out, a, b);
    } else if (in[0] == 5) {
      fe_sub(out, a, b);
    } else if (in[0] == 6) {
      for (i = 0; i < 16; i++) {
        n[i] = a[i];
      }
      scalar_reduce(n);
      fe_copy(out, n);
    } else {
      return 1;
    }
    if (write(1, out, sizeof out) != (int32_t)sizeof out) {
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
