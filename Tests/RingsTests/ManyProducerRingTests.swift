import Rings
import Testing

@Suite("A ring from many threads to one")
struct ManyProducerRingTests {
  @Test(
    "A small ring behaves like a plain queue under every interleaving of two writers and a reader.")
  func smallRingsExhaustively() {
    // Every sequence of 8 steps over (first writes, second writes two, read), small capacities.
    var wrong: [(capacity: Int, history: Int)] = []
    for capacity in [1, 2, 4] {
      for history in 0..<6561 {
        let ring = ManyProducerRing<Int>(capacity: capacity)
        var first = ring.makeProducer()
        var second = ring.makeProducer()
        var consumer = ring.claimConsumer()
        var (model, next, rest) = ([Int](), 0, history)
        for _ in 0..<8 {
          switch rest % 3 {
          case 0:
            let taken = first.push(next)
            if taken != (model.count < capacity) { wrong.append((capacity, history)) }
            if taken { model.append(next) }
          case 1 where capacity > 1:
            let pair = [next, -next]
            let taken = pair.withUnsafeBufferPointer { second.push(contentsOf: $0) }
            if taken != (model.count + 2 <= capacity) { wrong.append((capacity, history)) }
            if taken { model += pair }
          default:
            let (count, read) = (consumer.available(), consumer.pop())
            if count != model.count || read != (model.isEmpty ? nil : model.removeFirst()) {
              wrong.append((capacity, history))
            }
          }
          next += 1
          rest /= 3
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test(
    "Elements of three threads arrive once each, and each thread's in its order.",
    arguments: [WaitStrategy.park(), .park(spins: 0)])
  func crossesThreads(waiting: WaitStrategy) {
    let perWriter: UInt64 = waiting == .park() ? 400_000 : 60_000
    let ring = ManyProducerRing<Pair>(capacity: 128, waiting: waiting)
    let writers = (0..<3).map { writer in
      ServiceThread("test") {
        var producer = ring.makeProducer()
        for value in 0..<perWriter {
          while !producer.push(Pair(value << 2 | UInt64(writer))) { yieldCore() }
        }
      }
    }
    var consumer = ring.claimConsumer()
    var expected: [UInt64] = [0, 0, 0]
    var wrong = 0
    while expected.reduce(0, +) < 3 * perWriter {
      _ = consumer.wait()
      _ = consumer.withReadable { elements in
        for element in elements {
          let writer = Int(element.value & 3)
          if !element.isWhole || element.value >> 2 != expected[writer] { wrong += 1 }
          expected[writer] += 1
        }
        return elements.count
      }
    }
    writers.forEach { $0.join() }
    ring.close()
    let left = consumer.wait()
    #expect(left == 0)
    #expect(expected == [perWriter, perWriter, perWriter])
    #expect(wrong == 0)
  }

  @Test("Batches of two writers never mix.")
  func batchesStayTogether() {
    let ring = ManyProducerRing<UInt64>(capacity: 64)
    let writers = (0..<2).map { writer in
      ServiceThread("test") {
        var producer = ring.makeProducer()
        for round in 0..<UInt64(20_000) {
          let batch = [UInt64](repeating: round << 1 | UInt64(writer), count: 1 + Int(round % 7))
          while !batch.withUnsafeBufferPointer({ producer.push(contentsOf: $0) }) { yieldCore() }
        }
      }
    }
    var consumer = ring.claimConsumer()
    var (batches, wrong) = (0, 0)
    while batches < 40_000 {
      while consumer.available() == 0 { yieldCore() }
      let value = consumer[0]
      let length = 1 + Int((value >> 1) % 7)
      for _ in 0..<length {
        while consumer.available() == 0 { yieldCore() }
        if consumer.pop() != value { wrong += 1 }
      }
      batches += 1
    }
    writers.forEach { $0.join() }
    #expect(wrong == 0)
    let left = consumer.pop()
    #expect(left == nil)
  }
}
