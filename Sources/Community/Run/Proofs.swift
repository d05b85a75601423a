import ExchangeCore
import JoulebookClient
import JoulebookServer
import MarketModel
import Settlement

/// The checks after a run.
enum Proofs {
  /// Checks that the sums of energy and of cash in the exchange are conserved.
  static func conservation(
    plan: CommunityPlan, totals: Exchange.AreaTotals?,
    cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)]
  ) -> [DemoResult.Proof] {
    guard let totals else {
      return [
        DemoResult.Proof(
          claim: "Energy is conserved", evidence: "the area does not exist", holds: false)
      ]
    }
    let (made, imported) = (totals.produced.wattHours, totals.imported.wattHours)
    let (held, used) = (totals.held.wattHours, totals.consumed.wattHours)
    let (sold, lost) = (totals.exported.wattHours, totals.lost.wattHours)
    let energy = DemoResult.Proof(
      claim: "Energy is conserved",
      evidence: """
        produced \(Format.count(Int(made))) + imported \(Format.count(Int(imported))) = consumed \
        \(Format.count(Int(used))) + exported \(Format.count(Int(sold))) + held \
        \(Format.count(Int(held))) + lost \(Format.count(Int(lost))) Wh
        """, holds: made + imported == used + sold + held + lost)
    return [energy, money(plan, totals, cash)]
  }

  private static func money(
    _ plan: CommunityPlan, _ totals: Exchange.AreaTotals,
    _ cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)]
  ) -> DemoResult.Proof {
    let accounts = cash.reduce(0) { $0 + $1.free.units + $1.reserved.units }
    let (deposits, fees, grid) = (plan.deposits.units, totals.fees.units, totals.grid.units)
    let sign = plan.model.terms.currencySign
    func exact(_ units: Int64) -> String { Format.money(Money(units: units), sign, places: 8) }
    return DemoResult.Proof(
      claim: "Money is conserved",
      evidence: """
        deposits \(exact(deposits)) = accounts \(exact(accounts)) + fees \(exact(fees)) + grid \
        \(exact(grid))
        """, holds: deposits == accounts + fees + grid)
  }
}

extension Proofs {
  /// Checks that the ledger is consistent and that its balances equal the engine's.
  static func ledger(_ verification: LedgerVerification, _ replay: Replay) -> DemoResult.Proof {
    var engine: [LedgerKey: Int128] = [:]
    for cash in replay.cash {
      engine[LedgerKey(cash.account, .currency(cash.currency))] =
        Int128(cash.free.units) + Int128(cash.reserved.units)
    }
    for balance in replay.balances {
      engine[LedgerKey(balance.account, .energy(balance.area))] = Int128(balance.energy.wattHours)
    }
    var ledger: [LedgerKey: Int128] = [:]
    for balance in verification.balances where !balance.account.isHouse {
      ledger[LedgerKey(balance.account, balance.unit)] = balance.amount
    }
    let keys = Set(engine.keys).union(ledger.keys)
    let different = keys.count { engine[$0, default: 0] != ledger[$0, default: 0] }
    return DemoResult.Proof(
      claim: "The ledger equals the engine",
      evidence: """
        \(Format.count(keys.count)) balances compared, \(different) differ; chain of \
        \(Format.count(Int(verification.head.batch))) batches, \
        \(Format.count(Int(verification.transfers))) transfers, \
        \(verification.problems.count) problems
        """, holds: different == 0 && verification.isSound && !ledger.isEmpty)
  }

  /// Checks that replays of the journal give the hashes of the live exchange.
  static func replay(
    _ live: Server.Summary?, _ replays: [(commands: Int, eventHash: UInt64, stateHash: UInt64)]
  ) -> DemoResult.Proof {
    func hex(_ value: UInt64) -> String { String(value, radix: 16) }
    guard let live else {
      return DemoResult.Proof(
        claim: "Replay gives the live state", evidence: "the server did not drain",
        holds: false)
    }
    let holds = replays.allSatisfy {
      $0.eventHash == live.eventHash && $0.stateHash == live.stateHash
    }
    let states = replays.map { hex($0.stateHash) }.joined(separator: " and ")
    return DemoResult.Proof(
      claim: "Replay gives the live state",
      evidence: """
        live \(hex(live.stateHash)), replayed \(states), over \
        \(Format.count(replays.first?.commands ?? 0)) commands each
        """, holds: holds && !replays.isEmpty)
  }

  /// Checks that the order book of the market-data feed equals the engine's at the end.
  static func feed(_ published: [BookOrder], _ open: [OrderState]) -> DemoResult.Proof {
    var engine: [OrderId: (Energy, Energy)] = [:]
    for order in open { engine[order.order] = (order.leaves, order.covered) }
    let equal = published.count { order in
      guard let state = engine[order.order] else { return false }
      return state == (order.total, order.live)
    }
    return DemoResult.Proof(
      claim: "The feed equals the book",
      evidence: """
        \(Format.count(equal)) of \(Format.count(published.count)) published orders equal the \
        engine's \(Format.count(open.count)) in total and live quantity
        """, holds: equal == published.count && published.count == open.count)
  }

  private struct LedgerKey: Hashable {
    var account: AccountId
    var unit: LedgerUnit
    init(_ account: AccountId, _ unit: LedgerUnit) { (self.account, self.unit) = (account, unit) }
  }
}
