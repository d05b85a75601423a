// What is generated is committed, so a build needs no tool and a review sees every change.

import Foundation

/// A generated file.
struct OutputFile {
  /// From the repository's folder.
  let path: String
  let text: String
}

/// The repository that generated files go to.
struct OutputFolder {
  /// Where the Swift codecs go.
  static let codecs = "Sources/Wire/Generated"
  /// Where the tests of the golden vectors go.
  static let tests = "Tests/WireTests/Generated"

  /// Where the model's commands go.
  static let model = "Sources/MarketModel/Generated"
  /// Where the journal's codec goes.
  static let journal = "Sources/Journaling/Generated"
  /// Where the gateway's reader goes.
  static let gateway = "Sources/GatewayBinary/Generated"
  /// The tests that draw random commands.
  static let commandTests = [
    "Tests/JournalingTests/Generated", "Tests/ExchangeCoreTests/Generated",
    "Tests/GatewayBinaryTests/Generated",
  ]
  /// All folders that hold nothing else.
  static let all = [codecs, tests, model, journal, gateway] + commandTests

  let root: URL

  /// Whether `file` is missing or has another text.
  func differs(_ file: OutputFile) throws -> Bool {
    let url = root.appendingPathComponent(file.path)
    guard FileManager.default.fileExists(atPath: url.path) else { return true }
    return try Data(contentsOf: url) != Data(file.text.utf8)
  }

  /// Files in the generated folders that nothing generates any more.
  func strangers(among paths: [String]) throws -> [String] {
    let expected = Set(paths)
    return try Self.all.flatMap { folder -> [String] in
      let url = root.appendingPathComponent(folder)
      guard FileManager.default.fileExists(atPath: url.path) else { return [] }
      return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
        .map { "\(folder)/\($0)" }.filter { !expected.contains($0) }
    }
  }

  /// Writes `file`, making its folder.
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
