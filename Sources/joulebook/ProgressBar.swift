import Foundation

/// How far a long reading is, on standard error, when that is a terminal:
///
///     [##########..............................]  25 %  2500000 of 10000000
struct ProgressBar {
  private static let width: UInt64 = 40
  private let total: UInt64
  private let isShown = isatty(STDERR_FILENO) == 1
  private var shown: UInt64 = .max

  /// A bar of `total` steps, not shown yet.
  init(total: UInt64) { self.total = max(1, total) }

  /// Shows that `done` steps are done, when that is another per cent.
  mutating func show(_ done: UInt64) {
    let percent = min(done, total) * 100 / total
    guard isShown, percent != shown else { return }
    shown = percent
    let filled = Int(percent * Self.width / 100)
    let bar =
      String(repeating: "#", count: filled)
      + String(repeating: ".", count: Int(Self.width) - filled)
    FileHandle.standardError.write(Data("\r[\(bar)] \(percent) %  \(done) of \(total) ".utf8))
  }

  /// Takes the bar away.
  func clear() {
    guard isShown else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
