/* Loaded before the C library (LD_PRELOAD): the n-th write to certain files writes only its first bytes
   and returns their number, as the kernel may at any time. Optionally the next write to that file fails, as on
   a disk that has just become full.

     SHORT_FILE    part of the path of the affected files
     SHORT_WHEN    n: 1, 2, 3 ...
     SHORT_BYTES   number of written bytes: 1, 2, ...; -1: all but one; 0: half
     SHORT_THEN    errno of the next write to the same file; 0 or unset: it succeeds
     SHORT_NOTE    file that is created after the short write: path, bytes requested, bytes written */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef ssize_t (*positioned)(int, const void *, size_t, off64_t);
typedef ssize_t (*streaming)(int, const void *, size_t);

static atomic_int calls;
static atomic_int next_fails_on = -1;

static long setting(const char *name) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : 0;
}

static int is_meant(int descriptor, char *path) {
  const char *part = getenv("SHORT_FILE");
  char link[64];
  if (!part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, part) != NULL;
}

static void note(const char *path, size_t asked, size_t written) {
  const char *name = getenv("SHORT_NOTE");
  char text[PATH_MAX + 64];
  if (!name) return;
  int length = snprintf(text, sizeof text, "%s %zu %zu\n", path, asked, written);
  int file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  streaming write_on = (streaming)dlsym(RTLD_NEXT, "write");
  write_on(file, text, (size_t)length);
  close(file);
}

/* How many of `count` bytes are written; `count` unless it is the call in question; -1: none, errno is
   set. */
static ssize_t allowed(int descriptor, size_t count) {
  char path[PATH_MAX];
  int saved = errno;
  if (count < 2 || !is_meant(descriptor, path)) {
    errno = saved;
    return (ssize_t)count;
  }
  int expected = descriptor;
  if (atomic_compare_exchange_strong(&next_fails_on, &expected, -1)) {
    errno = (int)setting("SHORT_THEN");
    return -1;
  }
  errno = saved;
  if (atomic_fetch_add(&calls, 1) + 1 != setting("SHORT_WHEN")) return (ssize_t)count;
  long wanted = setting("SHORT_BYTES");
  size_t bytes = wanted == 0 ? count / 2 : wanted < 0 ? count - 1 : (size_t)wanted;
  if (bytes >= count) bytes = count - 1;
  if (setting("SHORT_THEN") != 0) atomic_store(&next_fails_on, descriptor);
  note(path, count, bytes);
  errno = saved;
  return (ssize_t)bytes;
}

static ssize_t write_at(
    const char *name, int descriptor, const void *bytes, size_t count, off64_t offset) {
  ssize_t some = allowed(descriptor, count);
  if (some < 0) return -1;
  return ((positioned)dlsym(RTLD_NEXT, name))(descriptor, bytes, (size_t)some, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  return write_at("pwrite", descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return write_at("pwrite64", descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  ssize_t some = allowed(descriptor, count);
  if (some < 0) return -1;
  return ((streaming)dlsym(RTLD_NEXT, "write"))(descriptor, bytes, (size_t)some);
}
