import GatewayKit
import MarketModel

/// Refused log-ons on their way to the log: a line for each address and reason, at once for the
/// first refusal, and then every ten seconds with the number of those since. Owned by the I/O
/// thread.
struct RefusedLogOns {
  /// A line in the log.
  struct Line: Equatable {
    /// Where the clients connect from; `nil` if that is not known, or the line is about several
    /// addresses.
    var address: LogOnAddress?
    /// Whether it is about all addresses that have no line of their own.
    var isOfOthers = false
    /// Why they were refused.
    var failure: LogOnFailure
    /// The session that the last one named.
    var session: SessionId
    /// Their number.
    var count: Int
  }

  private struct Key: Hashable {
    var address: LogOnAddress?
    var isOfOthers = false
    var failure: LogOnFailure
  }

  /// Time between two lines about the same address and reason, ns.
  static let interval: UInt64 = 10_000_000_000
  /// Maximum number of addresses and reasons with a line of their own; further ones share one line
  /// for each reason.
  static let capacity = 256

  private var lines: [Key: Line] = [:]
  private var flushed = SteadyTime(nanoseconds: 0)

  /// Counts a refusal. Constant time.
  /// - Returns: the line to be logged at once; `nil` if it is counted in a later line.
  mutating func note(
    _ session: SessionId, _ failure: LogOnFailure, from address: LogOnAddress?
  ) -> Line? {
    var key = Key(address: address, failure: failure)
    if lines[key] == nil, lines.count >= Self.capacity {
      key = Key(isOfOthers: true, failure: failure)
    }
    if lines[key] != nil {
      lines[key]?.count += 1
      lines[key]?.session = session
      return nil
    }
    var line = Line(
      address: key.address, isOfOthers: key.isOfOthers, failure: failure, session: session, count: 1
    )
    defer {
      line.count = 0
      lines[key] = line
    }
    return line
  }

  /// Whether ten seconds have passed since the last lines were taken.
  func isDue(at now: SteadyTime) -> Bool {
    !lines.isEmpty && now.since(flushed) >= Self.interval
  }

  /// Takes the lines about refusals that were not logged at once. What was not refused again since
  /// the last time is forgotten.
  mutating func take(at now: SteadyTime) -> [Line] {
    flushed = now
    let due = lines.values.filter { $0.count > 0 }
    lines = lines.filter { $0.value.count > 0 }.mapValues { line in
      var line = line
      line.count = 0
      return line
    }
    return due
  }
}
