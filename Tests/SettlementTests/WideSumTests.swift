import MarketModel
import SQLite
import Settlement
import Testing

@testable import LedgerSQLite

/// The sums of debits and credits of an account grow with its turnover, which has no bound.
@Suite("Sums beyond 64 bits")
struct WideSumTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: .max))
  let euro = LedgerUnit.currency(.eur)
  static let big: Int64 = 1 << 61 - 100

  /// Two accounts of one owner hand the same money to and fro.
  func toAndFro(_ times: Int, amount: Int64 = big) -> EventScript {
    var script = EventScript()
    script.cash(2, amount)
    for _ in 0..<times {
      script.transfer(2, 3, .cash, amount)
      script.transfer(3, 2, .cash, amount)
    }
    script.cash(4, 77)
    script.checkpoint()
    return script
  }

  @Test(
    "However often money goes to and fro, it is settled, and everybody else's with it.",
    arguments: LedgerBackend.allCases)
  func turnover(_ backend: LedgerBackend) throws {
    let place = backend.place()
    var settler = try Settler(try place.open(genesis))
    for step in toAndFro(200).steps { _ = settler.feed(step) }
    #expect(settler.condition == .following)
    #expect(settler.ledgerHead == settler.journalHead)
    try settler.close()
    let ledger = try place.open(genesis)
    let verification = try LedgerVerification.run(on: ledger)
    #expect(verification.problems == [])
    // 201 times 2^61 is more than 2^68.
    let sum = 200 * Int128(Self.big)
    let (two, three) = (AccountId(2), AccountId(3))
    let due = [
      LedgerBalance(account: two, unit: euro, debits: sum, credits: sum + Int128(Self.big)),
      LedgerBalance(account: three, unit: euro, debits: sum, credits: sum),
      LedgerBalance(account: AccountId(4), unit: euro, debits: 0, credits: 77),
    ]
    #expect(verification.balances.filter { !$0.account.isHouse } == due)
    #expect(due.map(\.amount) == [Int128(Self.big), 0, 77])
    // 201 * (2^61 - 100) units of 1e-8 EUR.
    let table = StatementText.table(verification.balances)
    #expect(table.contains("4634744448519.52464252"), "\(table)")
    let holdings = due.map {
      EngineHolding(account: $0.account, unit: $0.unit, amount: $0.amount)
    }
    #expect(LedgerBalance.differences(ledger: verification.balances, engine: holdings) == [])
    let ever = Timestamp(nanoseconds: 0)..<Timestamp.never
    let statement = try AccountStatement.make(from: ledger, account: two, period: ever)
    #expect(statement.balances.map(\.closing) == [Int128(Self.big)])
  }

  @Test("One batch alone may go beyond 64 bits.", arguments: LedgerBackend.allCases)
  func oneBatch(_ backend: LedgerBackend) throws {
    var script = EventScript()
    for _ in 0..<3 { script.cash(2, .max) }
    for _ in 0..<3 { script.cash(2, -.max) }
    let batches = try BatchBuilder.batches(of: script, genesis)
    #expect(batches.count == 1)
    let ledger = try backend.place().open(genesis)
    for batch in batches { #expect(try ledger.apply(batch) == .applied) }
    #expect(try LedgerVerification.run(on: ledger).problems == [])
    let sum = 3 * Int128(Int64.max)
    #expect(try ledger.balances().map(\.debits) == [sum, sum])
    #expect(try ledger.balances().map(\.amount) == [0, 0])
  }

  @Test("Energy that is bought and sold to and fro has a bill.")
  func bill() throws {
    var script = EventScript()
    let energy: Int64 = 90_000_000_000_000
    for _ in 0..<3 {
      script.trade(2, 3, energy: energy, price: 100_000)
      script.trade(3, 2, energy: energy, price: 100_000)
    }
    script.checkpoint()
    let ledger = try LedgerBackend.sqlite.place().open(genesis)
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    let statement = try AccountStatement.make(
      from: ledger, account: AccountId(2), period: Timestamp(nanoseconds: 0)..<Timestamp.never)
    let bill = try #require(statement.bills.first)
    #expect(bill.line(.bought).units == -27_000_000_000_000_000_000)
    #expect(bill.line(.sold).units == 27_000_000_000_000_000_000)
    #expect(bill.line(.bought).wattHours == 270_000_000_000_000)
    #expect(bill.line(.sold).averagePrice == Price(ticks: 100_000))
    #expect(bill.total == 0)
    let text = StatementText.bill(statement)
    #expect(text.contains("  270000000000.000     1.00   270000000000.00\n"), "\(text)")
  }

  /// Computed by another program from the layout in `SettlementBatch.swift`. A batch whose sums fit
  /// into 64 bits has the same bytes as in older versions, so existing ledgers stay valid.
  @Test("A batch's hash is pinned, with sums of 64 bits and beyond.")
  func hashes() throws {
    let rules = LedgerGenesis(rules: BatchRules(transfers: 4, nanoseconds: 60_000_000_000))
    var script = EventScript()
    script.trade(2, 3, energy: 1000, price: 12_000, buyerFee: 7, sellerFee: 5)
    let narrow = try #require(try BatchBuilder.batches(of: script, rules).first)
    #expect(
      "\(narrow.hash)" == "64b5c5bbae67cede86dce7523f799c3b6a1ac0d82e21e66ea7009b480c739419")
    var large = EventScript()
    for _ in 0..<2 {
      large.transfer(2, 3, .cash, 1 << 62)
      large.transfer(3, 2, .cash, 1 << 62)
    }
    let wide = try #require(try BatchBuilder.batches(of: large, rules).first)
    #expect(wide.netted.map(\.debits) == [1 << 63, 1 << 63])
    #expect("\(wide.hash)" == "344a949cc6d991905b5f76019057b50fca6ce25194e4ba8ea9babb1a35af4ca8")
  }

  @Test("Other tools read debits, credits and amount as one number each.")
  func view() throws {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    for batch in try BatchBuilder.batches(of: toAndFro(9), genesis) { _ = try ledger.apply(batch) }
    let connection = try SQLiteConnection(path: place.path, readOnly: true)
    let select = try connection.prepare(
      "SELECT id, amount, typeof(amount), debits, typeof(debits) FROM balance WHERE id < 9 ORDER BY id"
    )
    var rows: [String] = []
    while try select.step() {
      rows.append("\(select.integer(0)) \(select.text(1)) \(select.text(2))")
    }
    #expect(rows == ["2 \(Self.big) integer", "3 0 integer", "4 77 integer"])
    #expect(try connection.integer("SELECT amount FROM balance WHERE id > 9") == -(Self.big + 77))
    #expect(try connection.integer("SELECT sum(amount) FROM balance") == 0)
  }

  @Test("An account of every sum: carried where it must be, and the amount exact in the view.")
  func carries() throws {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    var script = EventScript()
    var generator = SeededRandom(seed: 7)
    var due: [UInt32: Int128] = [:]
    for _ in 0..<300 {
      let account = 2 + UInt32(generator.next(below: 3))
      let amount = Int64(generator.next(below: 1 << 62)) + 1
      let isIn = due[account, default: 0] < 0 || generator.next(below: 3) == 0
      due[account, default: 0] += Int128(isIn ? amount : -amount)
      script.cash(account, isIn ? amount : -amount)
    }
    script.checkpoint()
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    #expect(try LedgerVerification.run(on: ledger).problems == [])
    let balances = try ledger.balances().filter { !$0.account.isHouse }
    #expect(balances.map(\.amount) == due.sorted { $0.key < $1.key }.map(\.value))
    let connection = try SQLiteConnection(path: place.path, readOnly: true)
    for balance in balances {
      guard let amount = Int64(exactly: balance.amount) else { continue }
      let shown = try connection.integer(
        "SELECT amount FROM balance WHERE id = \(balance.account.rawValue)")
      #expect(shown == amount)
    }
  }
}
