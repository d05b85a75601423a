import Journaling
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("When a quiet market is asked for a tick")
struct DueTimerTests {
  private struct Standing: TimeSource {
    let wall: UInt64
    var steady: UInt64 { wall }
  }

  private func asked(_ batch: UInt64, _ entry: UInt64, at wall: UInt64) -> [UInt64] {
    var moments: [UInt64] = []
    DueTimer(time: Standing(wall: wall)).tickIfDue(
      batch: Timestamp(nanoseconds: batch), entry: Timestamp(nanoseconds: entry)
    ) { moments.append($0.nanoseconds) }
    return moments
  }

  @Test("A batch that settlement has not closed does not hide what the schedule has.")
  func behind() {
    #expect(asked(5, 10, at: 12) == [5, 10])
    #expect(asked(5, 10, at: 7) == [5])
    #expect(asked(10, 5, at: 7) == [5])
    #expect(asked(.max, 10, at: 12) == [10])
    #expect(asked(5, .max, at: 12) == [5])
    #expect(asked(.max, .max, at: 12).isEmpty)
  }

  @Test("What is not yet due by the wall clock is asked at every eighth call.")
  func wallBehind() {
    let timer = DueTimer(time: Standing(wall: 1))
    var moments: [UInt64] = []
    for _ in 0..<16 {
      timer.tickIfDue(batch: Timestamp(nanoseconds: 5), entry: Timestamp(nanoseconds: 10)) {
        moments.append($0.nanoseconds)
      }
    }
    #expect(moments == [5, 10, 5, 10])
  }
}
