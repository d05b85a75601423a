import CoreMetrics
import Glibc
import Journaling
import Logging
import MarketModel
import Synchronization

/// The log level of the process. SIGHUP may change it. Any thread.
final class LogThreshold: Sendable {
  private let level: Mutex<Logger.Level>

  init(_ level: Logger.Level) { self.level = Mutex(level) }

  var value: Logger.Level {
    get { level.withLock { $0 } }
    set { level.withLock { $0 = newValue } }
  }
}

/// Writes every log event at or above the common level to standard error, one line per event:
///
///     2026-06-01T09:30:00.125Z warning joulebook: a session exceeds its message limit count=1 limit=100 session=7
///
/// A value with characters other than letters, digits and `_-+.,:/@%` is quoted like a JSON string.
struct AdjustableLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  private let label: String
  private let threshold: LogThreshold
  /// Counts the lines of level `error` and above.
  private let errors = Counter(label: "joulebook_log_errors_total")

  init(_ label: String, _ threshold: LogThreshold) {
    (self.label, self.threshold) = (label, threshold)
  }

  var logLevel: Logger.Level {
    get { threshold.value }
    set { threshold.value = newValue }
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    if event.level >= .error { errors.increment() }
    var fields = metadata.merging(event.metadata ?? [:]) { $1 }
    if let error = event.error { fields["error"] = "\(error)" }
    let pairs = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }
    let now = Timestamp(nanoseconds: SystemTime().wall)
    let line = Array(
      "\(now.iso8601Milliseconds) \(event.level) \(label): \(event.message)\(pairs.joined())\n".utf8
    )
    // One system call per line, so that lines of several threads stay whole. A line that standard
    // error does not accept is dropped.
    _ = write(STDERR_FILENO, line, line.count)
  }

  static func quoted(_ value: String) -> String {
    let isPlain = !value.isEmpty && value.utf8.allSatisfy { plain.contains($0) }
    if isPlain { return value }
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case _ where scalar.value < 0x20: text += " "
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,:/@%".utf8)
}
