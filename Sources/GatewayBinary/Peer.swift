import MarketModel
import Transport

/// One connected client: its connection and what its session may do. Owned by the I/O thread.
struct Peer {
  var connection: ConnectionId
  var session: FixpSession
  /// For whom it acts; the exchange's own number before it negotiated.
  var participant = ParticipantId.exchange
  /// What it may do; nothing before it negotiated.
  var roles: Roles = []
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
  /// Areas whose market data it gets.
  var areas: [AreaId] = []
  /// Areas whose tops it gets.
  var topAreas: [AreaId] = []

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
  /// Slots of subscribers by area.
  private var slotsOfArea: [[Int32]] = []
  /// Slots of those who get the tops, each once an area.
  private var topSlots: [(area: AreaId, slot: Int32)] = []
  /// Established sessions.
  private(set) var establishedCount = 0
  /// Subscriptions to whole channels, of all peers.
  private var subscriptionCount = 0

  /// No one, with places for `capacity` connections.
  init(capacity: Int) {
    self.capacity = capacity
    peers = .allocate(capacity: capacity)
    peers.initialize(repeating: nil, count: capacity)
  }

  deinit {
    peers.deinitialize(count: capacity)
    peers.deallocate()
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

  /// Slots of the subscribers of `area`.
  func subscribers(of area: AreaId) -> [Int32] {
    let index = Int(area.rawValue)
    return index < slotsOfArea.count ? slotsOfArea[index] : []
  }

  /// The connection in `slot` has established its session.
  mutating func established(_ slot: Int) {
    guard let peer = peers[slot] else { return }
    let session = Int(peer.session.identity.rawValue)
    while slotOfSession.count <= session { slotOfSession.append(-1) }
    slotOfSession[session] = Int32(slot)
    establishedCount += 1
  }

  /// The peer in `slot` gets the market data of `area` from now on.
  mutating func subscribe(_ slot: Int, _ area: AreaId) {
    let index = Int(area.rawValue)
    while slotsOfArea.count <= index { slotsOfArea.append([]) }
    if peers[slot]?.topAreas.contains(area) == true { unsubscribe(slot, area) }
    guard peers[slot]?.areas.contains(area) == false else { return }
    peers[slot]?.areas.append(area)
    slotsOfArea[index].append(Int32(slot))
    subscriptionCount += 1
  }

  /// The peer in `slot` no longer gets the market data of `area`.
  mutating func unsubscribe(_ slot: Int, _ area: AreaId) {
    if peers[slot]?.topAreas.contains(area) == true {
      peers[slot]?.topAreas.removeAll { $0 == area }
      topSlots.removeAll { $0.area == area && $0.slot == Int32(slot) }
    }
    guard peers[slot]?.areas.contains(area) == true else { return }
    peers[slot]?.areas.removeAll { $0 == area }
    slotsOfArea[Int(area.rawValue)].removeAll { $0 == Int32(slot) }
    subscriptionCount -= 1
  }

  /// Whether somebody gets a whole channel.
  var hasSubscribers: Bool { subscriptionCount > 0 }

  /// Whether somebody gets tops.
  var hasTopSubscribers: Bool { !topSlots.isEmpty }

  /// Slots of those who get the tops of `area`.
  func topSubscribers(of area: AreaId) -> [Int32] {
    topSlots.filter { $0.area == area }.map(\.slot)
  }

  /// The peer in `slot` gets the tops of `area` from now on, and nothing else of it.
  mutating func subscribeToTops(_ slot: Int, _ area: AreaId) {
    unsubscribe(slot, area)
    peers[slot]?.topAreas.append(area)
    topSlots.append((area, Int32(slot)))
  }

  /// The session in `slot` is over: no report finds it any more. Its connection may still send.
  /// - Returns: The identity that it had established, if any.
  mutating func ended(_ slot: Int) -> SessionId? {
    guard let peer = peers[slot] else { return nil }
    for area in peer.areas + peer.topAreas { unsubscribe(slot, area) }
    let session = Int(peer.session.identity.rawValue)
    guard session < slotOfSession.count, slotOfSession[session] == Int32(slot) else { return nil }
    slotOfSession[session] = -1
    establishedCount -= 1
    return peer.session.identity
  }

  /// Slots with a connection.
  var occupied: [Int] { (0..<capacity).filter { peers[$0] != nil } }
}
