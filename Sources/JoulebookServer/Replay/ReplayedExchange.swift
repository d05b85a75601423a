import ExchangeCore
import Journaling
import MarketModel

/// Receives the events of replayed commands, each command named before its events.
protocol HistorySink: EventSink, ~Copyable {
  /// Names the command whose events come next.
  mutating func begin(_ command: borrowing Command)
}

/// A fresh exchange to which a journal's commands are applied, in order. Owned by one thread.
struct ReplayedExchange: ~Copyable {
  /// Its state after the last command applied.
  var exchange: Exchange
  /// Commands applied.
  private(set) var commands: UInt64 = 0
  private var reader: JournalReader

  /// An empty exchange before the journal's first command.
  /// - Parameters:
  ///   - directory: The journal's.
  ///   - capacity: That of the exchange that wrote it.
  ///   - verification: `.hashes` unless the writer is this process.
  /// - Throws: when the journal cannot be listed or does not begin with command 1.
  init(
    directory: String, capacity: Capacity, verification: Verification = .hashes,
    disk: any Disk = SystemDisk()
  ) throws(JournalError) {
    exchange = Exchange(capacity: capacity)
    reader = try JournalReader(directory: directory, verification: verification, disk: disk)
  }

  /// The command that `step` applies next.
  var position: SequenceNumber { reader.position }

  /// Applies the next command.
  /// - Parameters:
  ///   - bound: The highest command to apply; `nil`: all, of a journal that nobody writes.
  ///   - sink: Receives its events.
  /// - Returns: the command; `nil` at the bound or the end.
  /// - Throws: when the journal is damaged or cannot be read.
  mutating func step<Sink: HistorySink & ~Copyable>(
    through bound: SequenceNumber?, into sink: inout Sink
  ) throws(JournalError) -> Command? {
    guard let command = try reader.next(through: bound) else { return nil }
    sink.begin(command)
    exchange.apply(command, into: &sink)
    commands += 1
    return command
  }
}

/// Notices when a replay leaves the journaled history.
struct DivergenceWatch {
  /// The first checkpoint that does not agree with the replay.
  private(set) var mismatch: SequenceNumber?

  /// Takes note of an event of `command`.
  mutating func note(_ event: borrowing Event, of command: SequenceNumber) {
    switch event {
    case .alarm(let alarm) where alarm.kind == .checkpointMismatch:
      mismatch = mismatch ?? command
    default: break
    }
  }
}
