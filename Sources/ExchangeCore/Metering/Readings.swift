// Meter readings (section 7). A reading uses its own production first. The rest of the production is
// minted, offered to the market, and above the cap sold to live bids and exported; the rest of the
// consumption is burned from the balance, bought from live asks, and imported.

import MarketModel

extension Exchange {
  mutating func meterReading(_ reading: MeterReading, _ request: Request) {
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
    var result = Metered(
      reading: reading, session: request.session, clientSequence: request.clientSequence,
      account: AccountId(balances.positions[position].account),
      area: AreaId(balances.positions[position].area),
      lost: .zero, exported: .zero, exportRevenue: .zero, burned: .zero, imported: .zero,
      importCost: .zero, usesOwn: usesOwn(reading, UInt32(balances.positions[position].area)))
    let own = result.own.wattHours
    if own > 0 { useOwn(own, UInt32(result.area.rawValue)) }
    let (produced, consumed) = (reading.produced.wattHours - own, reading.consumed.wattHours - own)
    if produced > 0 { mint(produced, meter, position, &result) }
    if consumed > 0 { burn(consumed, position, &result) }
    emit(.metered(result))
    drain()
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
    _ produced: Int64, _ meter: UInt32, _ position: UInt32, _ result: inout Metered
  ) {
    let area = UInt32(balances.positions[position].area)
    let held = balances.positions[position].level
    invariant(held >= 0 && produced > 0, "production is positive and the level at least 0")
    let lost = loss(ofMeter: meter, area, produced: produced)
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
    if isLocalFirst(area) { sellLocally(surplus, position, &result) }
    let excess = balances.positions[position].level - balances.positions[position].ceiling
    if excess > 0 { export(excess, position, &result) }
  }

  /// Sells energy above the cap to live bids of other accounts, while the grid does not pay more.
  private mutating func sellLocally(
    _ surplus: Int64, _ position: UInt32, _ result: inout Metered
  ) {
    invariant(owned(position, .buy).covered == 0, "above the cap there is no headroom")
    let sold = tradeLocally(position, .sell, upTo: surplus)
    result.soldLocally = Energy(wattHours: sold.energy)
    result.localRevenue = Money(units: sold.cash)
  }

  /// Sells the energy above the cap to the grid.
  private mutating func export(_ excess: Int64, _ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    // Fits: checked against the highest reading.
    let revenue = products.areas[area].feedInPrice * excess
    balances.positions.row(position).move(-excess)
    invariant(
      balances.positions[position].level == balances.positions[position].ceiling,
      "the export leaves the level at the cap")
    balances.holdings.row(balances.positions[position].holding).add(revenue)
    products.areas[area].grid -= revenue
    if revenue != 0 { paidByGrid(revenue, balances.positions[position].holding) }
    products.areas[area].exported += excess
    invariant(
      products.areas[area].exported <= products.areas[area].produced - products.areas[area].lost,
      "exports are at most the production less losses")
    result.exported = Energy(wattHours: excess)
    result.exportRevenue = Money(units: revenue)
    touchBalance(position)
  }

  // MARK: Consumption

  /// Burns the consumption from the balance; the part that the balance lacks is bought from live asks
  /// where the area has local first, and then from the grid.
  private mutating func burn(_ consumed: Int64, _ position: UInt32, _ result: inout Metered) {
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
    let bought = isLocalFirst(area) ? buyLocally(lack, position, &result) : 0
    if bought < lack { importRest(lack - bought, position, &result) }
    invariant(
      result.boughtLocally.wattHours == bought, "consumption is burned, bought locally or imported")
  }

  /// Buys what the balance lacks from live asks of other accounts, while the grid is not cheaper, and
  /// burns it.
  /// - Returns: What was bought, Wh.
  private mutating func buyLocally(
    _ lack: Int64, _ position: UInt32, _ result: inout Metered
  ) -> Int64 {
    // What was burned covers the account's asks no more.
    removeExcessCover(position, .sell)
    let bought = tradeLocally(position, .buy, upTo: lack)
    products.areas[UInt32(balances.positions[position].area)].burned += bought.energy
    result.localCost = Money(units: bought.cash)
    return bought.energy
  }

