/// A progress bar on standard error, shown only on a terminal:
///
///     [##########..............................]  25 %  2500000 of 10000000
public struct ProgressBar: Sendable {
  private static let width: UInt64 = 40
  private let line = ProgressLine(shown: .onTerminal)
  private let total: UInt64
  private var shown: UInt64 = .max

  /// A bar of `total` steps. It appears with the first `show`.
  public init(total: UInt64) { self.total = max(1, total) }

  /// Updates the bar to `done` steps when the percentage changes.
  public mutating func show(_ done: UInt64) {
    let percent = min(done, total) * 100 / total
    guard line.isShown, percent != shown else { return }
    shown = percent
    let filled = Int(percent * Self.width / 100)
    let bar =
      String(repeating: "#", count: filled)
      + String(repeating: ".", count: Int(Self.width) - filled)
    line.show("[\(bar)] \(percent) %  \(done) of \(total) ")
  }

  /// Removes the bar from the terminal.
  public func clear() { line.clear() }
}
