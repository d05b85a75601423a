import Foundation
import Testing

/// A real `text-gateway` as a process of its own, both gateways on free ports.
final class TextServer {
  /// Where the binary gateway listens.
  private(set) var binaryPort: UInt16 = 0
  /// Where the text gateway listens.
  private(set) var textPort: UInt16 = 0
  private let process = Process()
  private let output = Pipe()

  struct DidNotStart: Error {}

  /// Starts it on the folder's data, which may be those of an earlier one, and waits until it listens.
  init(_ folder: TemporaryFolder, users: [String], options: [String] = []) throws {
    let file = folder.path + "/users"
    try (users.joined(separator: "\n") + "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments =
      ["--data", folder.data, "--listen", "127.0.0.1:0", "--text", "127.0.0.1:0", "--users", file]
      + options
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try Self.start(process)
    binaryPort = try readPort("(binary)")
    textPort = try readPort("(text)")
  }

  deinit { kill() }

  /// The program beside the test bundle.
  static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("text-gateway").path

  /// Runs it with `arguments` to its end.
  /// - Returns: Its exit code and its output.
  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (output, output)
    try start(process)
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  /// kill -9, and waits until it is gone.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGTERM, and waits until it is gone.
  /// - Returns: Its exit code.
  func stop() -> Int32 {
    Foundation.kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Starts a program with no signal blocked: a child inherits what a test's thread blocks.
  private static func start(_ process: Process) throws {
    var none = sigset_t()
    var mine = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mine)
    defer { pthread_sigmask(SIG_SETMASK, &mine, nil) }
    try process.run()
  }

  /// Reads the next line, which contains the address of a gateway.
  private func readPort(_ gateway: String) throws -> UInt16 {
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      guard let byte = output.fileHandleForReading.readData(ofLength: 1).first else {
        throw DidNotStart()
      }
      line.append(byte)
    }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    try #require(words.starts(with: ["listening", "on"]) && words.last == gateway[...])
    return try #require(words[2].split(separator: ":").last.flatMap { UInt16($0) })
  }
}

/// A folder that is removed with this value's end.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "/text-gateway-test-" + UUID().uuidString
  /// The exchange's data folder in it.
  var data: String { path + "/data" }

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      Issue.record("cannot remove \(path): \(error)")
    }
  }
}
