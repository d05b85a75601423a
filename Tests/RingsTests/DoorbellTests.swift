import Rings
import Synchronization
import Testing

@Suite("A bell that cannot be missed")
struct DoorbellTests {
  @Test("Two threads that wake each other in turn never miss a ring.")
  func pingPong() {
    let (there, back) = (Doorbell(), Doorbell())
    let turn = Turn()
    let rounds = 20_000
    let other = ServiceThread("test") {
      for round in 0..<rounds {
        _ = there.wait { turn.value.load(ordering: .acquiring) == 2 * round + 1 }
        turn.value.store(2 * round + 2, ordering: .releasing)
        back.ring()
      }
    }
    for round in 0..<rounds {
      turn.value.store(2 * round + 1, ordering: .releasing)
      there.ring()
      let heard = back.wait(timeoutNanoseconds: 10_000_000_000) {
        turn.value.load(ordering: .acquiring) == 2 * round + 2
      }
      #expect(heard)
    }
    other.join()
  }

  @Test("A time limit ends the wait, and the bell still works after it.")
  func timeLimit() {
    let bell = Doorbell()
    for _ in 0..<5 {
      #expect(!bell.wait(timeoutNanoseconds: 500_000) { false })
    }
    bell.ring()
    #expect(bell.wait(timeoutNanoseconds: 500_000) { true })
    #expect(!bell.wait(timeoutNanoseconds: 500_000) { false })
  }
}

/// Whose turn it is.
final class Turn: Sendable {
  let value = Atomic<Int>(0)
}
