// Readings since version 8 of the rules (section 7, "Late readings and versions"). A reading of an interval
// that is not kept is settled, whenever it comes; one of exactly a kept interval is its next version.
//
//     start >= end of the meter's last ─▶ settle, append
//     earlier ─▶ overlaps nothing ─────▶ settle, insert
//             ├▶ exactly a kept one ───▶ correct (Corrections.swift)
//             └▶ overlaps ─────────────▶ 7006

import MarketModel

/// What a valid reading is, and how it is settled.
struct ReadingCase {
  /// The position of its interval.
  var position: UInt32 = 0
  /// The tariff of its interval.
  var tariff = Tariff(from: 0, feedInPrice: 0, retailPrice: 0, lossFactor: 0)
  /// Whether its production counts.
  var counts = true
  /// Whether its interval begins at the exchange's time or later.
  var isAhead = false
  /// Whether its interval begins at or after the end of the meter's last one.
  var isLast = true
  /// The version before; `nil`: the interval is a new one.
  var kept: RowPlace?

  /// The reading with its counted production.
  @inline(__always) func counted(_ reading: MeterReading) -> MeterReading {
    if counts { return reading }
    var counted = reading
    counted.produced = .zero
    return counted
  }
}

extension Exchange {
  mutating func readInterval(_ reading: MeterReading, _ request: Request) {
    var found = ReadingCase()
    if let refusal = validateReader(reading, request, &found)
      ?? validate(reading, &found, isReleased: false)
    {
      reject(refusal, request)
      return quarantine(reading, refusal.code, request)
    }
    if let place = found.kept {
      let kept = keptReadings.rows[place]
      spendPower(found.counted(reading), after: kept)
      return correct(reading, found, place, request)
    }
    spendPower(found.counted(reading))
    settleNew(reading, found, request)
  }

  /// Settles a new interval and keeps it.
  @inline(__always) mutating func settleNew(
    _ reading: MeterReading, _ found: ReadingCase, _ request: Request
  ) {
    let meter = reading.meter.rawValue
    makeRoomForReading(meter, UInt32(balances.positions[found.position].area))
    let end = reading.intervalEnd.nanoseconds
    if end > meters[meter].lastEnd { meters[meter].lastEnd = end }
    let done = settle(
      reading, found.position, found.tariff, counts: found.counts, request)
    let kept = KeptReading(
      reading, minted: found.counts ? reading.produced.wattHours : 0, exported: done.exported,
      imported: done.imported, usesOwn: done.usesOwn, isAhead: found.isAhead)
    if found.isLast {
      keptReadings.rows.append(kept, to: meter)
    } else {
      keptReadings.rows.insert(kept, into: meter)
    }
  }

  // MARK: Validation

  /// Checks the meter, its holder and the sender.
  @inline(__always) private func validateReader(
    _ reading: MeterReading, _ request: Request, _ found: inout ReadingCase
  ) -> Refusal? {
    // The session is checked first, as for every command. Its role depends on the owner of the
    // meter.
    if let refusal = permission(request, .all) { return refusal }
    let number = reading.meter.rawValue
    guard number >= 1, number <= capacity.meters, isRegistered(meter: number) else {
      return Refusal(.unknownMeter, capacity.meters)
    }
    let holder = holder(ofMeter: number, at: reading.intervalStart.nanoseconds)
    if holder.position == 0 { return Refusal(.unknownMeter, capacity.meters) }
    return validateSender(holder.position, request, mayTrade: holder.ownReadings)
  }

