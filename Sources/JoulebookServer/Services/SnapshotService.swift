// Snapshots, beside everything else: a history of its own catches up from the last snapshot, on a thread
// that gives way to the others, and writes the next. The exchange thread never waits for it.
//
//     last snapshot ─▶ history ─▶ durable commands behind it ─▶ next snapshot ─▶ what is too old goes
//
// Between two snapshots it holds nothing.

import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// Why no snapshot could be made. What was there before is as it was.
public enum SnapshotError: Error, CustomStringConvertible {
  /// The journal or the disk.
  case journal(JournalError)
  /// The replay differs from what was journaled at this checkpoint.
  case diverged(SequenceNumber)
  /// The settlement batches of the journal cannot be cut.
  case batches(LedgerError)

  /// What happened and what to do about it.
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

/// Makes snapshots when they are due. `run` is the body of a thread; everything else may be called by any.
final class SnapshotService: Service {
  /// What it reads, and when it works.
  struct Setting: Sendable {
    /// The journal's directory.
    var journal: String
    /// Where it is.
    var disk: any Disk = SystemDisk()
    /// What a history is made with.
    var market: MarketState.Setting
    /// How far the log is that it reads.
    var log: any CommitProgress
    /// A snapshot is due after so many commands; 0: never.
    var commands: UInt64
    /// Or after so long, when there is anything new; ns of the steady clock, 0: never.
    var nanoseconds: UInt64
    /// How many stay.
    var keep: Int
    /// Reports of the last so many commands can be made again, older segments may go; `nil`: all stay.
    var journalCommands: UInt64?
    /// Whether settlement goes on: while it waits or has stopped, a ledger may have to be filled again, and
    /// nothing is removed. Any thread.
    var isSettling: @Sendable () -> Bool = { true }
    /// What others read.
    var retention: JournalRetention
    /// What time it is.
    var time: any TimeSource = SystemTime()
    /// The last command of the snapshot that the start found; `.none`: there is none.
    var found: SequenceNumber
  }

  /// How often it looks whether one is due.
  private static let pauseNanoseconds: UInt64 = 200_000_000
  /// How long it waits after one that failed.
  private static let retryNanoseconds: UInt64 = 2_000_000_000

  private let setting: Setting
  private let log: Logger
  private let bell = Doorbell()
  private let isEnding = Atomic<Bool>(false)
  /// The last command in a snapshot.
  private let last: Atomic<UInt64>
  /// When the last was made, or tried; ns of the steady clock.
  private let tried: Atomic<UInt64>
  /// Not before: after one that failed; ns of the steady clock.
  private let retry = Atomic<UInt64>(0)
  /// Snapshots that failed since the start.
  private let failed = Atomic<UInt64>(0)

  let name = "snapshots"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) {
    (self.setting, self.log) = (setting, log)
    last = Atomic(setting.found.rawValue)
    tried = Atomic(setting.time.steady)
  }

  /// The last command in a snapshot.
  var lastSequence: SequenceNumber { SequenceNumber(last.load(ordering: .relaxed)) }
  /// Snapshots that could not be made since the start.
  var failures: UInt64 { failed.load(ordering: .relaxed) }

  /// Ends the thread; a snapshot in the making is given up.
  func end() {
    isEnding.store(true, ordering: .releasing)
    bell.ring()
  }

  func run() {
    while !isEnding.load(ordering: .acquiring) {
      _ = work()
      _ = bell.wait(timeoutNanoseconds: Self.pauseNanoseconds) {
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
      log.error("old snapshots and segments stay", metadata: error.fields)
    }
  }

  /// Makes a snapshot of the state behind the command `bound`, from the last snapshot on.
  /// - Parameters:
  ///   - bound: Durable.
  ///   - isStopped: Asked now and then; the work is given up when it says yes.
  /// - Returns: `nil` when there is one already, or it was stopped.
  /// - Throws: why there is none.
  static func make(
    in directory: String, _ setting: MarketState.Setting, through bound: SequenceNumber,
    disk: any Disk, log: Logger, progress: (SequenceNumber) -> Void = { _ in },
    unless isStopped: () -> Bool
  ) throws(SnapshotError) -> SnapshotHeader? {
    var history = try begin(in: directory, setting, disk, log)
    if history.sequence >= bound { return nil }
    let time = try catchUp(
      &history, in: directory, through: bound, disk, progress, unless: isStopped)
    guard let time else { return nil }
    return try write(history, time, in: directory, disk)
  }

  /// The newest snapshot, or nothing.
  private static func begin(
    in directory: String, _ setting: MarketState.Setting, _ disk: any Disk, _ log: Logger
  ) throws(SnapshotError) -> MarketState {
    do throws(JournalError) {
      return try MarketState.newest(in: directory, setting, disk: disk, log: log)
    } catch {
      throw .journal(error)
    }
  }

  /// Applies what lies behind a history.
  /// - Returns: the time of the last command; `nil` when it was stopped.
  private static func catchUp(
    _ history: inout MarketState, in directory: String, through bound: SequenceNumber,
    _ disk: any Disk, _ progress: (SequenceNumber) -> Void, unless isStopped: () -> Bool
  ) throws(SnapshotError) -> Timestamp? {
    var time = Timestamp(nanoseconds: 0)
    var problem: SnapshotError?
    do throws(JournalError) {
      var ahead = try CommandsAhead(
        for: .snapshot, directory: directory, behind: history.sequence, verification: .hashes,
        disk: disk)
      while problem == nil, let command = try ahead.next(through: bound, for: &history.exchange) {
        time = command.pointee.time
        problem = apply(command, to: &history)
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
    _ command: UnsafePointer<Command>, to history: inout MarketState
  ) -> SnapshotError? {
    do throws(LedgerError) {
      return try history.apply(command) ? nil : .diverged(command.pointee.sequence)
    } catch {
      return .batches(error)
    }
  }

  private static func write(
    _ history: borrowing MarketState, _ time: Timestamp, in directory: String, _ disk: any Disk
  ) throws(SnapshotError) -> SnapshotHeader {
    do throws(JournalError) {
      // Against the snapshots too: a list that was lost meanwhile must not be kept as the right one.
      let refused = try RefusedCommands(in: directory, disk: disk)
      for snapshot in try Snapshots.refusals(directory, disk: disk) {
        try refused.check(against: snapshot)
      }
      let writer = try SnapshotWriter(
        directory, sequence: history.sequence, without: refused.entries, disk: disk)
      history.write(to: writer)
      do throws(JournalError) {
        let header = history.header(at: time)
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
