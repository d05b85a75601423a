import Glibc

/// The progress of work of known size, on standard error. On a terminal a bar, which is redrawn in
/// place; in a log a line every 10 % or 10 s, whichever comes first, and none of work that takes
/// less than a second:
///
///     [##########..............................]  25 %  168 of 672 intervals
///     25 %  168 of 672 intervals
public struct ProgressBar: Sendable {
  private static let width: UInt64 = 40
  /// Part of the work between two lines of a log, in percent.
  private static let step: UInt64 = 10
  /// Longest time between two lines of a log, in s, and duration of work that needs no line.
  private static let (longest, quiet) = (10.0, 1.0)

  private let line = ProgressLine(shown: .always)
  private let (total, unit): (UInt64, String)
  private var shown: UInt64 = .max
  private let start = ProgressBar.now
  private var (lastPercent, lastTime): (UInt64, Double)

  /// Progress of `total` units. The bar appears with the first `show`.
  /// - Parameter unit: What is counted, in the plural.
  public init(total: UInt64, unit: String) {
    (self.total, self.unit) = (max(1, total), unit)
    (lastPercent, lastTime) = (0, Self.now)
  }

  /// Says that `done` units are done. Constant time.
  public mutating func show(_ done: UInt64) {
    let percent = min(done, total) * 100 / total
    if line.isTerminal {
      guard percent != shown else { return }
      shown = percent
      let filled = Int(percent * Self.width / 100)
      let bar =
        String(repeating: "#", count: filled)
        + String(repeating: ".", count: Int(Self.width) - filled)
      return line.show("[\(bar)] \(percent) %  \(done) of \(total) \(unit)")
    }
    let now = Self.now
    guard now - start >= Self.quiet,
      percent >= lastPercent + Self.step || now - lastTime >= Self.longest
    else { return }
    (lastPercent, lastTime) = (percent / Self.step * Self.step, now)
    line.show("\(percent) %  \(done) of \(total) \(unit)")
  }

  /// Removes the bar from a terminal, so that other output can follow.
  public func clear() { line.clear() }

  /// Monotonic time in s.
  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
