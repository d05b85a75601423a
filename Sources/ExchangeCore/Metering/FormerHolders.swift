// Who had a meter before its last changes (section 7, "Another key, another account"), so that late readings and
// later versions are booked to the account of their interval.
//
//     meter ─▶ present ── from ─▶ before ── until ─▶ former ── until ─▶ former ...     newest first
//
// The present holder and the one before are rows of the meter (Meters.swift, MeterChanges.swift); those
// before are rows of a pool. Used since version 8 of the rules.

import MarketModel

/// A former holder of a meter, for intervals that begin before `until`.
struct FormerHolder: BitwiseCopyable {
  /// Start of the intervals of the next holder, ns since 1970.
  var until: UInt64
  /// The position; 0: the meter had no account.
  var position: UInt32
  /// The holder before it; in a free row the next free one. 0: none.
  var next: UInt32
  /// Whether sessions with the trading role may send readings of these intervals.
  var ownReadings: Bool
}

/// The pool of former holders.
struct FormerHolders: ~Copyable, StateComponent {
  private let rows: Table<FormerHolder>
  private var firstFree: UInt32 = 0
  private var used: UInt32 = 0
  /// Number of rows in use.
  private(set) var count: UInt32 = 0

  /// As many as there are meters.
  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  var isFull: Bool { Int(count) == rows.capacity - 1 }

  subscript(row: UInt32) -> FormerHolder { rows[row] }

  /// Ends the list of a meter behind a row.
  func cut(behind row: UInt32) { rows[row].next = 0 }

  /// Takes a row.
  /// - Precondition: the pool is not full.
  mutating func add(_ holder: FormerHolder) -> UInt32 {
    let row = firstFree != 0 ? firstFree : used + 1
    if firstFree != 0 { firstFree = rows[row].next } else { used += 1 }
    rows[row] = holder
    count += 1
    return row
  }

  /// Gives a row back.
  mutating func remove(_ row: UInt32) {
    rows[row] = FormerHolder(until: 0, position: 0, next: firstFree, ownReadings: false)
    firstFree = row
    count -= 1
  }

  private struct Pool: BitwiseCopyable {
    var firstFree, used, count: UInt32
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Pool.self)
    layout.add(FormerHolder.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.formerHolders.write(to: sink)
  }

  private func write(to sink: any StateSink) {
    sink.put(Pool(firstFree: firstFree, used: used, count: count))
    rows.write(to: sink, used: Int(used) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.formerHolders.read(from: source)
  }

  private mutating func read(from source: any StateSource) {
    let pool = source.get(Pool.self)
    (firstFree, used, count) = (pool.firstFree, pool.used, pool.count)
    rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if exchange.formerHolders.count == 0 { return }
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      var row = exchange.keptReadings.bounds[number].former
      while row != 0 {
        let holder = exchange.formerHolders[row]
        hash.fold(UInt64(number) << 1 | (holder.ownReadings ? 1 : 0))
        hash.fold(holder.until)
        hash.fold(holder.position == 0 ? 0 : exchange.balances.positions[holder.position].account)
        hash.fold(holder.position == 0 ? 0 : exchange.balances.positions[holder.position].asset)
        row = holder.next
      }
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    var count: UInt32 = 0
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      var (row, until) = (
        exchange.keptReadings.bounds[number].former, exchange.meterChanges[number].from
      )
      while row != 0, count <= exchange.capacity.meters {
        if exchange.formerHolders[row].until >= until {
          violations.append("meter \(number): its former accounts are not in order")
        }
        until = exchange.formerHolders[row].until
        (row, count) = (exchange.formerHolders[row].next, count + 1)
      }
    }
    if count != exchange.formerHolders.count {
      violations.append(
        "\(count) former accounts of meters, counted \(exchange.formerHolders.count)")
    }
  }
}

/// Whose a meter is for intervals that begin at a moment.
struct MeterHolder {
  /// The position; 0: none.
  var position: UInt32
  /// Whether sessions with the trading role may send the readings.
  var ownReadings: Bool
  /// Start of the intervals of the next holder, ns since 1970; `.max`: it is the present one.
  var until: UInt64
}

