import GatewayKit
import MarketModel
import Transport

/// How a subscriber sees an area's channel.
enum MarketView: Int, CaseIterable {
  /// Order by order.
  case orders
  /// Level by level.
  case levels
  /// The tops only, conflated.
  case tops
}

/// One connected client: its connection and what its session may do. Owned by the I/O thread.
struct Peer {
  var connection: ConnectionId
  var session: FixpSession
  /// For whom it acts; the exchange's own number before it negotiated.
  var participant = ParticipantId.exchange
  /// Reading is paused, since the intake was full.
  var isPaused = false
  /// A retransmission is being read from the journal.
  var isAwaitingHistory = false
  /// It was told once that it sends too much.
  var isThrottled = false
  /// How long its orders outlive its connection, in ms; `BeginSession.never`: for ever.
  var cancelAfter = BeginSession.never
  /// Readings whose signatures are being checked elsewhere; what else it sends waits behind them.
  var unchecked = 0
  /// Sequence number of the first of them.
  var firstUnchecked: UInt64 = 0
  /// Answers that wait until they are durable.
  var waitingAnswers = 0
  /// Areas whose market data it gets, and how: each area once.
  var subscriptions: [(area: AreaId, view: MarketView)] = []

  /// Next sequence number that is expected of its client, should the connection end now: readings that
  /// are not checked have not come.
  var nextIncoming: UInt64 { unchecked > 0 ? firstUnchecked : session.nextIncoming }

  /// A reading is being checked elsewhere.
  mutating func noteUnchecked(_ sequence: UInt64) {
    if unchecked == 0 { firstUnchecked = sequence }
    unchecked += 1
  }

  /// The first reading was checked, and submitted or rejected.
  mutating func noteChecked(_ sequence: UInt64) {
    unchecked -= 1
    firstUnchecked = sequence + 1
  }
}

/// The connected clients by connection slot, and the ways to find them from an event.
struct PeerTable: ~Copyable {
  private let peers: UnsafeMutablePointer<Peer?>
  private let capacity: Int
  /// Connection slot by session identity; -1: not established.
  private var slotOfSession: [Int32] = []
  /// Slots of subscribers by area and view.
  private var followers = DirectTable(SlotList())
  /// Subscriptions of all peers by view.
  private var subscriptionCounts = DirectTable(0)
  /// Established sessions.
  private(set) var establishedCount = 0

  /// No one, with places for `capacity` connections.
  init(capacity: Int) {
    self.capacity = capacity
    peers = .allocate(capacity: capacity)
    peers.initialize(repeating: nil, count: capacity)
  }

  deinit {
    peers.deinitialize(count: capacity)
    peers.deallocate()
    for number in 0..<followers.count { followers[number].end() }
  }

  /// The peer of a connection slot.
  subscript(slot: Int) -> Peer? {
    get { peers[slot] }
    nonmutating _modify { yield &peers[slot] }
  }

  /// Where the peer of a slot stands; for changes in place. Valid until the peer leaves.
  func pointer(_ slot: Int) -> UnsafeMutablePointer<Peer?> { peers + slot }

  /// Slot of the established connection of `session`; `nil`: none.
  func slot(of session: SessionId) -> Int? {
    let index = Int(session.rawValue)
    guard index < slotOfSession.count, slotOfSession[index] >= 0 else { return nil }
    return Int(slotOfSession[index])
  }

  /// Shows the slots of those who have this view of `area`. One that is shown may leave meanwhile.
  @inline(__always)
  func forEachSubscriber(of area: AreaId, _ view: MarketView, _ body: (Int) -> Void) {
    // From the last to the first: who leaves moves only those that were shown.
    var next = followers[Self.row(area, view)].count
    while next > 0 {
      next -= 1
      body(followers[Self.row(area, view)][next])
    }
  }

  /// Whether somebody has this view of `area`.
  @inline(__always)
  func hasSubscribers(of area: AreaId, _ view: MarketView) -> Bool {
    followers[Self.row(area, view)].count > 0
  }

  private static func row(_ area: AreaId, _ view: MarketView) -> Int {
    Int(area.rawValue) * MarketView.allCases.count + view.rawValue
  }

  /// The connection in `slot` has established its session.
  mutating func established(_ slot: Int) {
    guard let peer = peers[slot] else { return }
    let session = Int(peer.session.identity.rawValue)
    while slotOfSession.count <= session { slotOfSession.append(-1) }
    slotOfSession[session] = Int32(slot)
    establishedCount += 1
  }

  /// The peer in `slot` gets the market data of `area` in this view from now on, and in no other.
  mutating func subscribe(_ slot: Int, _ area: AreaId, _ view: MarketView) {
    unsubscribe(slot, area)
    peers[slot]?.subscriptions.append((area, view))
    subscriptionCounts[view.rawValue] += 1
    followers[Self.row(area, view)].append(slot)
  }

  /// The peer in `slot` no longer gets the market data of `area`.
  mutating func unsubscribe(_ slot: Int, _ area: AreaId) {
    guard let place = peers[slot]?.subscriptions.firstIndex(where: { $0.area == area }),
      let view = peers[slot]?.subscriptions.remove(at: place).view
    else { return }
    subscriptionCounts[view.rawValue] -= 1
    followers[Self.row(area, view)].remove(slot)
  }

  /// The peer in `slot` no longer gets market data.
  mutating func unsubscribeFromAll(_ slot: Int) {
    for subscription in peers[slot]?.subscriptions ?? [] { unsubscribe(slot, subscription.area) }
  }

  /// Whether somebody has this view of an area.
  func isWanted(_ view: MarketView) -> Bool { subscriptionCounts[view.rawValue] > 0 }

  /// The session in `slot` is over: no report finds it any more. Its connection may still send.
  /// - Returns: The identity that it had established, if any.
  mutating func ended(_ slot: Int) -> SessionId? {
    guard let peer = peers[slot] else { return nil }
    unsubscribeFromAll(slot)
    let session = Int(peer.session.identity.rawValue)
    guard session < slotOfSession.count, slotOfSession[session] == Int32(slot) else { return nil }
    slotOfSession[session] = -1
    establishedCount -= 1
    return peer.session.identity
  }

  /// Slots with a connection.
  var occupied: [Int] { (0..<capacity).filter { peers[$0] != nil } }
}
