// Journaled time never falls: one start with a clock that is years ahead would leave every later command in that
// time, for good. So a start holds the wall clock against the best that there is:
//
//     journal with commands   its last time         not more than 31 days ahead
//     new exchange            the program's file    not more than 3 years ahead, not more than a day before
//
// A server may stand still over a holiday, a program be older than its newest exchange; a clock that is behind the
// journal harms nothing, as time goes on from the journal's. Whoever knows better says so, for one start.

import Foundation
import MarketModel
import Settlement

/// What the system's clock is held against when a server starts. A driven clock is not concerned.
public struct ClockCheck: Sendable {
  /// How long a server may have stood still: 31 days, in ns.
  public static let longestPause: UInt64 = 31 * 86_400_000_000_000
  /// How old a program may be that starts a new exchange: 3 years, in ns.
  public static let longestUse: UInt64 = 3 * 365 * 86_400_000_000_000
  /// How far the clock may be before the time of the program's file, which another machine's clock may have
  /// given: a day, in ns.
  public static let clockDifference: UInt64 = 86_400_000_000_000
  /// Before this (1 January 2025) there was no such program: a file with an older time, as reproducible builds
  /// give it, says nothing.
  static let firstProgram = Timestamp(nanoseconds: 1_735_689_600_000_000_000)

  /// Why a start is refused.
  public struct Doubt: Sendable, Equatable, CustomStringConvertible {
    /// What the clock shows.
    public var clock: Timestamp
    /// What it is held against.
    public var reference: Timestamp
    /// Whether that is the journal's last time; else it is the time of the program's file.
    public var isJournal: Bool

    /// Both times in words, and what to do.
    public var description: String {
      let other = isJournal ? "the journal's last command is of" : "this program's file is of"
      return
        "the system's clock shows \(clock.iso8601), but \(other) \(reference.iso8601). Time that was "
        + "journaled never goes back, so nothing was written. Set the clock right (`date`, `chronyc tracking`); "
        + "if it is right, start once with: joulebook serve --accept-time"
    }
  }

  /// The time of the program's file; `nil`: it is not known, or does not matter.
  public var program: Timestamp?
  /// Whatever the clock shows is accepted.
  public var acceptsTime: Bool

  /// - Parameters:
  ///   - program: The time of the program's file; `nil`: a new exchange takes any time.
  ///   - acceptsTime: Whatever the clock shows is accepted.
  public init(program: Timestamp? = nil, acceptsTime: Bool = false) {
    (self.program, self.acceptsTime) = (program, acceptsTime)
  }

  /// The time of the file of the program that runs; `nil` when the system does not say.
  public static var programTime: Timestamp? {
    var status = stat()
    guard stat("/proc/self/exe", &status) == 0, status.st_mtim.tv_sec > 0 else { return nil }
    return Timestamp(
      nanoseconds: UInt64(status.st_mtim.tv_sec) * 1_000_000_000 + UInt64(status.st_mtim.tv_nsec))
  }

  /// What speaks against a clock that shows `wall`, whatever is accepted.
  /// - Parameter last: The journal's last time; `nil` in a new exchange, 0 in one whose driven clock was never
  ///   driven.
  /// - Returns: `nil`: nothing.
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

  /// Refuses a start whose clock cannot be believed, unless it is accepted.
  /// - Parameter last: As for `doubt`.
  /// - Returns: what was accepted nevertheless.
  /// - Throws: `clock`, before anything was journaled.
  func admit(wall: UInt64, last: Timestamp?) throws(StartError) -> Doubt? {
    guard let doubt = doubt(wall: wall, last: last) else { return nil }
    guard acceptsTime else { throw .clock(doubt) }
    return doubt
  }
}
