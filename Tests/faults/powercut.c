/* Loaded before the C library (LD_PRELOAD): logs, in order, all changes of a process to the files of one folder,
   and its syncs. After the n-th entry the process is killed, as by a power cut; power.py then rebuilds the
   folder as a disk would have kept it: with everything that was synced and a random part of the rest.

     POWER_FOLDER  the folder; its path without links
     POWER_LOG     path of the log
     POWER_AT      n: the process is killed after the n-th entry; 0 or unset: never
     POWER_LIES    1: syncs are not logged, as with a disk that ignores them

   An entry, little-endian:

     offset  size
          0     4  kind of change, a letter of `kind`
          4     4  length of the path after the entry
          8     8  inode
         16     8  offset in the file; for a sync, its number
         24     8  length of the bytes after the path; for an open, 1: created, 2: truncated

   A write is logged when it is done; a sync when it begins and when it has succeeded. Everything done before its
   begin is on the disk at its end. Memory-mapped files (SQLite's -shm) are not logged. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPENED = 'O', WROTE = 'W', CUT_TO = 'T', SYNC_BEGAN = 'S', SYNCED = 'E', RENAMED = 'R', REMOVED = 'U' };

struct entry {
  uint32_t what;
  uint32_t path;
  uint64_t inode;
  uint64_t place;
  uint64_t bytes;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static uint64_t entries;
static uint64_t syncs;
static long fatal;
static int lies;
static const char *folder;

static __attribute__((constructor)) void begin(void) {
  const char *path = getenv("POWER_LOG"), *at = getenv("POWER_AT"), *liar = getenv("POWER_LIES");
  folder = getenv("POWER_FOLDER");
  if (!path || !folder) return;
  fatal = at ? strtol(at, NULL, 10) : 0;
  lies = liar && *liar == '1';
  file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

static int is_meant(const char *path) {
  size_t length = folder ? strlen(folder) : 0;
  return file >= 0 && length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* The path of an open file or folder. Returns 0 when it is outside of the folder. */
static int path_of(int descriptor, char *path) {
  char link[64];
  if (file < 0 || descriptor == file) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_meant(path) || strcmp(path, folder) == 0;
}

static void note(struct entry entry, const char *path, const void *bytes) {
  struct iovec parts[3] = {{&entry, sizeof entry}, {(void *)path, 0}, {(void *)bytes, 0}};
  entry.path = (uint32_t)strlen(path);
  parts[1].iov_len = entry.path;
  parts[2].iov_len = bytes ? entry.bytes : 0;
  pthread_mutex_lock(&mutex);
  if (syscall(SYS_writev, file, parts, 3) < 0) abort();
  entries += 1;
  if (fatal > 0 && entries == (uint64_t)fatal) kill(getpid(), SIGKILL);
  pthread_mutex_unlock(&mutex);
}

static uint64_t inode_of(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

static void note_write(int descriptor, const void *bytes, ssize_t count, off64_t place) {
  char path[PATH_MAX];
  int saved = errno;
  if (count > 0 && path_of(descriptor, path)) {
    note((struct entry){WROTE, 0, inode_of(descriptor), (uint64_t)place, (uint64_t)count}, path, bytes);
  }
  errno = saved;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t place) {
  ssize_t done = ((ssize_t (*)(int, const void *, size_t, off_t))next("pwrite"))(descriptor, bytes, count, place);
  note_write(descriptor, bytes, done, place);
  return done;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t place) {
  ssize_t done =
      ((ssize_t (*)(int, const void *, size_t, off64_t))next("pwrite64"))(descriptor, bytes, count, place);
  note_write(descriptor, bytes, done, place);
  return done;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  char path[PATH_MAX];
  int saved = errno;
  off64_t place = path_of(descriptor, path) ? lseek64(descriptor, 0, SEEK_CUR) : -1;
  errno = saved;
  ssize_t done = ((ssize_t (*)(int, const void *, size_t))next("write"))(descriptor, bytes, count);
  if (place >= 0) note_write(descriptor, bytes, done, place);
  return done;
}

static int cut_to(const char *name, int descriptor, off64_t length) {
  char path[PATH_MAX];
  int result = ((int (*)(int, off64_t))next(name))(descriptor, length);
  int saved = errno;
  if (result == 0 && path_of(descriptor, path)) {
    note((struct entry){CUT_TO, 0, inode_of(descriptor), (uint64_t)length, 0}, path, NULL);
  }
  errno = saved;
  return result;
}

int ftruncate(int descriptor, off_t length) { return cut_to("ftruncate", descriptor, length); }
int ftruncate64(int descriptor, off64_t length) { return cut_to("ftruncate64", descriptor, length); }

static int sync_by(const char *name, int descriptor) {
  char path[PATH_MAX];
  int is_ours = path_of(descriptor, path);
  struct entry entry = {SYNC_BEGAN, 0, 0, 0, 0};
  if (is_ours && !lies) {
    entry.inode = inode_of(descriptor);
    entry.place = __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
    note(entry, path, NULL);
  }
  int result = ((int (*)(int))next(name))(descriptor);
  int saved = errno;
  if (result == 0 && is_ours && !lies) {
    entry.what = SYNCED;
    note(entry, path, NULL);
  }
  errno = saved;
  return result;
}

int fsync(int descriptor) { return sync_by("fsync", descriptor); }
int fdatasync(int descriptor) { return sync_by("fdatasync", descriptor); }

static int open_by(const char *name, const char *path, int flags, mode_t mode) {
  char real[PATH_MAX];
  struct stat before;
  int was_there = stat(path, &before) == 0;
  int descriptor = ((int (*)(const char *, int, ...))next(name))(path, flags, mode);
  int saved = errno;
  int change = (was_there ? 0 : 1) | (flags & O_TRUNC ? 2 : 0);
  if (descriptor >= 0 && flags & (O_CREAT | O_TRUNC) && change && path_of(descriptor, real)) {
    note((struct entry){OPENED, 0, inode_of(descriptor), 0, (uint64_t)change}, real, NULL);
  }
  errno = saved;
  return descriptor;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? va_arg(rest, mode_t) : 0; }

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_by("open64", path, flags, mode);
}

int rename(const char *path, const char *name) {
  int result = ((int (*)(const char *, const char *))next("rename"))(path, name);
  if (result == 0 && file >= 0 && is_meant(path)) {
    note((struct entry){RENAMED, 0, 0, 0, strlen(name)}, path, name);
  }
  return result;
}

/* The path of `name` in an open folder. Returns 0 when it is outside of the folder. */
static int path_within(int descriptor, const char *name, char *path) {
  if (!path_of(descriptor, path)) return 0;
  size_t length = strlen(path);
  return length + strlen(name) + 2 <= PATH_MAX && snprintf(path + length, PATH_MAX - length, "/%s", name) > 0;
}

int renameat(int from, const char *path, int to, const char *name) {
  char before[PATH_MAX], after[PATH_MAX];
  int result = ((int (*)(int, const char *, int, const char *))next("renameat"))(from, path, to, name);
  int saved = errno;
  if (result == 0 && path_within(from, path, before) && path_within(to, name, after)) {
    note((struct entry){RENAMED, 0, 0, 0, strlen(after)}, before, after);
  }
  errno = saved;
  return result;
}

int unlink(const char *path) {
  int result = ((int (*)(const char *))next("unlink"))(path);
  if (result == 0 && file >= 0 && is_meant(path)) {
    note((struct entry){REMOVED, 0, 0, 0, 0}, path, NULL);
  }
  return result;
}
