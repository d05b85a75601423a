// The state that follows from a journal's commands up to one of them. A snapshot contains it in
// this order:
//
//     counts      number of participants, accounts, areas, instruments, meters
//     batches     settlement batches closed so far, and the open one
//     view        reference data, report numbers, market data, session versions
//     exchange    every row

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Settlement

/// State that advances command by command. Owned by one thread.
struct MarketState: ~Copyable {
  /// The exchange.
  var exchange: Exchange
  /// The state that the gateways share.
  let view: DurableView
  /// The settlement batches as the journal determines them.
  var batches: BatchBuilder

  /// Parameters that the first start of the data folder fixed.
  struct Setting: Sendable {
    /// Capacity of the exchange.
    var capacity: Capacity
    /// Rules by which settlement batches are closed.
    var genesis: LedgerGenesis

    /// The parameters in `configuration`.
    init(_ configuration: Configuration) {
      capacity = configuration.capacity
      genesis = LedgerGenesis(rules: configuration.settlement)
    }
  }

  /// The state before the first command.
  init(_ setting: Setting) {
    exchange = Exchange(capacity: setting.capacity)
    view = DurableView()
    batches = BatchBuilder(genesis: setting.genesis)
  }

  /// Reads what `write` wrote.
  /// - Returns: `nil` if the source is incomplete or malformed.
  private init?(_ setting: Setting, reading source: any StateSource) {
    let counts = source.get(ReferenceData.Counts.self)
    batches = BatchBuilder(genesis: setting.genesis, reading: source)
    view = DurableView(reading: source, counts: counts)
    guard let read = Exchange(capacity: setting.capacity, reading: source) else { return nil }
    exchange = read
    view.setMeterTerms { exchange.terms(of: $0) }
    view.setAreaReadings { exchange.readings(of: $0) }
  }

  /// Writes the whole state.
  func write(to sink: any StateSink) {
    sink.put(view.reference.counts)
    batches.write(to: sink, view.reference)
    view.write(to: sink)
    exchange.write(to: sink)
  }

  /// The last command applied.
  var sequence: SequenceNumber { exchange.lastSequence }

  /// The header of a snapshot of this state.
  func header(at time: Timestamp) -> SnapshotHeader {
    SnapshotHeader(
      sequence: sequence, time: time, eventHash: exchange.eventHash,
      stateHash: exchange.stateHash(), batch: batches.head.batch,
      confirmedBatch: exchange.counts.settledBatch)
  }

  /// Reads a snapshot and verifies the hashes in its header.
  /// - Throws: `system` or `badSnapshot`.
  static func read(
    _ path: String, _ setting: Setting, disk: any Disk
  ) throws(JournalError) -> MarketState {
    let reader = try SnapshotReader(path, disk: disk)
    guard let history = MarketState(setting, reading: reader) else {
      throw reader.failure ?? .badSnapshot(path: path, "it is damaged")
    }
    try reader.finish()
    guard history.sequence == reader.header.sequence,
      history.exchange.eventHash == reader.header.eventHash,
      history.exchange.stateHash() == reader.header.stateHash
    else { throw .badSnapshot(path: path, "the hashes of its state differ from its header") }
    return history
  }

  /// Reads the newest usable snapshot.
  /// - Parameters:
  ///   - oldestFirst: Selects the oldest instead.
  ///   - isUsable: Called with each candidate in order; `false` skips it.
  /// - Returns: the state; without a snapshot, the state before the journal's first command.
  /// - Throws: `system` if the directory cannot be listed; the defect of the first snapshot if
  ///   none can be used and the journal does not start with its first command.
  static func newest(
    in directory: String, _ setting: Setting, disk: any Disk, log: Logger,
    oldestFirst: Bool = false, where isUsable: (borrowing MarketState) -> Bool = { _ in true }
  ) throws(JournalError) -> MarketState {
    // A snapshot after which segments are missing is unusable; an interrupted removal may have left
    // it.
    let begin = try Snapshots.firstCommand(directory, disk: disk) ?? .none
    let entries = try Snapshots.list(directory, disk: disk).filter {
      $0.sequence.rawValue + 1 >= begin.rawValue
    }
    var failure: JournalError?
    for entry in oldestFirst ? entries.reversed() : entries {
      do throws(JournalError) {
        let history = try read(entry.path, setting, disk: disk)
        if isUsable(history) { return history }
      } catch {
        log.error("ALARM: a snapshot cannot be used", metadata: error.fields)
        failure = failure ?? error
      }
    }
    // A replay of the whole journal gives the present state too, if its first segment still exists.
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
  /// Applies the next command, in place, but closes no settlement batch: for readers of the state.
  mutating func follow(_ command: UnsafePointer<Command>) {
    view.begin(command.pointee)
    let time = command.pointee.time
    let events = exchange.execute(command)
    for index in events.indices {
      if let place = events.baseAddress { view.take(place + index, at: time) }
    }
    view.endCommand(at: time)
  }

  /// Applies the next command, in place.
  /// - Returns: `false` if it is a checkpoint whose hash differs.
  /// - Throws: if a settlement batch cannot be closed.
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
