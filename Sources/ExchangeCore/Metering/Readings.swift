// Meter readings (section 7). A reading uses its own production first. The rest of the production is
// minted, offered to the market, and above the cap sold to live bids and exported; the rest of the
// consumption is burned from the balance, bought from live asks, and imported.

import MarketModel

extension Exchange {
  mutating func meterReading(_ reading: MeterReading, _ request: Request) {
    if rules >= 8 { return readInterval(reading, request) }
    if let refusal = validate(reading, request) { return reject(refusal, request) }
    let meter = reading.meter.rawValue
    let position = position(ofMeter: meter, at: reading.intervalStart)
    let isFormer = isUnderFormerKey(meter: meter, at: reading.intervalStart)
    invariant(
      reading.registerSequence > lastSequence(meter, isFormer)
        && reading.intervalStart.nanoseconds >= meters[meter].lastEnd,
      "readings follow each other without overlap")
    if isFormer {
      meterChanges[meter].sequenceBefore = reading.registerSequence
    } else {
      meters[meter].lastSequence = reading.registerSequence
    }
    meters[meter].lastEnd = reading.intervalEnd.nanoseconds
    if rules >= 5 { spendPower(reading) }
    let tariff = tariff(UInt32(balances.positions[position].area), at: progress.now)
    settle(reading, position, tariff, counts: true, request)
  }

  /// Settles the interval of a reading: mints, trades, burns and reports.
  /// - Parameter counts: Whether its production counts.
  /// - Returns: What was exported and imported, Wh, and whether own production was used first.
  @inline(__always) @discardableResult mutating func settle(
    _ reading: MeterReading, _ position: UInt32, _ tariff: Tariff, counts: Bool,
    _ request: Request
  ) -> (exported: Int64, imported: Int64, usesOwn: Bool) {
    var result = Metered(
      reading: reading, session: request.session, clientSequence: request.clientSequence,
      account: AccountId(balances.positions[position].account),
      area: AreaId(balances.positions[position].area),
      lost: .zero, exported: .zero, exportRevenue: .zero, burned: .zero, imported: .zero,
      importCost: .zero, usesOwn: usesOwn(reading, UInt32(balances.positions[position].area)),
      countsProduction: counts)
    let own = result.own.wattHours
    if own > 0 { useOwn(own, UInt32(result.area.rawValue)) }
    let (produced, consumed) = (result.minted.wattHours - own, reading.consumed.wattHours - own)
    if produced > 0 { mint(produced, reading.meter.rawValue, position, tariff, &result) }
    if consumed > 0 { burn(consumed, position, tariff, &result) }
    emit(.metered(result))
    drain()
    return (result.exported.wattHours, result.imported.wattHours, result.usesOwn)
  }

  // MARK: Own use

  /// Whether a reading uses its own production first.
  private func usesOwn(_ reading: MeterReading, _ area: UInt32) -> Bool {
    rules >= 6
      && reading.intervalEnd.nanoseconds &- reading.intervalStart.nanoseconds
        <= areaUses[area].longestInterval
  }

  /// Mints and burns what a reading produced and used itself.
  private func useOwn(_ own: Int64, _ area: UInt32) {
    products.areas[area].produced += own
    products.areas[area].burned += own
  }

  // MARK: Production

  /// Credits the production less losses and lets the account's orders trade; then sells the energy
  /// above the cap, to live bids where the area has local first, and to the grid.
  private mutating func mint(
    _ produced: Int64, _ meter: UInt32, _ position: UInt32, _ tariff: Tariff,
    _ result: inout Metered
  ) {
    let area = UInt32(balances.positions[position].area)
    let held = balances.positions[position].level
    invariant(held >= 0 && produced > 0, "production is positive and the level at least 0")
    let lost = loss(ofMeter: meter, tariff.lossFactor, produced: produced)
    invariant(lost >= 0 && lost <= produced, "the loss is part of the production")
    result.lost = Energy(wattHours: lost)
    products.areas[area].produced += produced
    products.areas[area].lost += lost
    balances.positions.row(position).move(produced - lost)
    if produced > lost { touchBalance(position) }
    drain()

    let surplus = balances.positions[position].level - balances.positions[position].ceiling
    if surplus <= 0 { return }
    invariant(surplus <= held + produced, "the surplus is at most the energy held")
    if isLocalFirst(area) { sellLocally(surplus, position, tariff, &result) }
    let excess = balances.positions[position].level - balances.positions[position].ceiling
    if excess > 0 {
      export(excess, position, tariff)
      result.exported = Energy(wattHours: excess)
      result.exportRevenue = Money(units: tariff.feedInPrice * excess)
    }
  }

