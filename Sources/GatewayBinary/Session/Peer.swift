import GatewayKit
import MarketModel
import Transport
import Wire

/// A view of an area's channel to which a client can subscribe.
enum MarketView: Int, CaseIterable {
  /// By order.
  case orders
  /// By price level.
  case levels
  /// Best prices only, conflated.
  case tops
}

/// A connected client: its connection and the state of its session. Owned by the I/O thread.
struct Peer {
  var connection: ConnectionId
  /// What the client was sent when it connected.
  let challenge: LogOnChallenge
  var session: FixpSession
  /// The participant it acts for; `.exchange` before it negotiated.
  var participant = ParticipantId.exchange
  /// The work that the participant may still ask for; `nil` before the session is established.
  var work: UnsafeMutablePointer<WorkBudget>?
  /// When the session was established; `.never`: it is not.
  var since = Timestamp.never
  /// The client's version of the schema, from the header of its Establish.
  var schemaVersion = WireSchema.version
  /// Whether reading is paused because the intake was full.
  var isPaused = false
  /// Whether a retransmission is in progress.
  var isAwaitingRetransmission = false
  /// Whether the rate limit was already reported on this connection.
  var isThrottled = false
  /// How long its orders stay after a disconnection, in ms; `BeginSession.never` if they are not
  /// cancelled.
  var cancelAfter = BeginSession.never
  /// Number of readings being verified on another thread; later messages wait for them.
  var unchecked = 0
  /// Sequence number of the first of these readings.
  var firstUnchecked: UInt64 = 0
  /// Number of answers that wait until they are durable.
  var waitingAnswers = 0
  /// The areas it subscribes to and the view of each; each area once.
  var subscriptions: [(area: AreaId, view: MarketView)] = []

  /// The sequence number at which the client must continue if the connection ended now: readings
  /// not yet verified count as not received.
  var nextIncoming: UInt64 { unchecked > 0 ? firstUnchecked : session.nextIncoming }

  /// A reading is being verified on another thread.
  mutating func noteUnchecked(_ sequence: UInt64) {
    if unchecked == 0 { firstUnchecked = sequence }
    unchecked += 1
  }

  /// The first of these readings was verified, and submitted or rejected.
  mutating func noteChecked(_ sequence: UInt64) {
    unchecked -= 1
    firstUnchecked = sequence + 1
  }
}

/// The connected clients by connection slot, with indexes by session and subscription.
struct PeerTable: ~Copyable {
  private let peers: UnsafeMutablePointer<Peer?>
  private let capacity: Int
  /// Connection slot by session; -1 if it is not established.
  private var slotOfSession: [Int32] = []
  /// Slots of subscribers by area and view.
  private var followers = DirectTable(SlotList())
  /// Number of established sessions.
  private(set) var establishedCount = 0

  /// Creates an empty table for `capacity` connections.
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

  /// The client in a connection slot.
  subscript(slot: Int) -> Peer? {
    get { peers[slot] }
    nonmutating _modify { yield &peers[slot] }
  }

  /// Pointer to the client in a slot, for changes in place. Valid until the client leaves.
  func pointer(_ slot: Int) -> UnsafeMutablePointer<Peer?> { peers + slot }

  /// Slot of the connection on which `session` is established; `nil` if none.
  func slot(of session: SessionId) -> Int? {
    let index = Int(session.rawValue)
    guard index < slotOfSession.count, slotOfSession[index] >= 0 else { return nil }
    return Int(slotOfSession[index])
  }

  /// Calls `body` with the slots of the subscribers to a view of `area`. A slot passed to `body`
  /// may be removed during the call.
  @inline(__always)
  func forEachSubscriber(of area: AreaId, _ view: MarketView, _ body: (Int) -> Void) {
    // Iterates backwards, because a removal moves only slots that were already visited.
    var next = followers[Self.row(area, view)].count
    while next > 0 {
      next -= 1
      body(followers[Self.row(area, view)][next])
    }
  }

  /// Whether there is a subscriber to a view of `area`.
  @inline(__always)
  func hasSubscribers(of area: AreaId, _ view: MarketView) -> Bool {
    followers[Self.row(area, view)].count > 0
  }

  private static func row(_ area: AreaId, _ view: MarketView) -> Int {
    Int(area.rawValue) * MarketView.allCases.count + view.rawValue
  }

  /// The session of the client in `slot` is established.
  mutating func established(_ slot: Int) {
    guard let peer = peers[slot] else { return }
    let session = Int(peer.session.identity.rawValue)
    while slotOfSession.count <= session { slotOfSession.append(-1) }
    slotOfSession[session] = Int32(slot)
    establishedCount += 1
  }

  /// Subscribes the client in `slot` to `area` in this view, instead of any other view.
  mutating func subscribe(_ slot: Int, _ area: AreaId, _ view: MarketView) {
    unsubscribe(slot, area)
    peers[slot]?.subscriptions.append((area, view))
    followers[Self.row(area, view)].append(slot)
  }

  /// Ends the subscription of the client in `slot` to `area`.
  mutating func unsubscribe(_ slot: Int, _ area: AreaId) {
    guard let place = peers[slot]?.subscriptions.firstIndex(where: { $0.area == area }),
      let view = peers[slot]?.subscriptions.remove(at: place).view
    else { return }
    followers[Self.row(area, view)].remove(slot)
  }

  /// Ends all subscriptions of the client in `slot`.
  mutating func unsubscribeFromAll(_ slot: Int) {
    for subscription in peers[slot]?.subscriptions ?? [] { unsubscribe(slot, subscription.area) }
  }

  /// Ends the session in `slot`: no more reports are sent to it. Its connection may still be
  /// sending.
  /// - Returns: the session, if it was established.
  mutating func ended(_ slot: Int) -> SessionId? {
    guard let peer = peers[slot] else { return nil }
    unsubscribeFromAll(slot)
    let session = Int(peer.session.identity.rawValue)
    guard session < slotOfSession.count, slotOfSession[session] == Int32(slot) else { return nil }
    slotOfSession[session] = -1
    establishedCount -= 1
    return peer.session.identity
  }

  /// Slots in use.
  var occupied: [Int] { (0..<capacity).filter { peers[$0] != nil } }
}
