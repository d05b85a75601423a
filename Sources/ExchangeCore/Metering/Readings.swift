// Meter readings (section 7). Production is minted, offered to the market and exported above the
// cap; consumption is burned from the balance, and the rest is imported.

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
      importCost: .zero)
    if reading.produced > .zero { mint(position, &result) }
    if reading.consumed > .zero { burn(position, &result) }
    invariant(
      result.burned.wattHours + result.imported.wattHours == reading.consumed.wattHours,
      "consumption is burned or imported")
    emit(.metered(result))
    drain()
  }

  /// Credits the production less losses and lets the account's orders trade; then exports the
  /// energy above the cap.
  private mutating func mint(_ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    let produced = result.reading.produced.wattHours
    let held = balances.positions[position].level
    invariant(held >= 0 && produced > 0, "production is positive and the level at least 0")
    guard let lost = Rate(partsPerMillion: products.areas[area].lossFactor).roundedUp(of: produced)
    else {
      preconditionFailure("a loss below the production fits")
    }
    invariant(lost >= 0 && lost <= produced, "the loss is part of the production")
    result.lost = Energy(wattHours: lost)
    products.areas[area].produced += produced
    products.areas[area].lost += lost
    balances.positions.row(position).move(produced - lost)
    if produced > lost { touchBalance(position) }
    drain()

    let excess = balances.positions[position].level - balances.positions[position].ceiling
    if excess <= 0 { return }
    invariant(excess <= held + produced, "the export is at most the energy held")
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

  /// Burns the consumption from the balance; imports the part that the balance lacks.
  private mutating func burn(_ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    let consumed = result.reading.consumed.wattHours
    let burned = min(consumed, balances.positions[position].level)
    let imported = consumed - burned
    let cost = products.areas[area].retailPrice * imported  // Fits: checked before.
    balances.positions.row(position).move(-burned)
    invariant(balances.positions[position].level >= 0, "at most the energy held is burned")
    invariant(imported >= 0, "the import is at least 0")
    balances.holdings.row(balances.positions[position].holding).add(-cost)
    products.areas[area].grid += cost
    if cost != 0 { paidByGrid(-cost, balances.positions[position].holding) }
    products.areas[area].burned += burned
    products.areas[area].imported += imported
    invariant(products.areas[area].imported <= Limit.total, "imports are within their bound")
    invariant(
      imported == 0 || balances.positions[position].level == 0, "an import needs an empty balance")
    result.burned = Energy(wattHours: burned)
    result.imported = Energy(wattHours: imported)
    result.importCost = Money(units: cost)
    if burned > 0 || cost != 0 { touchBalance(position) }
  }

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
