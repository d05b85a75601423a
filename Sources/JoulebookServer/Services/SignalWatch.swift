import Glibc
import Rings

/// Turns SIGTERM, SIGINT and SIGHUP into calls on a thread of its own.
///
/// Signals are blocked in every other thread: `ServiceThread` does so for those it starts, `arm` for the
/// thread that calls it, which must do so before anything else is started.
public enum SignalWatch {
  /// Blocks these signals in this thread and ignores SIGPIPE: a broken socket is an error of a write.
  /// The process's first thread, at its start.
  public static func arm() {
    signal(SIGPIPE, SIG_IGN)
    var set = watched
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `stop` on the first SIGTERM or SIGINT, with its name, and `reload` on each SIGHUP; at the
  /// second of the former the process ends at once with code 128 + signal, which loses nothing that was
  /// acknowledged. The thread lives as long as the process.
  public static func start(
    stop: @escaping @Sendable (String) -> Void, reload: @escaping @Sendable () -> Void
  ) -> ServiceThread {
    ServiceThread("signals") {
      var isStopping = false
      while true {
        var set = watched
        var number: Int32 = 0
        guard sigwait(&set, &number) == 0 else { return }
        switch number {
        case SIGHUP: reload()
        case _ where isStopping: _exit(128 + number)
        default:
          isStopping = true
          stop(number == SIGTERM ? "SIGTERM" : "SIGINT")
        }
      }
    }
  }

  private static var watched: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGHUP)
    return set
  }
}
