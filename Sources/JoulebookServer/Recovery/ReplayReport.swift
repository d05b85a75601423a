import ExchangeCore
import Journaling
import Logging
import MarketModel
import Settlement

/// The result of replaying a whole journal.
public struct ReplayReport: Sendable {
  /// Number of commands applied.
  public var commands: UInt64
  /// Number of events emitted.
  public var events: UInt64
  /// Number of trades among the events.
  public var trades: UInt64
  /// Duration of reading, verifying, decoding, applying, and hashing the final state, in seconds.
  public var seconds: Double
  /// Duration of finding the journal's end and verifying its hash chain, before that, in seconds.
  public var examinationSeconds: Double
  /// The last command applied.
  public var lastSequence: SequenceNumber
  /// Rolling hash over all events.
  public var eventHash: UInt64
  /// Hash of the whole state.
  public var stateHash: UInt64
  /// The first checkpoint whose hash differs from the replay; `nil` if all agree.
  public var mismatch: SequenceNumber?
  /// Commands that were refused and not applied.
  public var refused: [RefusedCommand]
  /// Balances of every account, and of the fees and grid of every area, after the ledger's last
  /// command.
  public var holdings: [EngineHolding]
  /// Comparison of the ledger with the journal; `nil` if it was not requested.
  public var batches: BatchComparison?

  /// Number of commands applied per second.
  public var commandsPerSecond: Double { seconds > 0 ? Double(commands) / seconds : 0 }

  /// The last command of the snapshot that the replay started from because older segments were
  /// removed; `.none` if it started from the first command.
  public var begin: SequenceNumber

  /// Replays the journal of `folder` into a new exchange, or from the oldest snapshot if the first
  /// segments were removed. It may run while a server writes the journal, and then reads up to the
  /// end found at the beginning.
  /// - Parameters:
  ///   - ledger: Head and genesis of the ledger: its batches are compared, and `holdings` is taken
  ///     after its last command. `nil` skips both.
  ///   - observer: Receives all commands and their events.
  ///   - progress: Called on the calling thread, every some thousand commands, with the number of
  ///     commands applied and the number of those to apply.
  /// - Throws: if the folder or its journal cannot be read, or is damaged.
  public static func run(
    _ folder: DataFolder, against ledger: (head: LedgerHead, genesis: LedgerGenesis)? = nil,
    observer: (any ReplayObserver)? = nil, progress: ((UInt64, UInt64) -> Void)? = nil
  ) throws(StartError) -> ReplayReport {
    let market: Configuration
    do throws(ConfigurationError) {
      market = try folder.fixedMarket()
    } catch {
      throw .configuration(error)
    }
    do throws(JournalError) {
      let clock = ContinuousClock()
      let start = clock.now
      let found = try Recovery.survey(folder.journal)
      let examination = (clock.now - start).seconds
      let setting = MarketState.Setting(market)
      let comparison = ledger.map { BatchComparison($0.head, $0.genesis, setting.genesis) }
      var tally = Tally(batches: comparison, observer: observer)
      return try run(folder, setting, found, &tally, examination, progress)
    } catch {
      throw .journal(error)
    }
  }

  /// Number of commands between two calls of `progress`.
  private static let progressInterval: UInt64 = 8_192

