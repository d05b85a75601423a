// Random weeks of readings, in order or late, twice, estimated then measured in random order; and the market
// on which they are played. Tests of the exchange and of the ledger play them (a link).

import ExchangeCore
import MarketModel

/// What happens in a random week: readings of each hour, and new prices of the grid.
struct MeteredWeek {
  /// The number of meters of its market, one for each account.
  static let meters: UInt32 = 3
  static let start: UInt64 = 1_800_000_000_000_000_000
  private static let hour: UInt64 = 3_600_000_000_000
  /// A time after everything.
  static let end = start + 400 * hour
  let readings: [MeterReading]
  private let tariffs: [(time: UInt64, body: Command.Body)]
  /// Readings that were sent twice.
  private(set) var repeated = 0
  private let choices: [Int]

  init(_ random: inout SeededRandom) {
    var (all, ways) = ([MeterReading](), [Int]())
    let hours = UInt64.random(in: 24...168, using: &random)
    let meters = UInt32.random(in: 1...Self.meters, using: &random)
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
    repeated = ways.filter { $0 == 1 }.count
    tariffs = (0..<6).map { _ in
      let feedIn = Int64.random(in: -1_000...9_000, using: &random)
      let time = Self.start + UInt64.random(in: 1..<hours, using: &random) * Self.hour
      return (
        time,
        .reference(
          .setTariff(
            SetTariff(
              area: AreaId(1), feedInPrice: Price(ticks: feedIn),
              retailPrice: Price(ticks: feedIn + Int64.random(in: 0...30_000, using: &random)))))
      )
    }.sorted { $0.time < $1.time }
  }

  /// Each reading at the end of its interval; tariffs before readings of the same time.
  var inOrder: [(UInt64, Command.Body)] {
    merged(readings.map { ($0.intervalEnd.nanoseconds, .meterReading($0)) })
  }

  /// The same readings late, twice, and estimated first, as chosen.
  func anyOrder(_ random: inout SeededRandom) -> [(UInt64, Command.Body)] {
    var sent: [(UInt64, Command.Body)] = []
    for (reading, way) in zip(readings, choices) {
      var time = reading.intervalEnd.nanoseconds
      if way == 0 || way == 2 { time += UInt64.random(in: 1...40, using: &random) * Self.hour + 7 }
      if way == 2 || way == 3 {
        var estimate = reading
        (estimate.registerSequence, estimate.quality) = (1, .estimated)
        if way == 3 { estimate.quality = .substituted }
        estimate.produced.wattHours = Int64.random(in: 0...9_000, using: &random)
        estimate.consumed.wattHours = Int64.random(in: 0...9_000, using: &random)
        sent.append((reading.intervalEnd.nanoseconds, .meterReading(estimate)))
        time += 1
      }
      sent.append((time, .meterReading(reading)))
      if way == 1 {
        sent.append(
          (time + UInt64.random(in: 1...9, using: &random) * Self.hour, .meterReading(reading)))
      }
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

// MARK: - Its market

extension MeteredWeek {
  /// What its market needs.
  static let capacity = Capacity(
    participants: 2, sessions: 2, accounts: 4, areas: 1, instruments: 1, meters: 4, positions: 8,
    orders: 64, priceLevels: 64, readings: 2_048, tariffHistory: 64, quarantine: 16)

  /// The commands that make its market: accounts with a meter each in one area, with an instrument.
  /// - Parameters:
  ///   - hasStorage: Whether energy can be stored, is lost, and is traded.
  ///   - usesOwn: Whether an hour uses its own production first.
  static func setUp(hasStorage: Bool, usesOwn: Bool) -> [Command.Body] {
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
    ]
    if usesOwn {
      bodies.append(
        .reference(
          .setParameter(
            SetParameter(subject: .area, number: 1, parameter: .ownUse, value: 3_600))))
    }
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
}
