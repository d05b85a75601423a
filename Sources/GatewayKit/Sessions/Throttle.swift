// Rate limit of a session, per second. A second starts with the first message after the previous
// second ended:
//
//     0 ...... accepted ...... limit ...... rejected (9003) ...... cutoff ...... terminated (9004)

/// Two thresholds in messages per second.
public struct ThrottleLimits: Sendable, Equatable {
  /// Number of messages per second that are accepted; further ones are rejected.
  public var limit: UInt32
  /// Number of messages per second, including rejected ones, above which the session is terminated.
  public var cutoff: UInt32

  /// Creates limits of `limit` and `cutoff` messages per second.
  public init(limit: UInt32, cutoff: UInt32) { (self.limit, self.cutoff) = (limit, cutoff) }
}

/// Counts the messages of one kind in one session.
public struct Throttle: Sendable {
  /// The treatment of a message.
  public enum Verdict: Equatable {
    /// It is accepted.
    case pass
    /// It is rejected: the limit of this second is exceeded.
    case reject
    /// The session is terminated: the cutoff is exceeded.
    case cut
  }

  private static let second: UInt64 = 1_000_000_000
  /// The thresholds.
  public private(set) var limits: ThrottleLimits
  private var start = SteadyTime(nanoseconds: 0)
  private var count: UInt32 = 0

  /// Creates a counter at 0.
  public init(_ limits: ThrottleLimits) { self.limits = limits }

  /// Counts one message.
  public mutating func count(at now: SteadyTime) -> Verdict {
    if now.since(start) >= Self.second { (start, count) = (now, 0) }
    count += 1
    if count <= limits.limit { return .pass }
    return count > limits.cutoff ? .cut : .reject
  }

  /// Sets the number of messages per second that are accepted, at most the cutoff.
  public mutating func setLimit(_ limit: UInt32) { limits.limit = min(limit, limits.cutoff) }

  /// Takes back the count of a message that will be presented again.
  public mutating func putBack() { count -= min(count, 1) }
}
