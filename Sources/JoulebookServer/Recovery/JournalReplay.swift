import ExchangeCore
import Journaling
import MarketModel
import Rings

/// Receives the events of replayed commands, each command named before its events.
protocol CommandEventSink: EventSink, ~Copyable {
  /// Names the command whose events come next.
  mutating func begin(_ command: borrowing Command)
}

/// An exchange to which a journal's commands are applied, in order. Owned by one thread.
struct JournalReplay: ~Copyable {
  /// Its state after the last command applied.
  var exchange: Exchange
  /// Commands applied.
  private(set) var commands: UInt64 = 0
  private var ahead: CommandsAhead

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
    try self.init(
      Exchange(capacity: capacity), for: .replay, directory: directory,
      verification: verification, disk: disk)
  }

  /// An exchange that goes on behind its last command.
  /// - Throws: when the journal cannot be listed or begins later.
  /// - Parameters:
  ///   - purpose: What the commands are applied for.
  ///   - end: As for `CommandsAhead`.
  init(
    _ exchange: consuming Exchange, for purpose: CommandInHand.Purpose, directory: String,
    verification: Verification = .hashes, disk: any Disk = SystemDisk(),
    aheadTo end: SequenceNumber? = nil
  ) throws(JournalError) {
    ahead = try CommandsAhead(
      for: purpose, directory: directory, behind: exchange.lastSequence, verification: verification,
      disk: disk, aheadTo: end)
    self.exchange = exchange
  }

  /// Applies the next command.
  /// - Parameters:
  ///   - bound: The highest command to apply; `nil`: all, of a journal that nobody writes.
  ///   - sink: Receives its events.
  /// - Returns: the command, where it stands until the next call; `nil` at the bound or the end.
  /// - Throws: when the journal is damaged or cannot be read.
  mutating func step<Sink: CommandEventSink & ~Copyable>(
    through bound: SequenceNumber?, into sink: inout Sink
  ) throws(JournalError) -> UnsafePointer<Command>? {
    guard let (command, events) = try step(through: bound) else { return nil }
    sink.begin(command.pointee)
    for index in events.indices { sink.emit(events[index]) }
    return command
  }

  /// Applies the next command.
  /// - Parameter bound: As above.
  /// - Returns: the command and its events, where they stand until the next call; `nil` at the bound or
  ///   the end.
  /// - Throws: when the journal is damaged or cannot be read.
  @inline(__always) mutating func step(
    through bound: SequenceNumber?
  ) throws(JournalError) -> (command: UnsafePointer<Command>, events: UnsafeBufferPointer<Event>)? {
    guard let command = try ahead.next(through: bound, for: &exchange) else { return nil }
    commands += 1
    return (command, exchange.execute(command))
  }
}

/// Commands of a journal, some read ahead and shown to the exchange before they are applied.
struct CommandsAhead: ~Copyable {
  /// As many as fit the first cache beside the exchange's own rows.
  private static let most = 128

  private var reader: JournalReader?
  private let decoder: JournalDecoder?
  private let buffer = UnsafeMutableBufferPointer<Command>.allocate(capacity: most)
  /// Those that were shown to the exchange last.
  private var group = UnsafeBufferPointer<Command>(start: nil, count: 0)
  /// How many of them were handed out.
  private var place = 0
  /// The one that was handed out last, until there is none.
  private let hand: CommandInHand

  /// Begins with the command behind `last`.
  /// - Parameters:
  ///   - purpose: What the commands are applied for.
  ///   - end: Reads up to it on a thread of its own; `nil`: on this one, up to any bound.
  /// - Throws: when the journal cannot be listed or begins later.
  init(
    for purpose: CommandInHand.Purpose, directory: String, behind last: SequenceNumber,
    verification: Verification, disk: any Disk, aheadTo end: SequenceNumber? = nil
  ) throws(JournalError) {
    hand = CommandInHand(purpose)
    let opened = try JournalReader(
      directory: directory, from: SequenceNumber(last.rawValue + 1), verification: verification,
      disk: disk)
    if let end {
      reader = nil
      decoder = JournalDecoder(opened, through: end)
    } else {
      decoder = nil
      reader = consume opened
    }
  }

  deinit { buffer.deallocate() }

  /// The next command.
  /// - Parameter exchange: Will be given it next.
  /// - Returns: it stands where it is until the next call; `nil` at the bound or the end.
  /// - Throws: when the journal is damaged or cannot be read.
  @inline(__always) mutating func next(
    through bound: SequenceNumber?, for exchange: inout Exchange
  ) throws(JournalError) -> UnsafePointer<Command>? {
    if place == group.count { try refill(through: bound) }
    guard place < group.count, let first = group.baseAddress else { return nil }
    exchange.anticipate(group, before: place)
    // A bound never falls, so what was read ahead of it may be applied.
    place += 1
    hand.begin(first[place - 1].sequence)
    #if DEBUG
      CommandTrap.meet(first[place - 1])
    #endif
    return first + (place - 1)
  }
}

extension CommandsAhead {
  /// Takes the next commands in hand; none at the bound or the end, or when it throws.
  private mutating func refill(through bound: SequenceNumber?) throws(JournalError) {
    (group, place) = (UnsafeBufferPointer(rebasing: buffer[..<0]), 0)
    hand.end()
    hand.takeThread()
    CrashHandler.waitIfEnding()
    // Behind a server that writes: those who trade go first.
    if bound != nil { ServiceThread.giveWay() }
    if let decoder {
      group = try decoder.next(limit: Self.most)
    } else {
      let count = try reader?.read(into: buffer, through: bound) ?? 0
      group = UnsafeBufferPointer(rebasing: buffer[..<count])
    }
  }
}

/// Notices when a replay leaves the journaled history.
struct DivergenceWatch {
  /// The first checkpoint that does not agree with the replay.
  private(set) var mismatch: SequenceNumber?

  /// Takes note of an event of `command`.
  mutating func note(_ event: borrowing Event, of command: SequenceNumber) {
    switch event {
    case .control(.alarm(let alarm)) where alarm.kind == .checkpointMismatch:
      mismatch = mismatch ?? command
    default: break
    }
  }
}
