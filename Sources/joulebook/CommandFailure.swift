import ArgumentParser
import Foundation
import JoulebookServer
import Journaling

/// Why a command failed. The raw values are exit codes of sysexits.h.
enum Failure: Int32 {
  /// The arguments are wrong.
  case usage = 64
  /// Input data is damaged or inconsistent.
  case badData = 65
  /// A file or folder is missing.
  case noInput = 66
  /// The server or the ledger does not answer.
  case unavailable = 69
  /// A verification found a difference, or a measured limit was exceeded.
  case checkFailed = 70
  /// Reading or writing a file failed.
  case io = 74
  /// The command may succeed later: a lock is taken, or a server is still catching up.
  case temporary = 75
  /// The exchange rejected the command or the session.
  case refused = 77
  /// The configuration is invalid.
  case configuration = 78

  /// Prints `message` on standard error, with the name of the program before it.
  /// - Parameter message: What happened and what the user can do about it.
  /// - Returns: The error that the command throws to end with this exit code.
  func exit(_ message: String) -> ExitCode {
    printError("joulebook: \(message)")
    return ExitCode(rawValue)
  }
}

extension Failure {
  /// The exit code for an error of the journal.
  init(_ error: JournalError) {
    switch error {
    case .lost, .corrupt, .tooEarly, .badSnapshot, .onlySnapshots, .badRefusals: self = .badData
    case .notRefusable: self = .usage
    case .locked: self = .temporary
    case .moved: self = .io
    case .system(_, _, _, let code): self = code == ENOENT ? .noInput : .io
    }
  }
}

extension Failure {
  /// The exit code for a server or a replay that did not start.
  init(_ error: StartError) {
    switch error {
    case .configuration, .clock: self = .configuration
    case .journal(let error): self = Failure(error)
    case .listener, .transport: self = .unavailable
    case .snapshot(.journal(let error)): self = Failure(error)
    case .snapshot, .diverged: self = .badData
    }
  }
}

/// A hash as 16 hexadecimal digits.
func hexadecimal(_ hash: UInt64) -> String {
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Parses the name of a folder on the command line.
/// - Throws: `ValidationError` when it is empty: it would name the root of the file system.
func folderName(_ text: String) throws -> String {
  guard !text.isEmpty else {
    throw ValidationError("it names no folder; write one, such as ./joulebook-data")
  }
  return text
}

/// The data folder at `path`, for a command that reads it.
/// - Throws: Exit code 78 when `path` is not a folder, as `serve` does.
func dataFolder(_ path: String) throws -> DataFolder {
  let folder = DataFolder(path)
  do throws(ConfigurationError) {
    try folder.mustBeFolders(isRead: true)
  } catch {
    throw Failure.configuration.exit("\(error)")
  }
  return folder
}

/// Parses the name of an output file on the command line.
/// - Throws: `ValidationError` when the file cannot be written. The check comes before the
///   computation, whose result would be lost.
func newFileName(_ text: String) throws -> String {
  guard !text.isEmpty else {
    throw ValidationError("it names no file; write one, such as ./result")
  }
  var isFolder: ObjCBool = false
  let isThere = FileManager.default.fileExists(atPath: text, isDirectory: &isFolder)
  if isFolder.boolValue { throw ValidationError("\(text) is a folder; name a file in it") }
  let parent = (text as NSString).deletingLastPathComponent
  let folder = parent.isEmpty ? "." : parent
  guard access(isThere ? text : folder, W_OK) == 0 else {
    let reason = String(cString: strerror(errno))
    throw ValidationError("nothing can be written to \(isThere ? text : folder): \(reason)")
  }
  return text
}

/// Writes a line to standard error.
func printError(_ line: String) {
  FileHandle.standardError.write(Data((line + "\n").utf8))
}
