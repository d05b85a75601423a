// Trades of a meter's account with live orders of other accounts, before its reading imports or
// exports (section 7, "Local before grid"). The account has no order: it is the taker.
//
//     lack    ─▶ cheapest live ask ─▶ ... ─▶ import          price incl. fee at most retail
//     surplus ─▶ dearest live bid  ─▶ ... ─▶ export          price less fee at least feed-in
//
// No drain comes between these trades, so no order gains cover, and the offers of an instrument only
// become worse. An instrument that is passed over therefore stays behind all that follow, and a
// single bound says which were: no list is needed.

import MarketModel

/// What a reading traded with other accounts.
struct LocalTrades {
  /// Wh.
  var energy: Int64 = 0
  /// What the account paid for it with fees (a lack), or received less fees (a surplus), 1e-8.
  var cash: Int64 = 0
}

/// The best live order of an instrument, as the account of a reading sees it.
private struct LocalOffer {
  /// What a Wh costs with the taker's fee, or the negative of what it brings; 1e-11 per Wh.
  var cost: Int64
  var instrument: UInt32

  /// Before every offer.
  static let none = LocalOffer(cost: .min, instrument: 0)

  @inline(__always) func isBefore(_ other: LocalOffer) -> Bool {
    cost == other.cost ? instrument < other.instrument : cost < other.cost
  }
}

/// A trade that the account of a reading could make now.
private struct LocalTrade {
  var lots: Int64
  var quantity: Int64
  var notional: Int64
  var fee: Int64
}

extension Exchange {
  /// Buys (`side` buy) up to `wanted` Wh from live asks, or sells them to live bids, while the grid
  /// is not better. Sold energy leaves the position; bought energy does not enter it.
  /// - Parameter tariff: What the grid pays and charges for the interval.
  /// - Precondition: No order of the account on the other side is live.
  /// - Complexity: The number of trades and of passed instruments, times the area's instruments.
  mutating func tradeLocally(
    _ position: UInt32, _ side: Side, upTo wanted: Int64, _ tariff: Tariff
  ) -> LocalTrades {
    let area = UInt32(balances.positions[position].area)
    var left = min(wanted, Limit.orderQuantity)
    var done = LocalTrades()
    var passed = LocalOffer.none
    while left > 0, let offer = bestOffer(area, side, lotWithin: left, behind: passed) {
      let book = books.sides[bookIndex(offer.instrument, side.opposite)]
      let level = books.ladder.levels.row(book.bestLevel)
      let maker = open(level.liveHead)
      invariant(maker.position != position, "no own order is live")
      let trade = localTrade(position, side, maker, upTo: left)
      if trade.quantity == 0 || !isWorth(trade, tariff, side) {
        passed = offer
        continue
      }
      execute(trade, position, side, maker, level)
      left -= trade.quantity
      done.energy += trade.quantity
      done.cash += side.select(
        sell: trade.notional - trade.fee, buy: trade.notional + trade.fee)
    }
    return done
  }

  /// The first offer behind `bound` of the area's instruments whose lot is at most `left` Wh.
  private func bestOffer(
    _ area: UInt32, _ side: Side, lotWithin left: Int64, behind bound: LocalOffer
  ) -> LocalOffer? {
    var best: LocalOffer?
    var number = products.firstInstrument[area]
    while number != 0 {
      let instrument = products.instruments.row(number)
      let key = books.sides[bookIndex(number, side.opposite)].bestKey
      if key != Ladder.none, instrument.lot <= left {
        let price = instrument.value.price(key, side.opposite)
        // A price is within +-2^40 and a fee at most half of it: below 2^61.
        let cost =
          side.select(sell: -price, buy: price) * 1_000_000
          + Int64(instrument.takerFee) * abs(price)
        let offer = LocalOffer(cost: cost, instrument: number)
        if bound.isBefore(offer), best.map(offer.isBefore) ?? true { best = offer }
      }
      number = products.nextInstrument[number]
    }
    return best
  }

  /// The largest trade with a live order: at most `left` Wh, what it displays live, and the lots that
  /// the account's free cash could reserve. Quantity 0: none.
  private func localTrade(
    _ position: UInt32, _ side: Side, _ maker: OpenOrder, upTo left: Int64
  ) -> LocalTrade {
    let instrument = maker.instrument
    let price = maker.price
    var lots = instrument.value.lots(min(left, displayedLive(maker)))
    let free = balances.holdings[balances.positions[position].holding].free
    if side == .buy, free < 0 { lots = 0 }
    if let perLot = reservePerLot(instrument, side, price) {
      if perLot > 0 { lots = min(lots, max(0, free) / perLot) }
    } else {
      lots = 0
    }
    let quantity = lots * instrument.lot
    let notional = price * quantity  // Fits: the maker's whole notional does (section 11).
    return LocalTrade(
      lots: lots, quantity: quantity, notional: notional,
      fee: quantity == 0 ? 0 : fee(instrument.takerFee, notional))
  }

  /// Whether the grid would not be better for the same energy.
  private func isWorth(_ trade: LocalTrade, _ tariff: Tariff, _ side: Side) -> Bool {
    // The products with the grid's prices fit: the reading was checked against its whole energy.
    switch side {
    case .buy:
      trade.notional + trade.fee <= tariff.retailPrice * trade.quantity
    case .sell:
      trade.notional - trade.fee >= tariff.feedInPrice * trade.quantity
    }
  }

  private mutating func execute(
    _ trade: LocalTrade, _ position: UInt32, _ side: Side, _ maker: OpenOrder, _ level: LevelRow
  ) {
    let owner = balances.positions.row(position)
    let makerFee = fee(feeRates(maker).maker, trade.notional)
    let paid = side.select(sell: -trade.notional, buy: trade.notional)  // To the maker.
    balances.holdings.row(owner.holding).add(-paid - trade.fee)
    if side == .sell { owner.move(-trade.quantity) }
    post(
      maker, trade.quantity, lots: trade.lots,
      energy: side.select(sell: trade.quantity, buy: -trade.quantity), cash: paid - makerFee)
    changeBlock(maker, leaves: -trade.quantity, covered: -trade.quantity)
    products.areas[UInt32(maker.instrument.area)].fees += makerFee + trade.fee
    level.execute(trade.quantity)

    progress.trades &+= 1  // Cannot wrap: at one trade each ns it would take 584 years.
    emitLocalTrade(
      side, trade.quantity, trade.notional, account: owner.account, fee: trade.fee,
      (maker, makerFee))
    touchBalance(position, owner)
    touchBalance(maker.position, maker.owner)
    updateResting(maker, reducedBy: trade.quantity)
  }
}
