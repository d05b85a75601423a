import Foundation

/// The repository that the tests were built from.
enum Repository {
  /// The absolute path of `relative` in the repository.
  static func path(_ relative: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(relative).path
  }

  /// Runs a program and returns its output.
  static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// Path of a Python with the libraries that the tests need. It is created once if it is missing,
  /// since tests run in parallel.
  static func python() throws -> String {
    switch interpreter {
    case .success(let path): return path
    case .failure(let error): throw error
    }
  }

  private static let interpreter = Result { () throws -> String in
    let result = try run("/bin/sh", [path("Tests/python/setup.sh")])
    guard result.status == 0, let last = result.output.split(separator: "\n").last else {
      throw PythonMissing(description: "Tests/python/setup.sh failed:\n\(result.output)")
    }
    return String(last)
  }
}

/// Thrown if there is no Python to compare with.
struct PythonMissing: Error, CustomStringConvertible {
  let description: String
}
