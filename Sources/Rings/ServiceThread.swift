import Glibc

/// A thread that runs one room until its body returns. Threads are few, named in the architecture,
/// and joined by whoever started them.
public final class RoomThread: @unchecked Sendable {
  /// Who goes first when there are more threads than cores.
  public enum Claim: Sendable {
    /// Somebody waits for what it does.
    case usual
    /// It catches up when the others rest: about a tenth of a core that others want too (nice 10).
    case patient
  }

  private final class Start {
    let body: @Sendable () -> Void
    let claim: Claim
    init(_ claim: Claim, _ body: @escaping @Sendable () -> Void) {
      (self.claim, self.body) = (claim, body)
    }
  }

  private let thread: pthread_t
  private nonisolated(unsafe) var joined = false

  /// Starts a thread with `body`, all signals blocked: the thread that runs the loop handles them.
  /// - Precondition: the system has a thread to give; a server cannot go on without its rooms.
  public init(_ claim: Claim = .usual, _ body: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(claim, body)).toOpaque()
    let result = pthread_create(&thread, nil, RoomThread.main, start)
    pthread_sigmask(SIG_SETMASK, &previous, nil)
    precondition(result == 0, "the system refuses another thread (error \(result))")
    self.thread = thread
  }

  /// Lets a thread that waits for this core go first. The kernel lets who runs go on for up to a tick,
  /// 4 ms, however patient: who has much to do and is waited for by nobody asks now and then.
  public static func giveWay() { sched_yield() }

  /// Waits until the body has returned. Once, by the thread that started it.
  public func join() {
    precondition(!joined, "a thread is joined once")
    joined = true
    pthread_join(thread, nil)
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    pointer in
    guard let pointer else { return nil }
    let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
    // On Linux 0 is this thread alone. Refused, it claims as much as the others: no harm.
    if start.claim == .patient { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
    start.body()
    return nil
  }
}
