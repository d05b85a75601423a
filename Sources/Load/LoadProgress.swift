import Presentation

/// A progress line on standard error: on a terminal once a second, each in place of the last; in a
/// log every ten seconds.
struct LoadProgress {
  private static let second: UInt64 = 1_000_000_000
  private let line: ProgressLine
  /// Time between two lines in ns.
  private let interval: UInt64
  private var start: UInt64 = 0
  /// When the next call of `show` and the next line are due, and when the last line was.
  private var (next, nextLine, lastLine): (UInt64, UInt64, UInt64) = (.max, .max, 0)
  private var answered: UInt64 = 0

  /// Progress of a run that has not begun.
  /// - Parameter isShown: Whether anything is printed.
  init(isShown: Bool) {
    line = ProgressLine(shown: isShown ? .always : .never)
    interval = line.isTerminal ? Self.second : 10 * Self.second
  }

  /// Starts the clock of the run.
  /// - Parameter now: Monotonic time in ns.
  mutating func begin(at now: UInt64) {
    (start, lastLine) = (now, now)
    (next, nextLine) = (now + Self.second, now + interval)
  }

  /// Whether a second has passed since the last call of `show`.
  func isDue(_ now: UInt64) -> Bool { now >= next }

  /// Prints the rate of answers since the last line, the totals and the latencies, when a line is
  /// due.
  mutating func show(_ tally: Tally, _ now: UInt64) {
    next = now + Self.second
    guard line.isShown, now >= nextLine else { return }
    let rate = (tally.answered - answered) * Self.second / max(1, now - lastLine)
    (answered, lastLine, nextLine) = (tally.answered, now, now + interval)
    let seconds = (now - start) / Self.second
    var text =
      "\(seconds) s  \(rate)/s  \(tally.answered) answered  \(tally.sent - tally.answered) open"
    if tally.measured > 0 {
      text +=
        "  p50 \(LoadReport.duration(tally.latency.valueAtPercentile(50)))"
        + "  p99 \(LoadReport.duration(tally.latency.valueAtPercentile(99)))"
    }
    if tally.rejected > 0 { text += "  \(tally.rejected) rejected (\(tally.lastReject))" }
    line.show(text)
  }

  /// Removes the line from a terminal.
  func end() { line.clear() }
}
