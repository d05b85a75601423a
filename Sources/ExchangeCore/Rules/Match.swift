// Matching (section 5): price first, then time of entering the live book. Only covered quantity is in
// the live book, so matching never asks whether an order can execute.

import MarketModel

extension Exchange {
  /// Whether an entering order's limit reaches the best live order of the other side.
  @inline(__always) func crosses(_ slot: UInt32) -> Bool {
    reaches(orders[slot].instrument, orders[slot].side, limit: orders[slot].price)
  }

  @inline(__always) func reaches(_ instrument: UInt32, _ side: Side, limit: Int64) -> Bool {
    let other = side.opposite
    let best = books[bookIndex(instrument, other)].bestKey
    return best != Ladder.none && best <= instruments[instrument].key(limit, other)
  }

  /// Matches an entering order and rests what remains of it. It may be gone afterwards.
  mutating func matchAndRest(_ slot: UInt32) {
    match(slot)
    if !orders[slot].isOpen { return }
    if orders[slot].leaves == 0 {
      finish(slot)
    } else {
      rest(slot)
    }
  }

  /// Trades an entering order with what it reaches. Self-trade prevention may cancel it; else it is
  /// still open, perhaps with nothing left.
  mutating func match(_ slot: UInt32) {
    let book = bookIndex(orders[slot].instrument, orders[slot].side.opposite)
    let limit = instruments[orders[slot].instrument].key(
      orders[slot].price, orders[slot].side.opposite)
    while orders[slot].covered > 0, books[book].bestLevel != 0, books[book].bestKey <= limit {
      let resting = ladder.levels[books[book].bestLevel].liveHead
      if orders[resting].account == orders[slot].account {
        if !preventSelfTrade(slot, resting) { return }
      } else {
        trade(slot, resting)
      }
    }
  }

  // MARK: Trading

  private mutating func trade(
    _ taker: UInt32, _ maker: UInt32
  ) {
    let quantity = min(orders[taker].covered, orders[maker].covered)
    let price = orders[maker].price
    let instrument = orders[maker].instrument
    let takerBuys = orders[taker].side == .buy
    let (buyer, seller) = takerBuys ? (taker, maker) : (maker, taker)
    let notional = price * quantity  // Fits: the maker's own notional did (section 11).
    let makerFee = fee(instruments[instrument].makerFee, notional)
    let takerFee = fee(instruments[instrument].takerFee, notional)
    let (buyerFee, sellerFee) = takerBuys ? (takerFee, makerFee) : (makerFee, takerFee)

    let lots = instruments[instrument].lots(quantity)
    pay(buyer, lots: lots, -notional - buyerFee)
    pay(seller, lots: lots, notional - sellerFee)
    areas[UInt32(instruments[instrument].area)].fees += buyerFee + sellerFee
    positions[orders[buyer].position].energy += quantity
    positions[orders[seller].position].energy -= quantity
    execute(taker, quantity)
    execute(maker, quantity)
    reduceLevel(maker, by: quantity)

    tradeCount += 1
    emit(
      .trade(
        Trade(
          trade: TradeId(tradeCount), instrument: InstrumentId(instrument),
          aggressor: orders[taker].side, price: Price(ticks: price),
          quantity: Energy(wattHours: quantity), notional: Money(units: notional),
          buyer: party(buyer, buyerFee), seller: party(seller, sellerFee))))
    touchBalance(orders[taker].position)
    touchBalance(orders[maker].position)
    settleResting(maker)
  }

  private func fee(_ rate: UInt32, _ notional: Int64) -> Int64 {
    guard let fee = Rate(partsPerMillion: rate).roundedUp(of: notional) else {
      preconditionFailure("a fee below the notional fits")
    }
    return fee
  }

  /// Releases the reservation of `lots` of an order and books `amount` to its owner's free cash.
  @inline(__always) private func pay(_ slot: UInt32, lots: Int64, _ amount: Int64) {
    let released = orders[slot].reservePerLot * lots
    let holding = positions[orders[slot].position].holding
    holdings[holding].reserved -= released
    holdings[holding].free += released + amount
  }

  /// Takes executed quantity off an order and its owner's sums.
  private func execute(_ slot: UInt32, _ quantity: Int64) {
    orders[slot].leaves -= quantity
    orders[slot].covered -= quantity
    let index = ownedIndex(orders[slot].position, orders[slot].side)
    owned[index].eligible -= quantity
    owned[index].covered -= quantity
  }

  /// Takes quantity off a live order's level; the order's own numbers are lowered already.
  private func reduceLevel(_ slot: UInt32, by quantity: Int64) {
    let level = orders[slot].level
    ladder.levels[level].live -= quantity
    ladder.levels[level].total -= quantity
  }

  /// After a resting order was lowered: without leaves it is gone, without cover it waits.
  private mutating func settleResting(_ slot: UInt32) {
    if orders[slot].covered > 0 { return }
    if orders[slot].leaves > 0 {
      moveToWaiting(slot)
    } else {
      leave(slot, isLive: true)
      finish(slot)
    }
  }

  private func party(_ slot: UInt32, _ fee: Int64) -> TradeParty {
    TradeParty(
      order: orders.id(slot), account: AccountId(orders[slot].account),
      session: SessionId(orders[slot].session),
      clientOrderId: ClientOrderId(orders[slot].clientOrderId), fee: Money(units: fee),
      leaves: Energy(wattHours: orders[slot].leaves),
      covered: Energy(wattHours: orders[slot].covered))
  }

  // MARK: Self-trade prevention

  /// Applies the entering order's instruction where both best orders have one owner.
  /// - Returns: whether matching goes on.
  private mutating func preventSelfTrade(
    _ entering: UInt32, _ resting: UInt32
  ) -> Bool {
    switch orders[entering].selfTradePrevention {
    case .cancelNewer:
      remove(entering, .selfTrade)
      return false
    case .cancelOlder:
      remove(resting, .selfTrade)
      return true
    case .cancelBoth:
      remove(resting, .selfTrade)
      remove(entering, .selfTrade)
      return false
    case .decrementBoth:
      let quantity = min(orders[entering].covered, orders[resting].covered)
      decrement(resting, quantity)
      reduceLevel(resting, by: quantity)
      emit(.canceled(canceled(resting, quantity, .selfTrade)))
      decrement(entering, quantity)
      emit(.canceled(canceled(entering, quantity, .selfTrade)))
      touch(orders[entering].position)
      settleResting(resting)
      return true
    }
  }

  private func decrement(_ slot: UInt32, _ quantity: Int64) {
    release(slot, lots: instruments[orders[slot].instrument].lots(quantity))
    execute(slot, quantity)
    orders[slot].quantity -= quantity
  }
}
