// What is measured with: the clock and the C allocator's books.

import CMalloc
import Glibc

/// Monotonic time in nanoseconds; some 25 ns a call.
package func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Bytes that the C allocator has handed out and not got back.
package func allocatedBytes() -> Int {
  let info = mallinfo2()
  return Int(info.uordblks) + Int(info.hblkhd)
}

/// The most memory that this process ever had resident, in MiB.
package func residentMegabytes() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss / 1_024
}

/// Takes a value as if it were used, so that what computed it is not left out.
@inline(never) package func keep(_ value: UInt64) {
  precondition(value != now())  // The clock is not what anything here computes.
}
