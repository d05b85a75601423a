// What the exchange says of balances: written where it is read, and folded into the history's hash on the way.

import MarketModel

extension Exchange {
  @inline(__always) mutating func emitBalance(
    _ position: PositionRow, asks: PositionSideRow, bids: PositionSideRow
  ) {
    let holding = balances.holdings.row(position.holding)
    let event = events.balance()
    let (unused, room) = (
      position.level &- asks.covered,
      position.headroom &- bids.covered
    )
    invariant(unused | room >= 0, "the same energy backs no two live quantities")
    event.account = AccountId(position.account)
    event.area = AreaId(position.area)
    event.currency = Currency(holding.currency)
    event.free = Money(units: holding.free)
    event.reserved = Money(units: holding.reserved)
    event.energy = Energy(wattHours: position.level)
    event.cap = Energy(wattHours: position.ceiling)
    event.coveredAsks = Energy(wattHours: asks.covered)
    event.coveredBids = Energy(wattHours: bids.covered)
    event.openAsks = Energy(wattHours: asks.eligible + asks.halted)
    event.openBids = Energy(wattHours: bids.eligible + bids.halted)
    progress.history.fold(
      balance: position.account, holding.free, holding.reserved,
      position.level)
  }
}
