// Later versions of settled intervals (section 7, "Late readings and versions"). What the version changes is
// settled at the interval's prices, forward or backward:
//
//     1. back through the grid    less production ─▶ exports back     less consumption ─▶ imports back
//     2. what remains to give     credited; above the cap at most what was given is exported
//     3. what remains to take     from the balance; what it lacks is imported

import MarketModel

/// What a later version of an interval changes, Wh.
struct Correction {
  /// Counted production, consumption and what is lost, less those of the version before.
  var produced, consumed, lost: Int64
  /// The rest of the meter's losses after it, 1e-6 Wh.
  var rest: Int64
  var exportsBack: Int64 = 0
  var importsBack: Int64 = 0
  /// What remains to give and to take.
  var given: Int64 = 0
  var taken: Int64 = 0
}

extension Exchange {
  /// What the version, with its counted production, changes against the one before.
  func correction(
    _ version: MeterReading, _ tariff: Tariff, _ kept: KeptReading
  ) -> Correction {
    let (produced, consumed) = (version.produced.wattHours, version.consumed.wattHours)
    let ownBefore = kept.usesOwn ? min(kept.produced, kept.consumed) : 0
    let own = kept.usesOwn ? min(produced, consumed) : 0
    // All are at most 2^48 Wh.
    let (stored, used) = (produced - own, consumed - own)
    let (moreStored, moreUsed) = (
      stored - (kept.produced - ownBefore), used - (kept.consumed - ownBefore)
    )
    let loss = lossDifference(
      ofMeter: version.meter.rawValue, tariff.lossFactor, produced: moreStored)
    var change = Correction(
      produced: produced - kept.produced, consumed: consumed - kept.consumed, lost: loss.lost,
      rest: loss.rest)
    let credited = moreStored - loss.lost
    // What the interval sold beyond its production, more consumption takes back first; what it bought
    // beyond its consumption, more production gives back first.
    let less = min(kept.exported, max(0, -credited))
    let beyondSold = min(max(0, kept.exported - less - stored), max(0, moreUsed))
    let fewer = min(kept.imported, max(0, -moreUsed))
    let beyondBought = min(max(0, kept.imported - fewer - used), max(0, credited))
    change.exportsBack = less + beyondSold
    change.importsBack = fewer + beyondBought
    change.given = max(0, credited) + max(0, -moreUsed) - change.importsBack
    change.taken = max(0, -credited) + max(0, moreUsed) - change.exportsBack
    invariant(change.given >= 0 && change.taken >= 0, "the grid takes back at most what changes")
    return change
  }

  /// Refuses a version that is beyond the rated power, or when a sum that it changes could leave its
  /// range.
  @inline(never) func validateVersion(
    _ version: MeterReading, _ found: ReadingCase, _ kept: KeptReading, isReleased: Bool
  ) -> Refusal? {
    if !isReleased, let refusal = validatePower(version, after: kept) { return refusal }
    let area = UInt32(balances.positions[found.position].area)
    let change = correction(version, found.tariff, kept)
    if products.areas[area].produced + max(0, change.produced) > Limit.total
      || products.areas[area].imported + change.taken > Limit.total
    {
      return Refusal(.balanceLimit, Limit.total)
    }
    return validateGrid(
      area, found.tariff, sold: (change.given, change.exportsBack),
      bought: (change.taken, change.importsBack))
  }

  /// Settles a valid later version and keeps it.
  @inline(never) mutating func correct(
    _ reading: MeterReading, _ found: ReadingCase, _ place: RowPlace, _ request: Request
  ) {
    var kept = keptReadings.rows[place]
    let (position, tariff, version) = (found.position, found.tariff, found.counted(reading))
    let area = UInt32(balances.positions[position].area)
    let change = correction(version, tariff, kept)
    var result = Corrected(
      reading: reading, session: request.session, clientSequence: request.clientSequence,
      account: AccountId(balances.positions[position].account), area: AreaId(UInt16(area)),
      previous: (
        kept.sequence, Energy(wattHours: kept.produced), Energy(wattHours: kept.consumed)
      ),
      usesOwn: kept.usesOwn, countsProduction: found.counts,
      lost: Energy(wattHours: change.lost),
      prices: (Price(ticks: tariff.feedInPrice), Price(ticks: tariff.retailPrice)))
    lossRests[reading.meter.rawValue] = change.rest
    products.areas[area].produced += change.produced
    products.areas[area].lost += change.lost
    // What is consumed is burned or imported.
    products.areas[area].burned += change.consumed + change.importsBack

    takeBack(change, position, tariff)
    let exported = give(change.given, position, tariff)
    let imported = take(change.taken, position, tariff)
    products.areas[area].burned -= imported
    result.exportsBack = Energy(wattHours: change.exportsBack)
    result.importsBack = Energy(wattHours: change.importsBack)
    result.exported = Energy(wattHours: exported)
    result.imported = Energy(wattHours: imported)
    kept.sequence = reading.registerSequence
    kept.produced = version.produced.wattHours
    kept.consumed = version.consumed.wattHours
    kept.exported += exported - change.exportsBack
    kept.imported += imported - change.importsBack
    kept.quality = reading.quality
    keptReadings.rows[place] = kept
    emit(.metering(.corrected(result)))
    drain()
  }

  /// What the interval sold and bought goes back at its prices.
  private mutating func takeBack(_ change: Correction, _ position: UInt32, _ tariff: Tariff) {
    if change.exportsBack | change.importsBack == 0 { return }
    let area = UInt32(balances.positions[position].area)
    products.areas[area].exported -= change.exportsBack
    products.areas[area].imported -= change.importsBack
    // Fits: checked before, each product and the sum of those of one sign.
    let paid =
      tariff.retailPrice * change.importsBack - tariff.feedInPrice * change.exportsBack
    payByGrid(paid, position)
    touchBalance(position)
  }

  /// Credits energy; what is above the cap then is exported, at most what was given.
  /// - Returns: What was exported, Wh.
  private mutating func give(_ given: Int64, _ position: UInt32, _ tariff: Tariff) -> Int64 {
    if given == 0 { return 0 }
    balances.positions.row(position).move(given)
    touchBalance(position)
    drain()
    let surplus = balances.positions[position].level - balances.positions[position].ceiling
    let exported = min(given, max(0, surplus))
    if exported > 0 { export(exported, position, tariff) }
    return exported
  }

  /// Takes energy from the balance, and what it lacks from the grid.
  /// - Returns: What was imported, Wh.
  private mutating func take(_ taken: Int64, _ position: UInt32, _ tariff: Tariff) -> Int64 {
    if taken == 0 { return 0 }
    let held = min(taken, balances.positions[position].level)
    balances.positions.row(position).move(-held)
    if held > 0 { touchBalance(position) }
    if held < taken { importEnergy(taken - held, position, tariff) }
    return taken - held
  }
}
