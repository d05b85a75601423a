// The rated power of a meter bounds its readings together, not each for itself (section 7). The
// energy that its power gives in an interval is seldom a whole number of Wh, a register counts whole
// ones: a reading may be up to 1 Wh above, if those before it were not.
//
//     spent ── + energy - power x time ──▶ 0 ... < 1 Wh
//
// Without it, an interval of a nanosecond could make 1 Wh, and any number of them any energy.

import MarketModel

/// What a meter's readings took beyond its rated power, W x ns, below an hour of 1 W (1 Wh).
struct SpentPower: ~Copyable, StateComponent {
  struct Row: BitwiseCopyable {
    var produced: Int64
    var consumed: Int64
  }

  private let rows: Table<Row>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(number: UInt32) -> Row {
    @inline(__always) unsafeAddress { UnsafePointer(rows.address(of: number)) }
    @inline(__always) nonmutating unsafeMutableAddress { rows.address(of: number) }
  }

  /// The address of a meter's row, for prefetching.
  @inline(__always) func address(of meter: UInt32) -> UnsafeMutablePointer<Row> {
    rows.address(of: meter)
  }

  static func add(to layout: inout StateLayout) { layout.add(Row.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.spentPower.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.spentPower.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      let row = exchange.spentPower[number]
      if row.produced == 0 && row.consumed == 0 { continue }
      hash.fold(UInt64(number))
      hash.fold(row.produced)
      hash.fold(row.consumed)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      let row = exchange.spentPower[number]
      if min(row.produced, row.consumed) < 0 || max(row.produced, row.consumed) >= wattHour {
        violations.append("meter \(number) took \(row) W x ns beyond its rated power")
      }
    }
  }

  /// 1 Wh, in W x ns.
  static let wattHour: Int64 = 3_600_000_000_000
}

extension Exchange {
  /// Refuses a reading above what the meter's rated power gives in its interval, rounded up to whole
  /// Wh; since version 5 less what earlier readings took beyond it.
  @inline(__always) func validatePower(_ reading: MeterReading) -> Refusal? {
    let given = energy(ofMeter: reading.meter.rawValue, in: reading)
    let spent = spentPower[reading.meter.rawValue]
    let beyond = max(
      taken(reading.produced, beyond: given, spent.produced),
      taken(reading.consumed, beyond: given, spent.consumed))
    return beyond < Int128(SpentPower.wattHour) ? nil : refusal(reading, given, spent)
  }

  /// The refusal of a reading beyond the meter's power, with the most Wh that it may have.
  @inline(never) private func refusal(
    _ reading: MeterReading, _ given: Int128, _ spent: SpentPower.Row
  ) -> Refusal {
    let wattHour = Int128(SpentPower.wattHour)
    let isProduction = taken(reading.produced, beyond: given, spent.produced) >= wattHour
    let before = isProduction ? spent.produced : spent.consumed
    return Refusal(.readingAboveCapacity, (given + wattHour - 1 - Int128(before)) / wattHour)
  }

  /// Notes what a valid reading takes beyond the meter's rated power.
  @inline(__always) func spendPower(_ reading: MeterReading) {
    let meter = reading.meter.rawValue
    let given = energy(ofMeter: meter, in: reading)
    let spent = spentPower[meter]
    spentPower[meter] = SpentPower.Row(
      produced: rest(taken(reading.produced, beyond: given, spent.produced)),
      consumed: rest(taken(reading.consumed, beyond: given, spent.consumed)))
  }

  /// Refuses a version that raises production or consumption above what the meter's rated power gives
  /// in its interval.
  /// - Parameters:
  ///   - version: The reading, with its counted production.
  ///   - kept: The version before.
  func validatePower(_ version: MeterReading, after kept: KeptReading) -> Refusal? {
    let given = energy(ofMeter: version.meter.rawValue, in: version)
    let spent = spentPower[version.meter.rawValue]
    let raised = raisedPart(of: version, after: kept)
    let beyond = max(
      taken(raised.produced, beyond: given, spent.produced),
      taken(raised.consumed, beyond: given, spent.consumed))
    return beyond < Int128(SpentPower.wattHour) ? nil : refusal(raised, given, spent)
  }

  /// Notes what a valid version takes beyond the rated power where it raises the one before. What it
  /// lowers gives nothing back.
  func spendPower(_ version: MeterReading, after kept: KeptReading) {
    let meter = version.meter.rawValue
    let given = energy(ofMeter: meter, in: version)
    let (spent, raised) = (spentPower[meter], raisedPart(of: version, after: kept))
    if raised.produced > .zero {
      spentPower[meter].produced = max(
        spent.produced, rest(taken(raised.produced, beyond: given, spent.produced)))
    }
    if raised.consumed > .zero {
      spentPower[meter].consumed = max(
        spent.consumed, rest(taken(raised.consumed, beyond: given, spent.consumed)))
    }
  }

  /// The version with 0 in place of what it does not raise.
  private func raisedPart(of version: MeterReading, after kept: KeptReading) -> MeterReading {
    var raised = version
    if version.produced.wattHours <= kept.produced { raised.produced = .zero }
    if version.consumed.wattHours <= kept.consumed { raised.consumed = .zero }
    return raised
  }

  @inline(__always) private func rest(_ beyond: Int128) -> Int64 {
    invariant(
      beyond < Int128(SpentPower.wattHour), "readings take less than 1 Wh beyond their power")
    return Int64(truncatingIfNeeded: max(0, beyond))
  }

  /// What a reading of `energy` and those before it take beyond what is given, W x ns; negative when
  /// they take less.
  @inline(__always) private func taken(
    _ energy: Energy, beyond given: Int128, _ before: Int64
  ) -> Int128 {
    // Each is below 2^106.
    Int128(energy.wattHours) &* Int128(SpentPower.wattHour) &+ Int128(before) &- given
  }

  /// What the meter's rated power gives in the interval, W x ns.
  @inline(__always) private func energy(ofMeter meter: UInt32, in reading: MeterReading) -> Int128 {
    let span = reading.intervalEnd.nanoseconds &- reading.intervalStart.nanoseconds
    invariant(meters[meter].power > 0 && span > 0, "power and length of the interval are positive")
    return Int128(meters[meter].power) &* Int128(span)
  }
}