  private static func run(
    _ folder: DataFolder, _ setting: MarketState.Setting, _ journal: RecoveredJournal,
    _ tally: inout Tally, _ examination: Double, _ progress: ((UInt64, UInt64) -> Void)?
  ) throws(JournalError) -> ReplayReport {
    let clock = ContinuousClock()
    let start = clock.now
    let end = journal.lastSequence
    let place = tally.batches?.ledger.last ?? .none
    let begin = try tally.begin(in: folder.journal, setting)
    let first = begin.lastSequence
    // The hashes were verified when the end was searched, so checksums suffice here.
    var replay = try JournalReplay(
      begin, for: .replay, directory: folder.journal, verification: .checksums, aheadTo: end)
    var holdings = first == place ? tally.holdings(replay.exchange) : []
    while let (command, events) = try replay.step(through: end) {
      tally.take(command, events)
      if command.pointee.sequence == place { holdings = tally.holdings(replay.exchange) }
      if replay.commands % progressInterval == 0 {
        progress?(replay.commands, end.rawValue - first.rawValue)
      }
    }
    tally.end(replay.exchange)
    let stateHash = replay.exchange.stateHash()
    return ReplayReport(
      commands: replay.commands, events: tally.events, trades: replay.exchange.counts.trades,
      seconds: (clock.now - start).seconds, examinationSeconds: examination, lastSequence: end,
      eventHash: replay.exchange.eventHash, stateHash: stateHash,
      mismatch: tally.divergence.mismatch, refused: journal.refused.entries, holdings: holdings,
      batches: tally.batches,
      begin: first)
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}

/// Counts events and records the currency of each area.
private struct Tally: ~Copyable {
  var events: UInt64 = 0
  var divergence = DivergenceWatch()
  /// Comparison with the ledger; `nil` if not requested.
  var batches: BatchComparison?
  private var known = ReferenceData()
  private let observer: (any ReplayObserver)?

  init(batches: BatchComparison?, observer: (any ReplayObserver)?) {
    (self.batches, self.observer) = (batches, observer)
  }

  /// Starts from a recovered state.
  mutating func begin(
    in directory: String, _ setting: MarketState.Setting
  ) throws(JournalError) -> Exchange {
    let first = try Snapshots.firstCommand(directory) ?? SequenceNumber(1)
    guard first > SequenceNumber(1) else { return Exchange(capacity: setting.capacity) }
    let quiet = Logger(label: "replay")
    let history = try MarketState.newest(
      in: directory, setting, disk: SystemDisk(), log: quiet, oldestFirst: true)
    known = history.view.takeReference()
    batches?.begin(history.batches)
    let exchange = Self.exchange(of: history)
    observer?.begin(exchange)
    return exchange
  }

  private static func exchange(of history: consuming MarketState) -> Exchange {
    history.exchange
  }

  /// Processes a command's events. Most of them are only counted.
  @inline(__always) mutating func take(
    _ command: UnsafePointer<Command>, _ events: UnsafeBufferPointer<Event>
  ) {
    self.events += UInt64(events.count)
    // Announced changes take effect before any command.
    let isRead =
      switch command.pointee.body {
      case .control(.checkpoint), .reference: true
      default: events.contains { if case .reference = $0 { true } else { false } }
      }
    if isRead { read(events, of: command.pointee.sequence, at: command.pointee.time) }
    batches?.take(command, events, known)
    observer?.take(command.pointee, events)
  }

  /// The last command was applied.
  func end(_ exchange: borrowing Exchange) {
    observer?.end(
      exchange, areas: known.areas.map(\.definition),
      instruments: known.instruments.map(\.definition))
  }

  private mutating func read(
    _ events: UnsafeBufferPointer<Event>, of command: SequenceNumber, at time: Timestamp
  ) {
    for event in events {
      divergence.note(event, of: command)
      known.note(event, at: time)
    }
  }

  /// The balances, in the form in which the ledger reports them.
  func holdings(_ exchange: borrowing Exchange) -> [EngineHolding] {
    var holdings = exchange.cash().map {
      EngineHolding(
        account: $0.account, unit: .currency($0.currency),
        amount: Int128($0.free.units) + Int128($0.reserved.units))
    }
    for balance in exchange.allBalances() {
      holdings.append(
        EngineHolding(
          account: balance.account, unit: .energy(balance.area), amount: balance.energy.wattHours))
    }
    for area in known.areas.map(\.definition) {
      guard let totals = exchange.totals(of: area.area) else { continue }
      let unit = LedgerUnit.currency(area.currency)
      for (role, money) in [(HouseRole.fees, totals.fees), (.grid, totals.grid)] {
        holdings.append(
          EngineHolding(account: .house(area.area, role), unit: unit, amount: money.units))
      }
    }
    return holdings
  }
}