  /// Sells energy above the cap to live bids of other accounts, while the grid does not pay more.
  private mutating func sellLocally(
    _ surplus: Int64, _ position: UInt32, _ tariff: Tariff, _ result: inout Metered
  ) {
    invariant(owned(position, .buy).covered == 0, "above the cap there is no headroom")
    let sold = tradeLocally(position, .sell, upTo: surplus, tariff)
    result.soldLocally = Energy(wattHours: sold.energy)
    result.localRevenue = Money(units: sold.cash)
  }

  /// Sells energy above the cap to the grid.
  mutating func export(_ excess: Int64, _ position: UInt32, _ tariff: Tariff) {
    let area = UInt32(balances.positions[position].area)
    // Fits: checked against the highest reading.
    let revenue = tariff.feedInPrice * excess
    balances.positions.row(position).move(-excess)
    invariant(
      balances.positions[position].level >= balances.positions[position].ceiling,
      "an export leaves the level at the cap or above it")
    payByGrid(revenue, position)
    products.areas[area].exported += excess
    // What is exported was produced, or imported in place of production that a correction took back.
    invariant(
      products.areas[area].exported - products.areas[area].imported
        <= products.areas[area].produced - products.areas[area].lost,
      "exports are at most the production and imports less losses")
    touchBalance(position)
  }

  /// The grid pays `amount` (1e-8) to the account of a position; negative: the account pays.
  @inline(__always) mutating func payByGrid(_ amount: Int64, _ position: UInt32) {
    balances.holdings.row(balances.positions[position].holding).add(amount)
    products.areas[UInt32(balances.positions[position].area)].grid -= amount
    if amount != 0 { paidByGrid(amount, balances.positions[position].holding) }
  }

  // MARK: Consumption

  /// Burns the consumption from the balance; the part that the balance lacks is bought from live asks
  /// where the area has local first, and then from the grid.
  private mutating func burn(
    _ consumed: Int64, _ position: UInt32, _ tariff: Tariff, _ result: inout Metered
  ) {
    let area = UInt32(balances.positions[position].area)
    let burned = min(consumed, balances.positions[position].level)
    balances.positions.row(position).move(-burned)
    invariant(balances.positions[position].level >= 0, "at most the energy held is burned")
    if burned > 0 { touchBalance(position) }
    products.areas[area].burned += burned
    result.burned = Energy(wattHours: burned)
    let lack = consumed - burned
    if lack == 0 { return }
    invariant(balances.positions[position].level == 0, "a lack needs an empty balance")
    let bought = isLocalFirst(area) ? buyLocally(lack, position, tariff, &result) : 0
    let rest = lack - bought
    if rest > 0 {
      importEnergy(rest, position, tariff)
      result.imported = Energy(wattHours: rest)
      result.importCost = Money(units: tariff.retailPrice * rest)
    }
    invariant(
      result.boughtLocally.wattHours == bought, "consumption is burned, bought locally or imported")
  }

  /// Buys what the balance lacks from live asks of other accounts, while the grid is not cheaper, and
  /// burns it.
  /// - Returns: What was bought, Wh.
  private mutating func buyLocally(
    _ lack: Int64, _ position: UInt32, _ tariff: Tariff, _ result: inout Metered
  ) -> Int64 {
    // What was burned covers the account's asks no more.
    removeExcessCover(position, .sell)
    let bought = tradeLocally(position, .buy, upTo: lack, tariff)
    products.areas[UInt32(balances.positions[position].area)].burned += bought.energy
    result.localCost = Money(units: bought.cash)
    return bought.energy
  }

