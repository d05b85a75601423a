import Foundation
import JoulebookServer
import Testing

/// A `joulebook serve` process on a free port.
final class ServerProcess {
  /// Path of its data folder.
  let data: String
  /// The port that it listens on.
  private(set) var port: UInt16 = 0
  private let process = Process()
  private let output = Pipe()
  private let logFile: String

  struct DidNotStart: Error, CustomStringConvertible {
    let description: String
  }

  /// Starts a server and waits until it listens.
  /// - Parameter environment: Variables added to this process's environment.
  init(
    data: String, options: [String] = [], assembly: Configuration.Threading = .inline,
    environment: [String: String] = [:]
  ) throws {
    self.data = data
    logFile = data + ".log"
    if !FileManager.default.fileExists(atPath: logFile) {
      _ = FileManager.default.createFile(atPath: logFile, contents: nil)
    }
    let log = try #require(FileHandle(forWritingAtPath: logFile))
    try log.seekToEnd()
    process.executableURL = URL(fileURLWithPath: Joulebook.path)
    process.arguments = ["serve", "--data", data, "--listen", "127.0.0.1:0"] + options
    if assembly != .inline {
      process.arguments?.append(contentsOf: ["--set", "assembly=\(assembly.rawValue)"])
    }
    process.environment = Joulebook.environment(environment)
    process.standardOutput = output
    process.standardError = log
    try process.start()
    guard let port = readPort() else {
      process.waitUntilExit()
      throw DidNotStart(description: "exit code \(process.terminationStatus); log:\n\(self.log)")
    }
    self.port = port
  }

  deinit { kill() }

  /// The server's log, including that of earlier runs on the folder.
  var log: String {
    FileManager.default.contents(atPath: logFile).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Sends SIGKILL and waits for the end of the process.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Sends a signal without waiting.
  func signal(_ number: Int32) {
    Foundation.kill(process.processIdentifier, number)
  }

  /// Sends SIGTERM and waits for the end of the process.
  /// - Returns: its exit code.
  func stop() -> Int32 {
    signal(SIGTERM)
    return waitForExit()
  }

  /// Waits for the end of the process.
  /// - Returns: its exit code.
  func waitForExit() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Parses the port from the line "listening on".
  private func readPort() -> UInt16? {
    var line: [UInt8] = []
    let handle = output.fileHandleForReading
    while true {
      guard let byte = handle.readData(ofLength: 1).first else { return nil }
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        continue
      }
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("listening on "), let port = text.split(separator: ":").last {
        return UInt16(port)
      }
      line = []
    }
  }
}

/// The `joulebook` binary built with the tests, or the one named by JOULEBOOK_PROGRAM.
enum Joulebook {
  /// Output and exit code of a run.
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The binary beside the test bundle, unless the environment names another.
  static let path =
    ProcessInfo.processInfo.environment["JOULEBOOK_PROGRAM"]
    ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("joulebook").path

  /// This process's environment with `added` variables.
  static func environment(_ added: [String: String]) -> [String: String] {
    ProcessInfo.processInfo.environment.merging(added) { $1 }
  }

  /// Runs `joulebook` with `arguments` and waits for its end.
  /// - Parameter environment: Variables added to this process's environment.
  static func run(
    _ arguments: [String], environment added: [String: String] = [:]
  ) throws -> Result {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = environment(added)
    process.standardOutput = output
    process.standardError = errors
    try process.start()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }
}

/// A folder that is removed when this object is released.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/joulebook-test-" + UUID().uuidString
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
