// The file `refused` in the journal's directory: the commands that the exchange skips, one per
// line.
//
//     joulebook refused commands 1
//     4711 <SHA-256, 64 digits> 1780304400000000000 run 3 ended with signal 4 while it applied it
//     checksum 1f2e3d4c
//
//   field     check made on reading
//   command   in the journal; ascending
//   hash      of the command's sequence number (8 bytes) and its record; equal to the journal's
//   time      when it was refused, ns since 1970
//   reason    up to the end of the line
//   checksum  CRC-32C of everything before its line
//
// Written as `next.refused`, synced, renamed. Every snapshot contains the entries up to its
// command, so that a lost or outdated list is detected, and a start restores missing entries from
// snapshots. The journal itself never changes: its readers replace a refused command by one with
// the same number and time that has no effect (`replacement`).

import Crypto
import Glibc
import MarketModel

/// A command that the exchange skips.
public struct RefusedCommand: Sendable, Equatable {
  /// Sequence number of the command.
  public let sequence: SequenceNumber
  /// SHA-256 of its sequence number and record, in hexadecimal digits.
  public let hash: String
  /// Wall-clock time of the refusal.
  public let time: Timestamp
  /// The reason, on one line.
  public let reason: String

  /// Refuses `command` at `time`.
  public init(_ command: Command, at time: Timestamp, reason: String) {
    (sequence, self.time) = (command.sequence, time)
    hash = Self.hash(of: command)
    self.reason = String(reason.map { $0.isNewline ? " " : $0 })
  }

  init(sequence: SequenceNumber, hash: String, time: Timestamp, reason: String) {
    (self.sequence, self.hash, self.time, self.reason) = (sequence, hash, time, reason)
  }

  /// The hash of a command over every byte that the journal contains of it.
  static func hash(of command: Command) -> String {
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 8 + CommandCodec.longestRecord, alignment: 8)
    defer { bytes.deallocate() }
    guard let base = bytes.baseAddress else { return "" }
    base.storeBytes(of: command.sequence.rawValue.littleEndian, as: UInt64.self)
    let length = CommandCodec.encode(command, into: base + 8)
    let digest = SHA256.hash(data: UnsafeRawBufferPointer(rebasing: bytes[..<(8 + length)]))
    return digest.withUnsafeBytes { BlockHash(reading: $0, at: 0).description }
  }

  /// The command that replaces a refused one, with the same sequence number and time.
  ///
  /// For a client's command it has the same session and message number and is always rejected: a
  /// cancel for the null account. So the client receives a reject for its message and continues
  /// with the next number; if the number were unused, the client would send the message again. For
  /// a command of the exchange itself it is a tick.
  public static func replacement(for command: Command) -> Command {
    let body: Command.Body =
      command.session == .exchange
      ? .control(.tick) : .cancel(CancelOrder(account: .null, order: .null))
    return Command(
      session: command.session, clientSequence: command.clientSequence, body: body,
      sequence: command.sequence, time: command.time)
  }
}

/// The refused commands of a journal. A value, read from its file; one thread.
public struct RefusedCommands: Sendable, Equatable {
  /// The entries, by ascending sequence number.
  public private(set) var entries: [RefusedCommand] = []
  /// Path of the file.
  public let path: String

  static let name = "refused"
  private static let title = "joulebook refused commands 1"
  static let longestFile = 1 << 20

