// Measures the data structures of the exchange one by one. All except ring and book are the exchange's own
// source files, linked into this folder.

import BareBook
import MarketModel
import OrderFlow
import Rings

/// All measurements.
struct Structures {
  private let machine: MemoryLatency
  private let count = 1_000_000

  init(_ machine: MemoryLatency) { self.machine = machine }

  func all() -> [Figure] {
    [
      table(rows: 1 << 12, "in the first cache", machine.first),
      table(rows: 1 << 25, "in memory", machine.memory),
      pool(),
      find(),
      ladder(depth: 2, band: 1_000),
      ladder(depth: 4, band: 2_000_000),
      nextLevel(),
      queue(),
      heap(orders: 1_000),
      heap(orders: 100_000),
      eventHash(),
      ring(),
    ]
  }

  // MARK: Storage

  /// Follows a random cycle of rows, each of which contains the index of the next.
  private func table(rows: Int, _ place: String, _ latency: Double) -> Figure {
    let table = Table<UInt64>(capacity: rows)
    var order = Array(0..<UInt32(rows))
    var random = SeededRandom(seed: 11)
    order.shuffle(using: &random)
    for index in 0..<rows { table[order[index]] = UInt64(order[(index + 1) % rows]) }
    var row: UInt32 = 0
    let time = fastest(count) { count in
      for _ in 0..<count { row = UInt32(truncatingIfNeeded: table[row]) }
      return UInt64(row)
    }
    return Figure(
      structure: "table", operation: "read a row, \(place)", nanoseconds: time, limit: latency,
      bound: "one dependent load")
  }

  /// Frees one of 1,024 open orders and allocates a slot for the next.
  private func pool() -> Figure {
    var pool = OrderPool(capacity: 1 << 12)
    var random = SeededRandom(seed: 19)
    let held = (0..<1_024).map { _ in take(&pool) }
    let order = (0..<4_096).map { _ in random.below(held.count) }
    let slots = Table<UInt32>(capacity: held.count)
    for (index, slot) in held.enumerated() { slots[UInt32(index)] = slot }
    let time = fastest(count) { count in
      for step in 0..<count {
        let index = UInt32(truncatingIfNeeded: order[step & 4_095])
        let slot = slots[index]
        pool.free(pool.row(slot), pool.links.row(slot), slot)
        slots[index] = take(&pool)
      }
      return UInt64(pool.count)
    }
    return Figure(
      structure: "order pool", operation: "release one of 1,024, take one", nanoseconds: time,
      limit: machine.first, bound: "which slot: the rest overlaps with the next")
  }

  @inline(__always) private func take(_ pool: inout OrderPool) -> UInt32 {
    let (row, slot) = pool.take()
    row.marks = OrderMarks(type: .limit, postOnly: false)
    return slot
  }

  // MARK: Ladder

  private func find() -> Figure {
    var ladder = Ladder(levels: 1 << 12)
    let side = Table<BookSide>(capacity: 1)
    side[0] = BookSide(depth: 2)
    let book = side.row(0)
    for key in UInt32(0)..<64 { fill(&ladder, key, book) }
    var key: UInt32 = 0
    let time = fastest(count) { count in
      for step in 0..<count {
        let level = ladder.findOrMake(key, number: 0, in: book)
        key = (level.key &+ UInt32(truncatingIfNeeded: step)) & 63
      }
      return UInt64(key)
    }
    return Figure(
      structure: "ladder", operation: "find a level near the best", nanoseconds: time,
      limit: machine.first * 3, bound: "side, node, level")
  }

  private func fill(_ ladder: inout Ladder, _ key: UInt32, _ book: BookRow) {
    ladder.becameLive(ladder.findOrMake(key, number: 0, in: book), in: book)
  }

  /// Creates a level at a random price, makes it live, and removes it; a hundred other levels remain.
  private func ladder(depth: UInt32, band: Int) -> Figure {
    var ladder = Ladder(levels: 1 << 12)
    let side = Table<BookSide>(capacity: 1)
    side[0] = BookSide(depth: depth)
    let book = side.row(0)
    var random = SeededRandom(seed: 13)
    for _ in 0..<100 { fill(&ladder, UInt32(random.below(band) | 1), book) }
    let keys = (0..<4_096).map { _ in UInt32(random.below(band) & ~1) }
    let time = fastest(count) { count in
      var sum: UInt64 = 0
      for step in 0..<count {
        let level = ladder.findOrMake(keys[step & 4_095], number: 0, in: book)
        ladder.becameLive(level, in: book)
        sum &+= UInt64(book.bestKey)
        ladder.becameWaiting(level, in: book)
        ladder.remove(level, from: book)
      }
      return sum
    }
    let nodes = Double(depth) * 2 + 2
    return Figure(
      structure: "ladder", operation: "make and remove a level anywhere in \(band) prices",
      nanoseconds: time, limit: machine.first * nodes,
      bound: "\(depth) nodes and a level, down and up")
  }

