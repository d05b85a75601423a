// Rate limit of a session, per second. A second starts with the first message after the previous
// second ended:
//
//     0 ...... accepted ...... limit ...... rejected (9003) ...... cutoff ...... terminated (9004)

import MarketModel

/// Two thresholds in messages per second.
public struct ThrottleLimits: Sendable, Equatable {
  /// Number of messages per second that are accepted; further ones are rejected.
  public var limit: UInt32
  /// Number of messages per second, including rejected ones, above which the session is terminated.
  public var cutoff: UInt32

  /// Creates limits of `limit` and `cutoff` messages per second.
  public init(limit: UInt32, cutoff: UInt32) { (self.limit, self.cutoff) = (limit, cutoff) }

  /// Of messages, cancels excepted, unless a gateway has other ones.
  public static let ofMessages = ThrottleLimits(limit: 50_000, cutoff: 200_000)
  /// Of cancels and mass cancels, unless a gateway has other ones.
  public static let ofCancels = ThrottleLimits(limit: 200_000, cutoff: 800_000)
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
  public let limits: ThrottleLimits
  private var start = SteadyTime(nanoseconds: 0)
  private var count: UInt32 = 0

  /// Creates a counter at 0.
  public init(_ limits: ThrottleLimits) { self.limits = limits }

  /// The number of messages per second that are accepted of a session whose own limit is `own`; 0: it
  /// has none.
  public func limit(own: UInt32) -> UInt32 { own == 0 ? limits.limit : min(own, limits.limit) }

  /// Counts one message of a session whose own limit is `own`; 0: it has none.
  public mutating func count(at now: SteadyTime, own: UInt32 = 0) -> Verdict {
    if now.since(start) >= Self.second { (start, count) = (now, 0) }
    count += 1
    if count <= limit(own: own) { return .pass }
    return count > limits.cutoff ? .cut : .reject
  }

  /// Takes back the count of a message that will be presented again.
  public mutating func putBack() { count -= min(count, 1) }
}

/// The rate limits of one session. Cancels are counted apart from the other messages, so that a
/// client over its limit can still cancel its orders; the session's own limit (market rules 14),
/// which each gateway reads from the `DurableView` for each message, is one of the others.
public struct SessionThrottle: Sendable {
  private var messages: Throttle
  private var cancels: Throttle

  /// Creates counters at 0.
  public init(
    messages: ThrottleLimits = .ofMessages, cancels: ThrottleLimits = .ofCancels
  ) {
    (self.messages, self.cancels) = (Throttle(messages), Throttle(cancels))
  }

  /// Counts one message.
  /// - Parameters:
  ///   - isCancel: Whether it is a cancel or a mass cancel.
  ///   - own: The session's own limit; 0: it has none.
  /// - Throws: 9003 when the message is rejected, 9004 when the session ends.
  public mutating func count(
    isCancel: Bool = false, own: UInt32 = 0, at now: SteadyTime
  ) throws(Refusal) {
    switch isCancel ? cancels.count(at: now) : messages.count(at: now, own: own) {
    case .pass: break
    case .reject:
      throw Refusal(.tooManyMessages, isCancel ? cancels.limits.limit : messages.limit(own: own))
    case .cut:
      throw Refusal(.flooding, isCancel ? cancels.limits.cutoff : messages.limits.cutoff)
    }
  }

  /// Takes back the count of a message that will be presented again.
  public mutating func putBack(isCancel: Bool = false) {
    if isCancel { cancels.putBack() } else { messages.putBack() }
  }
}
