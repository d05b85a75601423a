import Glibc
import Rings

/// Turns SIGTERM and SIGINT into a call on a thread of its own; the second one ends the process.
///
/// Signals are blocked in every other thread: `RoomThread` does so for those it starts, `arm` for the
/// thread that calls it, which must do so before anything else is started.
public enum SignalWatch {
  /// Blocks both signals in this thread and ignores SIGPIPE: a broken socket is an error of a write.
  /// The process's first thread, at its start.
  public static func arm() {
    signal(SIGPIPE, SIG_IGN)
    var set = watched
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `stop` on the first signal, with its name; at the second the process ends at once with
  /// code 128 + signal, which loses nothing that was acknowledged. The thread lives as long as the
  /// process.
  public static func start(_ stop: @escaping @Sendable (String) -> Void) -> RoomThread {
    RoomThread {
      var set = watched
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { return }
      stop(number == SIGTERM ? "SIGTERM" : "SIGINT")
      guard sigwait(&set, &number) == 0 else { return }
      _exit(128 + number)
    }
  }

  private static var watched: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    return set
  }
}
