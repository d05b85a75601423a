import MarketModel
import Testing

@testable import Transport

@Suite("Send queues and their memory")
struct SendQueueTests {
  @Test("A queue is first in, first out, with pieces of any size.", arguments: 1...5)
  func random(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var pool = MemoryPool()
    var queue = SendQueue()
    var model: [UInt8] = []
    for step in 0..<2_000 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let long = Int.random(in: 0..<20, using: &random) == 0
        let count = Int.random(in: 0...(long ? 100_000 : 300), using: &random)
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &+ step) }
        queue.reserve(count, &pool).copyMemory(from: bytes, byteCount: count)
        model += bytes
      case 6..<9:
        // A few bytes, or all that can be seen.
        let count = min(Int.random(in: 0...2_000, using: &random), queue.head.count)
        queue.remove(count, &pool)
        model.removeFirst(count)
      default:
        let count = Int.random(in: 0...model.count, using: &random)
        queue.truncate(after: count, &pool)
        model.removeLast(model.count - count)
      }
      #expect(queue.count == model.count)
      #expect(model.starts(with: queue.head))
    }
    queue.clear(&pool)
    #expect(queue.count == 0 && pool.used == 0)
    pool.trimAll()
    #expect(pool.free == 0)
  }

  @Test("What was free all the time is returned, what was needed is kept.")
  func trim() {
    var pool = MemoryPool()
    let most = (0..<100).map { _ in pool.take(10_000, isFirst: false) }
    most.forEach { pool.give($0) }
    #expect(pool.free == 100 * MemoryPool.largeSize && pool.used == 0 && pool.isTrimmable)
    pool.trim()
    // Forty of them are needed in this interval.
    let some = (0..<40).map { _ in pool.take(10_000, isFirst: false) }
    #expect(pool.used == 40 * MemoryPool.largeSize)
    some.forEach { pool.give($0) }
    pool.trim()
    #expect(pool.free == 40 * MemoryPool.largeSize)
    pool.trim()
    #expect(pool.free == 16 * MemoryPool.largeSize && !pool.isTrimmable)
  }
}
