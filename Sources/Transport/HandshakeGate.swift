// A handshake's first step computes a signature, which takes the loop's thread as long as hundreds
// of orders. Therefore each step waits here for its turn:
//
//     whole hello ─▶ line of its address ─┐
//                    line of another     ─┼─ in rotation, one of each line ─▶ step
//                    line of a third     ─┘
//     later bytes ─▶ continuing ─ at once ──────────────────────────────────▶ step
//
// A turn of the loop takes at most one step that computes a signature. First steps are spread over
// the second: 200 a second are one every 5 ms, with a burst of an eighth of them. Thus the first
// client of an address waits for at most one step of each other address, however many connections
// those have. An address that had its eighth of this second is passed over until the next one.

/// Decides which connections may take the next step of their TLS handshakes. Owned by the loop's
/// thread. Each call takes constant time, except that taking a step passes over the few addresses
/// that had their share.
struct HandshakeGate {
  /// A connection that waits for its first step, in the element of its slot.
  private struct Place {
    /// The connection; null if none waits.
    var connection = ConnectionId.null
    var address = PeerAddress.unknown
    /// Loop time at which it came, ms.
    var since: UInt64 = 0
    /// Slots of its neighbours in the line; -1 if there is none.
    var ahead = -1
    var behind = -1
  }

  /// The connections of one address that wait, the oldest first; and the neighbours of the address
  /// in the rotation.
  private struct Line {
    var first: Int
    var last: Int
    var count = 1
    var previous: PeerAddress
    var next: PeerAddress
  }

  /// Length of the period to which an address's share applies, in ms.
  private static let period: UInt64 = 1_000
  /// What a first step takes from `credit`.
  private static let price: UInt64 = 1_000
  /// Wait from which on a handshake counts as delayed, in ms.
  private static let longWait: UInt64 = 100
  /// Maximum number of lines that `longest` compares.
  private static let compared = 256

  /// Maximum number of first steps in a second.
  let perSecond: Int
  /// Maximum number of first steps in a second for one address, and the largest burst of all; the
  /// local machine is limited by `perSecond` and the rotation only.
  let perAddress: Int
  /// Number of handshakes that waited for over 100 ms.
  private(set) var delayedCount = 0
  /// Number of connections that wait for their first step.
  private(set) var waitingCount = 0

  private var continuing: [ConnectionId] = []
  private var nextContinuing = 0
  private var places: [Place] = []
  private var lines: [PeerAddress: Line] = [:]
  /// The address whose line is next; `nil` if nobody waits for a first step.
  private var turn: PeerAddress?
  /// First steps that may be taken now, times `price`.
  private var credit: UInt64
  /// When `credit` was last increased; loop time in ms.
  private var creditTime: UInt64 = 0
  private var periodEnd: UInt64 = 0
  private var begunByAddress: [PeerAddress: Int] = [:]
  /// Before this time no first step can be taken; loop time in ms.
  private var nextTry: UInt64 = 0
  private let limitsLoopback: Bool

  /// - Parameter limitsLoopback: Whether the local machine has the limit of one address, for tests.
  init(perSecond: Int, limitsLoopback: Bool = false) {
    (self.perSecond, self.limitsLoopback) = (perSecond, limitsLoopback)
    perAddress = max(1, perSecond / 8)
    credit = UInt64(perAddress) * Self.price
  }

  /// Whether nobody waits.
  var isEmpty: Bool { turn == nil && nextContinuing == continuing.count }

  /// Whether `takeNext` may return a connection.
  /// - Parameter now: Loop time in ms.
  func isDue(at now: UInt64) -> Bool {
    nextContinuing < continuing.count || turn != nil && now >= nextTry
  }

  /// How long all have to wait, in ms; `nil` if nobody waits.
  /// - Parameter now: Loop time in ms.
  func delay(at now: UInt64) -> UInt64? {
    if isEmpty { return nil }
    return isDue(at: now) ? 0 : nextTry - now
  }

  /// A connection waits for a later step of its handshake.
  mutating func waitToContinue(_ connection: ConnectionId) { continuing.append(connection) }

