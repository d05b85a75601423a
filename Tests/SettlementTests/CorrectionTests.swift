import MarketModel
import Settlement
import Testing

/// What the ledger and a bill show of later versions of readings, and of readings that come late.
@Suite("Corrections in the ledger and in bills")
struct CorrectionTests {
  private static let quarter: UInt64 = 900_000_000_000
  /// 2026-06-01T00:00Z.
  private static let june: UInt64 = 1_780_272_000_000_000_000
  private static let july = june + 30 * 86_400_000_000_000
  private static let august = july + 31 * 86_400_000_000_000

  private func transfers(_ script: EventScript) throws -> [LedgerTransfer] {
    var script = script
    script.checkpoint()
    return try BatchBuilder.batches(of: script, LedgerGenesis()).flatMap(\.transfers)
  }

  private func statement(
    _ script: EventScript, _ from: UInt64, _ to: UInt64, terms: BillTerms? = nil
  ) throws -> AccountStatement {
    var script = script
    script.checkpoint()
    let ledger = try LedgerBackend.memory.place().open(LedgerGenesis())
    for batch in try BatchBuilder.batches(of: script, LedgerGenesis()) {
      _ = try ledger.apply(batch)
    }
    return try AccountStatement.make(
      from: ledger, account: AccountId(2),
      period: Timestamp(nanoseconds: from)..<Timestamp(nanoseconds: to), terms: terms)
  }

  private func words(_ transfer: LedgerTransfer) -> String {
    "\(transfer.code) \(transfer.flags.version) \(transfer.debit.ledgerName) > "
      + "\(transfer.credit.ledgerName) \(transfer.amount)"
  }

