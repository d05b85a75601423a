// Section 7, "Own use, carried losses" and "Local before grid".

import ExchangeCore
import MarketModel

/// What a reading traded with other accounts: Wh, and the cash paid or received with fees.
struct LocalSum {
  var energy: Int64 = 0
  var cash: Int64 = 0
}

extension ReferenceModel {
  /// Whether a reading uses its own production first.
  func usesOwn(_ reading: MeterReading, _ area: AreaId) -> Bool {
    let length = reading.intervalEnd.nanoseconds - reading.intervalStart.nanoseconds
    let longest = UInt64(areas[area]?.ownUse ?? 0) * 1_000_000_000
    return rules >= 6 && length <= longest
  }

  /// What a reading produced and used itself, Wh.
  func own(_ reading: MeterReading, _ area: AreaId) -> Int64 {
    usesOwn(reading, area) ? min(reading.produced, reading.consumed).wattHours : 0
  }

  /// The loss of a production; since version 6 the meter carries the rest.
  mutating func takeLoss(_ meter: MeterId, _ factor: Rate, of produced: Int64) -> Int64 {
    if rules < 6 { return roundedUp(factor, of: produced) }
    let all =
      (meters[meter]?.lossRest ?? 0) + Int128(factor.partsPerMillion) * Int128(produced)
    meters[meter]?.lossRest = all % 1_000_000
    return Int64(all / 1_000_000)
  }

  /// Buys up to `wanted` Wh from live asks of other accounts, or sells them to live bids.
  mutating func tradeLocally(
    _ key: PositionKey, _ side: Side, _ wanted: Int64, _ tariff: ModelTariff
  ) -> LocalSum {
    var sum = LocalSum()
    let most = min(wanted, 1 << 36)
    var passed: Set<InstrumentId> = []
    while let maker = bestOffer(key.area, side, most - sum.energy, without: passed) {
      let quantity = quantity(key, side, maker, most - sum.energy)
      let notional = maker.price * quantity
      let fee = roundedUp(takerFee(maker.instrument), of: notional)
      let cash = side == .buy ? notional + fee : notional - fee
      if quantity == 0 || isGridBetter(tariff, side, cash, quantity) {
        passed.insert(maker.instrument)
        continue
      }
      trade(key, side, maker, quantity, fee)
      sum.energy += quantity
      sum.cash += cash
    }
    return sum
  }

  private func takerFee(_ instrument: InstrumentId) -> Rate {
    instruments[instrument]?.definition.takerFee ?? Rate(partsPerMillion: 0)
  }

  private func isGridBetter(
    _ tariff: ModelTariff, _ side: Side, _ cash: Int64, _ quantity: Int64
  ) -> Bool {
    side == .buy
      ? Int128(cash) > Int128(tariff.retail) * Int128(quantity)
      : Int128(cash) < Int128(tariff.feedIn) * Int128(quantity)
  }

  /// The first live order of the instrument that is best per Wh, fee included.
  private func bestOffer(
    _ area: AreaId, _ side: Side, _ left: Int64, without passed: Set<InstrumentId>
  ) -> ModelOrder? {
    let offers = instruments.values.compactMap { instrument -> (cost: Int128, order: ModelOrder)? in
      let definition = instrument.definition
      guard definition.area == area, !passed.contains(definition.instrument), left > 0,
        definition.lot.wattHours <= left,
        let best = live(definition.instrument, side.opposite).first
      else { return nil }
      let price = Int128(best.price)
      let fee = Int128(definition.takerFee.partsPerMillion) * abs(price)
      return ((side == .buy ? price : -price) * 1_000_000 + fee, best)
    }
    return offers.min { a, b in
      a.cost == b.cost ? a.order.instrument < b.order.instrument : a.cost < b.cost
    }?.order
  }

  /// The live orders of one side, the best first.
  private func live(_ instrument: InstrumentId, _ side: Side) -> [ModelOrder] {
    orders.values.filter {
      $0.instrument == instrument && $0.side == side && $0.isResting && $0.covered > 0
    }.sorted { a, b in
      a.price == b.price ? a.place < b.place : side.isBetter(a.price, than: b.price)
    }
  }

  /// The largest quantity, in whole lots, that is wanted, displayed live and can be reserved.
  private func quantity(_ key: PositionKey, _ side: Side, _ maker: ModelOrder, _ left: Int64)
    -> Int64
  {
    guard let definition = instruments[maker.instrument]?.definition else { return 0 }
    var lots = min(left, maker.inPlace) / maker.lot
    let cash = free(key)
    if side == .buy, cash < 0 { return 0 }
    let rate = max(definition.makerFee.partsPerMillion, definition.takerFee.partsPerMillion)
    let payable = Int128(side == .buy ? maker.price : -maker.price)
    let fee =
      (Int128(maker.price.magnitude) * Int128(maker.lot) * Int128(rate) + 999_999) / 1_000_000
    let perLot =
      side == .sell && payable <= 0 ? 0 : max(payable, 0) * Int128(maker.lot) + fee
    if perLot > 0 { lots = Int64(min(Int128(lots), Int128(max(0, cash)) / perLot)) }
    return lots * maker.lot
  }

  private mutating func trade(
    _ key: PositionKey, _ side: Side, _ resting: ModelOrder, _ quantity: Int64, _ fee: Int64
  ) {
    var maker = resting
    let notional = maker.price * quantity
    let makerFee = roundedUp(maker.makerFee, of: notional)
    lastTrade += 1
    release(maker, quantity)
    pay(maker.position, (side == .buy ? notional : -notional) - makerFee)
    store(maker.position, side == .buy ? -quantity : quantity)
    pay(key, (side == .buy ? -notional : notional) - fee)
    if side == .sell { store(key, -quantity) }
    change(key) { ($0.mustRunAgent, $0.changed) = (true, true) }
    areas[key.area]?.fees += fee + makerFee
    countUnsettled(notional, key.area)
    maker.leaves -= quantity
    maker.covered -= quantity
    let taker = TradeParty(
      order: .null, account: key.account, session: .exchange, clientOrderId: .engine,
      fee: Money(units: fee), leaves: .zero, covered: .zero)
    let makerParty = party(maker, makerFee)
    emit(
      .trade(
        Trade(
          trade: TradeId(lastTrade), instrument: maker.instrument, aggressor: side,
          price: Price(ticks: maker.price), quantity: Energy(wattHours: quantity),
          notional: Money(units: notional), buyer: side == .buy ? taker : makerParty,
          seller: side == .sell ? taker : makerParty)))
    touch(key)
    touch(maker.position)
    keep(maker, taken: quantity)
  }
}
