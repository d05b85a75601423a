// The tools of measurements: the clock and the statistics of the C allocator.

import CMalloc
import Glibc

/// Monotonic time in nanoseconds. A call takes about 25 ns.
package func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Number of allocated bytes of the C allocator.
package func allocatedBytes() -> Int {
  let info = mallinfo2()
  return Int(info.uordblks) + Int(info.hblkhd)
}

/// Peak resident memory of this process in MiB.
package func residentMegabytes() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss / 1_024
}

/// Uses a value, so that the compiler does not remove its computation.
@inline(never) package func keep(_ value: UInt64) {
  precondition(value != now())  // No benchmark computes the present time.
}
