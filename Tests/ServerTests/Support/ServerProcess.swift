import Foundation
import JoulebookServer
import Testing

/// A real `joulebook serve` as a process of its own, on a free port.
final class ServerProcess {
  /// Its data folder.
  let data: String
  /// Where it listens.
  private(set) var port: UInt16 = 0
  private let process = Process()
  private let output = Pipe()
  private let logFile: String

  struct DidNotStart: Error, CustomStringConvertible {
    let description: String
  }

  /// Starts a server and waits until it listens.
  /// - Parameter environment: Added to this process's.
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

  /// What the server wrote to its log, earlier runs on the same folder included.
  var log: String {
    FileManager.default.contents(atPath: logFile).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// kill -9, and waits until it is gone.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Sends a signal and goes on.
  func signal(_ number: Int32) {
    Foundation.kill(process.processIdentifier, number)
  }

  /// SIGTERM, and waits until it is gone.
  /// - Returns: its exit code.
  func stop() -> Int32 {
    signal(SIGTERM)
    return waitForExit()
  }

  /// Waits until it is gone.
  /// - Returns: its exit code.
  func waitForExit() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Reads the line that says where it listens.
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

/// The `joulebook` command as it was built with the tests, or the one that JOULEBOOK_PROGRAM names.
enum Joulebook {
  /// What a run printed and how it ended.
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The binary beside the test bundle, unless another is named.
  static let path =
    ProcessInfo.processInfo.environment["JOULEBOOK_PROGRAM"]
    ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("joulebook").path

  /// This process's environment and what is added.
  static func environment(_ added: [String: String]) -> [String: String] {
    ProcessInfo.processInfo.environment.merging(added) { $1 }
  }

  /// Runs `joulebook` with `arguments` to its end.
  /// - Parameter environment: Added to this process's.
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

/// A folder that is removed with this value's end.
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
