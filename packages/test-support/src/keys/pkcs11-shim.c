/* A PKCS#11 module in front of SoftHSM that does what SoftHSM cannot be brought to: a full session table (SoftHSM opens 200,000), a token that
 * is taken away, a PIN that is locked, a wrong signature. It hands every other call on.
 *
 *   SHIM_MODULE        the module behind it
 *   SHIM_LOG           a file that gets the name of each call that counts
 *   SHIM_SESSIONS=n    so many sessions may be open at once
 *   SHIM_FAIL=i:code   the function at place i of CK_FUNCTION_LIST returns that code
 *   SHIM_BLOCK=i       the function at place i never returns
 *   SHIM_FLAGS=n       flags that every token has besides
 *   SHIM_CLOSED=1      nothing is shown without a PIN, not even public keys
 *   SHIM_FLIP=1        one bit of every signature is wrong */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long rv;
typedef rv (*call)(void *, void *, void *, void *, void *, void *, void *, void *);

enum { FINALIZE = 2, GET_FUNCTION_LIST = 4, GET_TOKEN_INFO = 7, OPEN_SESSION = 13, CLOSE_SESSION = 14, LOGIN = 19, FIND_INIT = 27, SIGN = 44, COUNT = 69 };

/* CK_FUNCTION_LIST: the version, padded to the size of a pointer, and the functions in their order */
static call *real, list[COUNT];
static long sessions, users;
static rv code;

static void note(const char *name) {
  const char *path = getenv("SHIM_LOG");
  FILE *f = path ? fopen(path, "a") : NULL;
  if (!f) return;
  fprintf(f, "%s\n", name);
  fclose(f);
}

static rv finalize(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  note("C_Finalize");
  return real[FINALIZE](a, b, c, d, e, f, g, h);
}

static rv open_session(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  const char *most = getenv("SHIM_SESSIONS");
  rv result;
  if (most && sessions >= atol(most)) return 0xb1;
  result = real[OPEN_SESSION](a, b, c, d, e, f, g, h);
  if (result == 0) sessions++;
  note("C_OpenSession");
  return result;
}

static rv close_session(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  sessions--;
  note("C_CloseSession");
  return real[CLOSE_SESSION](a, b, c, d, e, f, g, h);
}

static rv login(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  rv result = real[LOGIN](a, b, c, d, e, f, g, h);
  note((rv)b == 2 ? "C_Login for the key" : "C_Login");
  if (result == 0) users++;
  return result;
}

static rv find_init(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  return getenv("SHIM_CLOSED") && users == 0 ? 0x101 : real[FIND_INIT](a, b, c, d, e, f, g, h);
}

/* behind label, manufacturer, model and serial number: 32 + 32 + 16 + 16 bytes */
static rv token_info(void *slot, void *info, void *c, void *d, void *e, void *f, void *g, void *h) {
  rv result = real[GET_TOKEN_INFO](slot, info, c, d, e, f, g, h), flags;
  const char *more = getenv("SHIM_FLAGS");
  if (result != 0 || !more) return result;
  memcpy(&flags, (char *)info + 96, sizeof flags);
  flags |= strtoul(more, NULL, 0);
  memcpy((char *)info + 96, &flags, sizeof flags);
  return result;
}

static rv sign(void *session, void *data, void *n, void *signature, void *length, void *f, void *g, void *h) {
  rv result = real[SIGN](session, data, n, signature, length, f, g, h);
  note("C_Sign");
  if (result == 0 && signature && getenv("SHIM_FLIP")) *(unsigned char *)signature ^= 1;
  return result;
}

static rv fail(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  return code;
}

static rv block(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h) {
  (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  note("blocked");
  while (getenv("SHIM_BLOCK")) pause();
  return 5;
}

rv C_GetFunctionList(void **out) {
  const char *module = getenv("SHIM_MODULE"), *failing = getenv("SHIM_FAIL"), *blocking = getenv("SHIM_BLOCK");
  void *handle = module ? dlopen(module, RTLD_NOW | RTLD_LOCAL) : NULL;
  rv (*get)(call **) = handle ? (rv(*)(call **))dlsym(handle, "C_GetFunctionList") : NULL;
  if (!get || get(&real) != 0) return 5;
  memcpy(list, real, sizeof list);
  list[FINALIZE] = finalize;
  list[GET_TOKEN_INFO] = token_info;
  list[OPEN_SESSION] = open_session;
  list[CLOSE_SESSION] = close_session;
  list[LOGIN] = login;
  list[FIND_INIT] = find_init;
  list[SIGN] = sign;
  if (failing && strchr(failing, ':')) {
    int place = atoi(failing);
    code = strtoul(strchr(failing, ':') + 1, NULL, 0);
    if (place > 0 && place < COUNT && place != GET_FUNCTION_LIST) list[place] = fail;
  }
  if (blocking) {
    int place = atoi(blocking);
    if (place > 0 && place < COUNT && place != GET_FUNCTION_LIST) list[place] = block;
  }
  *out = list;
  return 0;
}
