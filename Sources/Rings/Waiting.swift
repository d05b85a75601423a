import Glibc

/// Waits with `strategy` until `isReady` returns true.
/// - Returns: Whether `isReady` returned true; `false` after the timeout.
@usableFromInline
func waitUntil(
  _ strategy: WaitStrategy, bell: Doorbell, timeoutNanoseconds: UInt64?, _ isReady: () -> Bool
) -> Bool {
  switch strategy {
  case .park(let spins):
    for _ in 0..<max(0, spins) where isReady() { return true }
    return bell.wait(timeoutNanoseconds: timeoutNanoseconds, until: isReady)
  case .spin:
    return poll(until: timeoutNanoseconds, isReady) {}
  case .yield:
    return poll(until: timeoutNanoseconds, isReady) { sched_yield() }
  }
}

/// Checks without sleeping; reads the clock once in 256 checks.
private func poll(
  until timeoutNanoseconds: UInt64?, _ isReady: () -> Bool, between: () -> Void
) -> Bool {
  guard let timeoutNanoseconds else {
    while !isReady() { between() }
    return true
  }
  let start = monotonicNanoseconds()
  repeat {
    for _ in 0..<256 {
      if isReady() { return true }
      between()
    }
  } while monotonicNanoseconds() - start < timeoutNanoseconds
  return isReady()
}

private func monotonicNanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
