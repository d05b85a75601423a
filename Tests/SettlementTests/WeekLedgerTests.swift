import ExchangeCore
import Foundation
import MarketModel
import Settlement
import Testing

// JOULEBOOK_WEEKS=10000 swift test --filter WeekLedgerTests    as many weeks

/// Weeks of readings in any order, as a ledger books them (market rules 7).
@Suite("Weeks of readings in any order, in a ledger")
struct WeekLedgerTests {
  private static var weeks: UInt64 {
    ProcessInfo.processInfo.environment["JOULEBOOK_WEEKS"].flatMap(UInt64.init) ?? 40
  }
  private static let genesis = LedgerGenesis(rules: BatchRules(transfers: 50, nanoseconds: .max))

  private func village(
    _ commands: [(UInt64, Command.Body)], hasStorage: Bool, in ledger: any Ledger
  ) throws -> MeteredVillage {
    var village = try MeteredVillage(hasStorage: hasStorage, ledger)
    for (time, body) in commands { try village.apply(body, at: time) }
    try village.finish(at: MeteredWeek.end)
    return village
  }

  private func village(
    _ commands: [(UInt64, Command.Body)], hasStorage: Bool
  ) throws -> MeteredVillage {
    let place = MemoryPlace()
    return try village(commands, hasStorage: hasStorage, in: try place.open(Self.genesis))
  }

  @Test("Without storage, losses and orders each interval has the lines of the week in order.")
  func sameLines() throws {
    for seed in 1...Self.weeks {
      var random = SeededRandom(seed: seed)
      let week = MeteredWeek(&random)
      let inOrder = try village(week.inOrder, hasStorage: false)
      let anyOrder = try village(week.anyOrder(&random), hasStorage: false)
      #expect(try anyOrder.differences() == [], "seed \(seed)")
      // Estimated production is not minted at first, which leaves its export for the correction: the
      // sums of each interval are equal, whichever version brought them.
      #expect(anyOrder.lines() == inOrder.lines(), "seed \(seed)")
    }
  }

  @Test("With storage and trading a ledger agrees with the exchange, and energy is conserved.")
  func conserved() throws {
    for seed in 1...Self.weeks {
      var random = SeededRandom(seed: seed ^ 0xABCD)
      let week = MeteredWeek(&random)
      let inOrder = try village(week.inOrder, hasStorage: true)
      let anyOrder = try village(week.anyOrder(&random), hasStorage: true)
      for differences in [try anyOrder.differences(), try inOrder.differences()] {
        #expect(differences == [], "seed \(seed)")
      }
      try expectTotals(anyOrder, seed)
      expectVersions(anyOrder, week, seed)
      try expectLines(anyOrder, inOrder, seed)
    }
  }

  /// The energy totals of the ledger are those of the exchange.
  private func expectTotals(_ village: borrowing MeteredVillage, _ seed: UInt64) throws {
    let found = village.exchange.totals(of: AreaId(1))
    let totals = try #require(found)
    let energy = try #require(
      EnergyConservation.ofAreas(in: try village.ledger.balances()).first)
    #expect(energy.isConserved && totals.isConserved, "seed \(seed)")
    #expect(energy.minted == Int128(totals.produced.wattHours), "seed \(seed)")
    #expect(energy.burned == Int128(totals.consumed.wattHours), "seed \(seed)")
    #expect(energy.losses == Int128(totals.lost.wattHours), "seed \(seed)")
    #expect(
      energy.imported - energy.exported
        == Int128(totals.imported.wattHours - totals.exported.wattHours), "seed \(seed)")
    #expect(try LedgerVerification.run(on: village.ledger).problems == [], "seed \(seed)")
  }

  /// Each interval's production and consumption are those of its measured version; each correction
  /// takes back and books what it names.
  private func expectVersions(
    _ village: borrowing MeteredVillage, _ week: MeteredWeek, _ seed: UInt64
  ) {
    let lines = village.lines()
    for reading in week.readings {
      func line(_ code: TransferCode) -> Int64 {
        lines[
          MeteredVillage.Line(meter: reading.meter, start: reading.intervalStart, code: code)] ?? 0
      }
      #expect(line(.mint) == reading.produced.wattHours, "seed \(seed)")
      #expect(line(.burn) == -reading.consumed.wattHours, "seed \(seed)")
    }
    var corrections = 0
    for reading in village.readings {
      let isCorrection = reading.flags.contains(.correction)
      for transfer in village.transfers(of: reading) {
        #expect(transfer.reference == reading.registerSequence)
        let marks = transfer.flags.intersection([.reversal, .correction])
        #expect(marks.isEmpty == !isCorrection, "seed \(seed): only corrections take back")
      }
      if isCorrection {
        corrections += 1
        #expect(reading.previousSequence == 1 && reading.registerSequence == 2)
      }
    }
    #expect(corrections > 0, "seed \(seed)")
  }

  /// What an account has more or less than after the week in order is the sum of the lines that
  /// differ.
  private func expectLines(
    _ village: borrowing MeteredVillage, _ other: borrowing MeteredVillage, _ seed: UInt64
  ) throws {
    for number in 1...MeteredWeek.meters {
      let account = AccountId(number)
      var (cash, energy): (Int64, Int64) = (0, 0)
      for (transfers, sign) in [(village.transfers, Int64(1)), (other.transfers, Int64(-1))] {
        for transfer in transfers {
          let amount = transfer.amount(for: account) * sign
          if transfer.unit.area == nil { cash += amount } else { energy += amount }
        }
      }
      let (here, there) = (
        village.exchange.balance(of: account, in: AreaId(1)),
        other.exchange.balance(of: account, in: AreaId(1))
      )
      let (a, b) = (try #require(here), try #require(there))
      #expect(energy == a.energy.wattHours - b.energy.wattHours, "seed \(seed)")
      let (money, before) = (
        a.free.units + a.reserved.units, b.free.units + b.reserved.units
      )
      #expect(cash == money - before, "seed \(seed)")
    }
  }

  @Test(
    "Every backend keeps the readings and the legs of a week.", arguments: LedgerBackend.allCases)
  func backends(_ backend: LedgerBackend) throws {
    let place = backend.place()
    var random = SeededRandom(seed: 77)
    let week = MeteredWeek(&random)
    let village = try village(
      week.anyOrder(&random), hasStorage: true, in: try place.open(Self.genesis))
    #expect(try village.differences() == [])
    let read = try place.openForReading()
    for number in 1...MeteredWeek.meters {
      let account = AccountId(number)
      #expect(
        try read.readings(of: account) == village.readings.filter { $0.account == account })
    }
    #expect(try LedgerVerification.run(on: read).problems == [])
  }
}
