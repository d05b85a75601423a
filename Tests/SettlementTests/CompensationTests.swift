// Compensations of the ledger (market rules 17): every backend posts them, once, and stays sound.

import MarketModel
import Settlement
import Testing

@Suite("Compensations of the ledger")
struct CompensationTests {
  private let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))
  private let fees = AccountId.house(AreaId(1), .fees)

  private func compensated(_ compensation: Compensate) -> Event {
    .cash(
      .compensated(
        Compensated(compensation: compensation, session: SessionId(1), clientSequence: 1)))
  }

  /// Deposits, and two compensations, in two batches.
  private func script() -> EventScript {
    var script = EventScript()
    script.cash(2, 1_000)
    script.cash(3, 1_000)
    script.checkpoint()
    script.add([
      compensated(
        Compensate(
          reference: 7, amount1: 30, amount2: -20, amount3: -10, reason: Label("fee") ?? .empty,
          account1: AccountId(2), account2: fees, account3: AccountId(4), currency: .eur,
          asset: .cash))
    ])
    script.add([
      compensated(
        Compensate(
          reference: 8, amount1: -500, amount2: 500, account1: AccountId(2),
          account2: .terminal(AreaId(1), .losses), area: AreaId(1), asset: .energy))
    ])
    script.checkpoint()
    return script
  }

  @Test(
    "It moves what it says and nothing else, names its reference, and comes once.",
    arguments: LedgerBackend.allCases)
  func posted(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try BatchBuilder.batches(of: script(), genesis)
    #expect(batches.count == 2)
    for batch in batches { #expect(try ledger.apply(batch) == .applied) }
    for batch in batches { #expect(try ledger.apply(batch) == .alreadyApplied) }
    var found: [String: Int128] = [:]
    for balance in try ledger.balances() where !balance.account.isOutside {
      found["\(balance.account.ledgerName), \(balance.unit.name)"] = balance.amount
    }
    #expect(
      found == [
        "2, EUR": 1_030, "3, EUR": 1_000, "4, EUR": -10, "area 1 fees, EUR": -20,
        "2, energy of area 1": -500, "area 1 losses, energy of area 1": 500,
      ])
    let posted = try ledger.transfers(in: batches[1].row)
    #expect(posted.allSatisfy { $0.code == .compensation && $0.amount > 0 })
    #expect(posted.map(\.reference) == [7, 7, 8])
    #expect(posted.map(\.debit) == [fees, AccountId(4), AccountId(2)])
    #expect(posted.map(\.amount) == [20, 10, 500])
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test("A settler that starts again finds the same batches.", arguments: LedgerBackend.stores)
  func reconciled(_ backend: LedgerBackend) throws {
    let place = backend.place()
    for start in 1...2 {
      var settler = try Settler(place.open(genesis))
      for step in script().steps { _ = settler.feed(step) }
      let (outcome, head) = (settler.reconcile(), settler.ledgerHead)
      if start == 2 { #expect(outcome == .equal(head)) }
      #expect(head.batch == 2)
      try settler.close()
    }
  }

  @Test("It makes the ledger equal to the exchange where the two differed.")
  func mended() throws {
    let ledger = try LedgerBackend.memory.place().open(genesis)
    var script = EventScript()
    script.cash(2, 1_000)
    script.checkpoint()
    let engine = [EngineHolding(account: AccountId(2), unit: .currency(.eur), amount: 990)]
    func differences() throws -> [HoldingDifference] {
      LedgerBalance.differences(ledger: try ledger.balances(), engine: engine)
    }
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    #expect(try differences().map(\.ledger) == [1_000])
    script.add([
      compensated(
        Compensate(
          reference: 1, amount1: -10, amount2: 10, account1: AccountId(2),
          account2: .outside(.eur), currency: .eur, asset: .cash))
    ])
    script.checkpoint()
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    #expect(try differences().isEmpty)
  }
}
