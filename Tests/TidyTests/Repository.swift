import Foundation

/// The files of the repository, except build products and hidden files.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Paths under `folder` that end with `suffix`, in order.
  static func paths(_ folder: String, _ suffix: String = "") throws -> [String] {
    let base = folder.isEmpty ? root : root.appendingPathComponent(folder)
    return try FileManager.default.subpathsOfDirectory(atPath: base.path).filter {
      $0.hasSuffix(suffix) && !$0.hasPrefix(".") && !$0.contains("/.") && !$0.contains(".build/")
    }.sorted()
  }

  /// These files with their contents.
  static func files(_ folder: String, _ suffix: String) throws -> [(path: String, text: String)] {
    try paths(folder, suffix).map { ($0, try text(folder.isEmpty ? $0 : folder + "/" + $0)) }
  }

  /// Where a symbolic link leads; none for anything else.
  static func destination(_ path: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(
      atPath: root.appendingPathComponent(path).path)
  }

  /// Whether there is a file or folder, at the end of all links.
  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
}