  /// A connection waits for the first step of its handshake, behind the others of its address.
  /// - Parameter now: Loop time in ms.
  mutating func wait(_ connection: ConnectionId, _ address: PeerAddress, at now: UInt64) {
    let slot = connection.slot
    while places.count <= slot { places.append(Place()) }
    var place = Place(connection: connection, address: address, since: now)
    if let last = lines[address]?.last {
      place.ahead = last
      places[last].behind = slot
      lines[address]?.last = slot
      lines[address]?.count += 1
    } else {
      begin(address, slot)
    }
    places[slot] = place
    waitingCount += 1
    nextTry = 0
  }

  /// A connection no longer waits for its first step. Has no effect if it does not wait.
  /// - Parameter now: Loop time in ms.
  mutating func leave(_ connection: ConnectionId, at now: UInt64) {
    let slot = connection.slot
    guard slot < places.count, places[slot].connection == connection else { return }
    let place = places[slot]
    places[slot] = Place()
    waitingCount -= 1
    if now >= place.since + Self.longWait { delayedCount += 1 }
    if lines[place.address]?.count == 1 { return end(place.address) }
    lines[place.address]?.count -= 1
    if place.ahead >= 0 {
      places[place.ahead].behind = place.behind
    } else {
      lines[place.address]?.first = place.behind
    }
    if place.behind >= 0 {
      places[place.behind].ahead = place.ahead
    } else {
      lines[place.address]?.last = place.ahead
    }
  }

  /// The connection that takes its step now; `nil` if none may.
  /// - Parameter now: Loop time in ms.
  mutating func takeNext(at now: UInt64) -> ConnectionId? {
    if nextContinuing < continuing.count {
      defer { nextContinuing += 1 }
      return continuing[nextContinuing]
    }
    continuing.removeAll(keepingCapacity: true)
    nextContinuing = 0
    guard let start = turn else { return nil }
    renew(now)
    guard credit >= Self.price else {
      let rate = UInt64(perSecond)
      nextTry = now + (Self.price - credit + rate - 1) / rate
      return nil
    }
    repeat {
      guard let address = turn, let line = lines[address] else { break }
      turn = line.next
      if isAdmitted(address) {
        credit -= Self.price
        let connection = places[line.first].connection
        leave(connection, at: now)
        return connection
      }
    } while turn != start
    nextTry = periodEnd
    return nil
  }

  /// The newest connection of the address with the most that wait.
  /// - Parameter count: The address must have more than these.
  /// - Returns: `nil` if no address has; of many addresses only the next ones are compared.
  func longest(above count: Int) -> ConnectionId? {
    var (most, found) = (count, ConnectionId.null)
    var next = turn
    for _ in 0..<min(lines.count, Self.compared) {
      guard let address = next, let line = lines[address] else { break }
      if line.count > most { (most, found) = (line.count, places[line.last].connection) }
      next = line.next
    }
    return most > count ? found : nil
  }

  /// Begins the line of an address, which is the last in the rotation.
  private mutating func begin(_ address: PeerAddress, _ slot: Int) {
    let next = turn ?? address
    let previous = lines[next]?.previous ?? address
    lines[address] = Line(first: slot, last: slot, previous: previous, next: next)
    lines[previous]?.next = address
    lines[next]?.previous = address
    turn = next
  }

  /// Removes the empty line of an address from the rotation.
  private mutating func end(_ address: PeerAddress) {
    guard let line = lines.removeValue(forKey: address) else { return }
    lines[line.previous]?.next = line.next
    lines[line.next]?.previous = line.previous
    if turn == address { turn = line.next }
    if lines.isEmpty { turn = nil }
  }

  /// Adds to the credit what the time since the last call allows.
  private mutating func renew(_ now: UInt64) {
    let most = UInt64(perAddress) * Self.price
    let passed = min(now - min(now, creditTime), Self.period)
    (credit, creditTime) = (min(most, credit + passed * UInt64(perSecond)), now)
    guard now >= periodEnd else { return }
    periodEnd = now + Self.period
    begunByAddress.removeAll(keepingCapacity: true)
  }

  private mutating func isAdmitted(_ address: PeerAddress) -> Bool {
    if address.isLoopback && !limitsLoopback { return true }
    guard begunByAddress[address, default: 0] < perAddress else { return false }
    begunByAddress[address, default: 0] += 1
    return true
  }
}
