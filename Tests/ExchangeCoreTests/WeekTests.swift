import ExchangeCore
import Foundation
import MarketModel
import Testing

// JOULEBOOK_WEEKS=10000 swift test --filter WeekTests    as many weeks

/// Weeks of readings that come late, twice, estimated then measured, in random order (market rules 7).
@Suite("Weeks of readings in any order")
struct WeekTests {
  private static var weeks: UInt64 {
    ProcessInfo.processInfo.environment["JOULEBOOK_WEEKS"].flatMap(UInt64.init) ?? 60
  }

  @Test("Without storage, losses and orders a week ends with the balances of the week in order.")
  func sameBalances() {
    for seed in 1...Self.weeks {
      var random = SeededRandom(seed: seed)
      let week = Week(&random, hasStorage: false)
      var inOrder = VillageOfMeters(hasStorage: false)
      for (time, body) in week.inOrder { inOrder.apply(body, at: time) }
      var anyOrder = VillageOfMeters(hasStorage: false)
      for (time, body) in week.anyOrder(&random) { anyOrder.apply(body, at: time) }
      #expect(anyOrder.exchange.allBalances() == inOrder.exchange.allBalances(), "seed \(seed)")
      #expect(
        anyOrder.exchange.totals(of: AreaId(1)) == inOrder.exchange.totals(of: AreaId(1)),
        "seed \(seed)")
      #expect(anyOrder.exchange.invariantViolations().isEmpty, "seed \(seed)")
      #expect(anyOrder.refused == week.repeated, "seed \(seed): each reading counts once")
    }
  }

  @Test("With storage, losses and trading a week in any order conserves energy and money.")
  func conserved() {
    for seed in 1...Self.weeks {
      var random = SeededRandom(seed: seed ^ 0xABCD)
      let week = Week(&random, hasStorage: true)
      var village = VillageOfMeters(hasStorage: true)
      for (time, body) in week.anyOrder(&random) {
        village.apply(body, at: time)
        if village.exchange.totals(of: AreaId(1))?.isConserved != true {
          Issue.record("seed \(seed): energy is lost at \(time)")
          return
        }
      }
      #expect(village.exchange.invariantViolations().isEmpty, "seed \(seed)")
      #expect(village.corrected > 0 && village.refused == week.repeated, "seed \(seed)")
    }
  }
}

/// Three accounts with a meter each, in one area, with an instrument.
private struct VillageOfMeters: ~Copyable {
  private static let capacity = Capacity(
    participants: 2, sessions: 2, accounts: 4, areas: 1, instruments: 1, meters: 4, positions: 8,
    orders: 64, priceLevels: 64, readings: 2_048, tariffHistory: 64, quarantine: 16)
  static let meters: UInt32 = 3

  var exchange = Exchange(capacity: VillageOfMeters.capacity)
  private(set) var refused = 0
  private(set) var corrected = 0
  private var sequence: UInt64 = 0

  init(hasStorage: Bool) {
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
            lot: Energy(wattHours: 100), lowestPrice: .zero, highestPrice: Price(ticks: 100_000)))),
    ]
    if !hasStorage {
      bodies.append(
        .reference(
          .setParameter(
            SetParameter(subject: .area, number: 1, parameter: .ownUse, value: 3_600))))
    }
    for number in 1...Self.meters {
      let account = AccountId(number)
      bodies.append(
        .reference(
          .createAccount(CreateAccount(account: account, participant: ParticipantId(1)))))
      bodies.append(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(number), account: account, area: AreaId(1),
              publicKey: PublicKey(1, 0, 0, 0), capacity: 1_000_000))))
      if !hasStorage { continue }
      bodies.append(
        .cash(
          .deposit(
            CashMovement(
              account: account, currency: .eur, amount: Money(units: 100_000_000_000),
              reference: UInt64(number)))))
      var agent = SetAgent(account: account, instrument: InstrumentId(1))
      (agent.sells, agent.buys) = (true, true)
      (agent.sellPrice, agent.buyPrice) = (
        Price(ticks: Int64(number) * 1_000 + 8_000), Price(ticks: 13_000 - Int64(number) * 1_000)
      )
      (agent.sellAbove, agent.buyBelow) = (Energy(wattHours: -1), Energy(wattHours: -1))
      bodies.append(.order(.setAgent(agent)))
    }
    for body in bodies { apply(body, at: Week.start) }
    precondition(refused == 0, "the village is valid")
  }

  mutating func apply(_ body: Command.Body, at time: UInt64) {
    sequence += 1
    let command = Command(
      session: .exchange, body: body, sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: time))
    for event in exchange.execute(command) {
      if case .rejected = event { refused += 1 }
      if case .metering(.corrected) = event { corrected += 1 }
    }
  }
}

/// What happens in a random week: readings of each hour, and new prices of the grid.
private struct Week {
  static let start: UInt64 = 1_800_000_000_000_000_000
  private static let hour: UInt64 = 3_600_000_000_000
  private let readings: [MeterReading]
  private let tariffs: [(time: UInt64, body: Command.Body)]
  /// Readings that were sent twice.
  private(set) var repeated = 0
  private let choices: [Int]

  init(_ random: inout SeededRandom, hasStorage: Bool) {
    var (all, ways) = ([MeterReading](), [Int]())
    let hours = UInt64.random(in: 24...168, using: &random)
    let meters = UInt32.random(in: 1...VillageOfMeters.meters, using: &random)
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
