/// A value that a person typed and that cannot be used. The text says what is wrong with it and, as
/// far as it can be told, what to write instead.
public struct ValueError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to write, without a full stop.
  public let description: String

  /// Creates an error with the given text.
  public init(_ description: String) { self.description = description }
}

/// Parsers of values that people type on the command line and in market files. Each accepts one way
/// to write a value; of the other usual ways the error says how to write them. Digits become
/// integers without floating point, so no value is changed by rounding.
public enum Typed {}