extension Exchange {
  /// Whose a meter is for intervals that begin at `start`. Linear in its changes that are later.
  @inline(__always) func holder(ofMeter number: UInt32, at start: UInt64) -> MeterHolder {
    let change = meterChanges[number]
    if start >= change.from {
      return MeterHolder(
        position: meters[number].position, ownReadings: change.ownReadings, until: .max)
    }
    return formerHolder(ofMeter: number, at: start)
  }

  @inline(never) private func formerHolder(ofMeter number: UInt32, at start: UInt64) -> MeterHolder
  {
    let change = meterChanges[number]
    var found = MeterHolder(
      position: change.before, ownReadings: readersBefore[number], until: change.from)
    var row = keptReadings.bounds[number].former
    while row != 0, start < formerHolders[row].until {
      let former = formerHolders[row]
      found = MeterHolder(
        position: former.position, ownReadings: former.ownReadings, until: former.until)
      row = former.next
    }
    return found
  }

  /// Refuses an interval that begins with one account and ends with another one.
  func validateUndivided(_ meter: UInt32, _ holder: MeterHolder, until end: UInt64) -> Refusal? {
    var change = holder.until
    while change < end {
      let next = self.holder(ofMeter: meter, at: change)
      if next.position != holder.position { return Refusal(.badInterval, change) }
      change = next.until
    }
    return nil
  }

  /// Keeps the holder before the one that a new change makes the former one.
  mutating func keepFormerHolder(ofMeter number: UInt32) {
    dropFormerHolders(ofMeter: number)
    let change = meterChanges[number]
    if change.from == 0 { return }
    keptReadings.bounds[number].former = formerHolders.add(
      FormerHolder(
        until: change.from, position: change.before, next: keptReadings.bounds[number].former,
        ownReadings: readersBefore[number]))
  }

  /// Forgets the changes of a meter at or after `from`: what held before the first of them is what
  /// held before the last.
  mutating func supersedeHolders(ofMeter number: UInt32, from: UInt64) {
    var row = keptReadings.bounds[number].former
    while row != 0, formerHolders[row].until >= from {
      let former = formerHolders[row]
      meterChanges[number].before = former.position
      readersBefore[number] = former.ownReadings
      formerHolders.remove(row)
      row = former.next
    }
    keptReadings.bounds[number].former = row
  }

  /// Refuses when there is no room for another former holder.
  func validateFormerCapacity(_ meter: UInt32) -> Refusal? {
    if meterChanges[meter].from == 0 || !formerHolders.isFull { return nil }
    var (row, last) = (keptReadings.bounds[meter].former, UInt32(0))
    while row != 0 { (last, row) = (row, formerHolders[row].next) }
    return last != 0 && isTooLate(formerHolders[last])
      ? nil : Refusal(.capacityExhausted, capacity.meters)
  }

  /// Whether no interval of a former holder can be read any more.
  private func isTooLate(_ former: FormerHolder) -> Bool {
    let area = UInt32(former.position == 0 ? 0 : balances.positions[former.position].area)
    return former.until <= earliestStart(area)
  }

  /// Drops the oldest holders of a meter whose intervals are too late.
  private mutating func dropFormerHolders(ofMeter number: UInt32) {
    var (row, kept) = (keptReadings.bounds[number].former, UInt32(0))
    // Those behind the last one that is needed go; the list is in descending order of time.
    while row != 0 {
      if !isTooLate(formerHolders[row]) { kept = row }
      row = formerHolders[row].next
    }
    row = kept == 0 ? keptReadings.bounds[number].former : formerHolders[kept].next
    if row == 0 { return }
    let until = formerHolders[row].until
    keptReadings.bounds[number].tooLate = max(keptReadings.bounds[number].tooLate, until)
    meters[number].lastEnd = max(meters[number].lastEnd, until)
    if kept == 0 { keptReadings.bounds[number].former = 0 } else { formerHolders.cut(behind: kept) }
    while row != 0 {
      let next = formerHolders[row].next
      formerHolders.remove(row)
      row = next
    }
  }
}