  /// Buys from the grid what a reading still lacks.
  mutating func importEnergy(_ imported: Int64, _ position: UInt32, _ tariff: Tariff) {
    let area = UInt32(balances.positions[position].area)
    let cost = tariff.retailPrice * imported  // Fits: checked before.
    payByGrid(-cost, position)
    products.areas[area].imported += imported
    invariant(products.areas[area].imported <= Limit.total, "imports are within their bound")
    if cost != 0 { touchBalance(position) }
  }

  /// Whether readings in the area trade with other accounts before they trade with the grid. The
  /// parameter may have been set before version 6 of the rules.
  private func isLocalFirst(_ area: UInt32) -> Bool { rules >= 6 && areaUses[area].isLocalFirst }

  // MARK: Validation

  private func validate(_ reading: MeterReading, _ request: Request) -> Refusal? {
    // The session is checked first, as for every command. Its role depends on the owner of the
    // meter.
    if let refusal = permission(request, .all) { return refusal }
    let number = reading.meter.rawValue
    guard number >= 1, number <= capacity.meters, isRegistered(meter: number) else {
      return Refusal(.unknownMeter, capacity.meters)
    }
    let position = position(ofMeter: number, at: reading.intervalStart)
    if position == 0 { return Refusal(.unknownMeter, capacity.meters) }
    let mayTrade = rules < 4 || mayTradersRead(meter: number, at: reading.intervalStart)
    if let refusal = validateSender(position, request, mayTrade: mayTrade) { return refusal }
    // The present account of a meter is open.
    if position != meters[number].position,
      let refusal = validateOpen(AccountId(balances.positions[position].account))
    {
      return refusal
    }
    let last = lastSequence(number, isUnderFormerKey(meter: number, at: reading.intervalStart))
    if reading.registerSequence <= last { return Refusal(.readingReplayed, last) }
    if reading.intervalEnd <= reading.intervalStart { return Refusal(.badInterval) }
    // An interval across a change is one account's before it and another one's after it.
    let from = meterChanges[number].from
    if reading.intervalStart.nanoseconds < from, reading.intervalEnd.nanoseconds > from,
      position != meters[number].position
    {
      return Refusal(.badInterval, from)
    }
    if reading.intervalStart.nanoseconds < meters[number].lastEnd {
      return Refusal(.overlappingInterval, meters[number].lastEnd)
    }
    if rules >= 3, let refusal = validateLength(reading) ?? validateEnd(reading) { return refusal }
    if let refusal = validateAmounts(reading) { return refusal }
    if rules >= 3, let refusal = validatePower(reading) { return refusal }
    let area = UInt32(balances.positions[position].area)
    return validateTotals(
      position, tariff(area, at: progress.now), reading.produced.wattHours,
      reading.consumed.wattHours)
  }

  /// Refuses negative energy, and more than any meter can mean.
  @inline(__always) func validateAmounts(_ reading: MeterReading) -> Refusal? {
    let (produced, consumed) = (reading.produced.wattHours, reading.consumed.wattHours)
    if produced < 0 || consumed < 0 { return Refusal(.negativeReading) }
    return produced > Limit.reading || consumed > Limit.reading
      ? Refusal(.readingTooLarge, Limit.reading) : nil
  }

  /// The register sequence of the last reading under the present or the former key.
  @inline(__always) private func lastSequence(_ meter: UInt32, _ isFormer: Bool) -> UInt64 {
    isFormer ? meterChanges[meter].sequenceBefore : meters[meter].lastSequence
  }

  /// Refuses an interval that is too long. It ends after its start.
  @inline(__always) func validateLength(_ reading: MeterReading) -> Refusal? {
    let (start, end) = (reading.intervalStart.nanoseconds, reading.intervalEnd.nanoseconds)
    invariant(end > start, "an interval has a length")
    return end &- start > Limit.readingSpan ? Refusal(.intervalTooLong, Limit.readingSpan) : nil
  }