  /// Reads the list of the journal in `directory`; a missing file is an empty list.
  /// - Throws: `badRefusals` if the file is damaged; `system` if it cannot be read.
  public init(
    in directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) {
    path = directory + "/" + Self.name
    let bytes: [UInt8]
    do throws(JournalError) {
      let file = try SegmentFile(opening: path, for: .reading, on: disk)
      guard file.size <= Self.longestFile else {
        throw JournalError.badRefusals(path: path, "it is longer than \(Self.longestFile) bytes")
      }
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(file.size, 1), alignment: 8)
      defer { memory.deallocate() }
      let count = try file.read(into: memory, at: 0)
      bytes = Array(memory[..<count])
    } catch .system(.open, _, _, ENOENT) {
      return
    }
    do throws(Defect) {
      entries = try Self.parse(bytes)
    } catch {
      throw .badRefusals(path: path, error.text)
    }
  }

  /// The entry of a command; `nil` if it is not refused.
  public subscript(sequence: SequenceNumber) -> RefusedCommand? {
    entries.first { $0.sequence == sequence }
  }

  /// The first refused command from `sequence` on; the greatest number if there is none.
  func next(from sequence: SequenceNumber) -> UInt64 {
    entries.first { $0.sequence >= sequence }?.sequence.rawValue ?? .max
  }

  /// The replacement of `command`, which is refused.
  /// - Throws: `badRefusals` if the hash differs from the entry's.
  func replacement(for command: Command) throws(JournalError) -> Command {
    guard let entry = self[command.sequence] else { return command }
    guard entry.hash == RefusedCommand.hash(of: command) else {
      throw .badRefusals(
        path: path,
        "command \(command.sequence.rawValue) of the journal differs from the command that was "
          + "refused"
      )
    }
    return RefusedCommand.replacement(for: command)
  }

  /// Checks that the journal contains every entry's command.
  /// - Throws: `badRefusals` if it ends before one.
  func check(endingWith last: SequenceNumber) throws(JournalError) {
    guard let beyond = entries.last, beyond.sequence > last else { return }
    throw .badRefusals(
      path: path,
      "it contains command \(beyond.sequence.rawValue), but the journal ends with \(last.rawValue)")
  }

  /// Checks the hashes of all entries whose commands are in `block`.
  /// - Throws: `badRefusals` if one differs; `corrupt` if the block cannot be decoded.
  func check(_ block: Block) throws(JournalError) {
    let (first, last) = (block.header.firstSequence, block.header.lastSequence)
    guard block.header.count > 0, next(from: first) <= last.rawValue else { return }
    let commands: [Command]
    do throws(BlockDefect) {
      commands = try block.commands()
    } catch {
      throw .corrupt(path: block.path, offset: block.offset, expected: first, error)
    }
    for command in commands { _ = try replacement(for: command) }
  }

  /// Adds an entry and makes the list durable.
  /// - Parameter lock: Proves that no other process writes the journal.
  /// - Throws: `system`; the previous file is then unchanged.
  public mutating func add(
    _ entry: RefusedCommand, _ lock: DirectoryLock
  ) throws(JournalError) {
    precondition(self[entry.sequence] == nil, "a command is refused once")
    let added = (entries + [entry]).sorted { $0.sequence < $1.sequence }
    let unnamed = lock.directory + "/next." + Self.name
    try Self.write(Self.text(of: added), to: unnamed, on: lock.disk)
    do throws(DiskFailure) {
      try lock.disk.rename(unnamed, to: path)
    } catch {
      throw .system(.rename, unnamed, error)
    }
    try JournalDirectory.sync(lock.directory, on: lock.disk)
    entries = added
  }

  /// Checks that this list agrees with the one in a snapshot, up to the snapshot's command.
  /// - Throws: `badRefusals` if an entry is missing, differs, or was applied in the snapshot.
  public func check(against snapshot: Snapshots.Refusals) throws(JournalError) {
    if let lost = snapshot.refused.first(where: { self[$0.sequence] == nil }) {
      throw .badRefusals(
        path: path,
        "it lacks command \(lost.sequence.rawValue), which is refused according to "
          + "\(snapshot.path) (`joulebook serve` adds the entry from there)")
    }
    if let other = snapshot.refused.first(where: { self[$0.sequence]?.hash != $0.hash }) {
      throw .badRefusals(
        path: path,
        "its entry of command \(other.sequence.rawValue) differs from the one in \(snapshot.path)")
    }
    let known = Set(snapshot.refused.map(\.sequence))
    let applied = entries.first { $0.sequence <= snapshot.sequence && !known.contains($0.sequence) }
    if let applied {
      throw .badRefusals(
        path: path,
        "it contains command \(applied.sequence.rawValue), which was applied in \(snapshot.path)")
    }
  }

  /// Adds entries that are missing in the list of the locked directory but present in snapshots,
  /// and makes it durable: the list was lost or is outdated.
  /// - Parameter snapshots: The lists in the snapshots.
  /// - Returns: the entries that were missing.
  /// - Throws: `badRefusals` if the journal's command differs from the one refused, without
  ///   changing anything; errors of reading the journal; `system`.
  public static func restore(
    _ lock: DirectoryLock, from snapshots: [Snapshots.Refusals]
  ) throws(JournalError) -> [RefusedCommand] {
    var list = try RefusedCommands(in: lock.directory, disk: lock.disk)
    var missing: [RefusedCommand] = []
    for entry in snapshots.flatMap(\.refused)
    where list[entry.sequence] == nil && !missing.contains(entry) { missing.append(entry) }
    if missing.isEmpty { return [] }
    // Segments before a snapshot may have been removed.
    let first = try Snapshots.firstCommand(lock.directory, disk: lock.disk)
    for entry in missing where first.map({ $0 <= entry.sequence }) ?? false {
      var reader = try JournalReader(
        directory: lock.directory, from: entry.sequence, verification: .checksums, disk: lock.disk,
        asWritten: true)
      guard let command = try reader.next(through: entry.sequence),
        entry.hash == RefusedCommand.hash(of: command)
      else {
        throw .badRefusals(
          path: list.path,
          "command \(entry.sequence.rawValue) of the journal differs from the one refused in a "
            + "snapshot"
        )
      }
    }
    for entry in missing { try list.add(entry, lock) }
    return missing
  }

  private static func write(
    _ text: String, to path: String, on disk: any Disk
  ) throws(JournalError) {
    let bytes = Array(text.utf8)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    let file = try SegmentFile(opening: path, for: .creating, on: disk)
    try file.write(UnsafeRawBufferPointer(memory), at: 0)
    try file.sync()
  }
}

