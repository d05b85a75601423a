import ExchangeCore
import Journaling
import Logging
import MarketModel
import Settlement

/// What a replay of a whole journal arrives at.
public struct ReplayReport: Sendable {
  /// Commands applied.
  public var commands: UInt64
  /// Events they caused.
  public var events: UInt64
  /// Trades among them.
  public var trades: UInt64
  /// Seconds of reading, checksums, decoding and applying, and of hashing the state at the end.
  public var seconds: Double
  /// Seconds before that, in which the journal's end was found and its hash chain checked.
  public var examinationSeconds: Double
  /// Last command.
  public var lastSequence: SequenceNumber
  /// Rolling hash over all events.
  public var eventHash: UInt64
  /// Hash of the whole state.
  public var stateHash: UInt64
  /// The first journaled checkpoint that differs from the replay; `nil`: all agree.
  public var mismatch: SequenceNumber?
  /// Commands that were refused: it goes on without them.
  public var refused: [RefusedCommand]
  /// What every account, and the fees and grid of every area, held behind the ledger's last command.
  public var holdings: [EngineHolding]
  /// What the journal says of the ledger; `nil`: it was not asked.
  public var batches: BatchComparison?

  /// Commands applied in a second.
  public var commandsPerSecond: Double { seconds > 0 ? Double(commands) / seconds : 0 }

  /// The last command of the snapshot it began with, since older segments are gone; `.none`: it began
  /// with the first command.
  public var begin: SequenceNumber

  /// Applies the journal of `folder` to a fresh exchange, or where its first segments are gone to the
  /// oldest snapshot's. Beside a server that writes it, up to where it ends when this begins.
  /// - Parameter ledger: The ledger's head and what it was made for: its batches are compared, and
  ///   `holdings` taken behind its last command; `nil`: neither.
  /// - Throws: when the folder or its journal cannot be read, or is damaged.
  public static func run(
    _ folder: DataFolder, against ledger: (head: LedgerHead, genesis: LedgerGenesis)? = nil
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
      return try run(folder, setting, found, comparison, examination)
    } catch {
      throw .journal(error)
    }
  }

  private static func run(
    _ folder: DataFolder, _ setting: MarketState.Setting, _ journal: RecoveredJournal,
    _ comparison: BatchComparison?, _ examination: Double
  ) throws(JournalError) -> ReplayReport {
    let clock = ContinuousClock()
    let start = clock.now
    let end = journal.lastSequence
    var tally = Tally(batches: comparison)
    let place = comparison?.ledger.last ?? .none
    let begin = try tally.begin(in: folder.journal, setting)
    let first = begin.lastSequence
    // Its hashes were checked when its end was looked for.
    var replay = try JournalReplay(
      begin, for: .replay, directory: folder.journal, verification: .checksums, aheadTo: end)
    var holdings = first == place ? tally.holdings(replay.exchange) : []
    while let (command, events) = try replay.step(through: end) {
      tally.take(command, events)
      if command.pointee.sequence == place { holdings = tally.holdings(replay.exchange) }
    }
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

/// Counts events and remembers what areas are paid in.
private struct Tally: ~Copyable {
  var events: UInt64 = 0
  var divergence = DivergenceWatch()
  /// What the ledger is compared with; `nil`: it is not.
  var batches: BatchComparison?
  private var known = ReferenceData()

  init(batches: BatchComparison?) { self.batches = batches }

  /// What the replay begins with.
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
    return Self.exchange(of: history)
  }

  private static func exchange(of history: consuming MarketState) -> Exchange {
    history.exchange
  }

  /// Takes note of a command's events. Of nearly all of them only how many they are.
  @inline(__always) mutating func take(
    _ command: UnsafePointer<Command>, _ events: UnsafeBufferPointer<Event>
  ) {
    self.events += UInt64(events.count)
    switch command.pointee.body {
    case .control(.checkpoint), .reference: read(events, of: command.pointee.sequence)
    default: break
    }
    batches?.take(command, events, known)
  }

  private mutating func read(_ events: UnsafeBufferPointer<Event>, of command: SequenceNumber) {
    for event in events {
      divergence.note(event, of: command)
      known.note(event)
    }
  }

  /// What everybody has, as the ledger counts it.
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
