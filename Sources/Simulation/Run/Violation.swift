/// A violated requirement of the exchange.
package struct Violation: Error, Sendable, Equatable, CustomStringConvertible {
  /// The requirement and how it was violated.
  package let description: String
  init(_ description: String) { self.description = description }
}
