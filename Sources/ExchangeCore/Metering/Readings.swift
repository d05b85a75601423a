// Meter readings (section 7): mint, trade, export, burn, import.

import MarketModel

extension Exchange {
  mutating func meterReading(_ reading: MeterReading, _ request: Request) {
    if let refusal = validate(reading, request) { return reject(refusal, request) }
    let meter = reading.meter.rawValue
    invariant(
      balances.positions[meters[meter].position].account == meters[meter].account,
      "a meter's position is its account's")
    invariant(
      reading.registerSequence > meters[meter].lastSequence
        && reading.intervalStart.nanoseconds >= meters[meter].lastEnd,
      "readings one behind the other")
    meters[meter].lastSequence = reading.registerSequence
    meters[meter].lastEnd = reading.intervalEnd.nanoseconds
    var result = Metered(
      reading: reading, session: request.session, clientSequence: request.clientSequence,
      account: AccountId(meters[meter].account),
      area: AreaId(balances.positions[meters[meter].position].area),
      lost: .zero, exported: .zero, exportRevenue: .zero, burned: .zero, imported: .zero,
      importCost: .zero)
    if reading.produced > .zero { mint(meters[meter].position, &result) }
    if reading.consumed > .zero { burn(meters[meter].position, &result) }
    invariant(
      result.burned.wattHours + result.imported.wattHours == reading.consumed.wattHours,
      "what was consumed was held or imported")
    emit(.metered(result))
    drain()
  }

  /// Credits production; its asks trade with all of it; what is then above the cap is exported.
  private mutating func mint(_ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    let produced = result.reading.produced.wattHours
    let held = balances.positions[position].level
    invariant(held >= 0 && produced > 0, "production adds to what is held")
    guard let lost = Rate(partsPerMillion: products.areas[area].lossFactor).roundedUp(of: produced)
    else {
      preconditionFailure("a loss below the production fits")
    }
    invariant(lost >= 0 && lost <= produced, "a loss is part of what was produced")
    result.lost = Energy(wattHours: lost)
    products.areas[area].produced += produced
    products.areas[area].lost += lost
    balances.positions.row(position).move(produced - lost)
    if produced > lost { touchBalance(position) }
    drain()

    let excess = balances.positions[position].level - balances.positions[position].ceiling
    if excess <= 0 { return }
    invariant(excess <= held + produced, "no more exported than there was")
    // Fits: checked against the highest reading.
    let revenue = products.areas[area].feedInPrice * excess
    balances.positions.row(position).move(-excess)
    invariant(
      balances.positions[position].level == balances.positions[position].ceiling,
      "exported down to the cap")
    balances.holdings.row(balances.positions[position].holding).add(revenue)
    products.areas[area].grid -= revenue
    if revenue != 0 { paidByGrid(revenue, balances.positions[position].holding) }
    products.areas[area].exported += excess
    invariant(
      products.areas[area].exported <= products.areas[area].produced - products.areas[area].lost,
      "no more exported than was produced")
    result.exported = Energy(wattHours: excess)
    result.exportRevenue = Money(units: revenue)
    touchBalance(position)
  }

  /// Burns consumption from the balance; what it lacks is imported.
  private mutating func burn(_ position: UInt32, _ result: inout Metered) {
    let area = UInt32(balances.positions[position].area)
    let consumed = result.reading.consumed.wattHours
    let burned = min(consumed, balances.positions[position].level)
    let imported = consumed - burned
    let cost = products.areas[area].retailPrice * imported  // Fits: checked before.
    balances.positions.row(position).move(-burned)
    invariant(balances.positions[position].level >= 0, "no more burned than held")
    invariant(imported >= 0 && cost >= 0, "imports are paid for")
    balances.holdings.row(balances.positions[position].holding).add(-cost)
    products.areas[area].grid += cost
    if cost != 0 { paidByGrid(-cost, balances.positions[position].holding) }
    products.areas[area].burned += burned
    products.areas[area].imported += imported
    invariant(products.areas[area].imported <= Limit.total, "imports that were checked")
    invariant(
      imported == 0 || balances.positions[position].level == 0, "nobody imports who has energy")
    result.burned = Energy(wattHours: burned)
    result.imported = Energy(wattHours: imported)
    result.importCost = Money(units: cost)
    if burned > 0 || cost > 0 { touchBalance(position) }
  }

  // MARK: Validation

  private func validate(_ reading: MeterReading, _ request: Request) -> Refusal? {
    // The session first, as for every command; its role once the meter tells whose reading it is.
    if let refusal = permission(request, .all) { return refusal }
    let number = reading.meter.rawValue
    guard number >= 1, number <= capacity.meters, meters[number].account != 0 else {
      return Refusal(.unknownMeter, capacity.meters)
    }
    if let refusal = validateSender(number, request) { return refusal }
    if reading.registerSequence <= meters[number].lastSequence {
      return Refusal(.readingReplayed, meters[number].lastSequence)
    }
    if reading.intervalEnd <= reading.intervalStart { return Refusal(.badInterval) }
    if reading.intervalStart.nanoseconds < meters[number].lastEnd {
      return Refusal(.overlappingInterval, meters[number].lastEnd)
    }
    let (produced, consumed) = (reading.produced.wattHours, reading.consumed.wattHours)
    if produced < 0 || consumed < 0 { return Refusal(.negativeReading) }
    if produced > Limit.reading || consumed > Limit.reading {
      return Refusal(.readingTooLarge, Limit.reading)
    }
    return validateTotals(
      UInt32(balances.positions[meters[number].position].area), number, produced, consumed)
  }

  private func validateSender(_ meter: UInt32, _ request: Request) -> Refusal? {
    if let refusal = permission(request, [.metering, .trading]) {
      return refusal.code == .notPermitted
        ? Refusal(.notPermitted, UInt32(Roles.metering.rawValue)) : refusal
    }
    if request.isExchange { return nil }
    let session = request.session.rawValue
    if reference.sessions[session].roles & Roles.metering.rawValue != 0 { return nil }
    return owns(request, AccountId(meters[meter].account))
      ? nil : Refusal(.notPermitted, UInt32(Roles.metering.rawValue))
  }

  /// Whether the sums that a reading could lead to stay in their range.
  private func validateTotals(_ area: UInt32, _ meter: UInt32, _ produced: Int64, _ consumed: Int64)
    -> Refusal?
  {
    let refusal = Refusal(.balanceLimit, Limit.total)
    // The whole balance could be above the cap and exported.
    let held = balances.positions[meters[meter].position].level
    invariant(held >= 0, "nobody holds less than nothing")
    let (revenue, tooMuch) = products.areas[area].feedInPrice.multipliedReportingOverflow(
      by: produced + held)
    let (cost, tooDear) = products.areas[area].retailPrice.multipliedReportingOverflow(by: consumed)
    if tooMuch || tooDear || revenue > Limit.total || cost > Limit.total { return refusal }
    if products.areas[area].produced + produced > Limit.total { return refusal }
    if products.areas[area].imported + consumed > Limit.total { return refusal }
    if products.areas[area].grid - revenue < -Limit.total
      || products.areas[area].grid + cost > Limit.total
    {
      return refusal
    }
    return validateCirculation(products.areas[area].currency, revenue: revenue, cost: cost)
  }
}
