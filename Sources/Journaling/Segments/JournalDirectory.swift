// The files in a journal's directory:
//
//   lock                                  locked by the server that writes; contains its process
//                                         id. The directory itself is locked too
//   00000000000000000001.journal          segment that starts with command 1
//   00000000000000812345.journal          segment that starts with command 812345
//   next.segment                          the zero-filled next segment, renamed when it is needed
//   00000000000000900000.snapshot         the state after command 900000
//   next.copy                             copy of the present segment, if its name was lost
//   next.snapshot                         a snapshot being written
//   in-hand                               the command during which a run crashed (CrashNote.swift)
//   refused                               the refused commands (RefusedCommands.swift)

import MarketModel

/// Names and listings of a journal's files. Stateless; any thread.
enum JournalDirectory {
  /// A segment and its first sequence number.
  struct Segment: Equatable {
    let first: SequenceNumber
    let path: String
  }

  private static let suffix = ".journal"
  private static let digits = 20

  /// Path of the segment that starts with `first`.
  static func segmentPath(_ directory: String, first: SequenceNumber) -> String {
    path(directory, first, suffix)
  }

  /// Suffix of snapshots' names.
  static let snapshotSuffix = ".snapshot"

  /// Path of the snapshot after the command `sequence`.
  static func snapshotPath(_ directory: String, _ sequence: SequenceNumber) -> String {
    path(directory, sequence, snapshotSuffix)
  }

  /// Path of a snapshot that is being written.
  static func unnamedSnapshot(_ directory: String) -> String { directory + "/next.snapshot" }

  private static func path(
    _ directory: String, _ sequence: SequenceNumber, _ suffix: String
  ) -> String {
    let number = String(sequence.rawValue)
    let zeros = String(repeating: "0", count: digits - number.utf8.count)
    let name = zeros + number + suffix
    invariant(self.sequence(of: name, suffix) == sequence, "a name reads as it was written")
    return directory + "/" + name
  }

  /// Path of the next segment.
  static func preparedPath(_ directory: String) -> String { directory + "/next.segment" }

  /// The segments, in order. Other files are ignored.
  static func segments(
    _ directory: String, on disk: any Disk
  ) throws(JournalError) -> [Segment] {
    try entries(directory, ending: suffix, on: disk)
  }

  /// The files named by a sequence number and `suffix`, in order.
  static func entries(
    _ directory: String, ending suffix: String, on disk: any Disk
  ) throws(JournalError) -> [Segment] {
    let names: [String]
    do throws(DiskFailure) {
      names = try disk.names(in: directory)
    } catch {
      throw .system(.list, directory, error)
    }
    let found = names.compactMap { name in
      sequence(of: name, suffix).map { Segment(first: $0, path: directory + "/" + name) }
    }
    let sorted = found.sorted { $0.first < $1.first }
    invariant(
      zip(sorted, sorted.dropFirst()).allSatisfy { $0.first < $1.first },
      "no two files have the same number")
    return sorted
  }

  private static func sequence(of name: String, _ suffix: String) -> SequenceNumber? {
    guard name.utf8.count == digits + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
    let number = name.prefix(digits)
    guard number.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return nil
    }
    return UInt64(number).map { SequenceNumber($0) }
  }

  /// Creates `directory` if it is missing; its parent must exist.
  static func create(_ directory: String, on disk: any Disk) throws(JournalError) {
    do throws(DiskFailure) {
      try disk.makeDirectory(directory)
    } catch {
      throw .system(.create, directory, error)
    }
  }

  /// Makes the names in `directory` durable.
  static func sync(_ directory: String, on disk: any Disk) throws(JournalError) {
    do throws(DiskFailure) {
      try disk.syncDirectory(directory)
    } catch {
      throw .system(.sync, directory, error)
    }
  }

  /// Renames the prepared segment and makes the name durable. Needs no descriptor, so it works even
  /// if none is free.
  static func name(
    prepared path: String, first: SequenceNumber, by lock: DirectoryLock
  ) throws(JournalError) -> String {
    invariant(first > .none, "the first command has sequence number 1")
    invariant(path == preparedPath(lock.directory), "only the prepared segment is renamed")
    let name = segmentPath(lock.directory, first: first)
    invariant(name != path, "the new name differs from the old one")
    try lock.rename(path, to: name)
    return name
  }
}
