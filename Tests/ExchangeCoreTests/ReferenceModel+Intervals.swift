// Section 7 since version 8: "Late readings and versions", "Prices by interval", "Quarantine".

import ExchangeCore
import MarketModel

// MARK: - Prices by interval

extension ReferenceModel {
  /// The earliest start of an interval that can be read now.
  func earliestStart(_ area: AreaId) -> UInt64 {
    let window = (areas[area]?.readingWindow ?? 3_888_000) * 1_000_000_000
    return now.nanoseconds > window ? now.nanoseconds - window : 0
  }

  /// Since when a change that takes effect now holds.
  func moment(of change: SetParameter) -> UInt64 {
    change.from.nanoseconds == 0 || change.from == .never
      ? now.nanoseconds : change.from.nanoseconds
  }

  func requireTariffRoom(_ area: AreaId, from: UInt64) throws(Refusal) {
    guard rules >= 8, let rows = areas[area]?.tariffs, rows.last?.from != from else { return }
    let isFull = rows.count == Int(capacity.tariffHistory)
    try require(
      !isFull || rows[1].from <= earliestStart(area), .capacityExhausted,
      Int64(capacity.tariffHistory))
  }

  mutating func noteTariff(_ id: AreaId, from: UInt64) {
    guard rules >= 8, var area = areas[id] else { return }
    if area.tariffs.last?.from == from { area.tariffs.removeLast() }
    area.tariffs.append(ModelTariff(from: from, area.definition))
    if area.tariffs.count > Int(capacity.tariffHistory) { area.tariffs.removeFirst() }
    areas[id] = area
  }

  private func tariff(_ area: AreaId, at moment: UInt64) -> ModelTariff? {
    let rows = areas[area]?.tariffs ?? []
    return rows.last { $0.from <= moment } ?? rows.first
  }

  /// The moment whose tariff an interval has.
  private func pricedAt(_ reading: MeterReading, isAhead: Bool) -> UInt64 {
    let end = reading.intervalEnd.nanoseconds
    if !isAhead { return reading.intervalStart.nanoseconds }
    return end > 60_000_000_000 ? end - 60_000_000_001 : 0
  }
}

// MARK: - Late readings and versions

/// What a valid reading is.
private struct ModelCase {
  let key: PositionKey
  let tariff: ModelTariff
  var counted: MeterReading
  let isAhead: Bool
  /// Index of the version before among the meter's kept intervals.
  let kept: Int?
}

extension ModelMeter {
  /// What holds for intervals that begin at `start`, and until when.
  func holder(at start: UInt64) -> (held: RegisterMeter?, until: UInt64) {
    if start >= from.nanoseconds {
      return (definition.account == .null ? nil : definition, .max)
    }
    var found: (held: RegisterMeter?, until: UInt64) = (before, from.nanoseconds)
    for former in formers where start < former.until { found = (former.held, former.until) }
    return found.held?.account == .null ? (nil, found.until) : found
  }
}

extension ReferenceModel {
  private var keptReadings: Int { meters.values.reduce(0) { $0 + $1.kept.count } }

  mutating func readInterval(_ reading: MeterReading, _ command: Command) throws(Refusal) {
    guard let meter = meters[reading.meter],
      let held = meter.holder(at: reading.intervalStart.nanoseconds).held
    else { throw Refusal(.unknownMeter, limit: Int64(capacity.meters)) }
    if command.session != .exchange, let session = sessions[command.session] {
      let isOwn = accounts[held.account]?.participant == session.participant
      try require(
        session.roles.contains(.metering)
          || (session.roles.contains(.trading) && isOwn && held.ownReadings),
        .notPermitted, Int64(Roles.metering.rawValue))
    }
    let found = try validate(reading, isReleased: false)
    if let index = found.kept {
      takePower(found.counted, raising: meter.kept[index])
    } else {
      takePower(found.counted)
    }
    apply(reading, found, command.session, command.clientSequence)
  }

