import Journaling
import Logging
import MarketModel

/// Making and pruning snapshots of a stopped server's folder, for tools.
extension DataFolder {
  /// Makes a snapshot of the state after a command.
  /// - Parameters:
  ///   - last: The last command in the snapshot, at most the journal's last; `nil` for the
  ///     journal's last.
  ///   - log: Receives which snapshots could not be used.
  ///   - progress: Called occasionally with the last command applied and the last one to apply.
  /// - Returns: the header of the newest snapshot, and whether it was made by this call.
  /// - Throws: if the folder is in use, the journal cannot be read or differs from its
  ///   checkpoints, or the disk fails.
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

  /// The last command in a snapshot and the last in the journal, which is durable after this call.
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

  /// Removes files that snapshots make superfluous; see `Snapshots.prune`.
  /// - Throws: if there is no journal, the folder is in use or the disk fails.
  public func prune(
    keep: Int, commands: UInt64?, isDry: Bool
  ) throws(StartError) -> Snapshots.Pruned {
    do throws(JournalError) {
      // A missing journal must not be created by the lock below.
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
      // Listing first makes a missing journal an error; the lock would create it.
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
