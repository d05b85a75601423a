import Presentation

/// A progress line on standard error once a second. On a terminal each line replaces the last.
struct LoadProgress {
  private let line: ProgressLine
  private var start: UInt64 = 0
  private var next: UInt64 = .max
  private var answered: UInt64 = 0

  /// Progress of a run that has not begun.
  /// - Parameter isShown: Whether anything is printed.
  init(isShown: Bool) { line = ProgressLine(shown: isShown ? .always : .never) }

  /// Starts the clock of the run.
  /// - Parameter now: Monotonic time in ns.
  mutating func begin(at now: UInt64) { (start, next) = (now, now + 1_000_000_000) }

  /// Whether a second has passed since the last line.
  func isDue(_ now: UInt64) -> Bool { now >= next }

  /// Prints the answers of the last second, the totals and the latencies.
  mutating func show(_ tally: Tally, _ now: UInt64) {
    let nanoseconds = now - next + 1_000_000_000
    next = now + 1_000_000_000
    defer { answered = tally.answered }
    guard line.isShown else { return }
    let rate = (tally.answered - answered) * 1_000_000_000 / max(1, nanoseconds)
    let seconds = (now - start) / 1_000_000_000
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