  private func validate(
    _ reading: MeterReading, isReleased: Bool
  ) throws(Refusal) -> ModelCase {
    let (start, end) = (reading.intervalStart.nanoseconds, reading.intervalEnd.nanoseconds)
    guard let meter = meters[reading.meter], let held = meter.holder(at: start).held,
      let area = areas[held.area]
    else { throw Refusal(.unknownMeter, limit: Int64(capacity.meters)) }
    try requireOpen(held.account)
    try require(end > start, .badInterval)
    let changes = (meter.formers.map(\.until) + [meter.from.nanoseconds]).sorted()
    for change in changes where start < change && change < end {
      let next = meter.holder(at: change).held
      try require(
        next?.account == held.account && next?.area == held.area, .badInterval,
        Int64(bitPattern: change))
    }
    try requireLength(reading)
    try requireAmounts(reading)
    let earliest = earliestStart(held.area)
    try require(start >= earliest, .readingTooLate, Int64(bitPattern: earliest))
    try require(
      isReleased || reading.registerSequence <= 1 << 62, .registerSequenceTooHigh, 1 << 62)
    try requireEnd(reading)
    try require(start >= meter.tooLate, .readingTooLate, Int64(bitPattern: meter.tooLate))
    var isAhead = start >= now.nanoseconds
    if let oldest = area.tariffs.first?.from, !isAhead {
      try require(start >= oldest, .readingTooLate, Int64(bitPattern: oldest))
    }
    try require(start >= meter.settled, .overlappingInterval, Int64(bitPattern: meter.settled))
    var index: Int?
    if let other = meter.kept.firstIndex(where: { $0.start < end && start < $0.end }) {
      let kept = meter.kept[other]
      try require(
        kept.start == start && kept.end == end, .overlappingInterval, Int64(bitPattern: kept.end))
      let sequence = kept.reading.registerSequence
      try require(
        reading.registerSequence > sequence, .readingReplayed, Int64(bitPattern: sequence))
      (index, isAhead) = (other, kept.isAhead)
    } else if keptReadings >= Int(capacity.readings) {
      guard let first = meter.kept.first else {
        throw Refusal(.capacityExhausted, limit: Int64(capacity.readings))
      }
      try require(start >= first.end, .readingTooLate, Int64(bitPattern: first.end))
    }
    var counted = reading
    if Int64(reading.quality.rawValue) > area.mintedQuality { counted.produced = .zero }
    guard
      let tariff = tariff(held.area, at: pricedAt(reading, isAhead: isAhead))
    else { throw Refusal(.unknownArea) }
    let key = PositionKey(account: held.account, area: held.area)
    let found = ModelCase(
      key: key, tariff: tariff, counted: counted, isAhead: isAhead, kept: index)
    if let index {
      if !isReleased { try requirePower(counted, meter, raising: meter.kept[index]) }
      try requireLimits(found, meter.kept[index])
    } else {
      if !isReleased { try requirePower(counted, meter) }
      try requireLimits(key, tariff, counted.produced.wattHours, reading.consumed.wattHours)
    }
    return found
  }

  private mutating func apply(
    _ reading: MeterReading, _ found: ModelCase, _ session: SessionId, _ clientSequence: UInt64
  ) {
    if let index = found.kept {
      return correct(reading, found, index, session, clientSequence)
    }
    makeRoom(reading.meter, found.key.area)
    let last = meters[reading.meter]?.lastEnd ?? reading.intervalEnd
    meters[reading.meter]?.lastEnd = max(last, reading.intervalEnd)
    let done = settle(
      reading, found.key, found.tariff, counts: found.counted.produced == reading.produced,
      session, clientSequence)
    let kept = ModelReading(
      reading: reading, produced: found.counted.produced.wattHours,
      usesOwn: usesOwn(reading, found.key.area), isAhead: found.isAhead,
      exported: min(done.exported, 1 << 48 - 1), imported: min(done.imported, 1 << 48 - 1))
    meters[reading.meter]?.kept.append(kept)
    meters[reading.meter]?.kept.sort { $0.start < $1.start }
  }

  private mutating func makeRoom(_ id: MeterId, _ area: AreaId) {
    guard var meter = meters[id] else { return }
    if meter.kept.count % 64 == 0 {
      let earliest = earliestStart(area)
      let late = meter.kept.prefix(128).prefix { $0.end < earliest }.count
      meter.kept.removeFirst(late)
    }
    meters[id] = meter
    if keptReadings >= Int(capacity.readings), let first = meter.kept.first {
      meter.kept.removeFirst()
      meter.tooLate = max(meter.tooLate, first.end)
      meters[id] = meter
    }
  }

  // MARK: Rated power of versions

  /// What the meter's readings take beyond its power where the version raises them; `nil` where not.
  private func beyond(_ version: MeterReading, _ meter: ModelMeter, raising kept: ModelReading) -> (
    produced: Int128?, consumed: Int128?
  ) {
    let given = given(version, meter.definition)
    let produced = version.produced.wattHours > kept.produced
    let consumed = version.consumed > kept.reading.consumed
    return (
      produced
        ? Int128(version.produced.wattHours) * Self.hour + meter.beyond.produced - given : nil,
      consumed
        ? Int128(version.consumed.wattHours) * Self.hour + meter.beyond.consumed - given : nil
    )
  }

