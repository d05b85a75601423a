// When a client reads too slowly. While more than the bound waits for it, its reading is measured
// in periods of the configured patience:
//
//     takes less than the bound in a period       it does not read: it is cut
//     is above the bound for sixteen periods      it reads too slowly for what it asks: it is cut
//     comes to the bound or below                 it reads: everything is forgotten
//
// Time is counted in ticks of the loop, between which the socket could take bytes: a server that
// was delayed itself does not blame its clients.

/// How a client reads while more than the bound waits for it.
struct ReadingPace {
  /// Number of periods for which a client that reads may be above the bound; the greatest queue
  /// has this number of bounds.
  static let longest = 16

  /// Whether more than the bound waits.
  private(set) var isBehind = false
  /// Whether the connection is in the list of those that are measured.
  var isListed = false
  /// Ticks of the period so far.
  private var ticks = 0
  /// Bytes that the socket took in the period so far.
  private var taken = 0
  /// Complete periods.
  private var periods = 0
  /// Ticks, and bytes that the socket took, since the bound was exceeded.
  private var (allTicks, allTaken) = (0, 0)

  /// The bound is exceeded.
  mutating func fallBehind() {
    reset()
    isBehind = true
  }

  /// Forgets everything, except whether the connection is listed.
  mutating func reset() {
    let wasListed = isListed
    self = ReadingPace()
    isListed = wasListed
  }

  /// The bound is kept again.
  mutating func catchUp() { isBehind = false }

  /// The socket took bytes.
  mutating func took(_ bytes: Int) {
    taken += bytes
    allTaken += bytes
  }

  /// A tick has passed.
  /// - Parameters:
  ///   - period: Length of a period in ticks.
  ///   - bound: The bound in bytes.
  /// - Returns: whether the client is too slow.
  mutating func tick(period: Int, bound: Int) -> Bool {
    (ticks, allTicks) = (ticks + 1, allTicks + 1)
    guard ticks >= period else { return false }
    periods += 1
    if taken < bound || periods >= Self.longest { return true }
    (ticks, taken) = (0, 0)
    return false
  }

  /// Whether the client reads less per time than `other`, or as little for longer.
  func isSlower(than other: ReadingPace) -> Bool {
    let (mine, its) = (
      allTaken.multipliedFullWidth(by: max(1, other.allTicks)),
      other.allTaken.multipliedFullWidth(by: max(1, allTicks))
    )
    if mine != its { return mine < its }
    return allTicks > other.allTicks
  }
}
