import Foundation
import Testing

#if os(Linux)
  @Suite("Programs that tests start")
  struct ProgramTests {
    @Test("A program starts with no signal blocked, whatever the test's thread blocks.")
    func signals() throws {
      let result = try Script.run("/bin/grep", ["SigBlk", "/proc/self/status"])
      #expect(result.output == "SigBlk:\t0000000000000000\n")
    }
  }
#endif

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
    #expect(result.output.contains("levels and orders agreed at "), "\(result.output)")
    #expect(result.output.hasSuffix("done\n"), "\(result.output)")
  }
}

@Suite("The C client")
struct CClientTests {
  private static var canCompile: Bool {
    Script.isInstalled("cc") && FileManager.default.fileExists(atPath: "/usr/include/openssl/evp.h")
  }

  @Test(
    "A bot in C, written from the protocol's pages alone, trades and comes back to its session.",
    .enabled(if: canCompile, "no C compiler with OpenSSL's headers"))
  func firstOrder() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.found(on: server)
    let bot = folder.path + "/first_order"
    let source = Script.path("clients/c/first_order.c")
    let compiled = try Script.run(
      "/usr/bin/env",
      ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", bot, source, "-lcrypto"])
    #expect(compiled.status == 0, "\(compiled.output)")
    let seed = village.key.rawRepresentation.map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    let result = try Script.run(
      bot,
      ["127.0.0.1", "\(server.port)", "3", seed, "\(Village.ben.rawValue)", "1", "10000", "2000"])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("back: my next message is 2"), "\(result.output)")
    #expect(result.output.contains("finished: the last report was "), "\(result.output)")
    #expect(try village.status(server).openOrderCount == 0)
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
    #expect(result.output.contains("140 vectors with 1039 values"), "\(result.output)")
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

  /// Runs a program, or a shell script of the repository, to its end and collects what it prints.
  static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    let isScript = program.hasSuffix(".sh")
    process.executableURL = URL(fileURLWithPath: isScript ? "/bin/sh" : program)
    process.arguments = isScript ? [path(program)] + arguments : arguments
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.start()
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