  /// Buys from the grid what the reading still lacks.
  private mutating func importRest(_ imported: Int64, _ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    let cost = products.areas[area].retailPrice * imported  // Fits: checked before.
    balances.holdings.row(balances.positions[position].holding).add(-cost)
    products.areas[area].grid += cost
    if cost != 0 { paidByGrid(-cost, balances.positions[position].holding) }
    products.areas[area].imported += imported
    invariant(products.areas[area].imported <= Limit.total, "imports are within their bound")
    result.imported = Energy(wattHours: imported)
    result.importCost = Money(units: cost)
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
    if let refusal = validateSender(number, position, at: reading.intervalStart, request) {
      return refusal
    }
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
    if rules >= 3, let refusal = validateInterval(reading) { return refusal }
    let (produced, consumed) = (reading.produced.wattHours, reading.consumed.wattHours)
    if produced < 0 || consumed < 0 { return Refusal(.negativeReading) }
    if produced > Limit.reading || consumed > Limit.reading {
      return Refusal(.readingTooLarge, Limit.reading)
    }
    if rules >= 3, let refusal = validatePower(reading) { return refusal }
    return validateTotals(
      UInt32(balances.positions[position].area), position, produced, consumed)
  }

  /// The register sequence of the last reading under the present or the former key.
  @inline(__always) private func lastSequence(_ meter: UInt32, _ isFormer: Bool) -> UInt64 {
    isFormer ? meterChanges[meter].sequenceBefore : meters[meter].lastSequence
  }

  /// Refuses an interval that is too long or ends too far ahead of the command's time. The interval
  /// ends after its start.
  private func validateInterval(_ reading: MeterReading) -> Refusal? {
    let (start, end) = (reading.intervalStart.nanoseconds, reading.intervalEnd.nanoseconds)
    invariant(end > start, "an interval has a length")
    if end &- start > Limit.readingSpan { return Refusal(.intervalTooLong, Limit.readingSpan) }
    let (sum, isBeyond) = progress.now.addingReportingOverflow(Limit.readingAhead)
    let latest = isBeyond ? UInt64.max : sum
    return end > latest ? Refusal(.intervalInFuture, latest) : nil
  }

  private func validateSender(
    _ meter: UInt32, _ position: UInt32, at start: Timestamp, _ request: Request
  ) -> Refusal? {
    if let refusal = permission(request, [.metering, .trading]) {
      return refusal.code == .notPermitted
        ? Refusal(.notPermitted, UInt32(Roles.metering.rawValue)) : refusal
    }
    if request.isExchange { return nil }
    let session = request.session.rawValue
    if reference.sessions[session].roles & Roles.metering.rawValue != 0 { return nil }
    let mayTrade = rules < 4 || mayTradersRead(meter: meter, at: start)
    return mayTrade && owns(request, AccountId(balances.positions[position].account))
      ? nil : Refusal(.notPermitted, UInt32(Roles.metering.rawValue))
  }

  /// Refuses when a sum that the reading changes could leave its range.
  private func validateTotals(
    _ area: UInt32, _ position: UInt32, _ produced: Int64, _ consumed: Int64
  ) -> Refusal? {
    let refusal = Refusal(.balanceLimit, Limit.total)
    // Upper bound of the export: production and the whole balance.
    let held = balances.positions[position].level
    invariant(held >= 0, "the level is at least 0")
    let (exported, tooMuch) = products.areas[area].feedInPrice.multipliedReportingOverflow(
      by: produced + held)
    let (imported, tooDear) = products.areas[area].retailPrice.multipliedReportingOverflow(
      by: consumed)
    if tooMuch || tooDear || exported.magnitude > UInt64(Limit.total)
      || imported.magnitude > UInt64(Limit.total)
    {
      return refusal
    }
    // At a price below zero the account pays for its export or is paid for its import.
    let earned = max(exported, 0) + max(-imported, 0)
    let charged = max(-exported, 0) + max(imported, 0)
    if products.areas[area].produced + produced > Limit.total { return refusal }
    if products.areas[area].imported + consumed > Limit.total { return refusal }
    if products.areas[area].grid - earned < -Limit.total
      || products.areas[area].grid + charged > Limit.total
    {
      return refusal
    }
    return validateCirculation(products.areas[area].currency, revenue: earned, cost: charged)
  }
}
