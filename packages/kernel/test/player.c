/* Plays records from stdin to the kernel, and writes the results to stdout. A record: kind, length, piece (words of 32 bits, least
 * significant byte first), and `length` bytes. Kind 0: 96 bytes as firmseal_ed25519_verify takes them, and the message; the
 * result is a word. Kinds 1 and 2: input of SHA-256 and SHA-512, in updates of `piece` bytes; the result is the digest. Kind 3: a key,
 * as firmseal_ed25519_key takes it; the result is a word. Kind 4: `length` bytes of the sample's message, which has 1; the result is a
 * word. Kind 5: the result is the bytes of stack that records before it have used at most, as a word. Kind 6: 129 bytes and a digest, as
 * firmseal_p256_verify takes them; kind 7: a key, as firmseal_p256_key takes it; kind 8: the sample of P-256, with the digest
 * `length` bytes further. The results are words.
 *
 * On ARM it plays one image, which it moves to an address that is a multiple of 4 only, through its table. */

#include "system.h"
#include "../src/kernel.h"

#if defined(__arm__)
#define mprotect(a, n, rights) call(125, (int32_t)(a), (void *)(n), rights)

__asm__(".section .rodata\n.balign 4\nimage: .incbin \"" IMAGE "\"\nimage_end:\n.text\n");
extern const uint8_t image[], image_end[];
static uint32_t place[4096] __attribute__((aligned(4096)));
#define KERNEL ((const struct firmseal_kernel *)(place + 1))
#define AT(name) ((uintptr_t)KERNEL + KERNEL->name)
#define firmseal_ed25519_verify ((int32_t (*)(const uint8_t *, const uint8_t *, uint32_t))AT(verify))
#define firmseal_sample ((const uint8_t *)AT(sample))
#define firmseal_ed25519_key ((int32_t (*)(const uint8_t *))AT(key))
#define firmseal_sha256 ((void (*)(const uint8_t *, uint32_t, uint8_t *))AT(sha256))
#define firmseal_sha512 ((void (*)(const uint8_t *, uint32_t, uint8_t *))AT(sha512))
#define firmseal_p256_verify ((int32_t (*)(const uint8_t *, const uint8_t *))AT(p256_verify))
#define firmseal_p256_key ((int32_t (*)(const uint8_t *))AT(p256_key))
#define firmseal_p256_sample ((const uint8_t *)AT(p256_sample))
#define firmseal_sha256_begin ((void (*)(uint32_t *))AT(sha256_begin))
#define firmseal_sha256_update ((void (*)(uint32_t *, const uint8_t *, uint32_t))AT(sha256_update))
#define firmseal_sha256_finish ((void (*)(uint32_t *, uint8_t *))AT(sha256_finish))
#define firmseal_sha512_begin ((void (*)(uint32_t *))AT(sha512_begin))
#define firmseal_sha512_update ((void (*)(uint32_t *, const uint8_t *, uint32_t))AT(sha512_update))
#define firmseal_sha512_finish ((void (*)(uint32_t *, uint8_t *))AT(sha512_finish))
#endif

/* Each record is at another address modulo 4. */
static uint8_t space[(1 << 18) + 3];
static uint8_t *data = space;

static uint32_t hash(uint32_t kind, uint32_t length, uint32_t piece, uint8_t *out) {
  uint32_t state[FIRMSEAL_SHA512_WORDS];
  uint32_t at;
  uint32_t n;
  if (kind == 1) {
    firmseal_sha256_begin(state);
  } else {
    firmseal_sha512_begin(state);
  }
  for (at = 0; at < length; at += n) {
    n = length - at < piece ? length - at : piece;
    if (kind == 1) {
      firmseal_sha256_update(state, data + at, n);
    } else {
      firmseal_sha512_update(state, data + at, n);
    }
  }
  if (kind == 1) {
    firmseal_sha256_finish(state, out);
  } else {
    firmseal_sha512_finish(state, out);
  }
  return 32 * kind;
}

#if defined(__arm__)
#define STACK 4096

/* Marks the bytes below the stack pointer before a call. */
static inline __attribute__((always_inline)) void mark(void) {
  volatile uint8_t *below;
  uint32_t i;
  __asm__ volatile("mov %0, sp" : "=r"(below));
  for (i = 1; i <= STACK; i++) {
    below[-(int32_t)i] = 0xa5;
  }
}

/* How many of them the call has used, if that is more than `most`. */
static inline __attribute__((always_inline)) uint32_t used(uint32_t most) {
  volatile uint8_t *below;
  uint32_t i;
  __asm__ volatile("mov %0, sp" : "=r"(below));
  for (i = STACK; i > 0 && below[-(int32_t)i] == 0xa5; i--) {
  }
  return i > most ? i : most;
}
#else
#define mark() ((void)0)
#define used(most) (most)
#endif

static int play(void) {
  uint32_t head[3];
  uint8_t out[64];
  uint32_t n;
  uint32_t i;
  uint32_t most = 0;
  uint32_t count = 0;
  int32_t valid;
  while (take(head, sizeof head)) {
    data = space + (count++ & 3);
    if (head[1] > sizeof space - 3 || !take(data, head[1])) {
      return 1;
    }
    valid = 0;
    n = 4;
    mark();
    if (head[0] == 1 || head[0] == 2) {
      n = hash(head[0], head[1], head[2], out);
    } else if (head[0] == 0) {
      valid = firmseal_ed25519_verify(data, data + 96, head[1] - 96);
    } else if (head[0] == 3) {
      valid = firmseal_ed25519_key(data);
    } else if (head[0] == 4) {
      valid = firmseal_ed25519_verify(firmseal_sample, firmseal_sample + 96, head[1]);
    } else if (head[0] == 6) {
      valid = firmseal_p256_verify(data, data + 129);
    } else if (head[0] == 7) {
      valid = firmseal_p256_key(data);
    } else if (head[0] == 8) {
      valid = firmseal_p256_verify(firmseal_p256_sample, firmseal_p256_sample + 129 + head[1]);
    } else {
      valid = (int32_t)most;
    }
    most = used(most);
    for (i = 0; i < 4 && n == 4; i++) {
      out[i] = (uint8_t)((uint32_t)valid >> 8 * i);
    }
    if (write(1, out, n) != (int32_t)n) {
      return 1;
    }
  }
  return 0;
}

#if defined(__arm__)
void _start(void) {
  uint32_t i;
  for (i = 0; i < (uint32_t)(image_end - image); i++) {
    ((uint8_t *)(place + 1))[i] = image[i];
  }
  if (mprotect(place, sizeof place, 7)) {
    _exit(2);
  }
  _exit(play());
}
#else
int main(void) {
  return play();
}
#endif
