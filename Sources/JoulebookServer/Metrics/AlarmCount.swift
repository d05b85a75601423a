import Logging
import Synchronization

/// Counts log messages that begin with ALARM, from any thread, including those of the start.
final class AlarmCount: Sendable {
  private let number = Atomic<UInt64>(0)

  /// The number of alarms so far. Any thread.
  var value: UInt64 { number.load(ordering: .relaxed) }

  /// Returns a logger that writes to `log` and counts alarms.
  func watching(_ log: Logger) -> Logger {
    Logger(label: log.label) { [self] _ in Handler(inner: log.handler, count: self) }
  }

  private struct Handler: LogHandler {
    var inner: any LogHandler
    let count: AlarmCount

    var metadata: Logger.Metadata {
      get { inner.metadata }
      set { inner.metadata = newValue }
    }
    var logLevel: Logger.Level {
      get { inner.logLevel }
      set { inner.logLevel = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { inner[metadataKey: key] }
      set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
      if event.message.description.hasPrefix("ALARM") { count.number.add(1, ordering: .relaxed) }
      inner.log(event: event)
    }
  }
}
