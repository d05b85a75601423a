// Start after a run that crashed while it applied a command. If that command crashes every start
// too, the operator starts with `serve --refuse`, which skips it.
//
// Refusing is safe only if no client has seen an effect of the command. The events of a command
// leave the matching thread after the command, so a crash in the live exchange shows none. The
// proof is the note of that run, provided that the command is the journal's last and was written by
// that run: no later command is stamped before this one is applied, and a successful start clears
// the note before it stamps any. Snapshots and settlement replay the journal independently: if a
// snapshot or the ledger contains the command, it was applied there and can no longer be refused.

import Journaling
import Logging
import MarketModel
import Settlement
import Wire

/// How the last run ended, and which command the operator refuses. Owned by the thread that starts
/// a server.
final class CrashRecord {
  private let note: CrashNote
  private let lock: DirectoryLock
  private let asked: SequenceNumber?
  private let startLine: String
  private let openLedger: () throws(LedgerError) -> (any Ledger)?
  private let log: Logger

  /// Reads the note of the last run.
  /// - Parameters:
  ///   - asked: The command that the operator refuses; `nil` if none.
  ///   - startLine: Command line that starts a server on this folder, for messages.
  ///   - openLedger: Opens the ledger as settlement does; returns `nil` if there is none yet.
  /// - Throws: `system` if the note cannot be opened.
  init(
    _ lock: DirectoryLock, refusing asked: SequenceNumber?, startLine: String,
    openLedger: @escaping () throws(LedgerError) -> (any Ledger)?, log: Logger
  ) throws(JournalError) {
    note = try CrashNote(lock)
    (self.lock, self.asked, self.startLine) = (lock, asked, startLine)
    (self.openLedger, self.log) = (openLedger, log)
  }

  /// Logs how the last run ended, records the refusal if it is allowed, and arms the note for this
  /// run. Called before the first command is applied.
  /// - Returns: the commands that are skipped, and whether one of them is new.
  /// - Throws: `notRefusable` if the command may not be refused, without changing anything;
  ///   `system`.
  func prepare(
    _ journal: RecoveredJournal
  ) throws(JournalError) -> (refused: RefusedCommands, isNew: Bool) {
    var refused = journal.refused
    var isNew = false
    if let asked, refused[asked] != nil {
      log.notice("the command was already refused", metadata: ["command": asked.field])
    } else if let asked {
      if let reason = try reason(against: asked, journal) { throw .notRefusable(asked, reason) }
      try refused.add(entry(of: asked), lock)
      isNew = true
    }
    try announce(journal, refused)
    note.arm(run: journal.chain.epoch + 1)
    return (refused, isNew)
  }

  /// Clears the note of the last run after every command was applied.
  /// - Throws: `system`.
  func conclude() throws(JournalError) { try note.clear() }

  /// The reason why `asked` may not be refused; `nil` if it may.
  private func reason(
    against asked: SequenceNumber, _ journal: RecoveredJournal
  ) throws(JournalError) -> String? {
    let last = journal.lastSequence
    if note.isDamaged { return "\(note.path) cannot be read" }
    guard let live = note.live else {
      return note.other.map {
        "no run that answered clients crashed on it: \(note.path) records command "
          + "\($0.sequence.rawValue) of a \($0.purpose.name), which is no proof"
      } ?? "according to \(note.path), no run crashed while it applied a command"
    }
    if live.sequence != asked { return "the last run crashed on command \(live.sequence.rawValue)" }
    if asked > last {
      return "it was never durable and is not in the journal: start without --refuse"
    }
    if asked < last { return "the journal continues after it, up to command \(last.rawValue)" }
    if journal.isSealed || journal.chain.epoch != live.run {
      return "the run that crashed on it did not write it, or the journal was closed in order"
    }
    if let snapshot = try Snapshots.list(lock.directory, disk: lock.disk).first?.sequence,
      snapshot >= asked
    {
      return "the snapshot of command \(snapshot.rawValue) contains its effect"
    }
    return reasonOfLedger(against: asked)
  }

  private func reasonOfLedger(against asked: SequenceNumber) -> String? {
    do throws(LedgerError) {
      guard let ledger = try openLedger() else { return nil }
      let last = try ledger.head().last
      try ledger.close()
      return last < asked
        ? nil : "the ledger, which ends with command \(last.rawValue), contains its effect"
    } catch {
      return "the ledger cannot be read, so it may have been settled: \(error)"
    }
  }

  private func entry(of asked: SequenceNumber) throws(JournalError) -> RefusedCommand {
    guard let live = note.live, let command = try command(asked) else {
      throw .notRefusable(asked, "it is not in the journal")
    }
    return RefusedCommand(
      command, at: Timestamp(nanoseconds: SystemTime().wall),
      reason: "run \(live.run) ended with signal \(live.signal) while it applied it")
  }

  private func command(_ sequence: SequenceNumber) throws(JournalError) -> Command? {
    var reader = try JournalReader(
      directory: lock.directory, from: sequence, verification: .checksums, disk: lock.disk,
      asWritten: true)
    return try reader.next(through: sequence)
  }

  // MARK: The log

  private func announce(
    _ journal: RecoveredJournal, _ refused: RefusedCommands
  ) throws(JournalError) {
    if note.isDamaged {
      log.error(
        "ALARM: the record of the last run's crash cannot be read",
        metadata: ["path": "\(note.path)"])
    }
    if let live = note.live, refused[live.sequence] == nil { try announce(live, journal) }
    if let other = note.other, refused[other.sequence] == nil {
      log.critical(
        "ALARM: another process also crashed while it applied this command",
        metadata: [
          "command": other.sequence.field, "purpose": "\(other.purpose.name)",
          "signal": "\(other.signal)",
        ])
    }
    // If segments before a snapshot were removed, a refused command in them is logged without its
    // text.
    let first = try Snapshots.firstCommand(lock.directory, disk: lock.disk) ?? SequenceNumber(1)
    for entry in refused.entries {
      let text = entry.sequence >= first ? try command(entry.sequence).map(CommandText.line) : nil
      log.critical(
        "ALARM: the exchange skips a refused command",
        metadata: [
          "command": entry.sequence.field, "text": "\(text ?? "in a segment that was removed")",
          "since": "\(entry.time.iso8601)", "reason": "\(entry.reason)",
        ])
    }
  }

  private func announce(
    _ live: CrashNote.Record, _ journal: RecoveredJournal
  ) throws(JournalError) {
    var metadata: Logger.Metadata = [
      "command": live.sequence.field, "signal": "\(live.signal)", "run": "\(live.run)",
    ]
    guard live.sequence <= journal.lastSequence else {
      log.critical(
        """
        ALARM: the last run ended while it applied a command that was never durable; the command \
        is lost, and its sender got no report
        """, metadata: metadata)
      return
    }
    metadata["text"] = "\(try command(live.sequence).map(CommandText.line) ?? "")"
    metadata["refuse"] = "\(startLine) --refuse \(live.sequence.rawValue)"
    log.critical(
      """
      ALARM: the last run ended while it applied this command, which is now applied again; if this \
      start ends too, start without it
      """, metadata: metadata)
  }
}
