import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Intake")
struct IntakeTests {
  private func command(_ number: UInt64) -> Command {
    Command(
      session: SessionId(1), body: .control(.tick), sequence: .none,
      time: Timestamp(nanoseconds: number))
  }

  /// Removes the next block and returns the numbers in it.
  private func block(_ intake: inout Intake) -> [UInt64] {
    let numbers = intake.nextBlock().map(\.time.nanoseconds)
    intake.removeBlock()
    return numbers
  }

  @Test("Commands come out in the order in which they were taken, in blocks of at most 64.")
  func order() {
    var intake = Intake(capacity: 128)
    for number in 0..<150 as Range<UInt64> {
      let isTaken = intake.take(command(number))
      #expect(isTaken)
    }
    let (isFull, waiting) = (intake.isBlockFull, intake.waiting)
    #expect(isFull && waiting == 86)
    let first = block(&intake)
    #expect(first == Array(0..<64))
    // The block is empty, but earlier commands wait in the ring.
    let isTaken = intake.take(command(150))
    #expect(isTaken)
    let (second, third) = (block(&intake), block(&intake))
    #expect(second == Array(64..<128) && third == Array(128...150))
    let isEmpty = intake.isEmpty
    #expect(isEmpty)
  }

  @Test("A full intake accepts nothing; commands of another thread keep their position.")
  func bounds() {
    var intake = Intake(capacity: 2)
    var other = intake.ring.makeProducer()
    for number in 0..<64 as Range<UInt64> { _ = intake.take(command(number)) }
    let isPushed = other.push(command(64))
    let (isTaken, isRefused) = (intake.take(command(65)), intake.take(command(66)))
    #expect(isPushed && isTaken && !isRefused)
    let (first, second) = (block(&intake), block(&intake))
    #expect(first.count == 64 && second == [64, 65])
  }
}