  /// Checks everything but the sender, and says what the reading is.
  /// - Parameter isReleased: Whether the operator releases it from quarantine: rated power and the
  ///   highest register sequence are not checked.
  /// - Precondition: The number of the meter is one of a registered meter.
  @inline(__always) func validate(
    _ reading: MeterReading, _ found: inout ReadingCase, isReleased: Bool
  ) -> Refusal? {
    let number = reading.meter.rawValue
    let (start, end) = (reading.intervalStart.nanoseconds, reading.intervalEnd.nanoseconds)
    let holder = holder(ofMeter: number, at: start)
    found.position = holder.position
    if holder.position == 0 { return Refusal(.unknownMeter, capacity.meters) }
    // The present account of a meter is open.
    if holder.until != .max,
      let refusal = validateOpen(AccountId(balances.positions[holder.position].account))
    {
      return refusal
    }
    if end <= start { return Refusal(.badInterval) }
    if end > holder.until, let refusal = validateUndivided(number, holder, until: end) {
      return refusal
    }
    if let refusal = validateLength(reading) ?? validateAmounts(reading) { return refusal }
    let area = UInt32(balances.positions[holder.position].area)
    if start < earliestStart(area) { return Refusal(.readingTooLate, earliestStart(area)) }
    if reading.registerSequence > Limit.registerSequence, !isReleased {
      return Refusal(.registerSequenceTooHigh, Limit.registerSequence)
    }
    if let refusal = validateEnd(reading) { return refusal }
    found.counts =
      reading.quality.rawValue <= UInt8(truncatingIfNeeded: tariffs[area].mintedQuality)
      || reading.produced == .zero
    found.isAhead = start >= progress.now
    let isUsual =
      start >= meters[number].lastEnd && start >= tariffs[area].newest && !found.isAhead
      && !keptReadings.rows.isFull
    if !isUsual, let refusal = validatePlace(reading, area, &found) { return refusal }
    found.tariff = tariff(area, at: pricedAt(start, end, isAhead: found.isAhead))
    if let place = found.kept {
      return validateVersion(
        found.counted(reading), found, keptReadings.rows[place], isReleased: isReleased)
    }
    if !isReleased, let refusal = validatePower(found.counted(reading)) { return refusal }
    return validateTotals(
      found.position, found.tariff, found.counts ? reading.produced.wattHours : 0,
      reading.consumed.wattHours)
  }

  /// The moment whose tariff an interval has: its start; where it began at the exchange's time or later
  /// when it was read, one before that time, after which no tariff changed.
  @inline(__always) func pricedAt(_ start: UInt64, _ end: UInt64, isAhead: Bool) -> UInt64 {
    isAhead ? momentBeforeReading(end) : start
  }

  private func momentBeforeReading(_ end: UInt64) -> UInt64 {
    // The interval ended at most this long after the exchange's time.
    end > Limit.readingAhead ? end &- Limit.readingAhead &- 1 : 0
  }

  /// Finds an interval among those that are kept: whether it is a later version, and otherwise whether
  /// it overlaps none and has room.
  @inline(never) private func validatePlace(
    _ reading: MeterReading, _ area: UInt32, _ found: inout ReadingCase
  ) -> Refusal? {
    let number = reading.meter.rawValue
    let (start, end) = (reading.intervalStart.nanoseconds, reading.intervalEnd.nanoseconds)
    let bound = keptReadings.bounds[number]
    if start < bound.tooLate { return Refusal(.readingTooLate, bound.tooLate) }
    let oldest = tariffs.oldest(area)
    let moment = pricedAt(start, end, isAhead: found.isAhead)
    if moment < oldest, !found.isAhead { return Refusal(.readingTooLate, oldest) }
    if start < bound.settled { return Refusal(.overlappingInterval, bound.settled) }
    found.isLast = start >= meters[number].lastEnd
    if !found.isLast {
      if let refusal = validateOverlap(reading, start, end, &found) { return refusal }
      if let place = found.kept {
        found.isAhead = keptReadings.rows[place].isAhead
        return nil
      }
    }
    return keptReadings.rows.isFull ? validateRoom(number, start) : nil
  }

  /// Compares an interval with the kept ones around it.
  private func validateOverlap(
    _ reading: MeterReading, _ start: UInt64, _ end: UInt64, _ found: inout ReadingCase
  ) -> Refusal? {
    let number = reading.meter.rawValue
    let before = keptReadings.rows.last(atMost: start, in: number)
    if let before {
      let kept = keptReadings.rows[before]
      if kept.start == start, kept.end == end {
        found.kept = before
        return reading.registerSequence > kept.sequence
          ? nil : Refusal(.readingReplayed, kept.sequence)
      }
      if kept.end > start { return Refusal(.overlappingInterval, kept.end) }
    }
    let next =
      before.map { keptReadings.rows.place(after: $0) } ?? keptReadings.rows.first(in: number)
    if let next, keptReadings.rows[next].start < end {
      return Refusal(.overlappingInterval, keptReadings.rows[next].end)
    }
    // It may begin before the end of the last without rows there: former accounts that went.
    found.isLast = next == nil
    return nil
  }

  /// Refuses a new interval when the table is full and the meter has no older one that gives way.
  private func validateRoom(_ meter: UInt32, _ start: UInt64) -> Refusal? {
    guard let oldest = keptReadings.rows.first(in: meter) else {
      return Refusal(.capacityExhausted, capacity.readings)
    }
    let end = keptReadings.rows[oldest].end
    return start < end ? Refusal(.readingTooLate, end) : nil
  }
}
