import Rings
import Synchronization
import Testing

@Suite("A ring from one thread to one other")
struct SingleProducerRingTests {
  @Test("A small ring behaves like a plain queue under every interleaving of writes and reads.")
  func smallRingsExhaustively() {
    // Every sequence of 12 steps over (write, read), for each small capacity: 4096 x 4 histories.
    var wrong: [(capacity: Int, history: Int)] = []
    for capacity in [1, 2, 4, 8] {
      for history in 0..<(1 << 12) {
        let ring = SingleProducerRing<Int>(capacity: capacity)
        var producer = ring.claimProducer()
        var consumer = ring.claimConsumer()
        var (model, next) = ([Int](), 0)
        for step in 0..<12 {
          if history >> step & 1 == 1 {
            let taken = producer.push(next)
            if taken != (model.count < capacity) { wrong.append((capacity, history)) }
            if taken { model.append(next) }
            next += 1
          } else if consumer.pop() != (model.isEmpty ? nil : model.removeFirst()) {
            wrong.append((capacity, history))
          }
          if ring.count != model.count || producer.freeSlots() != capacity - model.count {
            wrong.append((capacity, history))
          }
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test("Staged elements are invisible until they are published, and then visible as one batch.")
  func stagedIsUnseen() {
    let ring = SingleProducerRing<Int>(capacity: 4)
    var producer = ring.claimProducer()
    var consumer = ring.claimConsumer()
    var taken: [Bool] = []
    for value in 1...5 { taken.append(producer.append(value)) }
    #expect(taken == [true, true, true, true, false])
    var seen = [consumer.available()]
    producer.publish()
    seen.append(consumer.available())
    for offset in 0..<4 { seen.append(consumer[offset]) }
    consumer.advance(by: 3)
    seen += [producer.freeSlots(), consumer[0]]
    #expect(seen == [0, 4, 1, 2, 3, 4, 3, 4])
  }

  @Test("A batch that wraps around is handed over in two pieces.")
  func wrapsInTwoPieces() {
    let ring = SingleProducerRing<Int>(capacity: 8)
    var producer = ring.claimProducer()
    var consumer = ring.claimConsumer()
    for value in 0..<6 { _ = producer.push(value) }
    let first = consumer.withReadable(limit: 5) { $0.count }
    #expect(first == 5)
    for value in 6..<12 { _ = producer.push(value) }
    var pieces: [[Int]] = []
    repeat {
      _ = consumer.withReadable {
        pieces.append(Array($0))
        return $0.count
      }
    } while pieces.last != []
    #expect(pieces == [[5, 6, 7], [8, 9, 10, 11], []])
  }

  @Test(
    "Millions of elements cross between two threads, in order, none lost.",
    arguments: [WaitStrategy.park(), .park(spins: 0), .yield])
  func crossesThreads(waiting: WaitStrategy) {
    let total: UInt64 = waiting == .park() ? 2_000_000 : 300_000
    let ring = SingleProducerRing<Pair>(capacity: 256, waiting: waiting)
    let writer = ServiceThread("test") {
      var producer = ring.claimProducer()
      var value: UInt64 = 0
      while value < total {
        // Bursts of changing length, so that the reader is found awake, asleep and in between.
        for _ in 0..<(1 + value % 61) where value < total {
          while !producer.append(Pair(value)) {
            producer.publish()
            yieldCore()
          }
          value += 1
        }
        producer.publish()
      }
      ring.close()
    }
    var consumer = ring.claimConsumer()
    var (expected, wrong): (UInt64, Int) = (0, 0)
    while consumer.wait() > 0 {
      _ = consumer.withReadable { elements in
        for element in elements {
          if !element.isWhole || element.value != expected { wrong += 1 }
          expected += 1
        }
        return elements.count
      }
    }
    writer.join()
    #expect(expected == total)
    #expect(wrong == 0)
  }

  @Test("A sleeping reader wakes for a single element, for closing, and for its time limit.")
  func sleepingReaderWakes() {
    let ring = SingleProducerRing<Int>(capacity: 4, waiting: .park(spins: 0))
    var consumer = ring.claimConsumer()
    let timedOut = consumer.wait(timeoutNanoseconds: 2_000_000)
    #expect(timedOut == 0)
    #expect(!ring.isClosed)
    let writer = ServiceThread("test") {
      var producer = ring.claimProducer()
      for value in 0..<200 {
        while !producer.push(value) { yieldCore() }
      }
      ring.close()
    }
    var read: [Int] = []
    while consumer.wait() > 0 {
      while let value = consumer.pop() { read.append(value) }
    }
    writer.join()
    #expect(read == Array(0..<200))
    #expect(ring.isClosed)
  }

  @Test("A reader whose elements another thread takes keeps waiting until the ring is closed.")
  func contentTakenByAnother() {
    let ring = SingleProducerRing<UInt64>(capacity: 256, waiting: .park(spins: 0))
    let isClosing = Atomic<Bool>(false)
    let endedEarly = Atomic<Bool>(false)
    let other = ServiceThread("test") {
      while ring.waitForContent() {}
      endedEarly.store(!isClosing.load(ordering: .relaxed), ordering: .relaxed)
    }
    var producer = ring.claimProducer()
    var consumer = ring.claimConsumer()
    var taken: UInt64 = 0
    for value in 0..<200_000 as Range<UInt64> {
      _ = producer.push(value)
      // Lets the other thread check the ring at this moment.
      if value % 64 == 0 { yieldCore() }
      while consumer.pop() != nil { taken += 1 }
    }
    isClosing.store(true, ordering: .relaxed)
    ring.close()
    other.join()
    let isEarly = endedEarly.load(ordering: .relaxed)
    #expect(taken == 200_000)
    #expect(!isEarly)
  }
}
