// An exchange with a ledger, on which random weeks of readings are played.

import ExchangeCore
import MarketModel
import Settlement

/// Three accounts with a meter each in one area, whose events a ledger settles.
struct MeteredVillage: ~Copyable {
  private(set) var exchange = Exchange(capacity: MeteredWeek.capacity)
  let ledger: any Ledger
  /// All settled transfers.
  private(set) var transfers: [LedgerTransfer] = []
  /// All settled readings.
  private(set) var readings: [LedgerReading] = []
  private var builder: BatchBuilder
  private var known = ReferenceData()
  private var sequence: UInt64 = 0

  /// - Parameter hasStorage: Whether energy can be stored, is lost, and is traded.
  init(hasStorage: Bool, _ ledger: any Ledger) throws {
    (self.ledger, builder) = (ledger, BatchBuilder(genesis: ledger.genesis))
    for body in MeteredWeek.setUp(hasStorage: hasStorage, usesOwn: true) {
      try apply(body, at: MeteredWeek.start)
    }
  }

  /// Applies a command and settles its events.
  mutating func apply(_ body: Command.Body, at time: UInt64) throws {
    sequence += 1
    let command = Command(
      session: .exchange, body: body, sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: time))
    for event in exchange.execute(command) {
      known.note(event, at: command.time)
      builder.take(event, sequence: command.sequence, time: command.time, known)
    }
    try settle(command, closes: false)
  }

  /// Ends the open batch.
  mutating func finish(at time: UInt64) throws {
    try apply(.control(.tick), at: time)
    sequence += 1
    let command = Command(
      session: .exchange, body: .control(.tick), sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: time))
    try settle(command, closes: true)
  }

  private mutating func settle(_ command: Command, closes: Bool) throws {
    let batch = try builder.endCommand(
      sequence: command.sequence, time: command.time, closes: closes)
    guard let batch else { return }
    _ = try ledger.apply(batch)
    transfers += batch.transfers
    readings += batch.readings
  }

  /// Balances in which ledger and exchange differ.
  func differences() throws -> [HoldingDifference] {
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
    if let totals = exchange.totals(of: AreaId(1)) {
      for (role, money) in [(HouseRole.fees, totals.fees), (.grid, totals.grid)] {
        holdings.append(
          EngineHolding(
            account: .house(AreaId(1), role), unit: .currency(.eur), amount: money.units))
      }
    }
    return LedgerBalance.differences(ledger: try ledger.balances(), engine: holdings)
  }

  /// What the account of each interval received, by interval and kind of transfer.
  func lines() -> [Line: Int64] {
    var lines: [Line: Int64] = [:]
    for reading in readings {
      for transfer in transfers(of: reading) {
        let line = Line(meter: reading.meter, start: reading.start, code: transfer.code)
        lines[line, default: 0] += transfer.amount(for: reading.account)
      }
    }
    return lines.filter { $0.value != 0 }
  }

  /// The transfers that a reading or correction caused, without trades.
  func transfers(of reading: LedgerReading) -> [LedgerTransfer] {
    // Transfers ascend by command.
    var (low, high) = (0, transfers.count)
    while low < high {
      let middle = (low + high) / 2
      if transfers[middle].tradeSequence < reading.sequence {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return transfers[low...].prefix { $0.tradeSequence == reading.sequence }.filter {
      (5...11).contains($0.code.rawValue)
    }
  }

  /// A kind of transfer of an interval.
  struct Line: Hashable {
    var meter: MeterId
    var start: Timestamp
    var code: TransferCode
  }
}
