// Which snapshots and segments may go, where the last `commands` stay for sessions:
//
//   segments   | 1 ...... | 812345 ...... | 1700001 ...... | 2600001 ......
//   snapshots       ^ 400000     ^ 900000        ^ 1800000         ^ 2700000
//                   too old      begin           oldest            newest
//                                '--- window: the last `commands` begin behind it ---
//   may go     | 1 ...... |      whole segments up to the begin, and snapshots before it
//
// Who asks for the reports of a command gets them from a replay: so a snapshot before the window, the
// begin, stays with the segments. What is between it and those that must stay is thinned out to a quarter
// of the window: it becomes the begin when the window has moved on.

import MarketModel

extension Snapshots {
  /// What `prune` removed.
  public struct Pruned: Sendable, Equatable {
    /// Files of snapshots.
    public var snapshots: [String] = []
    /// Files of segments.
    public var segments: [String] = []
    /// The oldest of the snapshots that must stay for starts; `nil`: nothing may go.
    public var oldestKept: SequenceNumber?
    /// Nothing.
    public init() {}
  }

  /// Removes snapshots that are too many, and segments that nobody needs any more. Only by the holder of
  /// the folder's lock, and by one thread at a time.
  /// - Parameters:
  ///   - keep: So many snapshots stay, the newest; and the newest whose batches are all confirmed.
  ///   - commands: The reports of the last so many commands can be made again, for sessions that ask for
  ///     them: their segments stay, and a snapshot before them; `nil`: every segment stays.
  ///   - held: The last command that nobody who is reading needs; `.none`: somebody looks for a snapshot
  ///     to begin with, and nothing goes.
  ///   - isDry: Nothing is removed, only said.
  /// - Throws: `system` when a file cannot be listed or removed; it may be tried again. `badRefusals` when the list of
  ///   refused commands is not the snapshots': nothing is removed.
  public static func prune(
    _ directory: String, keep: Int, commands: UInt64?, held: SequenceNumber = SequenceNumber(.max),
    isDry: Bool = false, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> Pruned {
    precondition(keep > 0, "at least one snapshot stays")
    let refused = try RefusedCommands(in: directory, disk: disk)
    for snapshot in try refusals(directory, disk: disk) { try refused.check(against: snapshot) }
    var pruned = Pruned()
    let entries = try list(directory, disk: disk)
    let segments = try JournalDirectory.segments(directory, on: disk)
    guard held > .none, let kept = whole(entries, keep, disk), let newest = kept.first,
      let oldest = kept.last,
      let begin = begin(of: commands, before: newest.sequence, entries, segments, disk)
    else { return pruned }
    invariant(kept.count >= keep, "as many snapshots stay as must")
    invariant(newest.sequence >= oldest.sequence, "snapshots that stay, newest first")
    pruned.oldestKept = oldest.sequence
    pruned.snapshots = superfluous(entries, before: oldest.sequence, begin, commands)
    if commands != nil {
      pruned.segments = superfluous(segments, behind: min(oldest.sequence, begin, held))
    }
    invariant(pruned.snapshots.count < entries.count, "a snapshot stays")
    if isDry || pruned.segments.isEmpty && pruned.snapshots.isEmpty { return pruned }
    // Snapshots first: a crash on the way leaves segments that nobody needs, never a snapshot behind which
    // segments are missing.
    for paths in [pruned.snapshots, pruned.segments] where !paths.isEmpty {
      for path in paths { try remove(path, disk) }
      try JournalDirectory.sync(directory, on: disk)
    }
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
      guard let header = read(entry, disk) else { continue }
      found.append(header)
      let confirmed = found[0].confirmedBatch
      invariant(
        found.count < 2 || found[found.count - 2].sequence > found[found.count - 1].sequence,
        "newest first")
      if found.count >= keep, found.contains(where: { $0.batch <= confirmed }) { return found }
    }
    return nil
  }

  /// What a snapshot says of itself, if all of it can be read.
  private static func read(_ entry: Entry, _ disk: any Disk) -> SnapshotHeader? {
    do throws(JournalError) {
      let reader = try SnapshotReader(entry.path, disk: disk)
      try reader.verify()
      invariant(reader.header.sequence == entry.sequence, "a snapshot of what its name says")
      return reader.header
    } catch {
      return nil
    }
  }

  /// The snapshot with which the replay begins that makes reports again.
  /// - Returns: `.none`: it begins with the first command. `nil` when it could begin nowhere: then
  ///   nothing may go.
  private static func begin(
    of commands: UInt64?, before newest: SequenceNumber, _ entries: [Entry],
    _ segments: [JournalDirectory.Segment], _ disk: any Disk
  ) -> SequenceNumber? {
    let first = segments.first?.first ?? SequenceNumber(1)
    let leading = entries.filter { $0.sequence.rawValue + 1 >= first.rawValue }
    guard let commands else {
      // Every command that is there is one to be made reports of.
      if first == SequenceNumber(1) { return SequenceNumber.none }
      return leading.last { read($0, disk) != nil }?.sequence
    }
    let window = newest.rawValue - min(newest.rawValue, commands)
    invariant(window <= newest.rawValue, "a window of commands that are there")
    let found = leading.first { $0.sequence.rawValue <= window && read($0, disk) != nil }
    invariant(found.map { $0.sequence <= newest } ?? true, "the window ends with the newest")
    return found?.sequence ?? (first == SequenceNumber(1) ? SequenceNumber.none : nil)
  }

  /// Snapshots before those that must stay which are neither the begin nor will be.
  private static func superfluous(
    _ entries: [Entry], before oldest: SequenceNumber, _ begin: SequenceNumber,
    _ commands: UInt64?
  ) -> [String] {
    let spacing = commands.map { max($0 / 4, 1) } ?? .max
    var paths: [String] = []
    var last = begin
    for entry in entries.reversed() where entry.sequence < oldest && entry.sequence != begin {
      invariant(entry.sequence > last || entry.sequence < begin, "oldest first")
      if entry.sequence > begin, entry.sequence.rawValue - last.rawValue >= spacing {
        last = entry.sequence
      } else {
        paths.append(entry.path)
      }
    }
    return paths
  }

  /// Segments all of whose commands are in the snapshot of `last`, whose own last command stays.
  private static func superfluous(
    _ segments: [JournalDirectory.Segment], behind last: SequenceNumber
  ) -> [String] {
    let paths = zip(segments, segments.dropFirst()).filter { $1.first <= last }.map(\.0.path)
    invariant(segments.isEmpty || paths.count < segments.count, "the last segment stays")
    invariant(
      paths.isEmpty || segments[paths.count].first <= last, "the last command of a begin stays")
    return paths
  }

  private static func remove(_ path: String, _ disk: any Disk) throws(JournalError) {
    invariant(
      path.hasSuffix(".journal") || path.hasSuffix(JournalDirectory.snapshotSuffix),
      "only segments and snapshots go")
    do throws(DiskFailure) {
      try disk.remove(path)
    } catch {
      throw .system(.remove, path, error)
    }
  }
}
