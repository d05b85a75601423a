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
  func validatePower(_ reading: MeterReading) -> Refusal? {
    let meter = reading.meter.rawValue
    let given = energy(ofMeter: meter, in: reading)
    let spent = spentPower[meter]
    let refusal = validatePower(reading.produced, given, spent.produced)
    return refusal ?? validatePower(reading.consumed, given, spent.consumed)
  }

  private func validatePower(_ energy: Energy, _ given: Int128, _ spent: Int64) -> Refusal? {
    let most = (given + Int128(SpentPower.wattHour - 1 - spent)) / Int128(SpentPower.wattHour)
    return Int128(energy.wattHours) <= most ? nil : Refusal(.readingAboveCapacity, most)
  }

  /// Notes what a valid reading takes beyond the meter's rated power.
  mutating func spendPower(_ reading: MeterReading) {
    let meter = reading.meter.rawValue
    let given = energy(ofMeter: meter, in: reading)
    spentPower[meter].produced = spent(reading.produced, given, spentPower[meter].produced)
    spentPower[meter].consumed = spent(reading.consumed, given, spentPower[meter].consumed)
  }

  private func spent(_ energy: Energy, _ given: Int128, _ before: Int64) -> Int64 {
    let taken = Int128(energy.wattHours) * Int128(SpentPower.wattHour)
    let spent = max(0, Int128(before) + taken - given)
    invariant(
      spent < Int128(SpentPower.wattHour), "readings take less than 1 Wh beyond their power")
    return Int64(truncatingIfNeeded: spent)
  }

  /// What the meter's rated power gives in the interval, W x ns.
  private func energy(ofMeter meter: UInt32, in reading: MeterReading) -> Int128 {
    let span = reading.intervalEnd.nanoseconds &- reading.intervalStart.nanoseconds
    invariant(meters[meter].power > 0 && span > 0, "power and length of the interval are positive")
    return Int128(meters[meter].power) * Int128(span)
  }
}
