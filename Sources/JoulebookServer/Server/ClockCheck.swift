// Journaled time never goes back: after one start with a clock that is years ahead, every later
// command would keep that time. A start therefore compares the wall clock with the best reference
// it has:
//
//     journal with commands   its last time            at most 31 days ahead
//     new exchange            time of the program file at most 3 years ahead, at most 1 day behind
//
// The limits allow for a server that was down over a holiday and for a program older than its
// newest exchange. A clock behind the journal is harmless, because time continues from the
// journal's last. An operator who knows that the clock is right overrides the check for one start.

import Foundation
import MarketModel
import Settlement

/// Plausibility check of the system clock when a server starts. It does not apply to a driven
/// clock.
public struct ClockCheck: Sendable {
  /// Longest plausible downtime of a server: 31 days, in ns.
  public static let longestPause: UInt64 = 31 * 86_400_000_000_000
  /// Greatest plausible age of a program that starts a new exchange: 3 years, in ns.
  public static let longestUse: UInt64 = 3 * 365 * 86_400_000_000_000
  /// How far the clock may be behind the modification time of the program file, which another
  /// machine's clock may have set: one day, in ns.
  public static let clockDifference: UInt64 = 86_400_000_000_000
  /// 1 January 2025. The program did not exist before, so an older file time (reproducible builds
  /// set one) is ignored.
  static let firstProgram = Timestamp(nanoseconds: 1_735_689_600_000_000_000)

  /// The reason why a start is refused.
  public struct Doubt: Sendable, Equatable, CustomStringConvertible {
    /// Time shown by the system clock.
    public var clock: Timestamp
    /// Time that the clock was compared with.
    public var reference: Timestamp
    /// Whether `reference` is the journal's last time; otherwise it is the time of the program
    /// file.
    public var isJournal: Bool

    /// Both times in ISO 8601, and what the operator should do.
    public var description: String {
      let other =
        isJournal ? "the journal's last command has the time" : "this program's file has the time"
      return
        "the system's clock shows \(clock.iso8601), but \(other) \(reference.iso8601). Journaled "
        + "time never goes back, so nothing was written. Correct the clock (`date`, `chronyc "
        + "tracking`); if it is right, start once with: joulebook serve --accept-time"
    }
  }

  /// Modification time of the program file; `nil` if unknown or not to be checked.
  public var program: Timestamp?
  /// Whether the clock is accepted regardless of the check (`--accept-time`).
  public var acceptsTime: Bool

  /// - Parameters:
  ///   - program: Modification time of the program file; `nil` disables the check for a new
  ///     exchange.
  ///   - acceptsTime: Accepts the clock regardless of the check.
  public init(program: Timestamp? = nil, acceptsTime: Bool = false) {
    (self.program, self.acceptsTime) = (program, acceptsTime)
  }

  /// Modification time of the running program's file; `nil` if the system does not report it.
  public static var programTime: Timestamp? {
    var status = stat()
    guard stat("/proc/self/exe", &status) == 0, status.st_mtim.tv_sec > 0 else { return nil }
    return Timestamp(
      nanoseconds: UInt64(status.st_mtim.tv_sec) * 1_000_000_000 + UInt64(status.st_mtim.tv_nsec))
  }

  /// Compares a clock that shows `wall` (ns since 1970) with the reference, ignoring `acceptsTime`.
  /// - Parameter last: The journal's last time; `nil` in a new exchange, 0 if its driven clock
  ///   was never driven.
  /// - Returns: `nil` if the clock is plausible.
  public func doubt(wall: UInt64, last: Timestamp?) -> Doubt? {
    if let last, last.nanoseconds > 0 {
      let isFar = wall > last.nanoseconds && wall - last.nanoseconds > Self.longestPause
      return isFar
        ? Doubt(clock: Timestamp(nanoseconds: wall), reference: last, isJournal: true) : nil
    }
    guard let program, program >= Self.firstProgram else { return nil }
    let (time, early) = (program.nanoseconds, wall < program.nanoseconds)
    let isFar = early ? time - wall > Self.clockDifference : wall - time > Self.longestUse
    return isFar
      ? Doubt(clock: Timestamp(nanoseconds: wall), reference: program, isJournal: false) : nil
  }

  /// Refuses the start if the clock is implausible and not accepted by the operator.
  /// - Parameter last: As in `doubt`.
  /// - Returns: the doubt that the operator overrode; `nil` if there is none.
  /// - Throws: `clock`, before anything is journaled.
  func admit(wall: UInt64, last: Timestamp?) throws(StartError) -> Doubt? {
    guard let doubt = doubt(wall: wall, last: last) else { return nil }
    guard acceptsTime else { throw .clock(doubt) }
    return doubt
  }
}
