import Glibc

/// A line on standard error that says how far something long has come: over itself on a terminal.
public struct ProgressLine: Sendable {
  /// Where the line is shown.
  public enum Audience: Sendable {
    /// Nowhere.
    case nobody
    /// On a terminal only.
    case terminal
    /// On a terminal, and elsewhere as one line after the other.
    case anybody
  }

  private let audience: Audience
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// A line that says nothing yet.
  public init(for audience: Audience) { self.audience = audience }

  /// Whether `show` writes anything.
  public var isShown: Bool {
    switch audience {
    case .nobody: false
    case .terminal: isTerminal
    case .anybody: true
    }
  }

  /// Says `text`, which has no line's end, in the place of what was said before.
  public func show(_ text: String) {
    if isShown { say(isTerminal ? "\r\(text)\u{1B}[K" : text + "\n") }
  }

  /// Takes the line away, so that something else can be written.
  public func clear() {
    if isShown, isTerminal { say("\r\u{1B}[K") }
  }

  /// In one call, so that lines of several threads do not mix. What standard error does not take is lost.
  private func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
