/// Something that must never happen has happened.
package struct Violation: Error, Sendable, Equatable, CustomStringConvertible {
  /// What.
  package let description: String
  init(_ description: String) { self.description = description }
}