  /// Removes the best of 4,096 levels repeatedly.
  private func nextLevel() -> Figure {
    var ladder = Ladder(levels: 1 << 13)
    let side = Table<BookSide>(capacity: 1)
    side[0] = BookSide(depth: 3)
    let book = side.row(0)
    let levels = 4_096
    var best = Double.infinity
    for _ in 0..<50 {
      for index in 0..<levels { fill(&ladder, UInt32(index) * 3, book) }
      let start = now()
      for _ in 0..<levels {
        let level = ladder.levels.row(book.bestLevel)
        ladder.becameWaiting(level, in: book)
        ladder.remove(level, from: book)
      }
      best = min(best, Double(now() - start) / Double(levels))
    }
    return Figure(
      structure: "ladder", operation: "remove the best level, find the next", nanoseconds: best,
      limit: machine.first * 3, bound: "level, node, next level")
  }

  // MARK: Book, heap, hash, ring

  /// Appends an order to a level's queue and removes one from its middle.
  private func queue() -> Figure {
    var book = BareBook(symbols: 1, band: 0...1_000, orders: 1 << 12, levels: 1 << 10)
    var records: [FlowRecord] = []
    for id in 1...UInt64(1_000) { records.append(add(id)) }
    for id in UInt64(1_001)...UInt64(101_000) {
      records.append(add(id))
      records.append(
        FlowRecord(
          orderId: id - 500, price: 0, quantity: 0, symbol: 0, account: 0,
          operation: FlowRecord.cancel, side: 0, flags: 0))
    }
    book.resolve(&records, highestOrderId: 101_000)
    var best = Double.infinity
    for _ in 0..<7 {
      var book = BareBook(symbols: 1, band: 0...1_000, orders: 1 << 12, levels: 1 << 10)
      let start = now()
      records.withUnsafeBufferPointer { book.run($0, looksAhead: false) }
      best = min(best, Double(now() - start) / Double(records.count))
      precondition(book.result.resting == 1_000 && book.rejects == 0)
    }
    return Figure(
      structure: "level queue", operation: "append to it or unlink from its middle",
      nanoseconds: best, limit: machine.first * 4, bound: "order, place, level, neighbour")
  }

  private func add(_ id: UInt64) -> FlowRecord {
    FlowRecord(
      orderId: id, price: 500, quantity: 1, symbol: 0, account: 1, operation: FlowRecord.add,
      side: 0, flags: 0)
  }

  /// Inserts an order that expires at a random time and removes another.
  private func heap(orders: Int) -> Figure {
    var capacity = Capacity.small
    capacity.orders = UInt32(orders) * 2
    var heap = Schedule(capacity: capacity)
    var random = SeededRandom(seed: 17)
    let times = (0..<orders * 2).map { _ in random.next() >> 1 }
    for slot in 1...orders { heap.insert(.expiry, UInt32(slot), at: times[slot], number: 0) }
    var step = orders
    let time = fastest(count / 4) { count in
      for _ in 0..<count {
        step += 1
        let slot = step % (orders * 2)
        let old = (step - orders) % (orders * 2)
        heap.remove(.expiry, UInt32(old == 0 ? orders * 2 : old))
        heap.insert(.expiry, UInt32(slot == 0 ? orders * 2 : slot), at: times[slot], number: 0)
      }
      return heap.firstTime
    }
    return Figure(
      structure: "schedule", operation: "remove one and insert one of \(orders)",
      nanoseconds: time, limit: 6 * (orders > 10_000 ? machine.second : machine.first),
      bound: "three entries, a row each")
  }

  private func eventHash() -> Figure {
    var hash = EventHash()
    let time = fastest(count) { count in
      for step in 0..<count {
        let number = Int64(truncatingIfNeeded: step)
        hash.fold(trade: UInt64(step), 7, 9, number, 5, 3, 2)
      }
      return hash.value
    }
    return Figure(
      structure: "event hash", operation: "fold a trade", nanoseconds: time,
      limit: machine.first * 1.5, bound: "rotate, xor, multiply, xor: 6 cycles")
  }

  private func ring() -> Figure {
    let ring = SingleProducerRing<Command>(capacity: 1 << 10)
    var producer = ring.claimProducer()
    var consumer = ring.claimConsumer()
    let command = Command(session: .exchange, body: .control(.tick))
    let time = fastest(count) { count in
      var sum: UInt64 = 0
      for _ in 0..<count / 32 {
        for _ in 0..<32 { _ = producer.append(command) }
        producer.publish()
        let filled = consumer.available()
        for offset in 0..<filled { sum &+= consumer[offset].sequence.rawValue &+ 1 }
        consumer.advance(by: filled)
      }
      return sum
    }
    let lines = Double(MemoryLayout<Command>.stride) / 64
    return Figure(
      structure: "ring", operation: "append and read a command, 32 a batch, one thread",
      nanoseconds: time, limit: lines * machine.first,
      bound: "a line stored and loaded each 64 bytes")
  }
}
