// Connections between clients and the server. Each has two queues of bytes, and each end has its
// own view of whether the connection is open.
//
//   client ── toServer ──▶ unread ──▶ gateway     bytes arrive in any pieces, late, or not at all
//   client ◀── toClient ───────────── gateway     a cut loses a random part of the bytes in transit
//
// Bytes of one connection keep their order, as with TCP. Requests that a client sends again on a
// new connection may overtake or repeat those of the old one.

import MarketModel
import Transport

/// The network of a run. Owned by the thread of the run.
final class SimulatedNetwork: Network {
  /// A connection with its queues and the states of its ends.
  final class Link {
    let id: ConnectionId
    fileprivate(set) var toServer: [UInt8] = []
    fileprivate(set) var toClient: [UInt8] = []
    fileprivate var unread: [UInt8] = []
    fileprivate var isPaused = false
    fileprivate var isFinishing = false
    /// Whether the client has an established session.
    fileprivate(set) var isEstablished = false
    /// Whether the server's end is open.
    fileprivate(set) var serverIsOpen = true
    /// Whether the client's end is open, as far as the client knows.
    var clientIsOpen = true
    /// Whether the connection is broken; the ends may not have noticed yet.
    fileprivate(set) var isCut = false

    /// When it was opened, ns of the clock.
    fileprivate let since: UInt64

    init(_ id: ConnectionId, since: UInt64) { (self.id, self.since) = (id, since) }
  }

  private struct Timer {
    var due: UInt64
    var interval: UInt64
  }

  let maximumConnections = 16
  private(set) var isListening = true
  private(set) var isShutDown = false
  private let clock: SimulatedClock
  private var links: [Int: Link] = [:]
  private var generation: UInt64 = 0
  private var timers: [TimerToken: Timer] = [:]
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
  private var reserved: (link: Link, count: Int)?
  /// Hears all that clients send, even what is lost.
  var overhear: (([UInt8]) -> Void)?
  /// Handler of the connections, on the server's side.
  weak var handler: (any ConnectionHandler)?
  /// Handler of turns and timers, on the server's side.
  weak var turn: (any LoopHandler)?

  init(clock: SimulatedClock) { self.clock = clock }

  deinit { scratch.deallocate() }

  /// Connections in the order of their slots.
  var all: [Link] { links.keys.sorted().compactMap { links[$0] } }

  // MARK: Client side

  /// Opens a connection; `nil` when the server does not listen or is full. As on a real network, a
  /// connection that has had no established session for over a second gives way to a new one.
  func connect() -> Link? {
    guard isListening, let handler, let slot = freeSlot() else { return nil }
    generation += 1
    let link = Link(
      ConnectionId(rawValue: generation << 32 | UInt64(slot)), since: clock.elapsed)
    links[slot] = link
    handler.connected(link.id)
    return link
  }

  private func freeSlot() -> Int? {
    if let free = (0..<maximumConnections).first(where: { links[$0] == nil }) { return free }
    let strangers = all.filter { !$0.isEstablished && clock.elapsed >= $0.since + 1_000_000_000 }
    guard let oldest = strangers.min(by: { $0.id.rawValue < $1.id.rawValue }) else { return nil }
    closeServerEnd(of: oldest, .replaced)
    return oldest.id.slot
  }

  /// Sends bytes of a client.
  /// - Parameter isHeard: Whether they are passed to `overhear`.
  func send(_ bytes: [UInt8], on link: Link, isHeard: Bool = true) {
    if !link.isCut, link.clientIsOpen { link.toServer += bytes }
    if isHeard { overhear?(bytes) }
  }

  /// Returns up to `limit` bytes that have arrived at a client.
  func receive(on link: Link, limit: Int) -> [UInt8] {
    let bytes = Array(link.toClient.prefix(limit))
    link.toClient.removeFirst(bytes.count)
    return bytes
  }

  /// Breaks a connection. A random part of the bytes in transit still arrives, and the ends notice
  /// later.
  func cut(_ link: Link, _ random: inout SeededRandom) {
    link.isCut = true
    link.toServer.removeLast(random.pick(0..<link.toServer.count + 1))
    link.toClient.removeLast(random.pick(0..<link.toClient.count + 1))
  }

  // MARK: Server side

  /// Delivers up to `limit` bytes of one connection to the server.
  func deliver(on link: Link, limit: Int) {
    guard link.serverIsOpen, !link.isPaused else { return }
    let bytes = link.toServer.prefix(limit)
    link.unread += bytes
    link.toServer.removeFirst(bytes.count)
    deliver(link)
  }

  /// Closes the server's end of a connection.
  func closeServerEnd(of link: Link, _ reason: CloseReason) {
    guard links[link.id.slot] === link else { return }
    flush()
    link.serverIsOpen = false
    links[link.id.slot] = nil
    handler?.closed(link.id, reason)
  }

  /// Fires the timers that are due, ends the turn, and closes the connections that are finishing.
  func endTurn() {
    for token in timers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      guard let timer = timers[token], timer.due <= clock.elapsed else { continue }
      timers[token] =
        timer.interval == 0
        ? nil : Timer(due: clock.elapsed + timer.interval, interval: timer.interval)
      turn?.timerFired(token)
    }
    turn?.turnEnds()
    flush()
    for link in all where link.isFinishing { closeServerEnd(of: link, .local) }
  }

  private func deliver(_ link: Link) {
    guard !link.unread.isEmpty, !link.isFinishing, let handler else { return }
    let bytes = link.unread
    let used = bytes.withUnsafeBytes { handler.received(link.id, $0) }
    link.unread.removeFirst(used)
    turn?.readEnds()
  }

  private func flush() {
    guard let (link, count) = reserved else { return }
    reserved = nil
    if !link.isCut { link.toClient += scratch[..<count] }
  }

  private func link(_ connection: ConnectionId) -> Link? {
    guard let link = links[connection.slot], link.id == connection, link.serverIsOpen else {
      return nil
    }
    return link
  }

  // MARK: Network

  func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer? {
    flush()
    guard let link = link(connection), !link.isFinishing else { return nil }
    precondition(bytes <= scratch.count)
    reserved = (link, bytes)
    return scratch.baseAddress
  }

  func pause(_ connection: ConnectionId) { link(connection)?.isPaused = true }

  func resume(_ connection: ConnectionId) {
    guard let link = link(connection), link.isPaused else { return }
    link.isPaused = false
    deliver(link)
  }

  func finish(_ connection: ConnectionId) { link(connection)?.isFinishing = true }

  func promote(_ connection: ConnectionId) { link(connection)?.isEstablished = true }

  func address(of connection: ConnectionId) -> PeerAddress {
    link(connection) == nil ? .unknown : .loopback
  }

  func startTimer(_ token: TimerToken, after milliseconds: UInt64, every interval: UInt64) {
    timers[token] = Timer(
      due: clock.elapsed + milliseconds * 1_000_000, interval: interval * 1_000_000)
  }

  func stopTimer(_ token: TimerToken) { timers[token] = nil }

  func stopListening() { isListening = false }

  func shutDown() {
    isShutDown = true
    isListening = false
  }
}
