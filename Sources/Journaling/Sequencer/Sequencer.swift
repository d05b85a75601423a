// The only clock on the path of an order. The time of a command is max(time of the previous
// command, now):
//
//   wall clock   ----x----x--x------------------x x x      a step of the wall clock (operator's
//                                              /           mistake, faulty time server) is
//   journaled    ----x----x--x----x---x---x---x--x--x      detected by comparison with the
//                                                          monotonic clock and not followed

import MarketModel

/// Gives commands their sequence numbers and times. Owned by the thread that applies commands.
public struct Sequencer: ~Copyable {
  /// Source of time.
  public enum Clock: Sendable, Hashable {
    /// The system's clocks, read by `readClock`.
    case system
    /// An operator's ticks, through `drive(to:)`; for simulations and demonstrations.
    case driven
  }

  /// A misbehaviour of the wall clock that journaled time does not follow.
  public enum Alarm: Sendable, Equatable {
    /// The wall clock jumped ahead of the monotonic clock by this; time continues at the monotonic
    /// rate.
    case jumpedAhead(nanoseconds: UInt64)
    /// The wall clock is behind journaled time by this; time continues at the monotonic rate until
    /// the wall clock has caught up.
    case fellBehind(nanoseconds: UInt64)
  }

  /// Sequence number of the last command stamped.
  public private(set) var lastSequence: SequenceNumber
  /// The time of the next command. Never falls.
  public private(set) var now: Timestamp
  /// Source of time.
  public let clock: Clock
  private let source: any TimeSource
  private let longestJumpNanoseconds: UInt64
  private var steadyBefore: UInt64?
  /// The wall clock at the start of the run, until the first reading for a command; that reading is
  /// compared with it.
  private var wallAtBegin: UInt64?
  private var isAlarmed = false

  /// Continues after a recovered journal, or starts a new one.
  /// - Parameters:
  ///   - lastSequence: Last sequence number in the journal.
  ///   - lastTime: Time of that command.
  ///   - clock: Source of time.
  ///   - source: The system's clocks.
  ///   - longestJumpNanoseconds: Greatest deviation of the wall clock from the monotonic clock
  ///     between two readings that is followed; one second by default.
  public init(
    after lastSequence: SequenceNumber = .none, lastTime: Timestamp = Timestamp(nanoseconds: 0),
    clock: Clock, source: any TimeSource = SystemTime(),
    longestJumpNanoseconds: UInt64 = 1_000_000_000
  ) {
    precondition(lastSequence.rawValue < 1 << 63, "the sequence number fits into a block")
    precondition(longestJumpNanoseconds > 0, "the permitted deviation of the clocks is positive")
    (self.lastSequence, self.now, self.clock) = (lastSequence, lastTime, clock)
    (self.source, self.longestJumpNanoseconds) = (source, longestJumpNanoseconds)
  }

  /// Reads the system's clocks at the start of a run; does nothing with a driven clock. From here
  /// on the wall clock is compared with the monotonic one, however late the first command comes.
  /// The caller has checked before whether the reading is plausible, since time never falls: see
  /// the server's `ClockCheck`.
  /// - Returns: an alarm if the wall clock is behind the journal's last time, from which time
  ///   continues.
  public mutating func begin() -> Alarm? {
    guard clock == .system else { return nil }
    return begin(wall: source.wall, steady: source.steady)
  }

  /// The part of `begin` after the clocks were read; times in ns.
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
    invariant(lastSequence.rawValue < 1 << 63, "the sequence number fits into a block")
    command.sequence = lastSequence
    command.time = now
  }

  /// Reads the system's clocks, once per turn of the loop; does nothing with a driven clock.
  /// - Returns: an alarm when the wall clock starts to misbehave; once per occurrence.
  public mutating func readClock() -> Alarm? {
    guard clock == .system else { return nil }
    let before = now
    let alarm = advance(wall: source.wall, steady: source.steady)
    invariant(now >= before, "time never falls")
    return alarm
  }

  /// The time that a command would get if the clocks were read now. Reading it has no effect on the
  /// next command.
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

  /// Advances a driven clock, for an operator's tick.
  /// - Returns: `false` if `time` is before the present time, which then stays.
  /// - Precondition: the clock is driven.
  public mutating func drive(to time: Timestamp) -> Bool {
    precondition(clock == .driven, "the clock is driven")
    guard time >= now else { return false }
    now = time
    return true
  }

  /// The part of `readClock` after the clocks were read; times in ns.
  package mutating func advance(wall: UInt64, steady: UInt64) -> Alarm? {
    defer { steadyBefore = steady }
    let elapsed = steadyBefore.map { steady - min($0, steady) }
    let (sum, overflow) = max(now.nanoseconds, wallAtBegin.take() ?? 0)
      .addingReportingOverflow(elapsed ?? 0)
    // A driven clock may have reached the greatest representable time, where it stays.
    let due = overflow ? .max : sum
    invariant(due >= now.nanoseconds, "monotonic time never falls")
    if wall > due, wall - due > longestJumpNanoseconds, elapsed != nil {
      return follow(due, .jumpedAhead(nanoseconds: wall - due))
    }
    if wall < due, due - wall > longestJumpNanoseconds {
      return follow(due, .fellBehind(nanoseconds: due - wall))
    }
    // Without a `begin`, the first reading is accepted as it is.
    return follow(max(now.nanoseconds, wall), nil)
  }

  /// - Returns: `alarm` at its first occurrence in a row, else `nil`.
  private mutating func follow(_ nanoseconds: UInt64, _ alarm: Alarm?) -> Alarm? {
    invariant(nanoseconds >= now.nanoseconds, "time never falls")
    now = Timestamp(nanoseconds: nanoseconds)
    defer { isAlarmed = alarm != nil }
    return isAlarmed ? nil : alarm
  }
}
