/// How the reader of a ring waits while it is empty. One thread spins at most on two cores.
public enum WaitStrategy: Sendable, Hashable {
  /// Looks again at once. Answers soonest, burns a core.
  case spin
  /// Gives the core away between looks.
  case yield
  /// Looks `spins` times, then sleeps until the writer rings. Costs the writer a fence for each
  /// publish, and a system call for each time the reader really sleeps.
  /// Right for threads that are idle most of the time.
  case park(spins: Int = 64)
}
