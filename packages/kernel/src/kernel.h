/* Ed25519 and P-256 verification, SHA-512 and SHA-256 for hosts of 32 bits: C99, no heap, no writable data, at most 3 KB of stack.
 *
 * Everything here works on public data (keys, signatures and messages that anyone may know), so the time that a call takes
 * depends on the data. Never give it a secret.
 *
 * Pointers may have any alignment, except the states of hashes: 4 bytes. */

#ifndef FIRMSEAL_KERNEL_H
#define FIRMSEAL_KERNEL_H

#include <stdint.h>

/* What firmseal_ed25519_verify returns for a valid signature. Not 1: the machine code runs from memory, and damaged code
 * that returns an address or a flag must not look like "valid". */
#define FIRMSEAL_VALID 0x5ea1ed25

/* Verifies a signature (RFC 8032 section 5.1.7), with the strict reading of the verifier: S < L, canonical A and R, neither
 * of small order, and the equation without the cofactor.
 *   signed_by: 96 bytes, the key A (32) and the signature R, S (64).
 *   message, length: the message, which is at most 2^31 bytes.
 * Returns FIRMSEAL_VALID, or 0. */
int32_t firmseal_ed25519_verify(const uint8_t *signed_by, const uint8_t *message, uint32_t length);

/* Returns FIRMSEAL_VALID if 32 bytes are a key under which a signature can be valid: canonical, and not of small order. */
int32_t firmseal_ed25519_key(const uint8_t *key);

/* A key, a signature and its message of 1 byte, for a self-test: valid, and not valid for the first 0 bytes of the message. */
extern const uint8_t firmseal_sample[97];

/* Verifies an ECDSA signature with P-256 (FIPS 186-5 section 6.4.2). s above n / 2 is accepted.
 *   signed_by: 129 bytes, the key as 04, x, y (SEC 1 section 2.3.3), and the signature r, s (32 each, most significant first).
 *   digest: 32 bytes, SHA-256 of the message.
 * Returns FIRMSEAL_VALID, or 0. */
int32_t firmseal_p256_verify(const uint8_t *signed_by, const uint8_t *digest);

/* Returns FIRMSEAL_VALID if 65 bytes are a key: 04, x, y, both below p, of a point on the curve. */
int32_t firmseal_p256_key(const uint8_t *key);

/* A key, a signature and its digest, for a self-test, and one more byte: valid, and not valid for the 32 bytes after the first
 * of the digest. */
extern const uint8_t firmseal_p256_sample[162];

/* Words of 32 bits that the state of a hash needs. */
#define FIRMSEAL_SHA256_WORDS 26
#define FIRMSEAL_SHA512_WORDS 50

/* SHA-256 and SHA-512 (FIPS 180-4) in pieces: begin, update as often as there is input, and finish, which writes 32 or 64
 * bytes to out. The input is at most 2^61 - 1 bytes. After finish, a state must begin again. */
void firmseal_sha256_begin(uint32_t *state);
void firmseal_sha256_update(uint32_t *state, const uint8_t *data, uint32_t length);
void firmseal_sha256_finish(uint32_t *state, uint8_t *out);
void firmseal_sha512_begin(uint32_t *state);
void firmseal_sha512_update(uint32_t *state, const uint8_t *data, uint32_t length);
void firmseal_sha512_finish(uint32_t *state, uint8_t *out);

/* The same in one call: writes 32 or 64 bytes to out. */
void firmseal_sha256(const uint8_t *data, uint32_t length, uint8_t *out);
void firmseal_sha512(const uint8_t *data, uint32_t length, uint8_t *out);

/* The machine code is an image that runs at every address that is a multiple of 4: Ed25519 with SHA-2, P-256, both, or SHA-2
 * alone. It begins with these words, least significant byte first; an offset counts from the start of the image, and
 * its lowest bit is set (Thumb). The offset of what an image does not have is 0. */
struct firmseal_kernel {
  uint32_t magic;   /* FIRMSEAL_MAGIC */
  uint32_t version; /* FIRMSEAL_VERSION; the second byte is the architecture: 6 for ARMv6-M, 7 for ARMv7E-M */
  uint32_t length;  /* of the image, in bytes */
  uint32_t verify, key, sha256_begin, sha256_update, sha256_finish, sha512_begin, sha512_update, sha512_finish;
  uint32_t sample; /* the offset of firmseal_sample */
  uint32_t sha256, sha512;
  uint32_t p256_verify, p256_key;
  uint32_t p256_sample; /* the offset of firmseal_p256_sample */
};

#define FIRMSEAL_MAGIC 0x314b5346 /* "FSK1" */
#define FIRMSEAL_VERSION 1

#endif
