import Foundation

/// The repository that the tests were built from.
enum Repository {
  /// The path of `relative` in it.
  static func path(_ relative: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(relative).path
  }

  /// Runs a program and collects what it prints.
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

  /// The Python with the libraries that the tests need, made when it is missing; made once, since
  /// tests run side by side.
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

/// There is no Python to compare with.
struct PythonMissing: Error, CustomStringConvertible {
  let description: String
}
