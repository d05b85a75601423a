import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Outbox")
struct OutboxTests {
  /// An event that contains a number.
  private func event(_ number: UInt64) -> Event {
    .control(.acknowledged(Acknowledged(session: SessionId(1), clientSequence: number)))
  }

  private func command(_ sequence: UInt64) -> Command {
    Command(
      session: SessionId(1), body: .control(.tick), sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: 1_000 + sequence))
  }

  @Test("An event is taken when its command is durable, not before.")
  func gate() {
    var outbox = Outbox(bound: 8)
    outbox.begin(command(1))
    outbox.emit(event(10))
    outbox.begin(command(2))
    outbox.emit(event(20))
    let early = outbox.take(through: .none)
    #expect(early == nil)
    let first = outbox.take(through: SequenceNumber(1))
    #expect(first?.event == event(10))
    #expect(first?.time == Timestamp(nanoseconds: 1_001))
    let tooEarly = outbox.take(through: SequenceNumber(1))
    #expect(tooEarly == nil)
    let next = outbox.first
    #expect(next == SequenceNumber(2))
    let second = outbox.take(through: SequenceNumber(9))
    #expect(second?.event == event(20))
    let (left, firstLeft) = (outbox.count, outbox.first)
    #expect(left == 0 && firstLeft == nil)
  }

  @Test("A full outbox still keeps every event of the current command, in order.")
  func nothingIsDropped() {
    var outbox = Outbox(bound: 4)
    for round in 0..<5 as Range<UInt64> {
      outbox.begin(command(round + 1))
      for number in 0..<1_000 as Range<UInt64> {
        outbox.emit(event(round * 1_000 + number))
        let isFull = outbox.isFull
        #expect(isFull == (number >= 3))
      }
      for number in 0..<1_000 as Range<UInt64> {
        let taken = outbox.take(through: SequenceNumber(round + 1))
        #expect(taken?.event == event(round * 1_000 + number))
      }
      let isFull = outbox.isFull
      #expect(!isFull)
    }
  }

  @Test(
    "An event stays in place until the reader asks for the next one, however many are emitted.")
  func growsWhileItIsRead() throws {
    var outbox = Outbox(bound: 1 << 15)
    outbox.begin(command(1))
    outbox.emit(event(10))
    outbox.emit(event(11))
    outbox.begin(command(2))
    let front = outbox.front(through: SequenceNumber(1))
    let shown = try #require(front)
    let before = shown.pointee
    // Doubled twice; each time, memory of the size that would have been freed is overwritten.
    var others: [UnsafeMutableRawPointer] = []
    defer { for other in others { other.deallocate() } }
    for capacity in [1 << 16, 1 << 17] {
      while outbox.count <= capacity { outbox.emit(event(UInt64(outbox.count))) }
      let bytes = capacity * MemoryLayout<OutboxEntry>.stride
      let other = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
      other.initializeMemory(as: UInt8.self, repeating: 0xaa, count: bytes)
      others.append(other)
    }
    #expect(shown.pointee == before)
    outbox.drop()
    let second = outbox.take(through: SequenceNumber(2))
    #expect(second?.event == event(11) && second?.sequence == SequenceNumber(1))
    var left = 2 as UInt64
    while let entry = outbox.take(through: SequenceNumber(2)) {
      #expect(entry.event == event(left))
      left += 1
    }
    #expect(left == UInt64(1 << 17) + 1)
  }
}
