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
}
