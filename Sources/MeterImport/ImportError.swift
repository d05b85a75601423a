// Errors that end an import: the file as a whole cannot be read. What is wrong with one line is a
// `LineFault`, and the import goes on with the next one.

/// Why a file cannot be imported.
public struct ImportError: Error, Equatable, CustomStringConvertible {
  /// What failed.
  public enum Kind: Sendable {
    /// An option does not fit the file.
    case option
    /// The file is missing.
    case missing
    /// Reading or writing failed.
    case io
    /// What is in the file is no file of this profile.
    case content
  }

  /// What failed.
  public var kind: Kind
  /// What happened, and what to do about it.
  public var description: String

  /// An error with the given text.
  public init(_ kind: Kind, _ description: String) {
    (self.kind, self.description) = (kind, description)
  }
}

/// What is wrong with a cell, as far as the parser of its text can tell.
struct TextFault: Error, Equatable {
  /// What is wrong and what to write instead, without a full stop.
  let text: String

  init(_ text: String) { self.text = text }
}
