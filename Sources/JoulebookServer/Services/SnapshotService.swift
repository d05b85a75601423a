// Makes snapshots in the background. A second exchange, on a low-priority thread, replays the
// journal from the last snapshot and writes the next one. The matching thread never waits for it.
//
//     last snapshot ─▶ replay of durable commands ─▶ next snapshot ─▶ removal of old files
//
// Between two snapshots the service keeps no state in memory.

import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// The reason why a snapshot could not be made. Existing snapshots are unchanged.
public enum SnapshotError: Error, CustomStringConvertible {
  /// The journal cannot be read, or the snapshot cannot be written.
  case journal(JournalError)
  /// The replay differs from the hash journaled in this checkpoint.
  case diverged(SequenceNumber)
  /// The settlement batches cannot be derived from the journal.
  case batches(LedgerError)

  /// What happened and what to do about it, for the operator.
  public var description: String {
    switch self {
    case .journal(let error): "\(error)"
    case .batches(let error): "\(error)"
    case .diverged(let sequence):
      "the replay of the journal differs from what was written at its checkpoint, command "
        + "\(sequence.rawValue): another version wrote it, or the list of refused commands "
        + "(journal/refused) was lost; no snapshot is made of it"
    }
  }
}

/// Makes snapshots when they are due. `run` is the body of a thread; all other methods may be
/// called from any thread.
final class SnapshotService: Service {
  /// Source, environment and schedule.
  struct Setting: Sendable {
    /// Path of the journal's directory.
    var journal: String
    /// File system that contains the journal.
    var disk: any Disk = SystemDisk()
    /// Capacity and settlement rules of the replayed exchange.
    var market: MarketState.Setting
    /// Tells how far the log can be read.
    var log: any CommitProgress
    /// Number of commands after which a snapshot is due; 0 disables this trigger.
    var commands: UInt64
    /// Time after which a snapshot is due if there are new commands, ns of the steady clock; 0
    /// disables this trigger.
    var nanoseconds: UInt64
    /// Number of snapshots that are kept.
    var keep: Int
    /// Number of latest commands whose segments are kept for retransmission; older segments may be
    /// removed. `nil` keeps all.
    var journalCommands: UInt64?
    /// Whether settlement is making progress. While it waits or has stopped, the ledger may have to
    /// be rebuilt from the journal, so nothing is removed. Any thread.
    var isSettling: @Sendable () -> Bool = { true }
    /// What other readers still need.
    var retention: JournalRetention
    /// Source of wall and steady time.
    var time: any TimeSource = SystemTime()
    /// The last command in the snapshot that recovery used; `.none` if there was none.
    var found: SequenceNumber
  }

  /// Interval at which the schedule is checked, ns.
  private static let pauseNanoseconds: UInt64 = 200_000_000
  /// Pause after a failed attempt, ns.
  private static let retryNanoseconds: UInt64 = 2_000_000_000

  private let setting: Setting
  private let log: Logger
  private let doorbell = Doorbell()
  private let isEnding = Atomic<Bool>(false)
  /// The last command in the newest snapshot.
  private let last: Atomic<UInt64>
  /// Time of the last attempt; ns of the steady clock.
  private let tried: Atomic<UInt64>
  /// Earliest time of the next attempt after a failure; ns of the steady clock.
  private let retry = Atomic<UInt64>(0)
  /// Number of failed attempts since the start.
  private let failed = Atomic<UInt64>(0)

