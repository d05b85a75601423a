// The readings that the exchange keeps, so that later versions and late intervals find what was settled
// (section 7, "Late readings and versions"). A row has 48 bytes, six words:
//
//     start | register sequence | 32 bits of length, 32 of produced | 32 of consumed, 32 of exported
//     32 of imported, the upper 16 of length and of produced | the upper 16 of consumed, exported and
//     imported, flags 16                       flags: 1: own use | 2: priced ahead | 4, 8: quality
//
// Words, since a row that is made of small parts cannot be copied before these have left the processor's
// store buffer.

import MarketModel

/// The newest version of a settled interval of a meter.
struct KeptReading: KeyedRow {
  /// Start of the interval, ns since 1970.
  var start: UInt64
  /// The register sequence of the newest version.
  var sequence: UInt64
  private var first, second, third, fourth: UInt64

  var key: UInt64 { start }

  /// The most energy of each kind that a row has, Wh: 2^48 - 1. Exports and imports above it are kept
  /// as this.
  static let mostEnergy: Int64 = 1 << 48 - 1

  /// The lower 32 bits of a number, at a place of a word.
  @inline(__always) private static func low(_ number: UInt64, at place: UInt64) -> UInt64 {
    (number & 0xFFFF_FFFF) << place
  }

  /// Its upper 16 bits of 48, at a place of a word.
  @inline(__always) private static func high(_ number: UInt64, at place: UInt64) -> UInt64 {
    (number >> 32 & 0xFFFF) << place
  }

  /// The number whose parts are at these places of two words.
  @inline(__always) private static func whole(
    _ low: UInt64, _ lowPlace: UInt64, _ high: UInt64, _ highPlace: UInt64
  ) -> UInt64 {
    (low >> lowPlace) & 0xFFFF_FFFF | ((high >> highPlace) & 0xFFFF) << 32
  }

  /// A settled interval.
  /// - Parameters:
  ///   - minted: Counted production, Wh.
  ///   - exported: What it sold to the grid, Wh.
  ///   - imported: What it bought from the grid, Wh.
  @inline(__always) init(
    _ reading: MeterReading, minted: Int64, exported: Int64, imported: Int64, usesOwn: Bool,
    isAhead: Bool
  ) {
    (start, sequence) = (reading.intervalStart.nanoseconds, reading.registerSequence)
    // At most 24 hours.
    let length = reading.intervalEnd.nanoseconds &- start
    let (produced, consumed) = (Self.kept(minted), Self.kept(reading.consumed.wattHours))
    let (exported, imported) = (Self.kept(exported), Self.kept(imported))
    let flags =
      (usesOwn ? 1 : 0) | (isAhead ? 2 : 0) | UInt64(reading.quality.rawValue) << 2
    first = Self.low(length, at: 0) | Self.low(produced, at: 32)
    second = Self.low(consumed, at: 0) | Self.low(exported, at: 32)
    third = Self.low(imported, at: 0) | Self.high(length, at: 32) | Self.high(produced, at: 48)
    fourth =
      Self.high(consumed, at: 0) | Self.high(exported, at: 16) | Self.high(imported, at: 32)
      | flags << 48
  }

  private var flags: UInt64 { fourth >> 48 }

  /// End of the interval, ns since 1970.
  var end: UInt64 { start &+ Self.whole(first, 0, third, 32) }
  /// Whether the interval uses its own production first.
  var usesOwn: Bool { flags & 1 != 0 }
  /// Whether it began at the exchange's time or later when it was read.
  var isAhead: Bool { flags & 2 != 0 }
  /// How its newest version came about.
  var quality: ReadingQuality {
    get { ReadingQuality(rawValue: UInt8(truncatingIfNeeded: flags >> 2 & 3)) ?? .estimated }
    set { fourth = fourth & ~(3 << 50) | UInt64(newValue.rawValue) << 50 }
  }

  /// Counted production, Wh.
  var produced: Int64 {
    get { Int64(Self.whole(first, 32, third, 48)) }
    set { Self.set(newValue, &first, 32, &third, 48) }
  }
  /// Consumption, Wh.
  var consumed: Int64 {
    get { Int64(Self.whole(second, 0, fourth, 0)) }
    set { Self.set(newValue, &second, 0, &fourth, 0) }
  }
  /// What the interval sold to the grid, less what it took back, Wh.
  var exported: Int64 {
    get { Int64(Self.whole(second, 32, fourth, 16)) }
    set { Self.set(newValue, &second, 32, &fourth, 16) }
  }
  /// What it bought from the grid, less what it gave back, Wh.
  var imported: Int64 {
    get { Int64(Self.whole(third, 0, fourth, 32)) }
    set { Self.set(newValue, &third, 0, &fourth, 32) }
  }

