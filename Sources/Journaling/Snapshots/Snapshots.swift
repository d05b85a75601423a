import MarketModel

/// The snapshots in a journal's directory. Stateless; any thread.
public enum Snapshots {
  /// A snapshot file.
  public struct Entry: Sendable, Equatable {
    /// The last command applied to its state.
    public let sequence: SequenceNumber
    /// Path of the file.
    public let path: String
  }

  /// The snapshots in `directory`, newest first. The files are not verified.
  /// - Throws: `system` if the directory cannot be listed.
  public static func list(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> [Entry] {
    try JournalDirectory.entries(directory, ending: JournalDirectory.snapshotSuffix, on: disk)
      .reversed().map { Entry(sequence: $0.first, path: $0.path) }
  }

  /// The refused commands recorded in a snapshot.
  public struct Refusals: Sendable, Equatable {
    /// The last command applied to its state.
    public let sequence: SequenceNumber
    /// Path of the file.
    public let path: String
    /// The refused commands up to there.
    public let refused: [RefusedCommand]
  }

  /// The refused commands recorded in each snapshot in `directory`. Snapshots that cannot be read,
  /// or whose version does not record them, are omitted.
  /// - Throws: `system` if the directory cannot be listed.
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
        // The defect is reported when its state is needed.
        continue
      }
    }
    return found
  }

  /// First sequence number of the oldest segment in `directory`; `nil` if there is none.
  /// - Throws: `system` if the directory cannot be listed.
  public static func firstCommand(
    _ directory: String, disk: any Disk = SystemDisk()
  ) throws(JournalError) -> SequenceNumber? {
    try JournalDirectory.segments(directory, on: disk).first?.first
  }
}
