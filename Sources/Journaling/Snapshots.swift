// Which snapshots and segments a folder has, and which may go:
//
//   segments   | 1 ...... | 812345 ...... | 1700001 ...... | 2600001 ......
//   snapshots                    ^ 900000        ^ 1800000         ^ 2700000
//                                 too old          oldest kept       newest
//   may go     | 1 ...... | 812345 ...... |   whole segments up to the oldest kept snapshot, if every
//                                             settlement batch in it is confirmed, and no later than the
//                                             commands that sessions may still ask for again

import MarketModel

/// The snapshots of a journal's folder. No state; any thread.
public enum Snapshots {
  /// One of them.
  public struct Entry: Sendable, Equatable {
    /// The last command in it.
    public let sequence: SequenceNumber
    /// Its file.
    public let path: String
  }

  /// The snapshots in `directory`, newest first. Their files may be damaged.
  /// - Throws: `system` when it cannot be listed.
  public static func list(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> [Entry] {
    try JournalDirectory.entries(directory, ending: JournalDirectory.snapshotSuffix, on: disk)
      .reversed().map { Entry(sequence: $0.first, path: $0.path) }
  }

  /// Sequence number with which the oldest segment in `directory` begins; `nil`: there is none.
  /// - Throws: `system` when it cannot be listed.
  public static func firstCommand(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> SequenceNumber? {
    try JournalDirectory.segments(directory, on: disk).first?.first
  }

  /// What `prune` removed.
  public struct Pruned: Sendable, Equatable {
    /// Files of snapshots.
    public var snapshots: [String] = []
    /// Files of segments.
    public var segments: [String] = []
    /// The snapshot from which everything can be made again; `nil`: none, the journal is whole.
    public var oldestKept: SequenceNumber?
  }

  /// Removes snapshots that are too many, and segments that nobody needs any more. Only by the holder of
  /// the folder's lock, and by one thread at a time.
  /// - Parameters:
  ///   - keep: So many snapshots stay, the newest; and the newest whose batches are all confirmed.
  ///   - commands: Segments with the last so many commands stay, for sessions that ask for reports
  ///     again; `nil`: every segment stays.
  ///   - isDry: Nothing is removed, only said.
  /// - Throws: `system` when a file cannot be listed or removed; it may be tried again.
  public static func prune(
    _ directory: String, keep: Int, commands: UInt64?, isDry: Bool = false,
    disk: any Disk = SystemDisk()
  ) throws(JournalError) -> Pruned {
    precondition(keep > 0, "at least one snapshot stays")
    var pruned = Pruned()
    let readable = headers(try list(directory, disk: disk), disk)
    guard let newest = readable.first?.header else { return pruned }
    let settled = readable.first { $0.header.batch <= newest.confirmedBatch }
    let kept =
      readable.prefix(keep).map(\.header.sequence) + (settled.map { [$0.header.sequence] } ?? [])
    for entry in readable where !kept.contains(entry.header.sequence) {
      pruned.snapshots.append(entry.path)
    }
    let oldest = readable.last { kept.contains($0.header.sequence) }?.header
    pruned.oldestKept = oldest?.sequence
    if let commands, let oldest, oldest.batch <= newest.confirmedBatch {
      let window = newest.sequence.rawValue - min(newest.sequence.rawValue, commands)
      let limit = min(oldest.sequence.rawValue, window)
      let segments = try JournalDirectory.segments(directory, on: disk)
      for (segment, next) in zip(segments, segments.dropFirst()) where next.first.rawValue <= limit
      {
        pruned.segments.append(segment.path)
      }
    }
    // What is about to be the only way back is read once more, whole.
    if !pruned.segments.isEmpty {
      for entry in readable where kept.contains(entry.header.sequence) {
        try SnapshotReader(entry.path, disk: disk).verify()
      }
    }
    if isDry || pruned.segments.isEmpty && pruned.snapshots.isEmpty { return pruned }
    for path in pruned.segments + pruned.snapshots { try remove(path, disk) }
    try JournalDirectory.sync(directory, on: disk)
    return pruned
  }

  /// Those whose header can be read, newest first. A damaged one stays where it is: somebody may want
  /// to look at it.
  private static func headers(
    _ entries: [Entry], _ disk: any Disk
  ) -> [(header: SnapshotHeader, path: String)] {
    var found: [(SnapshotHeader, String)] = []
    for entry in entries {
      do throws(JournalError) {
        found.append((try SnapshotReader(entry.path, disk: disk).header, entry.path))
      } catch {
        continue
      }
    }
    return found
  }

  private static func remove(_ path: String, _ disk: any Disk) throws(JournalError) {
    do throws(DiskFailure) {
      try disk.remove(path)
    } catch {
      throw .system(.remove, path, error)
    }
  }
}
