import Glibc
import Rings

/// Turns SIGTERM, SIGINT and SIGHUP into calls on a dedicated thread.
///
/// Every other thread must block these signals: `ServiceThread` does so for the threads it
/// starts, `arm` for the thread that calls it.
public enum SignalWatch {
  /// Blocks these signals in the calling thread and ignores SIGPIPE, so that writing to a broken
  /// socket returns an error. Called by the process's first thread before it starts any other.
  public static func arm() {
    signal(SIGPIPE, SIG_IGN)
    var set = watched
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `stop` with the signal's name on the first SIGTERM or SIGINT, and `reload` on each
  /// SIGHUP. A second SIGTERM or SIGINT ends the process immediately with exit code 128 + signal;
  /// nothing that was acknowledged is lost. The thread lives as long as the process.
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
