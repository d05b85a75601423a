// Balance events: written in place in the event buffer and folded into the event hash.

import MarketModel

extension Exchange {
  @inline(__always) mutating func emitBalance(
    _ position: PositionRow, asks: PositionSideRow, bids: PositionSideRow
  ) {
    let holding = balances.holdings.row(position.holding)
    let event = events.balance()
    let (unused, freeHeadroom) = (
      position.level &- asks.covered,
      position.headroom &- bids.covered
    )
    invariant(unused | freeHeadroom >= 0, "cover is at most what the position has available")
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
