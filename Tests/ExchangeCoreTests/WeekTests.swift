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
      let week = MeteredWeek(&random)
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
      let week = MeteredWeek(&random)
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
  var exchange = Exchange(capacity: MeteredWeek.capacity)
  private(set) var refused = 0
  private(set) var corrected = 0
  private var sequence: UInt64 = 0

  init(hasStorage: Bool) {
    for body in MeteredWeek.setUp(hasStorage: hasStorage, usesOwn: !hasStorage) {
      apply(body, at: MeteredWeek.start)
    }
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
