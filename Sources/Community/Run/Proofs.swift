import ExchangeCore
import MarketModel

/// What is checked after a run.
enum Proofs {
  /// Energy and money of the exchange: nothing was lost or invented.
  static func conservation(
    plan: CommunityPlan, totals: Exchange.AreaTotals?,
    cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)]
  ) -> [DemoResult.Proof] {
    guard let totals else {
      return [
        DemoResult.Proof(claim: "Energy is conserved", evidence: "no such area", holds: false)
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
