import Foundation
import Testing

@Suite("The Python client")
struct PythonClientTests {
  @Test("From an empty exchange a script trades, and an ask that waits for energy is covered.")
  func firstTrade() throws {
    let result = try Script.run("Tests/python/first_trade.sh", [Joulebook.path])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("covered"), "\(result.output)")
  }

  @Test("Installed with pip, the example bots trade with each other; a dropped session comes back.")
  func bots() throws {
    let result = try Script.run("Tests/python/bots.sh", [Joulebook.path])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("came back to "), "\(result.output)")
    #expect(result.output.hasSuffix("done\n"), "\(result.output)")
  }
}

@Suite("The Wireshark dissector")
struct DissectorTests {
  @Test(
    "tshark reads a captured conversation, and every value of every golden vector.",
    .enabled(if: Script.isInstalled("tshark"), "tshark is not installed"))
  func dissector() throws {
    let result = try Script.run("Tests/python/dissect.sh", [Joulebook.path])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("131 vectors with 996 values"), "\(result.output)")
  }
}

/// The scripts of the repository.
enum Script {
  /// Whether a program is on the path.
  static func isInstalled(_ program: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  /// Runs one to its end and collects what it prints.
  static func run(
    _ relative: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [path(relative)] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// The path of `relative` in the repository.
  static func path(_ relative: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(relative).path
  }
}
