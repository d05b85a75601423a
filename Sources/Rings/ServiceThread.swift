import Glibc

/// A named thread that runs one body until it returns. Threads are few, listed in the architecture,
/// and joined by whoever started them.
public final class ServiceThread: @unchecked Sendable {
  /// Who goes first when there are more threads than cores.
  public enum Priority: Sendable {
    /// Somebody waits for what it does.
    case normal
    /// It catches up while others rest: about a tenth of a core that others want too (nice 10).
    case background
  }

  private final class Start {
    let name: String
    let priority: Priority
    let body: @Sendable () -> Void
    init(_ name: String, _ priority: Priority, _ body: @escaping @Sendable () -> Void) {
      (self.name, self.priority, self.body) = (name, priority, body)
    }
  }

  /// The most bytes of a name that the kernel keeps.
  public static let longestName = 15

  private let thread: pthread_t
  private nonisolated(unsafe) var joined = false

  /// Starts a thread with `body`, all signals blocked: the thread that runs the loop handles them.
  /// - Parameters:
  ///   - name: Shown by `top -H` and debuggers; at most `longestName` bytes.
  ///   - priority: How the thread competes for a core.
  /// - Precondition: the system has a thread to give; a server cannot go on without its services.
  public init(
    _ name: String, priority: Priority = .normal, _ body: @escaping @Sendable () -> Void
  ) {
    precondition(name.utf8.count <= Self.longestName, "the kernel keeps 15 bytes of a name")
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name, priority, body)).toOpaque()
    let result = pthread_create(&thread, nil, ServiceThread.main, start)
    pthread_sigmask(SIG_SETMASK, &previous, nil)
    precondition(result == 0, "the system refuses another thread (error \(result))")
    self.thread = thread
  }

  /// Lets a thread that waits for this core go first. The kernel lets the running thread go on for up
  /// to a tick, 4 ms, whatever its priority: a thread with much to do, for whose results nobody waits,
  /// calls this now and then.
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
    name(start.name)
    // On Linux 0 is this thread alone. Refused, it competes like the others: no harm.
    if start.priority == .background {
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    }
    start.body()
    return nil
  }

  /// Names the calling thread. `pthread_setname_np` is not visible in Swift; the kernel offers the same
  /// as a file. Without /proc the thread keeps the process's name: no harm.
  private static func name(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
  }
}
