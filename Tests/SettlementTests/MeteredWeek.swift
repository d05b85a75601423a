// Random weeks of readings on an exchange with a ledger: late, twice, estimated then measured, in random
// order, or the same in order.

import ExchangeCore
import MarketModel
import Settlement

/// Three accounts with a meter each in one area, whose events a ledger settles.
struct MeteredVillage: ~Copyable {
  static let meters: UInt32 = 3
  private static let capacity = Capacity(
    participants: 2, sessions: 2, accounts: 4, areas: 1, instruments: 1, meters: 4, positions: 8,
    orders: 64, priceLevels: 64, readings: 2_048, tariffHistory: 64, quarantine: 16)

  private(set) var exchange = Exchange(capacity: MeteredVillage.capacity)
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
    for body in Self.setUp(hasStorage) { try apply(body, at: MeteredWeek.start) }
  }

  private static func setUp(_ hasStorage: Bool) -> [Command.Body] {
    let money = Money(units: hasStorage ? 1_500 * 100_000_000 : 0)
    var bodies: [Command.Body] = [
      .control(.setRules(SetRules(version: RulesVersion.newest))),
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))),
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: money,
            storagePrice: Money(units: 200 * 100_000_000), feedInPrice: Price(ticks: 5_000),
            retailPrice: Price(ticks: 30_000),
            lossFactor: Rate(partsPerMillion: hasStorage ? 12_345 : 0)))),
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: InstrumentId(1), area: AreaId(1), symbol: .empty, tick: Price(ticks: 1_000),
            lot: Energy(wattHours: 100), lowestPrice: .zero, highestPrice: Price(ticks: 100_000),
            takerFee: Rate(partsPerMillion: 1_000)))),
      .reference(
        .setParameter(SetParameter(subject: .area, number: 1, parameter: .ownUse, value: 3_600))),
    ]
    for number in 1...meters { bodies += account(number, hasStorage) }
    return bodies
  }

  private static func account(_ number: UInt32, _ hasStorage: Bool) -> [Command.Body] {
    let account = AccountId(number)
    var bodies: [Command.Body] = [
      .reference(.createAccount(CreateAccount(account: account, participant: ParticipantId(1)))),
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(number), account: account, area: AreaId(1),
            publicKey: PublicKey(1, 0, 0, 0), capacity: 1_000_000))),
    ]
    guard hasStorage else { return bodies }
    let cash = CashMovement(
      account: account, currency: .eur, amount: Money(units: 100_000_000_000),
      reference: UInt64(number))
    var agent = SetAgent(account: account, instrument: InstrumentId(1))
    (agent.sells, agent.buys) = (true, true)
    agent.sellPrice = Price(ticks: Int64(number) * 1_000 + 8_000)
    agent.buyPrice = Price(ticks: 13_000 - Int64(number) * 1_000)
    (agent.sellAbove, agent.buyBelow) = (Energy(wattHours: -1), Energy(wattHours: -1))
    bodies += [.cash(.deposit(cash)), .order(.setAgent(agent))]
    return bodies
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

/// What happens in a random week: readings of each hour, and new prices of the grid.
struct MeteredWeek {
  static let start: UInt64 = 1_800_000_000_000_000_000
  private static let hour: UInt64 = 3_600_000_000_000
  /// A time after everything.
  static let end = start + 400 * hour
  let readings: [MeterReading]
  private let tariffs: [(time: UInt64, body: Command.Body)]
  private let choices: [Int]

  init(_ random: inout SeededRandom) {
    var (all, ways) = ([MeterReading](), [Int]())
    let hours = UInt64.random(in: 24...168, using: &random)
    let meters = UInt32.random(in: 1...MeteredVillage.meters, using: &random)
    for hour in 0..<hours {
      for meter in 1...meters {
        all.append(
          MeterReading(
            meter: MeterId(meter), registerSequence: 2,
            intervalStart: Timestamp(nanoseconds: Self.start + hour * Self.hour),
            intervalEnd: Timestamp(nanoseconds: Self.start + (hour + 1) * Self.hour),
            produced: Energy(wattHours: Int64.random(in: 0...9_000, using: &random)),
            consumed: Energy(wattHours: Int64.random(in: 0...9_000, using: &random))))
        ways.append(Int.random(in: 0..<10, using: &random))
      }
    }
    ways[0] = 2
    (readings, choices) = (all, ways)
    tariffs = (0..<6).map { _ in
      let feedIn = Int64.random(in: -1_000...9_000, using: &random)
      let retail = feedIn + Int64.random(in: 0...30_000, using: &random)
      let time = Self.start + UInt64.random(in: 1..<hours, using: &random) * Self.hour
      return (
        time,
        .reference(
          .setTariff(
            SetTariff(
              area: AreaId(1), feedInPrice: Price(ticks: feedIn),
              retailPrice: Price(ticks: retail))))
      )
    }.sorted { $0.time < $1.time }
  }

  /// Each reading at the end of its interval.
  var inOrder: [(UInt64, Command.Body)] {
    merged(readings.map { ($0.intervalEnd.nanoseconds, .meterReading($0)) })
  }

  /// The same readings late, twice, and estimated or substituted first.
  func anyOrder(_ random: inout SeededRandom) -> [(UInt64, Command.Body)] {
    var sent: [(UInt64, Command.Body)] = []
    for (reading, way) in zip(readings, choices) {
      var time = reading.intervalEnd.nanoseconds
      if way == 0 || way == 2 { time += UInt64.random(in: 1...40, using: &random) * Self.hour + 7 }
      if way == 2 || way == 3 {
        var before = reading
        (before.registerSequence, before.quality) = (1, way == 2 ? .estimated : .substituted)
        before.produced.wattHours = Int64.random(in: 0...9_000, using: &random)
        before.consumed.wattHours = Int64.random(in: 0...9_000, using: &random)
        sent.append((reading.intervalEnd.nanoseconds, .meterReading(before)))
        time += 1
      }
      sent.append((time, .meterReading(reading)))
      if way == 1 { sent.append((time + 5 * Self.hour, .meterReading(reading))) }
    }
    return merged(sent.shuffled(using: &random))
  }

  private func merged(_ sent: [(UInt64, Command.Body)]) -> [(UInt64, Command.Body)] {
    // Stable: tariffs come first, and readings of one time keep their order.
    (tariffs.map { ($0.time, $0.body) } + sent).enumerated().sorted {
      ($0.element.0, $0.offset) < ($1.element.0, $1.offset)
    }.map(\.element)
  }
}
