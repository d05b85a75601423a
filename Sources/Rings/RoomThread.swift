import Glibc

/// A thread that runs one room until its body returns. Threads are few, named in the architecture,
/// and joined by whoever started them.
public final class RoomThread: @unchecked Sendable {
  private final class Start {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let thread: pthread_t
  private nonisolated(unsafe) var joined = false

  /// Starts a thread with `body`, all signals blocked: the thread that runs the loop handles them.
  /// - Precondition: the system has a thread to give; a server cannot go on without its rooms.
  public init(_ body: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(body)).toOpaque()
    let result = pthread_create(&thread, nil, RoomThread.main, start)
    pthread_sigmask(SIG_SETMASK, &previous, nil)
    precondition(result == 0, "the system refuses another thread (error \(result))")
    self.thread = thread
  }

  /// Waits until the body has returned. Once, by the thread that started it.
  public func join() {
    precondition(!joined, "a thread is joined once")
    joined = true
    pthread_join(thread, nil)
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    pointer in
    guard let pointer else { return nil }
    Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue().body()
    return nil
  }
}
