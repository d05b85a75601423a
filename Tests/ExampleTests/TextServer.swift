import Foundation
import Testing

/// A real `text-gateway` as a process of its own, both gateways on free ports.
final class TextServer {
  /// Where the binary gateway listens.
  private(set) var binaryPort: UInt16 = 0
  /// Where the text gateway listens.
  private(set) var textPort: UInt16 = 0
  private let program: Program

  struct DidNotStart: Error {}

  /// Starts it on the folder's data, which may be those of an earlier one, and waits until it listens.
  init(
    _ folder: TemporaryFolder, users: [String], options: [String] = [], binaryPort: UInt16 = 0
  ) throws {
    let file = folder.path + "/users"
    try (users.joined(separator: "\n") + "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    program = try Program(
      "text-gateway",
      [
        "--data", folder.data, "--listen", "127.0.0.1:\(binaryPort)", "--text", "127.0.0.1:0",
        "--users", file,
      ] + options)
    self.binaryPort = try readPort("(binary)")
    textPort = try readPort("(text)")
  }

  deinit { kill() }

  /// kill -9, and waits until it is gone.
  func kill() {
    program.signal(SIGKILL)
    _ = program.wait()
  }

  /// SIGTERM, and waits until it is gone.
  /// - Returns: Its exit code.
  func stop() -> Int32 {
    program.signal(SIGTERM)
    return program.wait()
  }

  /// Reads the next line, which contains the address of a gateway.
  private func readPort(_ gateway: String) throws -> UInt16 {
    guard let line = try program.line() else { throw DidNotStart() }
    let words = line.split(whereSeparator: \.isWhitespace)
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
