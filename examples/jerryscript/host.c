// A host with JerryScript in C, with a micro verifier whose snapshot runs where it lies: jerry_exec_snapshot() copies
// nothing without JERRY_SNAPSHOT_EXEC_COPY_DATA. The command line tool of JerryScript always copies.
//
//   host generate firmseal.js firmseal.snapshot        the snapshot, for this build of the engine
//   host VERIFIER APP ENVELOPE IMAGE                   VERIFIER: a snapshot, or a script that is parsed in the heap
//
// ENVELOPE and IMAGE are files in place of flash: they are not in the heap. APP is micro.js, behind the key.
//
// With -DFIRMSEAL_KERNEL and the sources of @firmseal/kernel, `host` also has SHA-256, SHA-512, Ed25519 and ES256 in C.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jerryscript-ext/handlers.h"
#include "jerryscript-ext/properties.h"
#include "jerryscript.h"
#ifdef FIRMSEAL_KERNEL
#include "kernel.h"
#endif

typedef struct {
  uint32_t *data;
  size_t size;
} memory_t;

static memory_t envelope, image;

static memory_t load(const char *path) {
  memory_t m = {0};
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END)) {
    perror(path);
    exit(1);
  }
  m.size = (size_t)ftell(f);
  rewind(f);
  // words, because a snapshot must be aligned to 4 bytes
  m.data = calloc(m.size / 4 + 1, 4);
  if (!m.data || fread(m.data, 1, m.size, f) != m.size) {
    perror(path);
    exit(1);
  }
  fclose(f);
  return m;
}

// host.read(which, offset, n): n bytes of the envelope (0) or of the image (1), in a Uint8Array
static jerry_value_t host_read(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  if (count < 3) return jerry_throw_sz(JERRY_ERROR_TYPE, "read: three arguments");
  const memory_t *from = jerry_value_as_uint32(args[0]) ? &image : &envelope;
  uint32_t offset = jerry_value_as_uint32(args[1]), n = jerry_value_as_uint32(args[2]);
  if (offset > from->size || n > from->size - offset) return jerry_throw_sz(JERRY_ERROR_RANGE, "read: past the end");
  jerry_value_t out = jerry_typedarray(JERRY_TYPEDARRAY_UINT8, n);
  if (jerry_value_is_exception(out)) return out;
  jerry_length_t at, length;
  jerry_value_t buffer = jerry_typedarray_buffer(out, &at, &length);
  jerry_arraybuffer_write(buffer, at, (const uint8_t *)from->data + offset, n);
  jerry_value_free(buffer);
  return out;
}

#ifdef FIRMSEAL_KERNEL
// The bytes of a Uint8Array where they are. No script runs while the kernel reads them. NULL for every other value.
static const uint8_t *octets(jerry_value_t value, jerry_length_t *n) {
  if (jerry_typedarray_type(value) != JERRY_TYPEDARRAY_UINT8) return NULL;
  jerry_length_t at;
  jerry_value_t buffer = jerry_typedarray_buffer(value, &at, n);
  const uint8_t *data = jerry_arraybuffer_data(buffer);
  jerry_value_free(buffer);
  return data ? data + at : NULL;
}

static jerry_value_t digest(const uint8_t *data, size_t n, int wide) {
  uint8_t bytes[64];
  (wide ? firmseal_sha512 : firmseal_sha256)(data, (uint32_t)n, bytes);
  jerry_value_t out = jerry_typedarray(JERRY_TYPEDARRAY_UINT8, wide ? 64 : 32);
  if (jerry_value_is_exception(out)) return out;
  jerry_length_t at, length;
  jerry_value_t buffer = jerry_typedarray_buffer(out, &at, &length);
  jerry_arraybuffer_write(buffer, at, bytes, length);
  jerry_value_free(buffer);
  return out;
}

// host.sha256(octets), host.sha512(octets): the digest, in a Uint8Array
static jerry_value_t host_hash(const jerry_value_t args[], jerry_length_t count, int wide) {
  jerry_length_t n = 0;
  const uint8_t *data = count ? octets(args[0], &n) : NULL;
  return data ? digest(data, n, wide) : jerry_throw_sz(JERRY_ERROR_TYPE, "hash: a Uint8Array");
}

static jerry_value_t host_sha256(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  return host_hash(args, count, 0);
}

static jerry_value_t host_sha512(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  return host_hash(args, count, 1);
}

// host.imageDigest(n): SHA-256 of the first n bytes of the image, where it lies
static jerry_value_t host_image_digest(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  uint32_t n = count ? jerry_value_as_uint32(args[0]) : 0;
  if (n > image.size) return jerry_throw_sz(JERRY_ERROR_RANGE, "imageDigest: past the end");
  return digest((const uint8_t *)image.data, n, 0);
}

