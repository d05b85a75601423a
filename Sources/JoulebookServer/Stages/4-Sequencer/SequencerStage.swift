// Stage 4: gives every command its number and time. The clock is read at most once per turn:
//
//     command ─▶ clock, unless already read in this turn ─▶ number, time ─▶ matching, commit log

import Journaling
import Logging
import MarketModel

/// The sequencer, with the only clock on the path of a command. Owned by the thread that applies
/// commands.
struct SequencerStage: ~Copyable {
  private var sequencer: Sequencer
  private var isClockFresh = false
  /// Time of the last command stamped.
  private(set) var lastTime: Timestamp
  private let log: Logger

  /// Continues after a recovered journal, whose last time is the earliest time of the next command.
  /// - Parameters:
  ///   - last: Last command of the journal.
  ///   - lastTime: Time of that command.
  ///   - clock: Source of time: the system's clock, or an operator's ticks.
  ///   - time: The system's clocks.
  ///   - log: Receives alarms about the clock.
  init(
    after last: SequenceNumber, lastTime: Timestamp, clock: Sequencer.Clock, time: any TimeSource,
    log: Logger
  ) {
    sequencer = Sequencer(after: last, lastTime: lastTime, clock: clock, source: time)
    (self.lastTime, self.log) = (lastTime, log)
    begin()
  }

  /// The last command stamped.
  var lastSequence: SequenceNumber { sequencer.lastSequence }

  /// The time of the next command, according to the last reading of the clock.
  var now: Timestamp { sequencer.now }

  /// Gives a command its number and time. The system clock is read for the first command of a turn;
  /// a driven clock is set by ticks. Neither goes back.
  mutating func stamp(_ command: inout Command) {
    setTime(for: command)
    sequencer.stamp(&command)
    lastTime = command.time
  }

  /// Whether a tick stamped now would be at or after `due` while the last command is before it.
  /// Always `false` with a driven clock.
  func hasReached(_ due: Timestamp) -> Bool {
    sequencer.clock == .system && lastTime < due && sequencer.ahead >= due
  }

  /// Ends a turn: the next command reads the clock again.
  mutating func endTurn() { isClockFresh = false }

  private mutating func begin() {
    let last = sequencer.now
    guard case .fellBehind(let nanoseconds) = sequencer.begin() else { return }
    log.critical(
      "ALARM: the system's clock is behind the journal's last time; time continues from there",
      metadata: [
        "nanoseconds": "\(nanoseconds)", "journal": "\(last.iso8601)",
        "clock": "\(Timestamp(nanoseconds: last.nanoseconds - nanoseconds).iso8601)",
      ])
  }

  private mutating func setTime(for command: borrowing Command) {
    switch sequencer.clock {
    case .system:
      if isClockFresh { return }
      // A checkpoint takes the time of the command before it. With a later time an order might
      // expire first, and the hashes would differ.
      if case .control(.checkpoint) = command.body { return }
      readClock()
    case .driven:
      if case .control(.tick) = command.body { _ = sequencer.drive(to: command.time) }
    }
  }

  private mutating func readClock() {
    isClockFresh = true
    switch sequencer.readClock() {
    case .jumpedAhead(let nanoseconds):
      log.error(
        "ALARM: the system's clock jumped ahead; time does not follow it",
        metadata: ["nanoseconds": "\(nanoseconds)"])
    case .fellBehind(let nanoseconds):
      log.error(
        "ALARM: the system's clock is behind; time does not follow it",
        metadata: ["nanoseconds": "\(nanoseconds)"])
    case nil: break
    }
  }
}
