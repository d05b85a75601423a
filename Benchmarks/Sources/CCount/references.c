// Counts the reference counting operations of Swift objects on all threads except the main one. These
// definitions take precedence over the Swift runtime's and call them.
#define _GNU_SOURCE
#include "count.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_ulong changes;

static void count(void) {
  static __thread int main_thread = -1;
  if (main_thread < 0) main_thread = gettid() == getpid();
  if (!main_thread) atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

unsigned long reference_count(void) { return atomic_load_explicit(&changes, memory_order_relaxed); }

typedef void *(*retaining)(void *);
typedef void (*releasing)(void *);

// Several threads may look up a function at first; all of them find one result.
#define RETAIN(name)                                                \
  void *name(void *object) {                                        \
    static _Atomic(retaining) next;                                 \
    retaining known = atomic_load_explicit(&next, memory_order_relaxed); \
    if (known == NULL) atomic_store(&next, known = (retaining)dlsym(RTLD_NEXT, #name)); \
    count();                                                        \
    return known(object);                                           \
  }
#define RELEASE(name)                                               \
  void name(void *object) {                                         \
    static _Atomic(releasing) next;                                 \
    releasing known = atomic_load_explicit(&next, memory_order_relaxed); \
    if (known == NULL) atomic_store(&next, known = (releasing)dlsym(RTLD_NEXT, #name)); \
    count();                                                        \
    known(object);                                                  \
  }

RETAIN(swift_retain)
RELEASE(swift_release)
RETAIN(swift_bridgeObjectRetain)
RELEASE(swift_bridgeObjectRelease)
