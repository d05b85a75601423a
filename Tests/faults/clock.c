/* Loaded before the C library (LD_PRELOAD): adds seconds from a file to the wall clock. CLOCK_MONOTONIC stays
   correct.

     CLOCK_FILE    16 bytes, little-endian: seconds to add; number of reads of the wall clock (counted here) */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct wrong {
  _Atomic int64_t seconds;
  _Atomic uint64_t looks;
};

static struct wrong *wrong;

static __attribute__((constructor)) void begin(void) {
  const char *path = getenv("CLOCK_FILE");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *memory = mmap(NULL, sizeof *wrong, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory != MAP_FAILED) wrong = memory;
}

static int64_t by(void) {
  if (!wrong) return 0;
  atomic_fetch_add(&wrong->looks, 1);
  return atomic_load(&wrong->seconds);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += by();
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int result = (int)syscall(SYS_gettimeofday, time, zone);
  if (result == 0) time->tv_sec += by();
  return result;
}

time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}
