// A handshake's first step computes a signature, which takes the loop's thread as long as hundreds
// of orders. Therefore each step waits here for its turn:
//
//     read ─▶ ready ──next──▶ step, at most one signature a turn of the loop
//               │  ▲
//               ▼  │ next second
//             delayed           its address, or all together, had their share of this second

/// Decides which connections may take the next step of their TLS handshakes, first come, first
/// served. Owned by the loop's thread.
struct HandshakeGate {
  /// A connection that waits for a step.
  struct Entry {
    var connection: ConnectionId
    var address: PeerAddress
    /// Whether the step is the first one, for which limits apply.
    var isFirst: Bool
    fileprivate var wasDelayed = false

    init(_ connection: ConnectionId, _ address: PeerAddress, isFirst: Bool) {
      (self.connection, self.address, self.isFirst) = (connection, address, isFirst)
    }
  }

  /// Length of the period to which the limits apply, in ms.
  private static let period: UInt64 = 1_000

  /// Maximum number of first steps in a second.
  let perSecond: Int
  /// Maximum number of first steps in a second for one address; the local machine is not limited.
  let perAddress: Int
  /// Number of handshakes that had to wait for a later second.
  private(set) var delayedCount = 0

  private var ready: [Entry] = []
  private var next = 0
  private var delayed: [Entry] = []
  private var periodEnd: UInt64 = 0
  private var begun = 0
  private var begunByAddress: [PeerAddress: Int] = [:]
  private let limitsLoopback: Bool

  /// - Parameter limitsLoopback: Whether the local machine is limited too, for tests.
  init(perSecond: Int, limitsLoopback: Bool = false) {
    (self.perSecond, self.limitsLoopback) = (perSecond, limitsLoopback)
    perAddress = max(1, perSecond / 8)
  }

  /// Whether some step may be taken now.
  var hasReady: Bool { next < ready.count }

  /// Whether nobody waits.
  var isEmpty: Bool { !hasReady && delayed.isEmpty }

  /// Whether `takeNext` may return a connection.
  /// - Parameter now: Loop time in ms.
  func isDue(at now: UInt64) -> Bool { hasReady || !delayed.isEmpty && now >= periodEnd }

  /// How long the delayed ones have to wait, in ms; `nil` if there are none.
  /// - Parameter now: Loop time in ms.
  func delay(at now: UInt64) -> UInt64? {
    if delayed.isEmpty { return nil }
    return now < periodEnd ? periodEnd - now : 0
  }

  /// A connection waits for its next step.
  mutating func wait(_ entry: Entry) { ready.append(entry) }

  /// The connection that takes its step now; `nil` if none may.
  /// - Parameter now: Loop time in ms.
  mutating func takeNext(at now: UInt64) -> ConnectionId? {
    if now >= periodEnd { beginPeriod(now) }
    while next < ready.count {
      var entry = ready[next]
      next += 1
      if next == ready.count {
        ready.removeAll(keepingCapacity: true)
        next = 0
      }
      if !entry.isFirst || isAdmitted(entry.address) { return entry.connection }
      if !entry.wasDelayed { delayedCount += 1 }
      entry.wasDelayed = true
      delayed.append(entry)
    }
    return nil
  }

  private mutating func beginPeriod(_ now: UInt64) {
    (periodEnd, begun) = (now + Self.period, 0)
    begunByAddress.removeAll(keepingCapacity: true)
    if delayed.isEmpty { return }
    // Those that were delayed have waited longer than the others.
    ready = delayed + ready[next...]
    next = 0
    delayed.removeAll(keepingCapacity: true)
  }

  private mutating func isAdmitted(_ address: PeerAddress) -> Bool {
    guard begun < perSecond else { return false }
    if !address.isLoopback || limitsLoopback {
      guard begunByAddress[address, default: 0] < perAddress else { return false }
      begunByAddress[address, default: 0] += 1
    }
    begun += 1
    return true
  }
}