  private func requirePower(
    _ version: MeterReading, _ meter: ModelMeter, raising kept: ModelReading
  ) throws(Refusal) {
    let beyond = beyond(version, meter, raising: kept)
    for (taken, spent) in [
      (beyond.produced, meter.beyond.produced), (beyond.consumed, meter.beyond.consumed),
    ] {
      guard let taken, taken >= Self.hour else { continue }
      let (whole, rest) = (given(version, meter.definition) - spent)
        .quotientAndRemainder(dividingBy: Self.hour)
      throw Refusal(
        .readingAboveCapacity, limit: Int64(truncatingIfNeeded: rest > 0 ? whole + 1 : whole))
    }
  }

  private mutating func takePower(_ version: MeterReading, raising kept: ModelReading) {
    guard var meter = meters[version.meter] else { return }
    let beyond = beyond(version, meter, raising: kept)
    meter.beyond.produced = max(meter.beyond.produced, beyond.produced ?? 0)
    meter.beyond.consumed = max(meter.beyond.consumed, beyond.consumed ?? 0)
    meters[version.meter] = meter
  }

  // MARK: Corrections

  /// What a version changes against the one before.
  private struct Difference {
    var lost: Int64
    var rest: Int128
    var exportsBack: Int64
    var importsBack: Int64
    var given: Int64
    var taken: Int64
  }

  private func difference(_ found: ModelCase, _ kept: ModelReading) -> Difference {
    let produced = found.counted.produced.wattHours
    let consumed = found.counted.consumed.wattHours
    let own = kept.usesOwn ? min(produced, consumed) : 0
    let ds = (produced - own) - (kept.produced - kept.own)
    let du = (consumed - own) - (kept.reading.consumed.wattHours - kept.own)
    let all =
      (meters[found.counted.meter]?.lossRest ?? 0)
      + Int128(found.tariff.loss.partsPerMillion) * Int128(ds)
    let rest = ((all % 1_000_000) + 1_000_000) % 1_000_000
    let lost = Int64((all - rest) / 1_000_000)
    let net = ds - lost
    var exportsBack = net < 0 ? min(kept.exported, -net) : 0
    if du > 0 {
      exportsBack += min(max(0, kept.exported - exportsBack - (produced - own)), du)
    }
    var importsBack = du < 0 ? min(kept.imported, -du) : 0
    if net > 0 {
      importsBack += min(max(0, kept.imported - importsBack - (consumed - own)), net)
    }
    return Difference(
      lost: lost, rest: rest, exportsBack: exportsBack, importsBack: importsBack,
      given: max(net, 0) + max(-du, 0) - importsBack,
      taken: max(-net, 0) + max(du, 0) - exportsBack)
  }

  private func requireLimits(_ found: ModelCase, _ kept: ModelReading) throws(Refusal) {
    guard let area = areas[found.key.area] else { return }
    let change = difference(found, kept)
    let more = max(0, found.counted.produced.wattHours - kept.produced)
    try require(
      area.produced + more <= Limit.total && area.imported + change.taken <= Limit.total,
      .balanceLimit, Limit.total)
    let (feedIn, retail) = (Int128(found.tariff.feedIn), Int128(found.tariff.retail))
    try requireGrid(
      area,
      [
        feedIn * Int128(change.given), -feedIn * Int128(change.exportsBack),
        -retail * Int128(change.taken), retail * Int128(change.importsBack),
      ])
  }

