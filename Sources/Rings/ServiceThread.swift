import Glibc

/// A named thread that runs one body until the body returns. docs/ARCHITECTURE.md lists the threads
/// of a server. The thread that starts one joins it.
public final class ServiceThread: @unchecked Sendable {
  /// How a thread competes when there are more threads than cores.
  public enum Priority: Sendable {
    /// For work whose result another thread or a client waits for.
    case normal
    /// For work that can lag behind (nice 10): it gets about a tenth of a core for which other
    /// threads compete.
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

  /// Starts a thread that runs `body` with all signals blocked. The thread of the event loop
  /// handles signals.
  /// - Parameters:
  ///   - name: Shown by `top -H` and debuggers; at most `longestName` bytes.
  ///   - priority: How the thread competes for a core.
  /// - Precondition: The system can create another thread; a server cannot run without its
  ///   services.
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

  /// Yields the core to a thread that waits for it. The kernel otherwise lets the running thread
  /// continue for up to a tick (4 ms) whatever its priority, so a background thread calls this
  /// during long work.
  public static func yieldCore() { sched_yield() }

  /// Waits until the body has returned. The thread that started this one calls it once.
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
    // On Linux, 0 means this thread only. When the call fails the thread keeps the normal priority.
    if start.priority == .background {
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    }
    start.body()
    return nil
  }

  /// Names the calling thread. Swift does not import `pthread_setname_np`, but the kernel has a
  /// file for the name. Without /proc the thread keeps the process's name.
  private static func name(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
  }
}
