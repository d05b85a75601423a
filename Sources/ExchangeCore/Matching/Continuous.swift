// Continuous matching (section 5): by price, then by the time of entering the live book. The live
// book contains only covered quantity, so matching does not check whether an order can execute.

import MarketModel

extension Exchange {
  /// Whether an entering order's limit reaches the best live price of the other side.
  @inline(__always) func crosses(_ order: OpenOrder) -> Bool {
    reaches(order.row.instrument, order.side, limit: order.price)
  }

  @inline(__always) func reaches(_ instrument: UInt32, _ side: Side, limit: Int64) -> Bool {
    let other = side.opposite
    let best = books.sides[bookIndex(instrument, other)].bestKey
    return best != Ladder.none && best <= products.instruments[instrument].key(limit, other)
  }

  /// Matches an entering order; the remainder rests. The order may be completed or cancelled
  /// afterwards.
  @inline(always) mutating func matchAndRest(_ order: OpenOrder) {
    match(order)
    if !order.marks.isOpen { return }
    if order.leaves == 0 {
      complete(order)
    } else {
      rest(order)
    }
  }

  /// Trades an entering order with the orders that it reaches. Self-trade prevention may cancel it;
  /// otherwise it is still open, possibly with leaves of 0.
  @inline(always) mutating func match(_ order: OpenOrder) {
    let other = order.side.opposite
    let book = books.sides.row(bookIndex(order.row.instrument, other))
    let limit = order.instrument.value.key(order.price, other)
    // When no level is live, the best key is above every limit.
    while book.bestKey <= limit, order.covered > 0 {
      if !matchOne(order, book.bestLevel) { return }
    }
  }

  /// Trades an entering order with the first order of the best level, or applies self-trade
  /// prevention.
  /// - Returns: Whether matching continues.
  private mutating func matchOne(_ order: OpenOrder, _ best: UInt32) -> Bool {
    let level = books.ladder.levels.row(best)
    invariant(level.liveHead != 0, "the best level has a live order")
    let resting = open(level.liveHead)
    if OrderMarks.needSteps(order.marks, resting.marks) || tradesInSteps {
      return matchInSteps(order, resting, level)
    }
    if resting.position == order.position { return preventSelfTrade(order, resting, level) }
    trade(order, resting, level, isPlain: true)
    return true
  }

  /// Whether an owner's orders may be in blocks, or an area counts what is not settled.
  @inline(__always) private var tradesInSteps: Bool { blocks.isActive || unsettled.isCounting }

  /// Does the same where a self-trade may be one of a participant, an order may keep its fees, an
  /// owner's orders may be in blocks, or trades are counted.
  @inline(never) private mutating func matchInSteps(
    _ order: OpenOrder, _ resting: OpenOrder, _ level: LevelRow
  ) -> Bool {
    if isOwn(resting, of: order) { return preventSelfTrade(order, resting, level) }
    trade(order, resting, level, isPlain: false)
    return true
  }

  // MARK: Trading

  /// - Parameter isPlain: A literal: whether neither order keeps fees or is in a block, and no area counts
  ///   what is not settled.
  @inline(always) private mutating func trade(
    _ taker: OpenOrder, _ maker: OpenOrder, _ level: LevelRow, isPlain: Bool
  ) {
    let instrument = taker.instrument
    let quantity = min(taker.covered, displayedLive(maker))
    let price = maker.price
    let notional = price * quantity  // Fits: the maker's whole notional does (section 11).
    let side = taker.side
    var (makerRate, takerRate) = (instrument.makerFee, instrument.takerFee)
    if !isPlain { (makerRate, takerRate) = (feeRates(maker).maker, feeRates(taker).taker) }
    let makerFee = fee(makerRate, notional)
    let takerFee = fee(takerRate, notional)
    let lots = instrument.value.lots(quantity)
    let paid = side.select(sell: -notional, buy: notional)  // From the taker to the maker.
    let taken = side.select(sell: -quantity, buy: quantity)
    post(taker, quantity, lots: lots, energy: taken, cash: -paid - takerFee)
    post(maker, quantity, lots: lots, energy: -taken, cash: paid - makerFee)
    if !isPlain {
      changeBlock(taker, leaves: -quantity, covered: -quantity)
      changeBlock(maker, leaves: -quantity, covered: -quantity)
      if unsettled.isCounting { countUnsettled(notional, UInt32(instrument.area)) }
    }
    products.areas[UInt32(instrument.area)].fees += makerFee + takerFee
    level.execute(quantity)

    progress.trades &+= 1  // Cannot wrap: at one trade each ns it would take 584 years.
    emitTrade(side, price, quantity, notional, (taker, takerFee), (maker, makerFee))
    touchBalance(taker.position, taker.owner)
    touchBalance(maker.position, maker.owner)
    updateResting(maker, reducedBy: quantity)
  }

  @inline(__always) func fee(_ rate: UInt32, _ notional: Int64) -> Int64 {
    guard let fee = Rate(partsPerMillion: rate).roundedUp(of: notional) else {
      preconditionFailure("a fee below the notional fits")
    }
    return fee
  }

  /// Posts one party's side of a trade: reduces the order, releases the reservation of the traded
  /// lots, and adds `energy` (Wh) and `cash` (1e-8), each negative when the party gives it.
  @inline(__always) func post(
    _ order: OpenOrder, _ quantity: Int64, lots: Int64, energy: Int64, cash: Int64
  ) {
    let released = order.reservePerLot * lots
    order.holding.trade(released: released, cash: cash)
    order.owner.move(energy)
    order.owned.trade(quantity)
    invariant(
      order.holding.reserved | order.owner.level >= 0,
      "reserved cash and energy held are at least 0")
    execute(order, quantity)
  }

  /// Subtracts an executed quantity from an order and from its owner's sums, except those of its block.
  @inline(__always) func execute(_ order: OpenOrder, _ quantity: Int64) {
    order.row.execute(quantity)
    order.owned.execute(quantity)
  }

  /// Updates a resting order that was reduced by `quantity` Wh: without leaves it is completed,
  /// without cover it waits.
  @inline(__always) mutating func updateResting(_ order: OpenOrder, reducedBy quantity: Int64) {
    if order.leaves == 0 {
      removeFromLevel(order, isLive: true)
      complete(order)
    } else if order.marks.isSpecial {
      updateSpecial(order, reducedBy: quantity)
    } else if order.covered == 0 {
      moveToWaiting(order)
    }
  }

}
