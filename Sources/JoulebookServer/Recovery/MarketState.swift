// Everything that follows from a journal's commands alone, as of one command. A snapshot is its bytes:
//
//     counts      how many participants, accounts, areas, instruments, meters there are
//     batches     settlement batches cut so far, and what lies in the one in the making
//     view        who is who, numbers of reports and market data, session versions
//     exchange    every row

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Settlement

/// A history that goes on command by command. Owned by one thread.
struct MarketState: ~Copyable {
  /// The state of the market.
  var exchange: Exchange
  /// What gateways know.
  let view: DurableView
  /// What was settled, as the journal has it.
  var batches: BatchBuilder

  /// What a history is made with: as the first start of the data folder fixed it.
  struct Setting: Sendable {
    /// Capacity of the exchange.
    var capacity: Capacity
    /// How settlement batches are cut.
    var genesis: LedgerGenesis

    /// What `configuration` says.
    init(_ configuration: Configuration) {
      capacity = configuration.capacity
      genesis = LedgerGenesis(rules: configuration.settlement)
    }
  }

  /// A history without a command.
  init(_ setting: Setting) {
    exchange = Exchange(capacity: setting.capacity)
    view = DurableView()
    batches = BatchBuilder(genesis: setting.genesis)
  }

  /// Reads what `write` wrote.
  /// - Returns: `nil` when the source is not whole.
  private init?(_ setting: Setting, reading source: any StateSource) {
    let counts = source.get(ReferenceData.Counts.self)
    batches = BatchBuilder(genesis: setting.genesis, reading: source)
    view = DurableView(reading: source, counts: counts)
    guard let read = Exchange(capacity: setting.capacity, reading: source) else { return nil }
    exchange = read
  }

  /// Writes all of it.
  func write(to sink: any StateSink) {
    sink.put(view.reference.counts)
    batches.write(to: sink, view.reference)
    view.write(to: sink)
    exchange.write(to: sink)
  }

  /// The last command in it.
  var sequence: SequenceNumber { exchange.lastSequence }

  /// What a snapshot of it says of itself.
  func header(at time: Timestamp) -> SnapshotHeader {
    SnapshotHeader(
      sequence: sequence, time: time, eventHash: exchange.eventHash,
      stateHash: exchange.stateHash(), batch: batches.head.batch,
      confirmedBatch: exchange.counts.settledBatch)
  }

  /// Reads a snapshot and checks that the state has the hashes that its maker found.
  /// - Throws: `system` or `badSnapshot`.
  static func read(
    _ path: String, _ setting: Setting, disk: any Disk
  ) throws(JournalError) -> MarketState {
    let reader = try SnapshotReader(path, disk: disk)
    guard let history = MarketState(setting, reading: reader) else {
      throw reader.failure ?? .badSnapshot(path: path, "it is not whole")
    }
    try reader.finish()
    guard history.sequence == reader.header.sequence,
      history.exchange.eventHash == reader.header.eventHash,
      history.exchange.stateHash() == reader.header.stateHash
    else { throw .badSnapshot(path: path, "its state has other hashes than its header") }
    return history
  }

  /// The newest snapshot that can be used.
  /// - Parameters:
  ///   - oldestFirst: The oldest instead.
  ///   - isFit: Looks at each, in that order; it is passed over when it returns `false`.
  /// - Returns: without one, a history without a command: it begins with the journal's first.
  /// - Throws: `system` when the folder cannot be listed; what is wrong with the first snapshot when none
  ///   can be used and the journal does not begin with its first command.
  static func newest(
    in directory: String, _ setting: Setting, disk: any Disk, log: Logger,
    oldestFirst: Bool = false, where isFit: (borrowing MarketState) -> Bool = { _ in true }
  ) throws(JournalError) -> MarketState {
    // One behind which segments are missing leads nowhere: a removal that was cut short may have left it.
    let begin = try Snapshots.firstCommand(directory, disk: disk) ?? .none
    let entries = try Snapshots.list(directory, disk: disk).filter {
      $0.sequence.rawValue + 1 >= begin.rawValue
    }
    var failure: JournalError?
    for entry in oldestFirst ? entries.reversed() : entries {
      do throws(JournalError) {
        let history = try read(entry.path, setting, disk: disk)
        if isFit(history) { return history }
      } catch {
        log.error("ALARM: a snapshot is passed over", metadata: error.fields)
        failure = failure ?? error
      }
    }
    // The journal from its first command does the same, if it is there.
    if let failure, begin > SequenceNumber(1) {
      if case .badSnapshot(let path, let defect) = failure {
        throw .onlySnapshots(path: path, oldest: begin, defect)
      }
      throw failure
    }
    return MarketState(setting)
  }
}

extension MarketState {
  /// Applies the next command, which stays where it is.
  /// - Returns: `false` when it is a checkpoint that does not agree.
  /// - Throws: when the batches cannot be cut.
  mutating func apply(_ command: UnsafePointer<Command>) throws(LedgerError) -> Bool {
    view.begin(command.pointee)
    let (sequence, time) = (command.pointee.sequence, command.pointee.time)
    var agrees = true
    let events = exchange.execute(command)
    for index in events.indices {
      let event = events[index]
      if case .control(.alarm(let alarm)) = event, alarm.kind == .checkpointMismatch {
        agrees = false
      }
      if let place = events.baseAddress { view.take(place + index, at: time) }
      batches.take(event, sequence: sequence, time: time, view.reference)
    }
    view.endCommand(at: time)
    _ = try batches.endCommand(
      sequence: sequence, time: time, closes: command.pointee.body.closesBatch)
    return agrees
  }
}
