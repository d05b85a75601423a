import Journaling
import Logging
import MarketModel

/// Snapshots of a stopped server's folder, by hand.
extension DataFolder {
  /// Makes a snapshot of the state behind a command.
  /// - Parameters:
  ///   - last: The last command in it, unless the journal ends before; `nil`: the journal's last.
  ///   - log: Told which snapshots could not be used.
  ///   - progress: Told now and then the last command applied, and the last that there is.
  /// - Returns: what the newest snapshot says of itself, and whether it was made now.
  /// - Throws: when the folder is in use, the journal cannot be read or differs from its checkpoints, or
  ///   the disk refuses.
  public func makeSnapshot(
    at last: SequenceNumber? = nil, log: Logger,
    progress: (SequenceNumber, SequenceNumber) -> Void = { _, _ in }
  ) throws(StartError) -> (sequence: SequenceNumber, isNew: Bool) {
    let setting = try marketSetting()
    let lock = try lockJournal()
    defer { withExtendedLifetime(lock) {} }
    let (newest, journalEnd) = try journalEnd(lock, setting, log)
    let end = min(journalEnd, last ?? journalEnd)
    do throws(SnapshotError) {
      let made = try SnapshotService.make(
        in: journal, setting, through: end, disk: SystemDisk(), log: log,
        progress: { progress($0, end) }, unless: { false })
      return (made?.sequence ?? newest, made != nil)
    } catch {
      throw .snapshot(error)
    }
  }

  /// The last command in a snapshot, and the last of the journal, which is durable then.
  private func journalEnd(
    _ lock: DirectoryLock, _ setting: MarketState.Setting, _ log: Logger
  ) throws(StartError) -> (newest: SequenceNumber, end: SequenceNumber) {
    do throws(JournalError) {
      let newest = try MarketState.newest(in: journal, setting, disk: SystemDisk(), log: log)
        .sequence
      return (newest, try Recovery.recover(lock, after: newest).lastSequence)
    } catch {
      throw .journal(error)
    }
  }

  /// Removes what snapshots make superfluous; see `Snapshots.prune`.
  /// - Throws: when there is no journal, the folder is in use or the disk refuses.
  public func prune(
    keep: Int, commands: UInt64?, isDry: Bool
  ) throws(StartError) -> Snapshots.Pruned {
    do throws(JournalError) {
      // Where there is nothing, nothing is made.
      guard try Snapshots.firstCommand(journal) != nil else { return Snapshots.Pruned() }
    } catch {
      throw .journal(error)
    }
    let lock = try lockJournal()
    defer { withExtendedLifetime(lock) {} }
    do throws(JournalError) {
      return try Snapshots.prune(journal, keep: keep, commands: commands, isDry: isDry)
    } catch {
      throw .journal(error)
    }
  }

  private func lockJournal() throws(StartError) -> DirectoryLock {
    do throws(JournalError) {
      // A tool makes no journal.
      _ = try Snapshots.list(journal)
      return try DirectoryLock(journal)
    } catch {
      throw .journal(error)
    }
  }

  private func marketSetting() throws(StartError) -> MarketState.Setting {
    do throws(ConfigurationError) {
      return MarketState.Setting(try fixedMarket())
    } catch {
      throw .configuration(error)
    }
  }
}
