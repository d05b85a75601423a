import ArgumentParser
import Foundation
import JoulebookServer
import Journaling

/// Why a command ends without success. The raw values are exit codes of sysexits.h.
enum Failure: Int32 {
  /// What was asked for may not be done.
  case usage = 64
  /// Input data is damaged or contradicts itself.
  case badData = 65
  /// A file or folder is missing.
  case noInput = 66
  /// The server or the ledger does not answer.
  case unavailable = 69
  /// A check that must hold does not.
  case checkFailed = 70
  /// The disk failed.
  case io = 74
  /// Somebody else has it just now.
  case temporary = 75
  /// The exchange refused.
  case refused = 77
  /// The configuration cannot be used.
  case configuration = 78

  /// Says what happened and what to do about it on standard error.
  /// - Returns: what the command throws to end with this code.
  func exit(_ message: String) -> ExitCode {
    printError("joulebook: \(message)")
    return ExitCode(rawValue)
  }
}

extension Failure {
  /// What a journal's error means for whoever started the command.
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
  /// What a server's or a replay's refusal to start means.
  init(_ error: StartError) {
    switch error {
    case .configuration, .clock: self = .configuration
    case .journal(let error): self = Failure(error)
    case .transport: self = .unavailable
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

/// A folder as the command line names it.
/// - Throws: when it names none: the root of the file system would be taken for it.
func folderName(_ text: String) throws -> String {
  guard !text.isEmpty else {
    throw ValidationError("it names no folder; give one, such as ./joulebook-data")
  }
  return text
}

/// The data folder `path`, for those who read it.
/// - Throws: when something else lies there, as a server does.
func dataFolder(_ path: String) throws -> DataFolder {
  let folder = DataFolder(path)
  do throws(ConfigurationError) {
    try folder.mustBeFolders(isRead: true)
  } catch {
    throw Failure.configuration.exit("\(error)")
  }
  return folder
}

/// A file to be written, as the command line names it.
/// - Throws: when it cannot be: what is computed for it first would be lost.
func newFileName(_ text: String) throws -> String {
  guard !text.isEmpty else { throw ValidationError("it names no file; give one, such as ./result") }
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
