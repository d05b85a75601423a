import Glibc
import Logging
import Synchronization

/// What SIGTERM and SIGINT end: the start of a server, or the server itself.
///
/// A start may take long: it replays the journal, and waits for a full disk. It can be ended at any
/// moment, because no client has been answered yet and the files survive a crash. Any thread.
public final class StopTarget: Sendable {
  private let server = Mutex<Server.Stopper?>(nil)
  private let log: Logger

  /// - Parameter log: Receives a line for each signal.
  public init(log: Logger) { self.log = log }

  /// The start is complete: from now on this server is stopped.
  public func serve(_ stopper: Server.Stopper) { server.withLock { $0 = stopper } }

  /// Begins the orderly shutdown; before `serve`, ends the process with exit code 0.
  /// - Parameter signal: Name of the signal, for the log.
  public func stop(_ signal: String) {
    server.withLock { stopper in
      if let stopper {
        log.info("signal received: draining", metadata: ["signal": "\(signal)"])
        return stopper.stop()
      }
      log.notice(
        "signal received before the start was complete: the process ends, and nothing was served",
        metadata: ["signal": "\(signal)"])
      _exit(0)
    }
  }
}