  let name = "snapshots"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) {
    (self.setting, self.log) = (setting, log)
    last = Atomic(setting.found.rawValue)
    tried = Atomic(setting.time.steady)
  }

  /// The last command in the newest snapshot.
  var lastSequence: SequenceNumber { SequenceNumber(last.load(ordering: .relaxed)) }
  /// Number of failed attempts since the start.
  var failures: UInt64 { failed.load(ordering: .relaxed) }

  /// Ends the thread; an unfinished snapshot is abandoned.
  func end() {
    isEnding.store(true, ordering: .releasing)
    doorbell.ring()
  }

  func run() {
    while !isEnding.load(ordering: .acquiring) {
      _ = work()
      _ = doorbell.wait(timeoutNanoseconds: Self.pauseNanoseconds) {
        isEnding.load(ordering: .acquiring)
      }
    }
  }

  /// Makes a snapshot if one is due.
  /// - Returns: whether one was made.
  func work() -> Bool {
    let (durable, now) = (setting.log.durable, setting.time.steady)
    guard isDue(durable, now) else { return false }
    tried.store(now, ordering: .relaxed)
    do throws(SnapshotError) {
      guard setting.log.isInPlace else { throw .journal(.moved(path: setting.journal)) }
      let header = try make(through: durable)
      guard let header else { return false }
      last.store(header.sequence.rawValue, ordering: .relaxed)
      log.info("made a snapshot", metadata: ["command": header.sequence.field])
    } catch {
      failed.add(1, ordering: .relaxed)
      retry.store(now + Self.retryNanoseconds, ordering: .relaxed)
      log.error("ALARM: no snapshot", metadata: error.fields)
      return false
    }
    prune()
    return true
  }

  private func isDue(_ durable: SequenceNumber, _ now: UInt64) -> Bool {
    let new = durable.rawValue - min(durable.rawValue, last.load(ordering: .relaxed))
    let waited = now - min(now, tried.load(ordering: .relaxed))
    let isLong = setting.nanoseconds > 0 && waited >= setting.nanoseconds
    let isMany = setting.commands > 0 && new >= setting.commands
    return new > 0 && (isLong || isMany) && now >= retry.load(ordering: .relaxed)
  }

  private func make(through bound: SequenceNumber) throws(SnapshotError) -> SnapshotHeader? {
    try Self.make(
      in: setting.journal, setting.market, through: bound, disk: setting.disk, log: log
    ) { isEnding.load(ordering: .relaxed) }
  }

  private func prune() {
    guard setting.isSettling() else { return }
    do throws(JournalError) {
      guard setting.log.isInPlace else { throw .moved(path: setting.journal) }
      let pruned = try setting.retention.remove { held throws(JournalError) in
        try Snapshots.prune(
          setting.journal, keep: setting.keep, commands: setting.journalCommands, held: held,
          disk: setting.disk)
      }
      for path in pruned.segments {
        log.info(
          "removed a segment: it is in snapshots, and settled", metadata: ["path": "\(path)"])
      }
    } catch {
      log.error("old snapshots and segments could not be removed", metadata: error.fields)
    }
  }

  /// Makes a snapshot of the state after the command `bound`, starting from the newest snapshot.
  /// - Parameters:
  ///   - bound: A durable command.
  ///   - progress: Called every 4,096 commands with the last one applied.
  ///   - isStopped: Checked at the same interval; `true` abandons the work.
  ///   - log: Receives which snapshots could not be used.
  /// - Returns: `nil` if such a snapshot already exists, or the work was abandoned.
  /// - Throws: the reason why no snapshot was made.
  static func make(
    in directory: String, _ setting: MarketState.Setting, through bound: SequenceNumber,
    disk: any Disk, log: Logger, progress: (SequenceNumber) -> Void = { _ in },
    unless isStopped: () -> Bool
  ) throws(SnapshotError) -> SnapshotHeader? {
    var state = try begin(in: directory, setting, disk, log)
    if state.sequence >= bound { return nil }
    let time = try catchUp(
      &state, in: directory, through: bound, disk, progress, unless: isStopped)
    guard let time else { return nil }
    return try write(state, time, in: directory, disk)
  }

  /// Reads the newest snapshot; without one, returns an empty state.
  private static func begin(
    in directory: String, _ setting: MarketState.Setting, _ disk: any Disk, _ log: Logger
  ) throws(SnapshotError) -> MarketState {
    do throws(JournalError) {
      return try MarketState.newest(in: directory, setting, disk: disk, log: log)
    } catch {
      throw .journal(error)
    }
  }

  /// Applies the commands after `state`, up to `bound`.
  /// - Returns: the time of the last command; `nil` if the work was abandoned.
  private static func catchUp(
    _ state: inout MarketState, in directory: String, through bound: SequenceNumber,
    _ disk: any Disk, _ progress: (SequenceNumber) -> Void, unless isStopped: () -> Bool
  ) throws(SnapshotError) -> Timestamp? {
    var time = Timestamp(nanoseconds: 0)
    var problem: SnapshotError?
    do throws(JournalError) {
      var ahead = try CommandsAhead(
        for: .snapshot, directory: directory, after: state.sequence, verification: .hashes,
        disk: disk)
      while problem == nil, let command = try ahead.next(through: bound, for: &state.exchange) {
        time = command.pointee.time
        problem = apply(command, to: &state)
        if command.pointee.sequence.rawValue % 4_096 == 0 {
          progress(command.pointee.sequence)
          if isStopped() { return nil }
        }
      }
    } catch {
      throw .journal(error)
    }
    if let problem { throw problem }
    return time
  }

  private static func apply(
    _ command: UnsafePointer<Command>, to state: inout MarketState
  ) -> SnapshotError? {
    do throws(LedgerError) {
      return try state.apply(command) ? nil : .diverged(command.pointee.sequence)
    } catch {
      return .batches(error)
    }
  }

  private static func write(
    _ state: borrowing MarketState, _ time: Timestamp, in directory: String, _ disk: any Disk
  ) throws(SnapshotError) -> SnapshotHeader {
    do throws(JournalError) {
      // The list of refused commands is checked against the older snapshots: if it was lost during
      // the replay, the incomplete list must not enter this snapshot.
      let refused = try RefusedCommands(in: directory, disk: disk)
      for snapshot in try Snapshots.refusals(directory, disk: disk) {
        try refused.check(against: snapshot)
      }
      let writer = try SnapshotWriter(
        directory, sequence: state.sequence, without: refused.entries, disk: disk)
      state.write(to: writer)
      do throws(JournalError) {
        let header = state.header(at: time)
        try writer.finish(header)
        return header
      } catch {
        writer.abandon()
        throw error
      }
    } catch {
      throw .journal(error)
    }
  }
}
