import Journaling
import MarketModel
import Testing

@Suite("The sequencer")
struct SequencerTests {
  private let second: UInt64 = 1_000_000_000

  private func stamped(_ sequencer: inout Sequencer) -> [UInt64] {
    var command = Command(session: .exchange, body: .control(.tick))
    sequencer.stamp(&command)
    return [command.sequence.rawValue, command.time.nanoseconds]
  }

  @Test(
    "Numbers continue after the journal's last command, and time is never before its last time.")
  func goesOn() {
    var sequencer = Sequencer(
      after: SequenceNumber(41), lastTime: Timestamp(nanoseconds: 5_000), clock: .system)
    #expect(sequencer.advance(wall: 4_000, steady: 10) == nil)
    #expect(stamped(&sequencer) == [42, 5_000])
    #expect(sequencer.advance(wall: 6_000, steady: 1_900) == nil)
    #expect(stamped(&sequencer) == [43, 6_000])
    #expect(stamped(&sequencer) == [44, 6_000])
  }

  @Test("Reading the time ahead changes no later time and follows no jump.")
  func ahead() {
    let time = TwoClocks()
    var sequencer = Sequencer(
      after: SequenceNumber(41), lastTime: Timestamp(nanoseconds: 5), clock: .system, source: time)
    (time.wall, time.steady) = (100 * second, second)
    #expect(sequencer.ahead == Timestamp(nanoseconds: 100 * second))
    #expect(stamped(&sequencer) == [42, 5])
    #expect(sequencer.readClock() == nil)
    (time.wall, time.steady) = (3_700 * second, 2 * second)
    #expect(sequencer.ahead == Timestamp(nanoseconds: 101 * second))
    #expect(stamped(&sequencer) == [43, 100 * second])
    #expect(sequencer.readClock() == .jumpedAhead(nanoseconds: 3_599 * second))
    let driven = Sequencer(lastTime: Timestamp(nanoseconds: 7), clock: .driven, source: time)
    #expect(driven.ahead == Timestamp(nanoseconds: 7))
  }

  @Test("Before the first command of a run, the time of the next command is the clock's.")
  func aheadOfTheFirst() {
    let time = TwoClocks()
    (time.wall, time.steady) = (7_200 * second, second)
    var sequencer = Sequencer(
      after: SequenceNumber(41), lastTime: Timestamp(nanoseconds: 5), clock: .system, source: time)
    _ = sequencer.begin()
    (time.wall, time.steady) = (7_203 * second, 4 * second)
    #expect(sequencer.ahead == Timestamp(nanoseconds: 7_203 * second))
    #expect(sequencer.ahead == Timestamp(nanoseconds: 7_203 * second))
    #expect(sequencer.readClock() == nil)
    #expect(stamped(&sequencer) == [42, 7_203 * second])
  }

  @Test("A driven clock that has reached the greatest time stays there.")
  func endOfTime() {
    let last = UInt64.max - 1
    var sequencer = Sequencer(lastTime: Timestamp(nanoseconds: last), clock: .system)
    #expect(sequencer.advance(wall: 5 * second, steady: second) != nil)
    _ = sequencer.advance(wall: 6 * second, steady: 2 * second)
    #expect(stamped(&sequencer) == [1, .max])
  }

  @Test("A jump of the wall clock raises one alarm; time continues at the monotonic rate.")
  func jumpAhead() {
    var sequencer = Sequencer(clock: .system)
    #expect(sequencer.advance(wall: 100 * second, steady: 1 * second) == nil)
    #expect(sequencer.advance(wall: 101 * second, steady: 2 * second) == nil)
    let jump = sequencer.advance(wall: 3_702 * second, steady: 3 * second)
    #expect(jump == .jumpedAhead(nanoseconds: 3_600 * second))
    #expect(stamped(&sequencer) == [1, 102 * second])
    #expect(sequencer.advance(wall: 3_703 * second, steady: 4 * second) == nil)
    #expect(stamped(&sequencer) == [2, 103 * second])
    #expect(sequencer.advance(wall: 104 * second, steady: 5 * second) == nil)
    #expect(stamped(&sequencer) == [3, 104 * second])
    let again = sequencer.advance(wall: 9_105 * second, steady: 6 * second)
    #expect(again == .jumpedAhead(nanoseconds: 9_000 * second))
  }

  @Test("A wall clock that is set back raises one alarm; time continues at the monotonic rate.")
  func setBack() {
    var sequencer = Sequencer(clock: .system)
    #expect(sequencer.advance(wall: 100 * second, steady: 0) == nil)
    let alarm = sequencer.advance(wall: 50 * second, steady: 1 * second)
    #expect(alarm == .fellBehind(nanoseconds: 51 * second))
    #expect(sequencer.advance(wall: 51 * second, steady: 2 * second) == nil)
    #expect(stamped(&sequencer) == [1, 102 * second])
  }

  @Test("A long stop of the server or a long idle time does not count as a jump.")
  func longStop() {
    var sequencer = Sequencer(lastTime: Timestamp(nanoseconds: second), clock: .system)
    #expect(sequencer.advance(wall: 90_000 * second, steady: 7) == nil)
    #expect(sequencer.advance(wall: 99_000 * second, steady: 9_000 * second + 7) == nil)
    #expect(stamped(&sequencer) == [1, 99_000 * second])
  }

  @Test("A clock that jumps between the start and the first command is not followed.")
  func jumpBeforeTheFirstCommand() {
    var sequencer = Sequencer(lastTime: Timestamp(nanoseconds: 50 * second), clock: .system)
    #expect(sequencer.begin(wall: 90 * second, steady: 7 * second) == nil)
    #expect(sequencer.now == Timestamp(nanoseconds: 50 * second), "no command has that time yet")
    let jump = sequencer.advance(wall: 90_000 * second, steady: 9 * second)
    #expect(jump == .jumpedAhead(nanoseconds: 89_908 * second))
    #expect(stamped(&sequencer) == [1, 92 * second])
  }

  @Test(
    "A clock behind the journal raises one alarm at the start; time continues from the journal's.")
  func behindAtTheStart() {
    var sequencer = Sequencer(lastTime: Timestamp(nanoseconds: 500 * second), clock: .system)
    let alarm = sequencer.begin(wall: 100 * second, steady: 7 * second)
    #expect(alarm == .fellBehind(nanoseconds: 400 * second))
    #expect(sequencer.advance(wall: 103 * second, steady: 10 * second) == nil)
    #expect(stamped(&sequencer) == [1, 503 * second])
  }

  @Test("A driven clock changes only when it is driven, and never goes back.")
  func driven() {
    var sequencer = Sequencer(lastTime: Timestamp(nanoseconds: 30), clock: .driven)
    let alarm = sequencer.readClock()
    #expect(alarm == nil)
    #expect(stamped(&sequencer) == [1, 30])
    let driven = [40, 39, 40].map { sequencer.drive(to: Timestamp(nanoseconds: $0)) }
    #expect(driven == [true, false, true])
    #expect(stamped(&sequencer) == [2, 40])
  }

  @Test("The system's clock gives the present time and never falls.")
  func systemClock() {
    var sequencer = Sequencer(clock: .system)
    _ = sequencer.readClock()
    let first = sequencer.now
    _ = sequencer.readClock()
    #expect(sequencer.now >= first)
    #expect(first > Timestamp(nanoseconds: 1_700_000_000 * second))
  }
}

/// Clocks that the test sets, on its own thread.
private final class TwoClocks: TimeSource, @unchecked Sendable {
  var wall: UInt64 = 0
  var steady: UInt64 = 0
}
