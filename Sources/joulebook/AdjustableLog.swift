import Logging
import Synchronization

/// The level of every logger of this process, which SIGHUP may change.
final class LogThreshold: Sendable {
  private let level: Mutex<Logger.Level>

  init(_ level: Logger.Level) { self.level = Mutex(level) }

  var value: Logger.Level {
    get { level.withLock { $0 } }
    set { level.withLock { $0 = newValue } }
  }
}

/// Writes to standard error what is at or above a common threshold.
struct AdjustableLog: LogHandler {
  private var inner: StreamLogHandler
  private let threshold: LogThreshold

  init(_ label: String, _ threshold: LogThreshold) {
    inner = StreamLogHandler.standardError(label: label)
    inner.logLevel = .trace
    self.threshold = threshold
  }

  var logLevel: Logger.Level {
    get { threshold.value }
    set { threshold.value = newValue }
  }
  var metadata: Logger.Metadata {
    get { inner.metadata }
    set { inner.metadata = newValue }
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { inner[metadataKey: key] }
    set { inner[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) { inner.log(event: event) }
}