  private mutating func correct(
    _ reading: MeterReading, _ found: ModelCase, _ index: Int, _ session: SessionId,
    _ clientSequence: UInt64
  ) {
    guard var kept = meters[reading.meter]?.kept[index] else { return }
    let (key, tariff) = (found.key, found.tariff)
    let change = difference(found, kept)
    meters[reading.meter]?.lossRest = change.rest
    areas[key.area]?.produced += found.counted.produced.wattHours - kept.produced
    if change.exportsBack + change.importsBack > 0 {
      payByGrid(
        key, change.importsBack * tariff.retail - change.exportsBack * tariff.feedIn)
      areas[key.area]?.imported -= change.importsBack
      self.change(key) { ($0.mustRunAgent, $0.changed) = (true, true) }
      touch(key)
    }
    var exported: Int64 = 0
    if change.given > 0 {
      store(key, change.given)
      touch(key)
      drain()
      exported = min(change.given, max(0, (position(key)?.energy ?? 0) - cap(key)))
      if exported > 0 {
        store(key, -exported)
        payByGrid(key, exported * tariff.feedIn)
        touch(key)
      }
    }
    let held = min(position(key)?.energy ?? 0, change.taken)
    store(key, -held)
    if held > 0 { touch(key) }
    let imported = change.taken - held
    if imported > 0 {
      payByGrid(key, -imported * tariff.retail)
      areas[key.area]?.imported += imported
      if imported * tariff.retail != 0 { touch(key) }
    }
    var done = Corrected(
      reading: reading, session: session, clientSequence: clientSequence, account: key.account,
      area: key.area,
      previous: (
        kept.reading.registerSequence, Energy(wattHours: kept.produced), kept.reading.consumed
      ),
      usesOwn: kept.usesOwn, countsProduction: found.counted.produced == reading.produced,
      lost: Energy(wattHours: change.lost),
      prices: (Price(ticks: tariff.feedIn), Price(ticks: tariff.retail)))
    done.exportsBack = Energy(wattHours: change.exportsBack)
    done.exported = Energy(wattHours: exported)
    done.importsBack = Energy(wattHours: change.importsBack)
    done.imported = Energy(wattHours: imported)
    kept.reading = reading
    kept.produced = found.counted.produced.wattHours
    kept.exported = min(kept.exported + exported - change.exportsBack, 1 << 48 - 1)
    kept.imported = min(kept.imported + imported - change.importsBack, 1 << 48 - 1)
    meters[reading.meter]?.kept[index] = kept
    emit(.metering(.corrected(done)))
    drain()
  }

  /// The grid pays the account; negative: it is paid.
  private mutating func payByGrid(_ key: PositionKey, _ amount: Int64) {
    guard let currency = areas[key.area]?.definition.currency else { return }
    pay(key, amount)
    areas[key.area]?.grid -= amount
    if amount != 0 { countDebt(CashKey(key.account, currency)) }
  }
}

// MARK: - Former accounts

extension ReferenceModel {
  private func isTooLate(_ former: (until: UInt64, held: RegisterMeter?)) -> Bool {
    let account = former.held?.account ?? .null
    return former.until <= earliestStart(account == .null ? .null : former.held?.area ?? .null)
  }

  /// Keeps the former holders of a meter that changes, or forgets those that are superseded.
  mutating func changeHolders(
    _ meter: inout ModelMeter, from: UInt64, supersedes: Bool
  ) throws(Refusal) {
    if supersedes {
      while let former = meter.formers.first, former.until >= from {
        meter.before = former.held
        meter.formers.removeFirst()
      }
      return
    }
    let all = meters.values.reduce(0) { $0 + $1.formers.count }
    let givesWay = meter.formers.last.map(isTooLate) ?? false
    let needsRow = meter.from.nanoseconds != 0
    try require(
      !needsRow || givesWay || all < Int(capacity.meters), .capacityExhausted,
      Int64(capacity.meters))
    while let last = meter.formers.last, isTooLate(last) {
      meter.tooLate = max(meter.tooLate, last.until)
      meter.lastEnd = max(meter.lastEnd, Timestamp(nanoseconds: last.until))
      meter.formers.removeLast()
    }
    if needsRow { meter.formers.insert((meter.from.nanoseconds, meter.before), at: 0) }
  }
}

// MARK: - Quarantine

extension ReferenceModel {
  mutating func quarantine(_ reading: MeterReading, _ code: RejectCode, _ command: Command) {
    let codes: [RejectCode] = [
      .readingAboveCapacity, .intervalInFuture, .registerSequenceTooHigh,
    ]
    if !codes.contains(code) { return }
    let own = quarantine.filter { $0.reading.meter == reading.meter }
    let isKnown = own.contains {
      $0.reading.registerSequence == reading.registerSequence
        && $0.reading.intervalStart == reading.intervalStart
        && $0.reading.intervalEnd == reading.intervalEnd
    }
    if isKnown || own.count == 8 || quarantine.count == Int(capacity.quarantine) { return }
    lastQuarantined += 1
    let kept = Quarantined(
      number: lastQuarantined, reading: reading, session: command.session, code: code, time: now)
    quarantine.append(kept)
    emit(.metering(.quarantined(kept)))
  }

  mutating func decideReading(_ decision: DecideReading, _ command: Command) throws(Refusal) {
    guard let kept = quarantine.first(where: { $0.number == decision.number }) else {
      throw Refusal(.unknownQuarantine, limit: Int64(quarantine.count))
    }
    if decision.releases {
      let found = try validate(kept.reading, isReleased: true)
      apply(kept.reading, found, kept.session, 0)
    }
    quarantine.removeAll { $0.number == decision.number }
    emit(
      .metering(
        .readingDecided(
          ReadingDecided(
            decision: decision, meter: kept.reading.meter, session: command.session,
            clientSequence: command.clientSequence))))
    acknowledge(command)
  }
}
