// Generated files are committed, so a build does not need sbegen and a review shows every change.

import Foundation

/// A generated file.
struct OutputFile {
  /// Path relative to the repository.
  let path: String
  let text: String
}

/// The repository that contains the generated files.
struct OutputFolder {
  /// Folder of the Swift codecs.
  static let codecs = "Sources/Wire/Generated"
  /// Folder of the golden vectors' tests.
  static let tests = "Tests/WireTests/Generated"

  /// Folder of the command structs and enums.
  static let model = "Sources/MarketModel/Generated"
  /// Folder of the journal's codec.
  static let journal = "Sources/Journaling/Generated"
  /// Folder of the gateway's reader.
  static let gateway = "Sources/GatewayBinary/Generated"
  /// Folders of the tests that use random commands.
  static let commandTests = [
    "Tests/JournalingTests/Generated", "Tests/ExchangeCoreTests/Generated",
    "Tests/GatewayBinaryTests/Generated",
  ]
  /// All folders that contain only generated files.
  static let all = [codecs, tests, model, journal, gateway] + commandTests

  let root: URL

  /// Whether `file` is missing or differs.
  func differs(_ file: OutputFile) throws -> Bool {
    let url = root.appendingPathComponent(file.path)
    guard FileManager.default.fileExists(atPath: url.path) else { return true }
    return try Data(contentsOf: url) != Data(file.text.utf8)
  }

  /// Paths in the generated folders that are not in `paths`.
  func obsoleteFiles(among paths: [String]) throws -> [String] {
    let expected = Set(paths)
    return try Self.all.flatMap { folder -> [String] in
      let url = root.appendingPathComponent(folder)
      guard FileManager.default.fileExists(atPath: url.path) else { return [] }
      return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
        .map { "\(folder)/\($0)" }.filter { !expected.contains($0) }
    }
  }

  /// Writes `file` and creates its folder if necessary.
  func write(_ file: OutputFile) throws {
    let url = root.appendingPathComponent(file.path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(file.text.utf8).write(to: url)
  }

  /// Deletes the file at `path`.
  func remove(_ path: String) throws {
    try FileManager.default.removeItem(at: root.appendingPathComponent(path))
  }
}
