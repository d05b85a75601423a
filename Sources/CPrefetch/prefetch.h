// A prefetch instruction, which Swift has no spelling for. It never faults and nothing waits for it.
static inline __attribute__((always_inline)) void prefetch(const void *_Nonnull address) {
  __builtin_prefetch(address, 0, 3);
}
