import Glibc

/// A progress line on standard error. On a terminal each text replaces the last one. Any thread.
public struct ProgressLine: Sendable {
  /// Condition under which the line is shown.
  public enum Condition: Sendable {
    /// Never shown.
    case never
    /// Always shown; without a terminal, each text is a new line.
    case always
  }

  private let condition: Condition
  /// Whether standard error is a terminal, on which each text replaces the last one.
  public let isTerminal = isatty(STDERR_FILENO) == 1

  /// A line without text.
  public init(shown condition: Condition) { self.condition = condition }

  /// Whether `show` writes anything.
  public var isShown: Bool {
    switch condition {
    case .never: false
    case .always: true
    }
  }

  /// Shows `text`, which contains no newline, in place of the last text.
  public func show(_ text: String) {
    if isShown { write(isTerminal ? "\r\(text)\u{1B}[K" : text + "\n") }
  }

  /// Removes the line from a terminal, so that other output can follow.
  public func clear() {
    if isShown, isTerminal { write("\r\u{1B}[K") }
  }

  /// Writes with one system call, so that lines of several threads stay whole. Output that standard
  /// error does not accept is dropped.
  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