  /// Refuses an interval that ends too far ahead of the command's time.
  @inline(__always) func validateEnd(_ reading: MeterReading) -> Refusal? {
    let (sum, isBeyond) = progress.now.addingReportingOverflow(Limit.readingAhead)
    let latest = isBeyond ? UInt64.max : sum
    return reading.intervalEnd.nanoseconds > latest ? Refusal(.intervalInFuture, latest) : nil
  }

  /// Refuses a session that may not send readings for a position.
  /// - Parameter mayTrade: Whether the trading role of the account's participant suffices.
  @inline(__always) func validateSender(
    _ position: UInt32, _ request: Request, mayTrade: Bool
  ) -> Refusal? {
    if let refusal = permission(request, [.metering, .trading]) {
      return refusal.code == .notPermitted
        ? Refusal(.notPermitted, UInt32(Roles.metering.rawValue)) : refusal
    }
    if request.isExchange { return nil }
    let session = request.session.rawValue
    if reference.sessions[session].roles & Roles.metering.rawValue != 0 { return nil }
    return mayTrade && owns(request, AccountId(balances.positions[position].account))
      ? nil : Refusal(.notPermitted, UInt32(Roles.metering.rawValue))
  }

  /// Refuses when a sum that the reading changes could leave its range.
  @inline(__always) func validateTotals(
    _ position: UInt32, _ tariff: Tariff, _ produced: Int64, _ consumed: Int64
  ) -> Refusal? {
    let refusal = Refusal(.balanceLimit, Limit.total)
    let area = UInt32(balances.positions[position].area)
    // Upper bound of the export: production and the whole balance.
    let held = balances.positions[position].level
    invariant(held >= 0, "the level is at least 0")
    if products.areas[area].produced + produced > Limit.total { return refusal }
    if products.areas[area].imported + consumed > Limit.total { return refusal }
    return validateGrid(area, tariff, sold: (produced + held, 0), bought: (consumed, 0))
  }

  /// Refuses when the cash that the grid pays or is paid could leave its bounds.
  /// - Parameters:
  ///   - sold: The most that the account sells to the grid and takes back from it, Wh.
  ///   - bought: The most that it buys from the grid and gives back, Wh.
  @inline(__always) func validateGrid(
    _ area: UInt32, _ tariff: Tariff, sold: (Int64, Int64), bought: (Int64, Int64)
  ) -> Refusal? {
    let refusal = Refusal(.balanceLimit, Limit.total)
    guard let exports = gridCash(tariff.feedInPrice, sold),
      let imports = gridCash(-tariff.retailPrice, bought)
    else { return refusal }
    let earned = exports.earned + imports.earned
    let charged = exports.charged + imports.charged
    if products.areas[area].grid - earned < -Limit.total
      || products.areas[area].grid + charged > Limit.total
    {
      return refusal
    }
    return validateCirculation(products.areas[area].currency, revenue: earned, cost: charged)
  }

  /// What an account earns and what it is charged for energy at a price and for taking energy back at
  /// it, 1e-8; each within 2^61, since only one of both is above zero.
  /// - Returns: `nil` when a product leaves `Limit.total`.
  @inline(__always) private func gridCash(
    _ price: Int64, _ energy: (Int64, Int64)
  ) -> (earned: Int64, charged: Int64)? {
    // At a price below zero the account pays for its export or is paid for its import.
    let (sold, isTooMuch) = price.multipliedReportingOverflow(by: energy.0)
    let (back, isTooDear) = price.multipliedReportingOverflow(by: energy.1)
    if isTooMuch || isTooDear || max(sold.magnitude, back.magnitude) > UInt64(Limit.total) {
      return nil
    }
    return (max(sold, 0) + max(-back, 0), max(-sold, 0) + max(back, 0))
  }
}
