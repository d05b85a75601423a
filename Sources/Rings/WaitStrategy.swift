/// How the reader of a ring waits while the ring is empty. On two cores at most one thread should
/// spin.
public enum WaitStrategy: Sendable, Hashable {
  /// Checks continuously: the lowest latency, at the cost of a whole core.
  case spin
  /// Yields the core between checks.
  case yield
  /// Checks `spins` times, then sleeps until the writer wakes it. The writer pays a fence for each
  /// publish and a system call for each wake-up. Suits threads that are idle most of the time.
  case park(spins: Int = 64)
}
