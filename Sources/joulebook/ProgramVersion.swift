import Wire

/// The version of this program.
enum ProgramVersion {
  /// Semantic version; the newest one in CHANGELOG.md.
  static let number = "0.2.0"

  /// What `joulebook --version` prints: the program's version and the version of the binary
  /// protocol's schema that it reads and writes.
  static var text: String { "\(number) (protocol schema \(WireSchema.version))" }
}
