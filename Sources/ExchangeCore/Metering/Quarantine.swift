// Readings that were rejected and may be true (section 7, "Quarantine"): the operator releases or refuses them.
//
//     rows by number, ascending     | 17 | 18 | 21 | ...
//     meter ─▶ newest ─▶ the one before ─▶ ...                 at most eight

import MarketModel

/// A reading in quarantine.
struct QuarantineRow: KeyedRow {
  var reading: Quarantined
  /// The number of the meter's one before; 0: none.
  var previous: UInt64

  var key: UInt64 { reading.number }
}

/// A meter's readings in quarantine.
struct MeterQuarantine: BitwiseCopyable {
  /// The number of its newest one; 0: none.
  var newest: UInt64
  /// How many there are.
  var count: UInt32
  /// How many had no room, since the start.
  var more: UInt32
}

/// The quarantine. Used since version 8 of the rules.
struct Quarantine: ~Copyable, StateComponent {
  /// Group 0.
  var rows: SortedRows<QuarantineRow>
  let meters: Table<MeterQuarantine>
  /// The number given last.
  var lastNumber: UInt64 = 0

  init(capacity: Capacity) {
    rows = SortedRows(capacity: capacity.quarantine, groups: 0)
    meters = Table(capacity: Int(capacity.meters) + 1)
  }

  /// The place of a reading; `nil` when it is not there.
  func place(of number: UInt64) -> RowPlace? {
    guard let place = rows.last(atMost: number, in: 0), rows[place].key == number else {
      return nil
    }
    return place
  }

  /// The reading with a number that is there.
  func row(_ number: UInt64) -> QuarantineRow {
    guard let place = place(of: number) else {
      preconditionFailure("a meter's reading is in quarantine")
    }
    return rows[place]
  }

  /// Whether the same interval with the same register sequence is there.
  func contains(_ reading: MeterReading) -> Bool {
    var number = meters[reading.meter.rawValue].newest
    while number != 0 {
      let row = row(number)
      let other = row.reading.reading
      if other.registerSequence == reading.registerSequence,
        other.intervalStart == reading.intervalStart, other.intervalEnd == reading.intervalEnd
      {
        return true
      }
      number = row.previous
    }
    return false
  }

  /// Removes a reading that is there.
  mutating func remove(_ row: QuarantineRow) {
    let meter = row.reading.reading.meter.rawValue
    if meters[meter].newest == row.key {
      meters[meter].newest = row.previous
    } else {
      var number = meters[meter].newest
      while let place = place(of: number), rows[place].previous != row.key {
        number = rows[place].previous
      }
      if let place = place(of: number) { rows[place].previous = row.previous }
    }
    meters[meter].count -= 1
    if let place = place(of: row.key) { rows.remove(place, from: 0) }
  }

  static func add(to layout: inout StateLayout) {
    layout.add(UInt64.self)
    SortedRows<QuarantineRow>.add(to: &layout)
    layout.add(MeterQuarantine.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(exchange.quarantine.lastNumber)
    exchange.quarantine.rows.write(to: sink)
    exchange.quarantine.meters.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.quarantine.lastNumber = source.get(UInt64.self)
    exchange.quarantine.rows.read(from: source)
    exchange.quarantine.meters.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    exchange.quarantine.fold(into: &hash, exchange.capacity.meters)
  }

  private func fold(into hash: inout WordHash, _ highest: UInt32) {
    for number in stride(from: 1, through: highest, by: 1) where meters[number].more != 0 {
      hash.fold(UInt64(number) << 32 | UInt64(meters[number].more))
    }
    if lastNumber == 0 { return }
    hash.fold(lastNumber)
    var place = rows.first(in: 0)
    while let here = place {
      let row = rows[here].reading
      let reading = row.reading
      hash.fold(row.number)
      hash.fold(UInt64(row.code.rawValue) << 32 | UInt64(row.session.rawValue))
      hash.fold(row.time.nanoseconds)
      hash.fold(UInt64(reading.meter.rawValue) << 8 | UInt64(reading.quality.rawValue))
      hash.fold(reading.registerSequence)
      hash.fold(reading.intervalStart.nanoseconds)
      hash.fold(reading.intervalEnd.nanoseconds)
      hash.fold(reading.produced.wattHours)
      hash.fold(reading.consumed.wattHours)
      place = rows.place(after: here)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.quarantine.rows.check(&violations)
    for meter in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      let state = exchange.quarantine.meters[meter]
      var (number, count) = (state.newest, UInt32(0))
      while number != 0, let place = exchange.quarantine.place(of: number), count <= state.count {
        (number, count) = (exchange.quarantine.rows[place].previous, count + 1)
      }
      if number != 0 || count != state.count || count > Limit.quarantineOfMeter {
        violations.append("meter \(meter): \(count) readings in quarantine, counted \(state.count)")
      }
    }
  }
}

extension Exchange {
  /// Keeps a rejected reading for the operator where its code says that it may be true.
  @inline(never) mutating func quarantine(
    _ reading: MeterReading, _ code: RejectCode, _ request: Request
  ) {
    let isKept =
      code == .readingAboveCapacity || code == .intervalInFuture
      || code == .registerSequenceTooHigh
    if !isKept || quarantine.contains(reading) { return }
    let meter = reading.meter.rawValue
    if quarantine.rows.isFull || quarantine.meters[meter].count == Limit.quarantineOfMeter {
      // A count for people: it may begin anew after 2^32.
      quarantine.meters[meter].more &+= 1
      return
    }
    quarantine.lastNumber += 1
    let kept = Quarantined(
      number: quarantine.lastNumber, reading: reading, session: request.session, code: code,
      time: Timestamp(nanoseconds: progress.now))
    quarantine.rows.append(
      QuarantineRow(reading: kept, previous: quarantine.meters[meter].newest), to: 0)
    quarantine.meters[meter].newest = kept.number
    quarantine.meters[meter].count += 1
    emit(.metering(.quarantined(kept)))
  }

  /// Releases a reading from quarantine, or refuses it.
  mutating func decideReading(_ decision: DecideReading, _ request: Request) {
    if let refusal = permission(request, .administration) { return reject(refusal, request) }
    guard let place = quarantine.place(of: decision.number) else {
      return reject(Refusal(.unknownQuarantine, quarantine.rows.count), request)
    }
    let row = quarantine.rows[place]
    if decision.releases, let refusal = release(row.reading) { return reject(refusal, request) }
    quarantine.remove(row)
    emit(
      .metering(
        .readingDecided(
          ReadingDecided(
            decision: decision, meter: row.reading.reading.meter, session: request.session,
            clientSequence: request.clientSequence))))
    acknowledge(request)
  }

  /// Applies a reading whatever its rated power and register sequence; its sender gets the report.
  /// - Returns: Why it cannot be applied; nothing has changed then.
  private mutating func release(_ kept: Quarantined) -> Refusal? {
    let reading = kept.reading
    var found = ReadingCase()
    if let refusal = validate(reading, &found, isReleased: true) { return refusal }
    let request = Request(session: kept.session, clientSequence: 0)
    if let place = found.kept {
      correct(reading, found, place, request)
    } else {
      settleNew(reading, found, request)
    }
    return nil
  }
}
