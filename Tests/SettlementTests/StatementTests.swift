import MarketModel
import Settlement
import Testing

@Suite("Statements and bills")
struct StatementTests {
  /// A day of account 2: a deposit before the period, then one transfer of every kind in a bill.
  func day() throws -> (statement: AccountStatement, ledger: any Ledger) {
    var script = EventScript()
    script.cash(2, 5_000_000_000)
    script.meter(2, produced: 1000)
    let start = Timestamp(nanoseconds: script.time)
    script.meter(2, produced: 6000, lost: 60, exported: 500, revenue: 500 * 8_000)
    script.trade(3, 2, energy: 2000, price: 12_000, sellerFee: 24_000)
    script.trade(2, 3, energy: 1000, price: 10_000, buyerFee: 10_000)
    script.trade(2, 3, energy: 500, price: -2_000)
    script.meter(2, burned: 3000, imported: 700, cost: 700 * 30_000)
    script.transfer(2, 4, .energy, 100)
    script.transfer(4, 2, .energy, 40)
    script.transfer(2, 4, .cash, 77)
    script.trade(2, 3, energy: 10, price: 9_999, area: 2)
    let end = Timestamp(nanoseconds: script.time)
    script.cash(2, -100)
    script.checkpoint()
    let genesis = LedgerGenesis()
    let ledger = try LedgerBackend.sqlite.place().open(genesis)
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    let statement = try AccountStatement.make(
      from: ledger, account: AccountId(2), period: start..<end)
    return (statement, ledger)
  }