// MARK: - Text form

extension RefusedCommands {
  private struct Defect: Error { let text: String }

  static func text(of entries: [RefusedCommand]) -> String {
    var text = title + "\n"
    for entry in entries {
      text +=
        "\(entry.sequence.rawValue) \(entry.hash) \(entry.time.nanoseconds) \(entry.reason)\n"
    }
    return text + "checksum \(checksum(text))\n"
  }

  /// Parses the text of a list; `nil` if it is damaged.
  static func list(_ text: [UInt8]) -> [RefusedCommand]? {
    do throws(Defect) {
      return try parse(text)
    } catch {
      return nil
    }
  }

  private static func checksum(_ text: String) -> String {
    let sum = Array(text.utf8).withUnsafeBytes { CRC32C.checksum($0) }
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func parse(_ bytes: [UInt8]) throws(Defect) -> [RefusedCommand] {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 4, lines[0] == title[...], lines.last == "" else {
      throw Defect(text: "it is cut off, or is not a list of refused commands")
    }
    var entries: [RefusedCommand] = []
    for line in lines.dropFirst().dropLast(2) {
      let words = line.split(
        separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard words.count == 4, let sequence = UInt64(words[0]), words[1].utf8.count == 64,
        let time = UInt64(words[2]), sequence > (entries.last?.sequence.rawValue ?? 0)
      else { throw Defect(text: "\"\(line)\" is not an entry of a refused command") }
      entries.append(
        RefusedCommand(
          sequence: SequenceNumber(sequence), hash: String(words[1]),
          time: Timestamp(nanoseconds: time), reason: String(words[3])))
    }
    guard self.text(of: entries) == text else { throw Defect(text: "its checksum is wrong") }
    return entries
  }
}
