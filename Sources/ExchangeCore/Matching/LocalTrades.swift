// Trades of a meter's account with live orders of other accounts, before its reading imports or
// exports (section 7, "Local before grid"). The account has no order: it is the taker.
//
//     lack    ─▶ cheapest live ask ─▶ ... ─▶ import          price incl. fee at most retail
//     surplus ─▶ dearest live bid  ─▶ ... ─▶ export          price less fee at least feed-in
//
// No drain comes between these trades, so no order gains cover, and the offers of an instrument only
// become worse. So the best offers of one look at all instruments stay ahead of the others, and an
// instrument that is passed over stays behind all that follow: a single bound says which were.

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

/// The best offers of one look at an area's instruments, one of each instrument, the best first.
private struct LocalOffers {
  static let capacity = 16
  private var offers = InlineArray<16, LocalOffer>(repeating: LocalOffer.none)
  private var first = 0
  private var end = 0

  /// Adds an offer, and drops the last where there is no room.
  mutating func add(_ offer: LocalOffer) {
    var place = end
    if end == LocalOffers.capacity {
      if !offer.isBefore(offers[end - 1]) { return }
      place -= 1
    } else {
      end += 1
    }
    while place > first, offer.isBefore(offers[place - 1]) {
      offers[place] = offers[place - 1]
      place -= 1
    }
    offers[place] = offer
  }

  var isEmpty: Bool { first == end }

  /// Takes the best offer out.
  mutating func takeFirst() -> LocalOffer? {
    if isEmpty { return nil }
    defer { first += 1 }
    return offers[first]
  }

  /// Adds what an instrument offers after a trade, where it is still ahead of one of the others; nothing
  /// is known of what is behind the last.
  mutating func addAgain(_ offer: LocalOffer) {
    if isEmpty || !offer.isBefore(offers[end - 1]) { return }
    first -= 1  // The place of the offer that was traded with.
    var place = first
    while offers[place + 1].isBefore(offer) {
      offers[place] = offers[place + 1]
      place += 1
    }
    offers[place] = offer
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
  /// - Complexity: The number of trades and of passed instruments; and for every sixteenth of them the
  ///   number of the area's instruments.
  mutating func tradeLocally(
    _ position: UInt32, _ side: Side, upTo wanted: Int64, _ tariff: Tariff
  ) -> LocalTrades {
    let area = UInt32(balances.positions[position].area)
    var left = min(wanted, Limit.orderQuantity)
    var done = LocalTrades()
    var passed = LocalOffer.none
    var offers = LocalOffers()
    while left > 0 {
      guard let offer = offers.takeFirst() else {
        offers = bestOffers(area, side, lotWithin: left, behind: passed)
        if offers.isEmpty { break }
        continue
      }
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
      if let next = self.offer(offer.instrument, side, lotWithin: left) { offers.addAgain(next) }
    }
    return done
  }

  /// The first offers behind `bound` of the area's instruments whose lot is at most `left` Wh.
  private func bestOffers(
    _ area: UInt32, _ side: Side, lotWithin left: Int64, behind bound: LocalOffer
  ) -> LocalOffers {
    var best = LocalOffers()
    var number = products.firstInstrument[area]
    while number != 0 {
      if let offer = offer(number, side, lotWithin: left), bound.isBefore(offer) { best.add(offer) }
      number = products.nextInstrument[number]
    }
    return best
  }

  /// What an instrument offers, if its lot is at most `left` Wh.
  @inline(__always) private func offer(
    _ number: UInt32, _ side: Side, lotWithin left: Int64
  ) -> LocalOffer? {
    let key = books.sides[bookIndex(number, side.opposite)].bestKey
    let instrument = products.instruments.row(number)
    if key == Ladder.none || instrument.lot > left { return nil }
    let price = instrument.value.price(key, side.opposite)
    // A price is within +-2^40 and a fee at most half of it: below 2^61.
    let cost =
      side.select(sell: -price, buy: price) * 1_000_000 + Int64(instrument.takerFee) * abs(price)
    return LocalOffer(cost: cost, instrument: number)
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
    if unsettled.isCounting { countUnsettled(trade.notional, UInt32(maker.instrument.area)) }
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
