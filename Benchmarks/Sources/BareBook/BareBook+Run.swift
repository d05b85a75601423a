// Runs a flow through the book. The speed of a large book is limited by memory latency, so the cache lines of
// each record are prefetched in four steps while earlier records run. Each step uses the lines that the step
// before has loaded.
//
//     record  i+16            i+12               i+8                   i+4     i
//     add     sides of book   node, other best   level, first to meet  tail    enter
//     cancel  order, place    level, neighbours  its node              -       cancel
//
// A small book fits into the caches and does not look ahead.

import CPrefetch
import MarketModel
import OrderFlow

extension BareBook {
  /// Distance of the first step, in records.
  private static var ahead: Int { 16 }
  /// Number of records between two checks of whether the book is large.
  private static var block: Int { 256 }
  /// Whether the used memory of the book exceeds the second-level cache (1 MiB).
  private var isLarge: Bool { orders.count >= 1 << 13 || books.capacity >= 1 << 12 }

  /// Applies records in order.
  /// - Parameters:
  ///   - records: Cancels name the order id that the add returned (`resolve`).
  ///   - looksAhead: Whether memory is prefetched for later records.
  package mutating func run(_ records: UnsafeBufferPointer<FlowRecord>, looksAhead: Bool) {
    guard let first = records.baseAddress else { return }
    var index = 0
    while index < records.count {
      let end = min(index + BareBook.block, records.count)
      if looksAhead, isLarge {
        let shown = max(index, min(end, records.count - BareBook.ahead))
        runShown(first + index, shown - index)
        index = shown
      }
      runUnshown(first + index, end - index)
      index = end
    }
  }

  // Two functions, so that the operations are inlined into each.

  @inline(never) private mutating func runShown(
    _ records: UnsafePointer<FlowRecord>, _ count: Int
  ) {
    for index in 0..<count {
      lookAhead(records + index)
      execute(records + index)
    }
  }

  @inline(never) private mutating func runUnshown(
    _ records: UnsafePointer<FlowRecord>, _ count: Int
  ) {
    for index in 0..<count { execute(records + index) }
  }

  /// Applies records in order without looking ahead and measures the time of each.
  package mutating func run(
    _ records: UnsafeBufferPointer<FlowRecord>, latencies: inout [UInt32]
  ) {
    guard let first = records.baseAddress else { return }
    var last = now()
    for index in records.indices {
      execute(first + index)
      let time = now()
      latencies[index] = UInt32(clamping: time - last)
      last = time
    }
  }

  /// Applies records in order and replaces the ids of their cancels by the ids that the book returned.
  package mutating func resolve(_ records: inout [FlowRecord], highestOrderId: UInt64) {
    var ids = [OrderId](repeating: .null, count: Int(highestOrderId) + 1)
    records.withUnsafeMutableBufferPointer { records in
      guard let first = records.baseAddress else { return }
      for index in records.indices {
        let original = Int(records[index].orderId)
        if records[index].operation == FlowRecord.add {
          ids[original] = execute(first + index)
        } else {
          records[index].orderId = ids[original].rawValue
          execute(first + index)
        }
      }
    }
  }

  // MARK: Looking ahead

  // The kind of a record is unpredictable, and a mispredicted branch costs more than an unnecessary prefetch. So
  // the rows of both kinds are prefetched: those of slot 0 for an add, and those of symbol 0 for a cancel.

  @inline(__always) private func lookAhead(_ record: UnsafePointer<FlowRecord>) {
    prefetchRows(record + 16)
    prefetchNodes(record + 12)
    prefetchLevels(record + 8)
    prefetchEnds(record + 4)
  }

  /// The slot that a cancel names; 0 for an add.
  @inline(__always) private func slot(_ record: UnsafePointer<FlowRecord>) -> UInt32 {
    OrderId(record.pointee.orderId).slot & (0 &- UInt32(record.pointee.operation))
  }

  /// The side that an add rests in, its key there, and the side that it trades with. For a cancel the key is that
  /// of the best order, for which the search is short.
  @inline(__always) private func way(
    _ record: UnsafePointer<FlowRecord>, _ side: Side
  ) -> (own: BookRow, key: UInt32, other: BookRow) {
    let number = number(record.pointee.symbol, side)
    let own = books.row(number)
    let ofCancel = 0 &- UInt32(record.pointee.operation)
    let key = key(record.pointee.price, side) & ~ofCancel | own.bestKey & ofCancel
    return (own, key, books.row(number ^ 1))
  }

  @inline(__always) private func prefetchRows(_ record: UnsafePointer<FlowRecord>) {
    let slot = slot(record)
    prefetch(orders.row(slot).address)
    prefetch(orders.links.address(of: slot))
    prefetch(books.address(of: record.pointee.symbol &<< 1))
  }

  @inline(__always) private func prefetchNodes(_ record: UnsafePointer<FlowRecord>) {
    let slot = slot(record)
    let links = orders.links.row(slot)
    prefetch(ladder.levels.address(of: orders[slot].level))
    prefetch(orders.links.address(of: links.next))
    prefetch(orders.links.address(of: links.previous))

    let side = BareBook.side(record)
    let (own, key, other) = way(record, side)
    let start = ladder.start(key, in: own)
    prefetch(start.occupancy)
    prefetch(start.child)
    if other.bestKey <= self.key(record.pointee.price, side.opposite) {
      prefetch(ladder.levels.address(of: other.bestLevel))
    }
  }

  @inline(__always) private func prefetchLevels(_ record: UnsafePointer<FlowRecord>) {
    prefetch(ladder.occupancy(ofNodeOf: orders[slot(record)].level))

    let side = BareBook.side(record)
    let (own, key, other) = way(record, side)
    prefetch(ladder.following(key, in: own))
    if other.bestKey <= self.key(record.pointee.price, side.opposite) {
      let first = ladder.levels[other.bestLevel].liveHead
      prefetch(orders.row(first).address)
      prefetch(orders.links.address(of: first))
    }
  }

  @inline(__always) private func prefetchEnds(_ record: UnsafePointer<FlowRecord>) {
    let side = BareBook.side(record)
    let (own, key, _) = way(record, side)
    prefetch(orders.links.address(of: ladder.probable(key, in: own).liveTail))
  }
}
