import Presentation

/// A line on standard error that says once a second how a run is, over itself on a terminal.
struct LoadProgress {
  private let line: ProgressLine
  private var start: UInt64 = 0
  private var next: UInt64 = .max
  private var answered: UInt64 = 0

  /// - Parameter isShown: Whether anything is said at all.
  init(isShown: Bool) { line = ProgressLine(for: isShown ? .anybody : .nobody) }

  /// The run begins.
  mutating func begin(at now: UInt64) { (start, next) = (now, now + 1_000_000_000) }

  /// Whether a second has passed.
  func isDue(_ now: UInt64) -> Bool { now >= next }

  /// Says what happened in the last second.
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

  /// The run is over.
  func end() { line.clear() }
}
