import Foundation

/// A line on standard error that says once a second how a run is, over itself on a terminal.
struct LoadProgress {
  private let isShown: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var start: UInt64 = 0
  private var next: UInt64 = .max
  private var answered: UInt64 = 0

  /// - Parameter isShown: Whether anything is said at all.
  init(isShown: Bool) { self.isShown = isShown }

  /// The run begins.
  mutating func begin(at now: UInt64) { (start, next) = (now, now + 1_000_000_000) }

  /// Whether a second has passed.
  func isDue(_ now: UInt64) -> Bool { now >= next }

  /// Says what happened in the last second.
  mutating func show(_ tally: Tally, _ now: UInt64) {
    let nanoseconds = now - next + 1_000_000_000
    next = now + 1_000_000_000
    defer { answered = tally.answered }
    guard isShown else { return }
    let rate = (tally.answered - answered) * 1_000_000_000 / max(1, nanoseconds)
    let seconds = (now - start) / 1_000_000_000
    var line =
      "\(seconds) s  \(rate)/s  \(tally.answered) answered  \(tally.sent - tally.answered) open"
    if tally.measured > 0 {
      line +=
        "  p50 \(LoadReport.duration(tally.latency.valueAtPercentile(50)))"
        + "  p99 \(LoadReport.duration(tally.latency.valueAtPercentile(99)))"
    }
    if tally.rejected > 0 { line += "  \(tally.rejected) rejected (\(tally.lastReject))" }
    say(isTerminal ? "\r\(line)\u{1B}[K" : line + "\n")
  }

  /// The run is over.
  func end() {
    if isShown, isTerminal { say("\r\u{1B}[K") }
  }

  private func say(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
