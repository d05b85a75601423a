// The file `in-hand` in the journal's directory: two lines that the handler of a fatal signal
// overwrites in place.
//
//   offset  size  content
//        0    75  "live      command NNNNNNNNNNNNNNNNNNNN run NNNNNNNNNNNNNNNNNNNN signal NNN\n"
//       75    75  likewise for another purpose: recovery, follower, reports, snapshot
//
// or spaces. The run is the epoch of its blocks. The first line survives later starts that crash
// too. A start that has applied every command blanks and syncs both lines before it stamps a
// command.

import Glibc
import MarketModel

/// Record of the command that was being applied when the process crashed. Owned by one thread.
public final class CrashNote {
  /// A line of the file.
  public struct Record: Sendable, Equatable {
    /// The purpose for which the command was applied.
    public var purpose: CurrentCommand.Purpose
    /// Sequence number of the command.
    public var sequence: SequenceNumber
    /// The run of the server: the epoch of the blocks that it wrote.
    public var run: UInt64
    /// The signal that ended the process.
    public var signal: Int32

    /// A record that run `run` ended with `signal` while it applied command `sequence`.
    public init(
      purpose: CurrentCommand.Purpose, sequence: SequenceNumber, run: UInt64, signal: Int32
    ) {
      (self.purpose, self.sequence, self.run, self.signal) = (purpose, sequence, run, signal)
    }
  }

  /// Length of a line, in bytes.
  static let lineLength = 75
  static let name = "in-hand"

  /// Path of the file.
  public let path: String
  /// The command that the last live run was applying when it crashed; `nil` if none.
  public private(set) var live: Record?
  /// The command that a later start, or a thread with another purpose, was applying; `nil` if none.
  public private(set) var other: Record?
  /// Whether the file contains something that is not such a line.
  public private(set) var isDamaged = false

  private let descriptor: Int32

  /// Opens and reads the file; creates it if it is missing.
  /// - Parameter lock: Proves that no other server uses the directory.
  /// - Throws: `system` if it cannot be opened, read or synced.
  public init(_ lock: DirectoryLock) throws(JournalError) {
    path = lock.directory + "/" + Self.name
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
    guard descriptor >= 0 else {
      throw .system(.open, path: path, offset: nil, code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .system(.open, path: path, offset: nil, code: EEXIST)
    }
    var bytes = [UInt8](repeating: 0, count: 2 * Self.lineLength)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system(.read, path: path, offset: 0, code: errno) }
    // It was written by a crashing process and is not synced. It must be durable before its content
    // is used.
    guard fsync(descriptor) == 0 else { throw .system(.sync, path: path, offset: nil, code: errno) }
    let lines = [bytes[..<Self.lineLength], bytes[Self.lineLength...]].map { Array($0) }
    live = Record(line: lines[0])
    other = Record(line: lines[1])
    isDamaged =
      live == nil && !Self.isBlank(lines[0]) || other == nil && !Self.isBlank(lines[1])
      || live.map { $0.purpose != .live } ?? false || other.map { $0.purpose == .live } ?? false
    if isDamaged { (live, other) = (nil, nil) }
  }

  deinit {
    CrashHandler.forget(descriptor)
    close(descriptor)
  }

  /// Registers the file with the signal handler of this process.
  /// - Parameter run: The epoch of the blocks that this run writes.
  public func arm(run: UInt64) { CrashHandler.note(in: descriptor, run: run) }

  /// Blanks the file durably. Called after every command of the journal was applied and before the
  /// next is stamped, since the note proves something only until then.
  /// - Throws: `system`.
  public func clear() throws(JournalError) {
    var blank = [UInt8](repeating: UInt8(ascii: " "), count: 2 * Self.lineLength)
    blank[Self.lineLength - 1] = UInt8(ascii: "\n")
    blank[2 * Self.lineLength - 1] = UInt8(ascii: "\n")
    guard pwrite(descriptor, blank, blank.count, 0) == blank.count,
      ftruncate(descriptor, off_t(blank.count)) == 0
    else { throw .system(.write, path: path, offset: 0, code: errno) }
    guard fsync(descriptor) == 0 else { throw .system(.sync, path: path, offset: nil, code: errno) }
    (live, other, isDamaged) = (nil, nil, false)
  }

  private static func isBlank(_ line: [UInt8]) -> Bool {
    line.allSatisfy { $0 == 0 || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }
}

extension CrashNote.Record {
  /// Parses a line.
  /// - Returns: `nil` if it is malformed.
  init?(line: [UInt8]) {
    let words = String(decoding: line, as: UTF8.self)
      .split(separator: " ", omittingEmptySubsequences: true)
      .map { $0.last == "\n" ? $0.dropLast() : $0 }
    guard words.count == 7, words[1] == "command", words[3] == "run", words[5] == "signal",
      let purpose = CurrentCommand.Purpose.allCases.first(where: { $0.name == words[0] }),
      let sequence = UInt64(words[2]), let run = UInt64(words[4]), let signal = Int32(words[6]),
      sequence > 0
    else { return nil }
    self.init(purpose: purpose, sequence: SequenceNumber(sequence), run: run, signal: signal)
    // Only the canonical form is accepted.
    var again = [UInt8](repeating: 0, count: CrashNote.lineLength)
    again.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { write(to: base) }
    }
    guard again == line else { return nil }
  }

  /// Writes the line without allocating, so that a signal handler may call it.
  func write(to bytes: UnsafeMutablePointer<UInt8>) {
    var text = SignalText(bytes)
    text.put(purpose.staticName)
    while text.count < 10 { text.put(" ") }
    text.put("command ")
    text.put(sequence.rawValue, digits: 20)
    text.put(" run ")
    text.put(run, digits: 20)
    text.put(" signal ")
    text.put(UInt64(signal), digits: 3)
    text.put("\n")
  }
}

extension CurrentCommand.Purpose {
  /// Name of the purpose in the file and in messages.
  public var name: String { "\(staticName)" }

  var staticName: StaticString {
    switch self {
    case .live: "live"
    case .recovery: "recovery"
    // Files have contained this word since the first version.
    case .settlement: "follower"
    case .reports: "reports"
    case .snapshot: "snapshot"
    case .replay: "replay"
    }
  }
}

/// Text built in a signal handler: in given memory, without allocating.
struct SignalText {
  private let bytes: UnsafeMutablePointer<UInt8>
  /// Number of bytes written.
  private(set) var count = 0

  init(_ bytes: UnsafeMutablePointer<UInt8>) { self.bytes = bytes }

  mutating func put(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { bytes[count + index] = text.utf8Start[index] }
    count += text.utf8CodeUnitCount
  }

  /// Appends a decimal number with at least `digits` digits.
  mutating func put(_ number: UInt64, digits: Int = 1) {
    var (rest, length) = (number / 10, 1)
    while rest > 0 { (rest, length) = (rest / 10, length + 1) }
    length = max(length, digits)
    var value = number
    for place in stride(from: length - 1, through: 0, by: -1) {
      bytes[count + place] = UInt8(ascii: "0") + UInt8(value % 10)
      value /= 10
    }
    count += length
  }
}
