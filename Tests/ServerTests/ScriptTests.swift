import Foundation
import Testing
import Wire

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

  @Test("Every message of the schema is sent or answered on a real server.")
  func everyMessage() throws {
    let result = try Script.run("Tests/python/every_message.sh", [Joulebook.path])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("none of \(Template.allCases.count) missed"), "\(result.output)")
  }

  @Test("A key file is read if only its owner has access to it, and refused otherwise.")
  func keyFile() throws {
    let folder = try TemporaryFolder()
    let made = try Joulebook.run(["admin", "keygen", folder.path + "/ana.key"])
    #expect(made.status == 0, "\(made)")
    let python = try Script.run("Tests/python/setup.sh", []).output
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let script = """
      from os import chmod
      from sys import path as folders
      folders.insert(0, "\(Script.path("clients/python"))")
      from joulebook import read_key_file
      path = "\(folder.path)/ana.key"
      public = bytes.fromhex(open("\(folder.path)/ana.pub").read())
      print(read_key_file(path).public_key().public_bytes_raw() == public)
      for mode in (0o644, 0o640, 0o602):
          chmod(path, mode)
          try:
              read_key_file(path)
          except PermissionError as error:
              print(str(error).endswith(f"(mode {mode:o}): chmod 600 {path}"))
      """
    let result = try Script.run(python, ["-c", script])
    #expect(result.output == "True\nTrue\nTrue\nTrue\n", "\(result.output)")
  }

  @Test("Keys are replaced and revoked, numbers reset; each ended connection learns why.")
  func sessionKeys() throws {
    let result = try Script.run("Tests/python/session_keys.sh", [Joulebook.path])
    #expect(result.status == 0 && result.output.hasSuffix("done\n"), "\(result.output)")
  }

  @Test("The package has what users need, its tests pass, and mypy finds wrong words and fields.")
  func package() throws {
    let result = try Script.run("Tests/python/package.sh", [])
    #expect(result.status == 0 && result.output.hasSuffix("done\n"), "\(result.output)")
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

  /// Compiles the C program of that name.
  private func compile(_ name: String, in folder: TemporaryFolder) throws -> String {
    let program = folder.path + "/" + name
    let compiled = try Script.run(
      "/usr/bin/env",
      [
        "cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program,
        Script.path("clients/c/\(name).c"), "-lcrypto",
      ])
    #expect(compiled.status == 0, "\(compiled.output)")
    return program
  }

  private static func seed(_ village: Village) -> String {
    village.key.rawRepresentation.map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  @Test(
    "A program in C, written from the protocol's pages alone, follows the market through gaps.",
    .enabled(if: canCompile, "no C compiler with OpenSSL's headers"),
    arguments: ["orders", "levels"])
  func marketData(view: String) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=4096"])
    try village.setUp(on: server)
    let program = try compile("market_data", in: folder)
    let market = try RandomTraders(village, server)
    try market.trade(60)
    let watcher = Process()
    watcher.executableURL = URL(fileURLWithPath: program)
    watcher.arguments = ["127.0.0.1", "\(server.port)", "4", Self.seed(village), "1", view]
    let pipe = Pipe()
    (watcher.standardOutput, watcher.standardError) = (pipe, pipe)
    try watcher.start()
    // Trades until the snapshot was printed, so that changes arrive in between, then enough for
    // many gaps.
    var printed = Data()
    while !printed.contains(UInt8(ascii: "\n")) {
      let more = pipe.fileHandleForReading.availableData
      if more.isEmpty { break }
      printed += more
    }
    try market.trade(400)
    try market.halt()
    printed += pipe.fileHandleForReading.readDataToEndOfFile()
    watcher.waitUntilExit()
    let output = String(decoding: printed, as: UTF8.self)
    #expect(watcher.terminationStatus == 0, "\(output)")
    let words = try #require(output.split(separator: "\n").last).split(separator: " ")
    #expect(words.starts(with: ["right", "at", "number"]), "\(output)")
    let (gaps, losses) = (Int(words[5]) ?? 0, Int(words[8]) ?? 0)
    #expect(gaps > 5 && losses > 2, "\(output)")
    // Its output equals the server's state.
    #expect(output.split(separator: "\n").filter { $0.hasPrefix("level:") }.count > 5)
    #expect(
      try market.depth()
        == output.split(separator: "\n").filter { $0.hasPrefix("level:") }
        .map(String.init).sorted())
    #expect(server.stop() == 0)
  }

  @Test(
    "A bot in C, written from the protocol's pages alone, trades and comes back to its session.",
    .enabled(if: canCompile, "no C compiler with OpenSSL's headers"))
  func firstOrder() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let bot = try compile("first_order", in: folder)
    let seed = Self.seed(village)
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
    "tshark reads a captured conversation and every value of every golden vector, and marks wrong frames.",
    .enabled(if: Script.isInstalled("tshark"), "tshark is not installed"))
  func dissector() throws {
    let result = try Script.run("Tests/python/dissect.sh", [Joulebook.path])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("captured, 16 faults"), "\(result.output)")
  }
}

/// The scripts of the repository.
enum Script {
  /// Whether a program is on PATH.
  static func isInstalled(_ program: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  /// Runs a program, or a shell script of the repository, and returns its output.
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
