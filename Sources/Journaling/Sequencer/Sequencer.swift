// The only clock on the path of an order. A command's time is max(time of the command before, now):
//
//   wall clock   ----x----x--x------------------x x x      a step of the wall clock (an operator's
//                                              /           mistake, a bad time server)
//   journaled    ----x----x--x----x---x---x---x--x--x      is recognised by the steady clock, which
//                                                          no one sets, and not followed

import MarketModel

/// Gives commands their sequence number and their time. Owned by the thread that applies commands.
public struct Sequencer: ~Copyable {
  /// Where time comes from.
  public enum Clock: Sendable, Hashable {
    /// The system's clocks, read by `readClock`.
    case system
    /// An operator's ticks, through `drive(to:)`: simulations and demonstrations.
    case driven
  }

  /// The wall clock did something that journaled time does not follow.
  public enum Alarm: Sendable, Equatable {
    /// It jumped ahead of the steady clock by this; time goes on steadily instead.
    case jumpedAhead(nanoseconds: UInt64)
    /// It is behind journaled time by this; time goes on steadily until it catches up.
    case fellBehind(nanoseconds: UInt64)
  }

  /// Sequence number of the last command stamped.
  public private(set) var lastSequence: SequenceNumber
  /// The time that the next command gets. Never falls.
  public private(set) var now: Timestamp
  /// Where time comes from.
  public let clock: Clock
  private let source: any TimeSource
  private let longestJumpNanoseconds: UInt64
  private var steadyBefore: UInt64?
  /// The wall clock when the run began, until the first command of the run: what time goes on from, without
  /// having come to any command yet.
  private var wallAtBegin: UInt64?
  private var isAlarmed = false

  /// A sequencer that goes on after a recovered journal, or starts one.
  /// - Parameters:
  ///   - lastSequence: Last sequence number of the journal.
  ///   - lastTime: Time of its last command.
  ///   - clock: Where time comes from.
  ///   - source: What the system's clock is read from.
  ///   - longestJumpNanoseconds: How far the wall clock may leave the steady clock between two
  ///     readings before it is not followed; one second by default.
  public init(
    after lastSequence: SequenceNumber = .none, lastTime: Timestamp = Timestamp(nanoseconds: 0),
    clock: Clock, source: any TimeSource = SystemTime(),
    longestJumpNanoseconds: UInt64 = 1_000_000_000
  ) {
    precondition(lastSequence.rawValue < 1 << 63, "a number that a block can hold")
    precondition(longestJumpNanoseconds > 0, "clocks are never read at the same moment")
    (self.lastSequence, self.now, self.clock) = (lastSequence, lastTime, clock)
    (self.source, self.longestJumpNanoseconds) = (source, longestJumpNanoseconds)
  }

  /// Reads the system's clocks when a run begins; nothing with a driven clock. From here on the wall clock is
  /// held against the steady one, however late the first command comes. Whoever starts has judged before
  /// whether this reading can be believed, as time never falls: see `ClockCheck` of the server.
  /// - Returns: An alarm when the wall clock is behind the journal's last time: time goes on from that.
  public mutating func begin() -> Alarm? {
    guard clock == .system else { return nil }
    return begin(wall: source.wall, steady: source.steady)
  }

  /// What `begin` does with what it read, in nanoseconds.
  package mutating func begin(wall: UInt64, steady: UInt64) -> Alarm? {
    (wallAtBegin, steadyBefore) = (wall, steady)
    let behind = now.nanoseconds - min(now.nanoseconds, wall)
    guard behind > longestJumpNanoseconds else { return nil }
    isAlarmed = true
    return .fellBehind(nanoseconds: behind)
  }

  /// Gives `command` the next sequence number and the present time.
  public mutating func stamp(_ command: inout Command) {
    lastSequence = SequenceNumber(lastSequence.rawValue + 1)
    invariant(lastSequence.rawValue < 1 << 63, "a number that a block can hold")
    command.sequence = lastSequence
    command.time = now
  }

  /// Reads the system's clocks, once for each turn of the loop; nothing with a driven clock.
  /// - Returns: An alarm when the wall clock begins to misbehave; once for each time it does.
  public mutating func readClock() -> Alarm? {
    guard clock == .system else { return nil }
    let before = now
    let alarm = advance(wall: source.wall, steady: source.steady)
    invariant(now >= before, "time never falls")
    return alarm
  }

  /// The time that a command would get if the clocks were read now. Changes nothing: the next command is
  /// not later for having asked.
  public var ahead: Timestamp {
    var probe = Sequencer(
      after: lastSequence, lastTime: now, clock: clock, source: source,
      longestJumpNanoseconds: longestJumpNanoseconds)
    (probe.steadyBefore, probe.wallAtBegin, probe.isAlarmed) = (
      steadyBefore, wallAtBegin, isAlarmed
    )
    _ = probe.readClock()
    return probe.now
  }

  /// Sets the time of a driven clock; called when an operator's tick arrives.
  /// - Returns: `false` when `time` lies before the present time, which then stays.
  /// - Precondition: the clock is driven.
  public mutating func drive(to time: Timestamp) -> Bool {
    precondition(clock == .driven, "only a driven clock is driven")
    guard time >= now else { return false }
    now = time
    return true
  }

  /// What `readClock` does with what it read, in nanoseconds.
  package mutating func advance(wall: UInt64, steady: UInt64) -> Alarm? {
    defer { steadyBefore = steady }
    let elapsed = steadyBefore.map { steady - min($0, steady) }
    let (sum, overflow) = max(now.nanoseconds, wallAtBegin.take() ?? 0)
      .addingReportingOverflow(elapsed ?? 0)
    // A driven clock may have come to the end of time; it stays there.
    let due = overflow ? .max : sum
    invariant(due >= now.nanoseconds, "what is due is not before what was")
    if wall > due, wall - due > longestJumpNanoseconds, elapsed != nil {
      return follow(due, .jumpedAhead(nanoseconds: wall - due))
    }
    if wall < due, due - wall > longestJumpNanoseconds {
      return follow(due, .fellBehind(nanoseconds: due - wall))
    }
    // Where no run was begun, the first reading is taken as it is.
    return follow(max(now.nanoseconds, wall), nil)
  }

  /// - Returns: `alarm`, the first time in a row.
  private mutating func follow(_ nanoseconds: UInt64, _ alarm: Alarm?) -> Alarm? {
    invariant(nanoseconds >= now.nanoseconds, "time never falls")
    now = Timestamp(nanoseconds: nanoseconds)
    defer { isAlarmed = alarm != nil }
    return isAlarmed ? nil : alarm
  }
}
