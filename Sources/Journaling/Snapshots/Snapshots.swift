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

  /// What a snapshot was made without.
  public struct Refusals: Sendable, Equatable {
    /// The last command in it.
    public let sequence: SequenceNumber
    /// Its file.
    public let path: String
    /// The refused commands up to there.
    public let refused: [RefusedCommand]
  }

  /// What each snapshot in `directory` was made without; those that cannot be read or do not say are left out.
  /// - Throws: `system` when it cannot be listed.
  public static func refusals(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> [Refusals] {
    var found: [Refusals] = []
    for entry in try list(directory, disk: disk) {
      do throws(JournalError) {
        let reader = try SnapshotReader(entry.path, disk: disk)
        guard reader.isWhole, let refused = reader.refused else { continue }
        found.append(Refusals(sequence: entry.sequence, path: entry.path, refused: refused))
      } catch {
        // Whoever needs its state says what is wrong with it.
        continue
      }
    }
    return found
  }

  /// Sequence number with which the oldest segment in `directory` begins; `nil`: there is none.
  /// - Throws: `system` when it cannot be listed.
  public static func firstCommand(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> SequenceNumber? {
    try JournalDirectory.segments(directory, on: disk).first?.first
  }
}
