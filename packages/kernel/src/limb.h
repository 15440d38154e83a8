/* The steps that arithmetic on limbs of 32 bits is made of, for Cortex-M4, for Cortex-M0+ and in plain C. */

#ifndef FIRMSEAL_LIMB_H
#define FIRMSEAL_LIMB_H

#include <stdint.h>

#if defined(__GNUC__) && defined(__thumb2__) && defined(__ARM_FEATURE_DSP)
#define FIRMSEAL_UMAAL
#endif
#if defined(__GNUC__) && defined(__ARM_ARCH_6M__)
#define FIRMSEAL_THUMB1
#endif

#define UNUSED __attribute__((unused))
#if defined(__GNUC__)
/* Its frame must not become a part of its caller's, below which other calls go deeper. */
#define OUTLINE __attribute__((noinline))
/* What was loaded from memory before must be loaded again: there are no registers that could keep it. */
#define FORGET __asm__ volatile("" ::: "memory")
#else
#define OUTLINE
#define FORGET (void)0
#endif
/* A function in assembly alone. The compiler must not conclude from its body which registers it leaves alone. */
#if defined(__clang__)
#define NAKED __attribute__((naked, used, noinline))
#else
#define NAKED __attribute__((naked, used, noipa))
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static
#endif

/* lo and hi become the halves of a * b + lo + hi, which is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. */
INLINE void step(uint32_t *lo, uint32_t *hi, uint32_t a, uint32_t b) {
#if defined(FIRMSEAL_UMAAL)
  uint32_t l = *lo;
  uint32_t h = *hi;
  __asm__("umaal %0, %1, %2, %3" : "+r"(l), "+r"(h) : "r"(a), "r"(b));
  *lo = l;
  *hi = h;
#else
  uint64_t t = (uint64_t)a * b + *lo + *hi;
  *lo = (uint32_t)t;
  *hi = (uint32_t)(t >> 32);
#endif
}

/* Returns a + b + carry, and leaves the carry out of it. */
INLINE uint32_t plus(uint32_t a, uint32_t b, uint32_t *carry) {
  uint64_t t = (uint64_t)a + b + *carry;
  *carry = (uint32_t)(t >> 32);
  return (uint32_t)t;
}

#endif