  @Test("A correction takes back what the version before booked, then books the new one.")
  func legs() throws {
    var script = EventScript()
    script.read(2, at: Self.june, produced: 4_000, exported: 4_000, feedIn: 5_000)
    script.correct(
      2, at: Self.june, 2, from: (1, 4_000, 0), produced: 1_000, exportsBack: 3_000, feedIn: 5_000)
    script.correct(
      2, at: Self.june, 7, from: (2, 1_000, 0), produced: 2_000, consumed: 300, lost: 50,
      exported: 700, imported: 50, feedIn: 5_000, retail: 30_000)
    #expect(
      try transfers(script).map(words) == [
        "mint  area 1 production > 2 4000",
        "exportEnergy  2 > area 1 grid 4000",
        "exportCash  area 1 grid > 2 20000000",
        "exportCash reversal 2 > area 1 grid 15000000",
        "exportEnergy reversal area 1 grid > 2 3000",
        "mint reversal 2 > area 1 production 4000",
        "mint correction area 1 production > 2 1000",
        "mint reversal 2 > area 1 production 1000",
        "mint correction area 1 production > 2 2000",
        "loss correction 2 > area 1 losses 50",
        "exportEnergy correction 2 > area 1 grid 700",
        "exportCash correction area 1 grid > 2 3500000",
        "importEnergy correction area 1 grid > 2 50",
        "importCash correction 2 > area 1 grid 1500000",
        "burn correction 2 > area 1 consumption 300",
      ])
  }

  @Test("Less consumption gives imports back, at a negative price too, and losses can shrink.")
  func back() throws {
    var script = EventScript()
    script.read(2, at: Self.june, produced: 100, imported: 900, retail: -2_000)
    script.correct(
      2, at: Self.june, 3, from: (1, 100, 900), produced: 50, consumed: 500, lost: -1,
      importsBack: 400, retail: -2_000)
    let made = try transfers(script).filter {
      !$0.flags.isDisjoint(with: [.reversal, .correction])
    }
    #expect(
      made.map(words) == [
        "burn reversal area 1 consumption > 2 900",
        "importCash reversal 2 > area 1 grid 800000",
        "importEnergy reversal 2 > area 1 grid 400",
        "loss reversal area 1 losses > 2 1",
        "mint reversal 2 > area 1 production 100",
        "mint correction area 1 production > 2 50",
        "burn correction 2 > area 1 consumption 500",
      ])
    #expect(made[1].flags.contains(.reversed), "the price is negative")
  }

  @Test("A version that changes nothing moves nothing, and is known.")
  func nothing() throws {
    var script = EventScript()
    script.read(2, at: Self.june, imported: 900)
    script.correct(2, at: Self.june, 2, from: (1, 0, 900), consumed: 900)
    script.checkpoint()
    let batch = try #require(try BatchBuilder.batches(of: script, LedgerGenesis()).first)
    #expect(batch.transfers.count == 3 && batch.readings.count == 2)
    #expect(batch.readings.map(\.previousSequence) == [0, 1])
    #expect(batch.readings.map(\.flags) == [[], .correction])
  }

  @Test("What no exchange can correct stops the settlement.")
  func impossible() {
    var before = EventScript()
    before.correct(2, at: Self.june, 2, from: (1, -5, 0), produced: 1)
    var negative = EventScript()
    negative.correct(2, at: Self.june, 2, from: (1, 5, 0), produced: 1, exportsBack: -1)
    var dear = EventScript()
    dear.correct(
      2, at: Self.june, 2, from: (1, 0, 0), consumed: 1 << 40, imported: 1 << 40,
      retail: 1 << 40)
    for script in [before, negative, dear] {
      #expect(throws: LedgerError.self) { try transfers(script) }
    }
  }

  /// June: three quarters, of which the second comes in July, and the third is corrected in July; one
  /// is missing.
  private func twoMonths() -> EventScript {
    var script = EventScript()
    script.time = Self.june + Self.quarter
    script.read(2, at: Self.june, imported: 1_000)
    script.time = Self.june + 4 * Self.quarter
    script.read(2, at: Self.june + 3 * Self.quarter, imported: 4_000, quality: .estimated)
    script.time = Self.july + Self.quarter
    script.read(2, at: Self.july, imported: 10_000, retail: 40_000)
    script.read(2, at: Self.june + Self.quarter, burned: 500, imported: 1_500)
    script.correct(
      2, at: Self.june + 3 * Self.quarter, 2, from: (1, 0, 4_000), consumed: 3_100,
      importsBack: 900)
    return script
  }

  @Test("A bill goes by the interval: late readings and corrections belong to their month.")
  func months() throws {
    let june = try #require(try statement(twoMonths(), Self.june, Self.july).bills.first)
    let july = try #require(try statement(twoMonths(), Self.july, Self.august).bills.first)
    #expect(june.line(.consumption).wattHours == Int128(1_000 + 2_000 + 3_100))
    #expect(june.line(.imported).wattHours == Int128(1_000 + 1_500 + 3_100))
    #expect(june.line(.imported).averagePrice == Price(ticks: 30_000))
    #expect(june.total == -5_600 * 30_000)
    #expect(july.line(.consumption).wattHours == 10_000)
    #expect(july.total == -10_000 * 40_000)
    // 500 Wh were burned from the balance in July for June.
    #expect(june.line(.closing).wattHours == 0 && june.line(.otherPeriods).wattHours == 500)
    #expect(july.line(.closing).wattHours == -500 && july.line(.otherPeriods).wattHours == -500)
    let all = try #require(try statement(twoMonths(), 0, .max).bills.first)
    #expect(all.total == june.total + july.total)
    #expect(all.lines.allSatisfy { $0.item != .otherPeriods })
  }

  @Test("Each bill adds up: what was stored, came and went, and what belongs to other periods.")
  func addsUp() throws {
    for (from, to) in [(Self.june, Self.july), (Self.july, Self.august)] {
      let bill = try #require(try statement(twoMonths(), from, to).bills.first)
      func sum(_ items: [Bill.Item]) -> Int128 {
        items.reduce(0) { $0 + (bill.line($1).wattHours ?? 0) }
      }
      #expect(
        sum([.opening, .production, .bought, .imported, .received, .otherPeriods])
          == sum([.losses, .sold, .exported, .sent, .consumption, .closing]))
    }
  }

  @Test("A bill prints missing and unmeasured intervals, and both sides of each correction.")
  func printed() throws {
    let text = StatementText.bill(try statement(twoMonths(), Self.june, Self.july))
    #expect(text.contains("To pay: 1.68 EUR\n"))
    #expect(
      text.contains(
        """

        Meter 2: 3 intervals, 2877 missing
          missing: 1 interval, 2026-06-01T00:30:00Z to 2026-06-01T00:45:00Z
          missing: 2876 intervals, 2026-06-01T01:00:00Z to 2026-07-01T00:00:00Z

        Corrected interval    meter  what                  production  consumption  amount  currency
        --------------------------------------------------------------------------------------------
        2026-06-01T00:45:00Z      2  reading 1 taken back       0.000       -4.000    0.27  EUR
        2026-06-01T00:45:00Z      2  reading 2 booked           0.000        3.100    0.00  EUR

        """), "\(text)")
    let july = StatementText.bill(try statement(twoMonths(), Self.july, Self.august))
    #expect(july.contains("\nMeter 2: 1 interval\n") && !july.contains("missing"))
    #expect(!july.contains("Corrected"))
  }

  @Test("Estimates and production that does not count yet are counted.")
  func qualities() throws {
    var script = EventScript()
    script.read(2, at: Self.june, produced: 800, imported: 1, quality: .estimated)
    script.read(2, at: Self.june + Self.quarter, imported: 5, quality: .substituted)
    let meter = try #require(try statement(script, Self.june, Self.july).meters.first)
    #expect(meter.intervals == 2 && meter.missing == 0)
    #expect(meter.estimated == 1 && meter.substituted == 1 && meter.notMinted == 1)
  }

  @Test("Table and CSV have what was booked, with its interval and how a correction booked it.")
  func tables() throws {
    let july = try statement(twoMonths(), Self.july, Self.august)
    let lines = StatementText.csv(july).split(separator: "\r\n").map(String.init)
    #expect(lines[0].hasSuffix(",local,version,meter,interval_start,interval_end,previous"))
    #expect(
      lines.contains {
        $0.contains(",importCash,2,EUR,0.27,")
          && $0.hasSuffix(",no,reversal,2,2026-06-01T00:45:00Z,2026-06-01T01:00:00Z,1")
      }, "\(lines)")
    let table = StatementText.table(july)
    #expect(table.contains("burn reversal") && table.contains("burn correction"))
    #expect(table.contains("2026-06-01T00:45:00Z"))
  }

  @Test("With a tariff a bill shows the network's part of the imports, and adds the charges.")
  func terms() throws {
    let second = Self.june + Self.quarter
    let terms = BillTerms(
      area: AreaId(1),
      networkPrice: { $0.nanoseconds == second ? Price(ticks: 6_000) : Price(ticks: 10_000) },
      charges: [BillTerms.Charge(name: "Metering", quantity: "30 days", units: 500_000_000)])
    let made = try statement(twoMonths(), Self.june, Self.july, terms: terms)
    let bill = try #require(made.bills.first)
    #expect(bill.network.map(\.wattHours) == [1_500, 4_100])
    #expect(bill.network.map(\.units) == [9_000_000, 41_000_000])
    #expect(bill.balanceDue == bill.total - 500_000_000)
    let text = StatementText.bill(made)
    #expect(text.contains("  of it network charge    1.500     0.06  -0.09\n"), "\(text)")
    #expect(text.contains("Metering, 30 days                         -5.00\n"), "\(text)")
    #expect(text.contains("To pay: 6.68 EUR\n"))
  }

  @Test("A ledger without readings has bills by the time of booking.")
  func withoutReadings() throws {
    var script = twoMonths()
    script.checkpoint()
    let history = try BatchBuilder.batches(of: script, LedgerGenesis()).flatMap(\.transfers)
      .filter { $0.debit == AccountId(2) || $0.credit == AccountId(2) }
    let july = AccountStatement(
      account: AccountId(2),
      period: Timestamp(nanoseconds: Self.july)..<Timestamp(nanoseconds: Self.august),
      history: history)
    #expect(july.bills[0].line(.imported).wattHours == Int128(10_000 + 1_500 - 900))
    #expect(july.meters.isEmpty)
  }
}
