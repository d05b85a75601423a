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
    let entries = try list(directory, disk: disk)
    guard let kept = whole(entries, keep, disk), let newest = kept.first, let oldest = kept.last
    else { return pruned }
    pruned.oldestKept = oldest.sequence
    pruned.snapshots = entries.filter { $0.sequence < oldest.sequence }.map(\.path)
    if let commands {
      let window = newest.sequence.rawValue - min(newest.sequence.rawValue, commands)
      let limit = min(oldest.sequence.rawValue, window)
      let segments = try JournalDirectory.segments(directory, on: disk)
      for (segment, next) in zip(segments, segments.dropFirst())
      where next.first.rawValue <= limit {
        pruned.segments.append(segment.path)
      }
      invariant(
        segments.isEmpty || pruned.segments.count < segments.count, "the last segment stays")
      invariant(limit <= oldest.sequence.rawValue, "only what is in every snapshot that stays")
    }
    invariant(newest.sequence >= oldest.sequence, "snapshots that stay, newest first")
    invariant(pruned.snapshots.count < entries.count, "a snapshot stays")
    if isDry || pruned.segments.isEmpty && pruned.snapshots.isEmpty { return pruned }
    for path in pruned.segments + pruned.snapshots { try remove(path, disk) }
    try JournalDirectory.sync(directory, on: disk)
    return pruned
  }

  /// The snapshots that stay, newest first: `keep` that are read whole once more, since they are about
  /// to be the only way back, and then the first whose batches are all confirmed. One that is damaged,
  /// or cannot be read just now, does not count.
  /// - Returns: `nil` when there are not as many: then nothing may go.
  private static func whole(
    _ entries: [Entry], _ keep: Int, _ disk: any Disk
  ) -> [SnapshotHeader]? {
    var found: [SnapshotHeader] = []
    for entry in entries {
      do throws(JournalError) {
        let reader = try SnapshotReader(entry.path, disk: disk)
        try reader.verify()
        found.append(reader.header)
      } catch {
        continue
      }
      let confirmed = found[0].confirmedBatch
      invariant(
        found.count < 2 || found[found.count - 2].sequence > found[found.count - 1].sequence,
        "newest first")
      if found.count >= keep, found.contains(where: { $0.batch <= confirmed }) { return found }
    }
    return nil
  }

  private static func remove(_ path: String, _ disk: any Disk) throws(JournalError) {
    do throws(DiskFailure) {
      try disk.remove(path)
    } catch {
      throw .system(.remove, path, error)
    }
  }
}