  @Test("A bill lists sources and uses of energy and their cost.")
  func bill() throws {
    let statement = try day().statement
    let bill = try #require(statement.bills.first)
    #expect(bill.area == AreaId(1) && bill.currency == .eur)
    let energy = bill.lines.map(\.wattHours)
    let money = bill.lines.map(\.units)
    let items = bill.lines.map(\.item)
    let optional: [Bill.Item] = [.boughtLocally, .soldLocally, .otherPeriods]
    #expect(items == Bill.Item.allCases.filter { !optional.contains($0) })
    // Opening, production, losses, bought, imported, received, sold, exported, sent, consumption,
    // closing, fees, total.
    #expect(
      energy == [1000, 6000, 60, 1500, 700, 40, 2000, 500, 100, 3700, 2880, nil, nil])
    #expect(
      money == [
        nil, nil, nil, -9_000_000, -21_000_000, nil, 24_000_000, 4_000_000, nil, nil, nil,
        -34_000, -2_034_000,
      ])
    #expect(bill.line(.bought).averagePrice == Price(ticks: 6000))
    #expect(bill.line(.imported).averagePrice == Price(ticks: 30_000))
    #expect(bill.line(.sold).averagePrice == Price(ticks: 12_000))
    #expect(bill.line(.exported).averagePrice == Price(ticks: 8000))
  }

  @Test("What readings traded with neighbours has lines of its own, on both sides.")
  func neighbours() throws {
    var script = EventScript()
    let start = Timestamp(nanoseconds: script.time)
    script.meter(3, produced: 1500)
    script.localTrade(2, from: 3, energy: 1500, price: 10_000, fee: 150_000)
    script.meter(2, imported: 500, bought: 1500, cost: 500 * 32_000)
    script.localTrade(3, from: 2, energy: 700, price: 9_000, isSale: true)
    script.meter(2, produced: 1200, exported: 500, revenue: 500 * 8_000)
    let end = Timestamp(nanoseconds: script.time)
    script.checkpoint()
    let ledger = try LedgerBackend.sqlite.place().open(LedgerGenesis())
    for batch in try BatchBuilder.batches(of: script, LedgerGenesis()) {
      #expect(
        batch.transfers.filter { $0.flags.contains(.local) }.map(\.code) == [
          .cashLeg, .energyLeg, .buyerFee, .cashLeg, .energyLeg,
        ])
      _ = try ledger.apply(batch)
    }
    func bill(_ account: UInt32) throws -> Bill {
      try #require(
        try AccountStatement.make(from: ledger, account: AccountId(account), period: start..<end)
          .bills.first)
    }
    let buyer = try bill(2)
    #expect(buyer.line(.boughtLocally).wattHours == 1500)
    #expect(buyer.line(.boughtLocally).units == -15_000_000)
    #expect(buyer.line(.boughtLocally).averagePrice == Price(ticks: 10_000))
    #expect(buyer.line(.soldLocally).wattHours == 700)
    #expect(buyer.line(.soldLocally).units == 6_300_000)
    #expect(buyer.line(.fees).units == -150_000)
    #expect(buyer.line(.bought).wattHours == 0 && buyer.line(.sold).wattHours == 0)
    #expect(buyer.line(.consumption).wattHours == 2000)
    #expect(buyer.line(.closing).wattHours == 0)
    let seller = try bill(3)
    #expect(seller.line(.soldLocally).wattHours == 1500)
    #expect(seller.line(.boughtLocally).wattHours == 700)
    #expect(EnergyConservation.ofAreas(in: try ledger.balances()).allSatisfy(\.isConserved))
  }

  @Test("Opening balance plus inflows equals closing balance plus outflows.")
  func energyAddsUp() throws {
    for bill in try day().statement.bills {
      func wattHours(_ item: Bill.Item) -> Int128 { bill.line(item).wattHours ?? 0 }
      let came = [.opening, .production, .bought, .imported, .received].map(wattHours)
      let went = [.losses, .sold, .exported, .sent, .consumption, .closing].map(wattHours)
      #expect(came.reduce(0, +) == went.reduce(0, +))
    }
  }

  @Test("Each area has its own bill, in its own currency.")
  func areasApart() throws {
    let bills = try day().statement.bills
    #expect(bills.map(\.area.rawValue) == [1, 2])
    #expect(bills.map(\.currency) == [.eur, Currency(756)])
    #expect(bills[1].line(.bought).wattHours == 10)
    #expect(bills[1].total == -99_990)
  }

  @Test("Balances before and after are those of the ledger at those moments.")
  func openingAndClosing() throws {
    let (statement, ledger) = try day()
    let euro = try #require(statement.balances.first { $0.unit == .currency(.eur) })
    #expect(euro.opening == 5_000_000_000)
    #expect(euro.closing == 5_000_000_000 - 2_034_000 - 77)
    let after = try ledger.balances().first {
      $0.account == AccountId(2) && $0.unit == .currency(.eur)
    }
    #expect(after?.amount == euro.closing - 100)
    #expect(statement.entries.last { $0.transfer.unit == euro.unit }?.balance == euro.closing)
  }

  @Test("The printed bill has all its lines.")
  func printedBill() throws {
    let text = StatementText.bill(try day().statement)
    let head = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(19)
    #expect(
      head.joined(separator: "\n") == """
        Account 2
        2026-06-01T00:00:06Z to 2026-06-01T00:00:15Z

        Area 1                    kWh  EUR/kWh       EUR
        ------------------------------------------------
        Stored at the start     1.000
        Production              6.000
        Losses into storage     0.060
        Bought in the market    1.500     0.06     -0.09
        Imported from the grid  0.700     0.30     -0.21
        Received from others    0.040
        Sold in the market      2.000     0.12      0.24
        Exported to the grid    0.500     0.08      0.04
        Sent to others          0.100
        Consumption             3.700
        Stored at the end       2.880
        Trading fees                            -0.00034
        Total                                   -0.02034
        To pay: 0.02034 EUR
        """)
  }

  @Test("CSV carries exact amounts, one line an entry.")
  func csv() throws {
    let statement = try day().statement
    let lines = StatementText.csv(statement).split(separator: "\r\n").map(String.init)
    #expect(lines.count == statement.entries.count + 1)
    #expect(
      lines[1]
        == "3,2026-06-01T00:00:06Z,7,mint,2,energy of area 1,6.000,7.000,area 1 production,no,,2,"
        + "2026-06-01T00:00:06Z,2026-06-01T00:15:06Z,")
  }

  @Test(
    "Amounts are printed exactly, averages rounded half away from zero.",
    arguments: [
      (0, "0.00"), (1, "0.00000001"), (-1, "-0.00000001"), (100_000_000, "1.00"),
      (-123_450_000_000, "-1234.50"), (Int64.min, "-92233720368.54775808"),
    ])
  func decimals(_ units: Int64, _ text: String) {
    #expect(Money(units: units).decimal == text)
  }

  @Test("An average price is rounded half away from zero; it is zero without energy.")
  func averages() {
    #expect(Price.average(Money(units: 5), for: Energy(wattHours: 2)) == Price(ticks: 3))
    #expect(Price.average(Money(units: -5), for: Energy(wattHours: 2)) == Price(ticks: -3))
    #expect(Price.average(Money(units: 5), for: .zero) == nil)
  }
}
