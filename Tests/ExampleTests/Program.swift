import Foundation
import Testing

/// A program of this package, as a process of its own.
final class Program {
  struct Silence: Error {}

  private let process = Process()
  private let output = Pipe()

  /// Starts the program `name`, which stands beside the test bundle.
  init(_ name: String, _ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: Self.folder + "/" + name)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try Self.start(process)
  }

  deinit {
    signal(SIGCONT)
    signal(SIGKILL)
    process.waitUntilExit()
  }

  /// Where the programs are.
  static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .path

  /// Runs a program to its end.
  /// - Returns: Its exit code, and what it printed.
  static func run(
    _ name: String, _ arguments: [String], path: String = folder, in directory: String? = nil
  ) throws -> (status: Int32, text: String) {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: path + "/" + name)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    (process.standardOutput, process.standardError) = (output, output)
    try start(process)
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  func signal(_ number: Int32) {
    if process.isRunning { kill(process.processIdentifier, number) }
  }

  /// Waits until it is gone.
  /// - Returns: Its exit code.
  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The next line that it prints; `nil` when it prints no more.
  /// - Throws: after 30 s without a line.
  func line() throws -> String? {
    var line: [UInt8] = []
    let reading = output.fileHandleForReading
    while line.last != UInt8(ascii: "\n") {
      var ready = pollfd(fd: reading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 30_000) > 0 else { throw Silence() }
      guard let byte = reading.readData(ofLength: 1).first else { return nil }
      line.append(byte)
    }
    return String(decoding: line.dropLast(), as: UTF8.self)
  }

  /// The next line that begins with `words`; others before it are passed over.
  @discardableResult func line(behind words: String) throws -> String {
    while let line = try line() {
      if line.hasPrefix(words) { return line }
    }
    throw Silence()
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
}
