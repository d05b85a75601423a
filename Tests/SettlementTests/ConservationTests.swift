import MarketModel
import Settlement
import Testing

@Suite("Conservation of energy and money")
struct ConservationTests {
  /// Random events and, beside them, what each account then has, folded in the most obvious way.
  struct Fold {
    var script = EventScript()
    var cash: [String: Int64] = [:]
    var energy: [String: Int64] = [:]
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func step() {
      let (a, b) = distinctAccounts()
      let area = UInt32(random.next(below: 2) + 1)
      let (amount, fee) = (Int64(random.next(below: 5000)), Int64(random.next(below: 9)))
      switch random.next(below: 10) {
      case 0...3: trade(a, b, amount, fee, area)
      case 4...7: meter(a, amount, area)
      case 8:
        script.cash(a, amount + 1)
        cash["\(a) 978", default: 0] += amount + 1
      default: move(a, b, amount + 1)
      }
      if random.next(below: 20) == 0 { script.checkpoint() }
    }

    private mutating func trade(
      _ a: UInt32, _ b: UInt32, _ amount: Int64, _ fee: Int64, _ area: UInt32
    ) {
      let price = Int64(random.next(below: 2001)) - 1000
      script.trade(
        a, b, energy: amount + 1, price: price, buyerFee: fee, sellerFee: 2 * fee, area: area)
      let currency = area == 1 ? 978 : 756
      cash["\(a) \(currency)", default: 0] -= price * (amount + 1) + fee
      cash["\(b) \(currency)", default: 0] += price * (amount + 1) - 2 * fee
      energy["\(a) \(area)", default: 0] += amount + 1
      energy["\(b) \(area)", default: 0] -= amount + 1
    }

    private mutating func meter(_ a: UInt32, _ amount: Int64, _ area: UInt32) {
      let (lost, exported) = (amount / 50, amount / 7)
      let (burned, imported) = (amount / 3, amount / 11)
      script.meter(
        a, produced: amount, lost: lost, exported: exported, revenue: exported * 8,
        burned: burned, imported: imported, cost: imported * 30, area: UInt16(area))
      let currency = area == 1 ? 978 : 756
      cash["\(a) \(currency)", default: 0] += exported * 8 - imported * 30
      energy["\(a) \(area)", default: 0] += amount - lost - exported - burned
    }

    private mutating func move(_ a: UInt32, _ b: UInt32, _ amount: Int64) {
      let isCash = random.next(below: 2) == 0
      script.transfer(a, b, isCash ? .cash : .energy, amount)
      if isCash {
        cash["\(a) 978", default: 0] -= amount
        cash["\(b) 978", default: 0] += amount
      } else {
        energy["\(a) 1", default: 0] -= amount
        energy["\(b) 1", default: 0] += amount
      }
    }

    private mutating func distinctAccounts() -> (UInt32, UInt32) {
      let a = UInt32(random.next(below: 20))
      return (1 + a, 1 + (a + 1 + UInt32(random.next(below: 19))) % 20)
    }
  }

  @Test(
    "After random weeks, money and energy are conserved and every balance is that of the events.",
    arguments: LedgerBackend.allCases, [UInt64(1), 2, 3, UInt64.random(in: 4 ... .max)])
  func randomStreams(_ backend: LedgerBackend, _ seed: UInt64) throws {
    var fold = Fold(seed: seed)
    for _ in 0..<1500 { fold.step() }
    fold.script.checkpoint()
    let genesis = LedgerGenesis(rules: BatchRules(transfers: 64, nanoseconds: 600_000_000_000))
    let ledger = try backend.place().open(genesis)
    var settler = try Settler(ledger)
    for step in fold.script.steps { _ = settler.feed(step) }
    #expect(settler.condition == .following, "seed \(seed)")
    let report = try LedgerVerification.run(on: ledger)
    #expect(report.problems == [], "seed \(seed)")
    #expect(report.energy.count == 2 && report.energy.allSatisfy(\.isConserved), "seed \(seed)")
    #expect(report.energy.allSatisfy { $0.minted > 0 && $0.imported > 0 }, "seed \(seed)")
    let holdings =
      fold.cash.map { holding($0.key, $0.value) { .currency(Currency(UInt16($0))) } }
      + fold.energy.map { holding($0.key, $0.value) { .energy(AreaId(UInt16($0))) } }
    let differences = LedgerBalance.differences(ledger: report.balances, engine: holdings)
    #expect(differences == [], "seed \(seed)")
  }

  /// A holding from "account unit" and an amount.
  func holding(
    _ key: String, _ amount: Int64, _ unit: (Int) -> LedgerUnit
  ) -> EngineHolding {
    let parts = key.split(separator: " ").compactMap { Int($0) }
    return EngineHolding(account: AccountId(UInt32(parts[0])), unit: unit(parts[1]), amount: amount)
  }

  @Test("Energy invented by a ledger is detected from its balances alone.")
  func madeUpEnergy() {
    let unit = LedgerUnit.energy(AreaId(1))
    var balances = [
      LedgerBalance(account: AccountId(2), unit: unit, debits: 0, credits: 500),
      LedgerBalance(
        account: .terminal(AreaId(1), .production), unit: unit, debits: 500, credits: 0),
    ]
    #expect(EnergyConservation.ofAreas(in: balances).map(\.isConserved) == [true])
    balances[0].credits += 1
    #expect(EnergyConservation.ofAreas(in: balances).map(\.isConserved) == [false])
  }

  @Test("A difference between ledger and engine names account, unit and both amounts.")
  func engineDifference() {
    let euro = LedgerUnit.currency(.eur)
    let balances = [LedgerBalance(account: AccountId(2), unit: euro, debits: 1, credits: 10)]
    let right = EngineHolding(account: AccountId(2), unit: euro, amount: 9)
    let extra = EngineHolding(account: AccountId(3), unit: euro, amount: 4)
    #expect(LedgerBalance.differences(ledger: balances, engine: [right]) == [])
    #expect(
      LedgerBalance.differences(ledger: balances, engine: [right, extra])
        == [HoldingDifference(account: AccountId(3), unit: euro, ledger: 0, engine: 4)])
    #expect(LedgerBalance.differences(ledger: balances, engine: []).map(\.ledger) == [9])
  }
}

extension SeededRandom {
  /// A number in 0 ..< bound.
  mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}
