import GatewayKit
import MarketModel

/// Events that clients can cause at will, on their way to the log: a line for each source and reason,
/// at once for the first event, and then every ten seconds with the number of those since. Owned by
/// the I/O thread.
struct CountedLines<Source: Hashable, Reason: Hashable> {
  /// A line in the log.
  struct Line: Equatable {
    /// Whom it is about; `nil` if that is not known, or the line is about several sources.
    var source: Source?
    /// Whether it is about all sources that have no line of their own.
    var isOfOthers = false
    /// What happened.
    var reason: Reason
    /// The session of the last one.
    var session: SessionId
    /// The limit of the last one; its meaning depends on the reason.
    var limit: Int64
    /// Their number.
    var count: Int
  }

  private struct Key: Hashable {
    var source: Source?
    var isOfOthers = false
    var reason: Reason
  }

  /// Time between two lines about the same source and reason, ns.
  static var interval: UInt64 { 10_000_000_000 }
  /// Maximum number of sources and reasons with a line of their own; further ones share one line for
  /// each reason.
  static var capacity: Int { 256 }

  private var lines: [Key: Line] = [:]
  private var flushed = SteadyTime(nanoseconds: 0)
  /// Whether the ten seconds of the present lines have begun.
  private var hasBegun = false

  /// Counts an event. Constant time.
  /// - Returns: the line to be logged at once; `nil` if it is counted in a later line.
  mutating func note(
    _ session: SessionId, _ reason: Reason, from source: Source?, limit: Int64 = 0
  ) -> Line? {
    var key = Key(source: source, reason: reason)
    if lines[key] == nil, lines.count >= Self.capacity {
      key = Key(isOfOthers: true, reason: reason)
    }
    if lines[key] != nil {
      lines[key]?.count += 1
      lines[key]?.session = session
      lines[key]?.limit = limit
      return nil
    }
    var line = Line(
      source: key.source, isOfOthers: key.isOfOthers, reason: reason, session: session,
      limit: limit, count: 1)
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

  /// Takes the lines about events that were not logged at once. What did not happen again since the
  /// last time is forgotten.
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

  /// Takes the lines if they are due, or if the server ends. The first ten seconds begin with the call
  /// after the first line.
  mutating func take(at now: SteadyTime, isLast: Bool) -> [Line] {
    if isLast { return take(at: now) }
    if lines.isEmpty {
      hasBegun = false
      return []
    }
    if !hasBegun { (hasBegun, flushed) = (true, now) }
    return isDue(at: now) ? take(at: now) : []
  }
}

/// Refused log-ons.
typealias RefusedLogOns = CountedLines<LogOnAddress, LogOnFailure>
