// Connections between clients and the server: two queues of bytes each, and two ends that need not
// agree on whether there is a connection.
//
//   client ── toServer ──▶ unread ──▶ gateway          bytes arrive in any pieces, late, or not at all
//   client ◀── toClient ─────────────── gateway        a cut loses what is under way, in parts
//
// Bytes of one connection keep their order, as TCP promises; what a client sends again on a new
// connection overtakes, repeats and reorders what the old one carried.

import MarketModel
import Transport

/// The network of a run, as the gateway sees it. Owned by the run's one thread.
final class SimulatedNetwork: Network {
  /// One connection.
  final class Link {
    let id: ConnectionId
    fileprivate(set) var toServer: [UInt8] = []
    fileprivate(set) var toClient: [UInt8] = []
    fileprivate var unread: [UInt8] = []
    fileprivate var isPaused = false
    fileprivate var isFinishing = false
    /// The server's end is open.
    fileprivate(set) var serverIsOpen = true
    /// The client's end is open, as far as the client knows.
    var clientIsOpen = true
    /// Nothing passes any more, though neither end has noticed.
    fileprivate(set) var isCut = false

    init(_ id: ConnectionId) { self.id = id }
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
  /// Has the connections.
  weak var handler: (any ConnectionHandler)?
  /// Is told of turns and timers.
  weak var turn: (any LoopHandler)?

  init(clock: SimulatedClock) { self.clock = clock }

  deinit { scratch.deallocate() }

  /// Connections in the order of their slots.
  var all: [Link] { links.keys.sorted().compactMap { links[$0] } }

  // MARK: The clients' side

  /// Opens a connection; `nil` when the server does not listen or is full.
  func connect() -> Link? {
    guard isListening, let handler,
      let slot = (0..<maximumConnections).first(where: { links[$0] == nil })
    else { return nil }
    generation += 1
    let link = Link(ConnectionId(rawValue: generation << 32 | UInt64(slot)))
    links[slot] = link
    handler.connected(link.id)
    return link
  }

  /// A client sends.
  func send(_ bytes: [UInt8], on link: Link) {
    if !link.isCut, link.clientIsOpen { link.toServer += bytes }
  }

  /// What reaches a client, at most `limit` bytes.
  func receive(on link: Link, limit: Int) -> [UInt8] {
    let bytes = Array(link.toClient.prefix(limit))
    link.toClient.removeFirst(bytes.count)
    return bytes
  }

  /// The connection breaks: some of what is under way still arrives. Who is told, is told later.
  func cut(_ link: Link, _ random: inout SeededRandom) {
    link.isCut = true
    link.toServer.removeLast(random.pick(0..<link.toServer.count + 1))
    link.toClient.removeLast(random.pick(0..<link.toClient.count + 1))
  }

  // MARK: The server's side

  /// Up to `limit` bytes of one connection reach the server.
  func deliver(on link: Link, limit: Int) {
    guard link.serverIsOpen, !link.isPaused else { return }
    let bytes = link.toServer.prefix(limit)
    link.unread += bytes
    link.toServer.removeFirst(bytes.count)
    show(link)
  }

  /// The server learns that a connection is gone.
  func closeServerEnd(of link: Link, _ reason: CloseReason) {
    guard links[link.id.slot] === link else { return }
    flush()
    link.serverIsOpen = false
    links[link.id.slot] = nil
    handler?.closed(link.id, reason)
  }

  /// Timers that are due, the end of the turn, and what was told to finish.
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

  private func show(_ link: Link) {
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
    show(link)
  }

  func finish(_ connection: ConnectionId) { link(connection)?.isFinishing = true }

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