// host.ed25519(key, message, signature), and host.es256(): whether the signature is valid; false for other lengths and
// types
static jerry_value_t host_verify(const jerry_value_t args[], jerry_length_t count, jerry_length_t key_size) {
  jerry_length_t n[3] = {0};
  const uint8_t *part[3] = {0};
  for (jerry_length_t i = 0; i < 3 && i < count; i++) part[i] = octets(args[i], n + i);
  if (!part[0] || !part[1] || !part[2] || n[0] != key_size || n[2] != 64) return jerry_boolean(false);
  uint8_t signed_by[129], hash[32];
  memcpy(signed_by, part[0], key_size);
  memcpy(signed_by + key_size, part[2], 64);
  if (key_size == 32) return jerry_boolean(firmseal_ed25519_verify(signed_by, part[1], n[1]) == FIRMSEAL_VALID);
  firmseal_sha256(part[1], n[1], hash);
  return jerry_boolean(firmseal_p256_verify(signed_by, hash) == FIRMSEAL_VALID);
}

static jerry_value_t host_ed25519(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  return host_verify(args, count, 32);
}

static jerry_value_t host_es256(const jerry_call_info_t *info, const jerry_value_t args[], const jerry_length_t count) {
  (void)info;
  return host_verify(args, count, 65);
}
#endif

static void set(jerry_value_t object, const char *name, jerry_value_t value) {
  jerry_value_free(jerry_object_set_sz(object, name, value));
  jerry_value_free(value);
}

// 0, or 1 after an uncaught exception
static int done(jerry_value_t result) {
  if (!jerry_value_is_exception(result)) {
    jerry_value_free(result);
    return 0;
  }
  jerry_value_t value = jerry_exception_value(result, true);
  jerry_value_t words = jerry_value_to_string(value);
  char text[200];
  text[jerry_string_to_buffer(words, JERRY_ENCODING_UTF8, (jerry_char_t *)text, sizeof text - 1)] = 0;
  printf("uncaught: %s\n", text);
  jerry_value_free(words);
  jerry_value_free(value);
  return 1;
}

static int generate(const char *from, const char *to) {
  memory_t source = load(from);
  static uint32_t buffer[16384];
  jerry_value_t code = jerry_parse((const jerry_char_t *)source.data, source.size, NULL);
  if (jerry_value_is_exception(code)) return done(code);
  jerry_value_t size = jerry_generate_snapshot(code, 0, buffer, sizeof buffer / sizeof *buffer);
  jerry_value_free(code);
  if (jerry_value_is_exception(size)) return done(size);
  FILE *f = fopen(to, "wb");
  size_t n = (size_t)jerry_value_as_number(size);
  if (!f || fwrite(buffer, 1, n, f) != n || fclose(f)) {
    perror(to);
    return 1;
  }
  printf("%s: %zu bytes\n", to, n);
  return 0;
}

static int is_script(const char *path) {
  size_t n = strlen(path);
  return n > 3 && !strcmp(path + n - 3, ".js");
}

static int run(const char *verifier, const char *app) {
  memory_t code = load(verifier), source = load(app);
  jerry_value_t global = jerry_current_realm(), host = jerry_object();
  set(host, "read", jerry_function_external(host_read));
#ifdef FIRMSEAL_KERNEL
  set(host, "sha256", jerry_function_external(host_sha256));
  set(host, "sha512", jerry_function_external(host_sha512));
  set(host, "imageDigest", jerry_function_external(host_image_digest));
  set(host, "ed25519", jerry_function_external(host_ed25519));
  set(host, "es256", jerry_function_external(host_es256));
#endif
  set(host, "envelopeSize", jerry_number((double)envelope.size));
  set(host, "imageSize", jerry_number((double)image.size));
  set(global, "host", host);
  jerry_value_free(global);
  jerryx_register_global("print", jerryx_handler_print);
  // no flag: the byte code stays where it is, which is flash on a device
  if (done(is_script(verifier) ? jerry_eval((const jerry_char_t *)code.data, code.size, JERRY_PARSE_NO_OPTS)
                               : jerry_exec_snapshot(code.data, code.size, 0, 0, NULL)))
    return 1;
  int failed = done(jerry_eval((const jerry_char_t *)source.data, source.size, JERRY_PARSE_NO_OPTS));
  jerry_heap_stats_t stats;
  if (jerry_heap_stats(&stats)) printf("heap: %zu of %zu bytes at most\n", stats.peak_allocated_bytes, stats.size);
  return failed;
}

int main(int argc, char **argv) {
  int code = 2;
  jerry_init(JERRY_INIT_EMPTY);
  if (argc == 4 && !strcmp(argv[1], "generate")) code = generate(argv[2], argv[3]);
  else if (argc == 5) {
    envelope = load(argv[3]);
    image = load(argv[4]);
    code = run(argv[1], argv[2]);
  } else fprintf(stderr, "host generate SCRIPT SNAPSHOT | host VERIFIER APP ENVELOPE IMAGE\n");
  jerry_cleanup();
  return code;
}
