// How many messages a session may send in a second, counted from the first message after the second
// before was over:
//
//     0 ...... accepted ...... limit ...... rejected (9003) ...... cutoff ...... the session ends (9004)

/// Two thresholds in messages a second.
public struct ThrottleLimits: Sendable, Equatable {
  /// So many are taken; further ones are rejected.
  public var limit: UInt32
  /// More than so many, the rejected included, end the session.
  public var cutoff: UInt32

  /// Both thresholds.
  public init(limit: UInt32, cutoff: UInt32) { (self.limit, self.cutoff) = (limit, cutoff) }
}

/// Counts the messages of one kind of one session.
public struct Throttle: Sendable {
  /// What becomes of a message.
  public enum Verdict: Equatable {
    /// It is taken.
    case pass
    /// It is rejected: too many in this second.
    case reject
    /// The session ends: far too many.
    case cut
  }

  private static let second: UInt64 = 1_000_000_000
  /// The thresholds.
  public let limits: ThrottleLimits
  private var start = SteadyTime(nanoseconds: 0)
  private var count: UInt32 = 0

  /// A count of none.
  public init(_ limits: ThrottleLimits) { self.limits = limits }

  /// Counts one message.
  public mutating func count(at now: SteadyTime) -> Verdict {
    if now.since(start) >= Self.second { (start, count) = (now, 0) }
    count += 1
    if count <= limits.limit { return .pass }
    return count > limits.cutoff ? .cut : .reject
  }

  /// A message that was counted will be shown again.
  public mutating func putBack() { count -= min(count, 1) }
}
