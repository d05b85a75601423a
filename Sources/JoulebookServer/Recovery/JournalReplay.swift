import ExchangeCore
import Journaling
import MarketModel
import Rings

/// Receives the events of replayed commands; `begin` is called before the events of each command.
protocol CommandEventSink: EventSink, ~Copyable {
  /// Sets the command whose events follow.
  mutating func begin(_ command: borrowing Command)
}

/// Applies the commands of a journal to an exchange, in order. Owned by one thread.
struct JournalReplay: ~Copyable {
  /// The state after the last command applied.
  var exchange: Exchange
  /// Number of commands applied.
  private(set) var commands: UInt64 = 0
  private var ahead: CommandsAhead

  /// Starts with an empty exchange before the journal's first command.
  /// - Parameters:
  ///   - directory: Path of the journal's directory.
  ///   - capacity: Capacity of the exchange that wrote it.
  ///   - verification: `.hashes`, unless this process wrote the journal.
  /// - Throws: if the journal cannot be listed or does not start with command 1.
  init(
    directory: String, capacity: Capacity, verification: Verification = .hashes,
    disk: any Disk = SystemDisk()
  ) throws(JournalError) {
    try self.init(
      Exchange(capacity: capacity), for: .replay, directory: directory,
      verification: verification, disk: disk)
  }

  /// Continues after the last command of `exchange`.
  /// - Parameters:
  ///   - purpose: The purpose of the replay, recorded in case of a crash.
  ///   - end: As in `CommandsAhead`.
  /// - Throws: if the journal cannot be listed or starts later.
  init(
    _ exchange: consuming Exchange, for purpose: CurrentCommand.Purpose, directory: String,
    verification: Verification = .hashes, disk: any Disk = SystemDisk(),
    aheadTo end: SequenceNumber? = nil
  ) throws(JournalError) {
    ahead = try CommandsAhead(
      for: purpose, directory: directory, after: exchange.lastSequence, verification: verification,
      disk: disk, aheadTo: end)
    self.exchange = exchange
  }

  /// Applies the next command.
  /// - Parameters:
  ///   - bound: The last command to apply; `nil` for all commands of a journal that no process
  ///     writes.
  ///   - sink: Receives the events.
  /// - Returns: the command in place, valid until the next call; `nil` at the bound or the end.
  /// - Throws: if the journal is damaged or cannot be read.
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
  /// - Returns: the command and its events in place, valid until the next call; `nil` at the
  ///   bound or the end.
  /// - Throws: if the journal is damaged or cannot be read.
  @inline(__always) mutating func step(
    through bound: SequenceNumber?
  ) throws(JournalError) -> (command: UnsafePointer<Command>, events: UnsafeBufferPointer<Event>)? {
    guard let command = try ahead.next(through: bound, for: &exchange) else { return nil }
    commands += 1
    return (command, exchange.execute(command))
  }
}

/// Commands of a journal. It reads a group ahead, so that the exchange can prefetch their rows.
struct CommandsAhead: ~Copyable {
  /// Maximum size of a group: its commands fit the L1 cache beside the exchange's rows.
  private static let most = 128

  private var reader: JournalReader?
  private let decoder: JournalDecoder?
  private let buffer = UnsafeMutableBufferPointer<Command>.allocate(capacity: most)
  /// The current group.
  private var group = UnsafeBufferPointer<Command>(start: nil, count: 0)
  /// Number of commands of the group already returned.
  private var place = 0
  /// Records the command being applied, in case of a crash.
  private let current: CurrentCommand

  /// Starts with the command after `last`.
  /// - Parameters:
  ///   - purpose: The purpose of the replay, recorded in case of a crash.
  ///   - end: Reads up to this command on a second thread; `nil` reads on this one, up to any
  ///     bound.
  /// - Throws: if the journal cannot be listed or starts later.
  init(
    for purpose: CurrentCommand.Purpose, directory: String, after last: SequenceNumber,
    verification: Verification, disk: any Disk, aheadTo end: SequenceNumber? = nil
  ) throws(JournalError) {
    current = CurrentCommand(purpose)
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
  /// - Parameter exchange: The exchange that the caller applies it to; it prefetches.
  /// - Returns: the command in place, valid until the next call; `nil` at the bound or the end.
  /// - Throws: if the journal is damaged or cannot be read.
  @inline(__always) mutating func next(
    through bound: SequenceNumber?, for exchange: inout Exchange
  ) throws(JournalError) -> UnsafePointer<Command>? {
    if place == group.count { try refill(through: bound) }
    guard place < group.count, let first = group.baseAddress else { return nil }
    exchange.anticipate(group, before: place)
    // The bound never falls, so commands read ahead remain below it.
    place += 1
    current.begin(first[place - 1].sequence)
    #if DEBUG
      CommandTrap.trapIfSelected(first[place - 1])
    #endif
    return first + (place - 1)
  }
}

extension CommandsAhead {
  /// Reads the next group; it is empty at the bound or the end.
  private mutating func refill(through bound: SequenceNumber?) throws(JournalError) {
    (group, place) = (UnsafeBufferPointer(rebasing: buffer[..<0]), 0)
    current.end()
    current.registerThread()
    CrashHandler.waitIfEnding()
    // The replay runs beside a live server, so it yields the core to the server's threads.
    if bound != nil { ServiceThread.yieldCore() }
    if let decoder {
      group = try decoder.next(limit: Self.most)
    } else {
      let count = try reader?.read(into: buffer, through: bound) ?? 0
      group = UnsafeBufferPointer(rebasing: buffer[..<count])
    }
  }
}

/// Detects when a replay differs from the journaled checkpoints.
struct DivergenceWatch {
  /// The first checkpoint whose hash differs from the replay.
  private(set) var mismatch: SequenceNumber?

  /// Processes an event of `command`.
  mutating func note(_ event: borrowing Event, of command: SequenceNumber) {
    switch event {
    case .control(.alarm(let alarm)) where alarm.kind == .checkpointMismatch:
      mismatch = mismatch ?? command
    default: break
    }
  }
}