  private static func set(
    _ energy: Int64, _ low: inout UInt64, _ lowPlace: UInt64, _ high: inout UInt64,
    _ highPlace: UInt64
  ) {
    let number = kept(energy)
    low = low & ~Self.low(.max, at: lowPlace) | Self.low(number, at: lowPlace)
    high = high & ~Self.high(.max, at: highPlace) | Self.high(number, at: highPlace)
  }

  @inline(__always) private static func kept(_ energy: Int64) -> UInt64 {
    invariant(energy >= 0, "energy of a kept reading is at least 0")
    return UInt64(min(energy, mostEnergy))
  }
}

/// What bounds a meter's readings from below.
struct MeterBound: BitwiseCopyable {
  /// The end of its last reading when version 8 of the rules began; before it nothing is kept.
  var settled: UInt64
  /// The end of the last reading that gave way to another one, or of the last former account that is
  /// no longer known; intervals before it are too late.
  var tooLate: UInt64
  /// The holder before the one before the last change (FormerHolders.swift); 0: none.
  var former: UInt32
}

/// Kept readings by meter and start, and the bounds of each meter. Used since version 8 of the rules.
struct KeptReadings: ~Copyable, StateComponent {
  var rows: SortedRows<KeptReading>
  let bounds: Table<MeterBound>

  init(capacity: Capacity) {
    rows = SortedRows(capacity: capacity.readings, groups: capacity.meters)
    bounds = Table(capacity: Int(capacity.meters) + 1)
  }

  static func add(to layout: inout StateLayout) {
    SortedRows<KeptReading>.add(to: &layout)
    layout.add(MeterBound.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.keptReadings.rows.write(to: sink)
    exchange.keptReadings.bounds.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.keptReadings.rows.read(from: source)
    exchange.keptReadings.bounds.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if exchange.rules < 8 { return }
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      exchange.keptReadings.fold(number, into: &hash)
    }
  }

  private func fold(_ meter: UInt32, into hash: inout WordHash) {
    let bound = bounds[meter]
    if rows.groups[meter].count == 0, bound.settled | bound.tooLate == 0 { return }
    hash.fold(UInt64(meter) << 32 | UInt64(rows.groups[meter].count))
    hash.fold(bound.settled)
    hash.fold(bound.tooLate)
    var place = rows.first(in: meter)
    while let here = place {
      let kept = rows[here]
      hash.fold(kept.start)
      hash.fold(kept.end)
      hash.fold(kept.sequence)
      hash.fold(kept.produced)
      hash.fold(kept.consumed)
      hash.fold(kept.exported)
      hash.fold(kept.imported)
      hash.fold(
        UInt64(kept.quality.rawValue) << 2 | (kept.usesOwn ? 1 : 0) | (kept.isAhead ? 2 : 0))
      place = rows.place(after: here)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.keptReadings.rows.check(&violations)
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      exchange.keptReadings.check(number, until: exchange.meters[number].lastEnd, &violations)
    }
  }

  private func check(_ meter: UInt32, until lastEnd: UInt64, _ violations: inout [String]) {
    var end = bounds[meter].settled
    rows.forEach(in: meter) { kept in
      if kept.start < end || kept.end <= kept.start {
        violations.append("meter \(meter): the readings at \(kept.start) and before it overlap")
      }
      end = kept.end
    }
    if end > lastEnd { violations.append("meter \(meter): a reading ends behind \(lastEnd)") }
  }
}

extension Exchange {
  /// Makes room for a reading of the meter: every 64th time readings that are too late to be
  /// corrected go, and where the table is full the oldest one of the meter gives way.
  @inline(__always) mutating func makeRoomForReading(_ meter: UInt32, _ area: UInt32) {
    let count = keptReadings.rows.groups[meter].count
    if count & 63 == 0, count > 0 { dropLateReadings(meter, area) }
    if keptReadings.rows.isFull { giveWay(meter) }
  }

  /// Drops at most 128 readings of the meter whose intervals ended before the window.
  @inline(never) private mutating func dropLateReadings(_ meter: UInt32, _ area: UInt32) {
    let earliest = earliestStart(area)
    for _ in 0..<128 {
      guard let place = keptReadings.rows.first(in: meter),
        keptReadings.rows[place].end < earliest
      else { return }
      keptReadings.rows.remove(place, from: meter)
    }
  }

  @inline(never) private mutating func giveWay(_ meter: UInt32) {
    guard let place = keptReadings.rows.first(in: meter) else {
      preconditionFailure("a meter without readings was refused")
    }
    let end = keptReadings.rows[place].end
    keptReadings.bounds[meter].tooLate = max(keptReadings.bounds[meter].tooLate, end)
    keptReadings.rows.remove(place, from: meter)
  }

  /// What was settled before version 8 of the rules is not kept: intervals before the end of each
  /// meter's last reading stay refused.
  mutating func boundSettledReadings() {
    for number in stride(from: 1, through: capacity.meters, by: 1) {
      keptReadings.bounds[number].settled = meters[number].lastEnd
    }
  }
}
