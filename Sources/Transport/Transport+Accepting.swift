// New connections. A place in the table is given in this order:
//
//     its address has `connectionsPerAddress` already    refused
//     a slot is free                                     taken
//     the server has waited for somebody's log-on, or    that one is closed, its slot is taken
//       TLS hello, for over a second
//     of another address more handshakes wait for the    its last one is closed, its slot is taken
//       server than the newcomer's has connections
//       without a session, with the new one
//     it waits for somebody for over 20 ms, and one of   that one is closed, its slot is taken
//       the two is local, or for more clients of that
//       address than the newcomer's has connections
//       without a session
//     otherwise                                          refused
//
// In 20 ms a client on this machine has proved who it is; the second is for clients that are far away.
// Thus a client on this machine, and one of an address from which few come, gets in although
// hundreds a second come of another address.
//
// Who waits for the server, see `HandshakeGate`, is not silent, and is not closed for silence. Who
// has proved to be an administrator keeps its place until its log-on is complete.

import CLibuv
import TLS

extension Transport {
  /// How long the server waits in a full table for the log-on of a client that is far away, ms.
  private static let strangerTime: UInt64 = 1_000
  /// How long it waits at least, ms.
  private static let shortTime: UInt64 = 20
  /// Of how many connections without a session, the oldest first, the addresses are compared.
  private static let compared = 64

  func accept(from listener: UnsafeMutablePointer<uv_stream_t>) {
    let raw = UnsafeMutableRawPointer(listener)
    let tcp = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
    uv_tcp_init(loop, tcp)
    guard let origin = listeners.first(where: { UnsafeMutableRawPointer($0.handle) == raw }),
      uv_accept(listener, UnsafeMutableRawPointer(tcp).assumingMemoryBound(to: uv_stream_t.self))
        == 0
    else { return Self.discard(tcp) }
    let newcomer = Newcomer(
      tcp: tcp, address: PeerAddress(of: tcp), handler: origin.handler, security: origin.security)
    guard count(newcomer.address) else { return refuse(newcomer, .addressIsFull) }
    strangersByAddress[newcomer.address, default: 0] += 1
    if let slot = takeSlot() {
      open(slot, newcomer)
    } else if replaceStranger() || replaceWaiting(for: newcomer.address)
      || replaceRecent(for: newcomer.address)
    {
      newcomers.append(newcomer)
    } else {
      uncount(newcomer.address)
      uncountStranger(newcomer.address)
      refuse(newcomer, .full)
    }
  }

  /// Gives the slot of the connection that was just closed to the next newcomer.
  func openNewcomer() {
    guard !newcomers.isEmpty, let slot = takeSlot() else { return }
    open(slot, newcomers.removeFirst())
  }

  /// Closes the newcomers that have no slot yet.
  func discardNewcomers() {
    for newcomer in newcomers {
      uncount(newcomer.address)
      uncountStranger(newcomer.address)
      Self.discard(newcomer.tcp)
    }
    newcomers.removeAll()
  }

  private func open(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ newcomer: Newcomer) {
    newcomer.tcp.pointee.data = UnsafeMutableRawPointer(slot)
    slot.pointee.open(
      newcomer, threshold: min(Self.strangerBound, configuration.sendBound))
    list(slot)
    counts.accepted += 1
    uv_tcp_nodelay(newcomer.tcp, 1)
    guard secure(slot, newcomer.security) else { return close(slot, .notSecured) }
    tell(slot) { $0.connected(slot.pointee.id) }
    readIfOpen(slot)
  }

  private func takeSlot() -> UnsafeMutablePointer<ConnectionSlot>? {
    if let free = freeSlots.popLast() { return slots[free] }
    guard slots.count < configuration.maximumConnections else { return nil }
    let slot = UnsafeMutablePointer<ConnectionSlot>.allocate(capacity: 1)
    slot.initialize(to: ConnectionSlot(transport: self, index: slots.count))
    slots.append(slot)
    return slot
  }

  // MARK: Refusals

  /// A refused connection is accepted and closed, so that its client learns of it immediately.
  private func refuse(_ newcomer: Newcomer, _ reason: Refusal) {
    counts.refused += 1
    if reason == .addressIsFull { counts.refusedByAddress += 1 }
    Self.discard(newcomer.tcp)
    tellLoop { $0.refused(newcomer.address, reason) }
  }

  private static func discard(_ tcp: UnsafeMutablePointer<uv_tcp_t>) {
    uv_close(handle(tcp)) { handle in
      UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: uv_tcp_t.self).deallocate()
    }
  }

  // MARK: Connections by address

  /// The network address of a client; `.unknown` if the connection is closed. On the loop's thread.
  public func address(of connection: ConnectionId) -> PeerAddress {
    slot(of: connection)?.pointee.address ?? .unknown
  }

  /// Counts a connection of `address`.
  /// - Returns: `false`, without counting it, if the address has too many.
  private func count(_ address: PeerAddress) -> Bool {
    if address.isLoopback && !configuration.limitsLoopback { return true }
    let count = connectionsByAddress[address, default: 0]
    guard count < configuration.connectionsPerAddress else { return false }
    connectionsByAddress[address] = count + 1
    return true
  }

  /// A connection of `address` has ended.
  func uncount(_ address: PeerAddress) {
    guard let count = connectionsByAddress[address] else { return }
    connectionsByAddress[address] = count > 1 ? count - 1 : nil
  }

  /// A connection of `address` without an established session has ended, or has one now.
  func uncountStranger(_ address: PeerAddress) {
    guard let count = strangersByAddress[address] else { return }
    strangersByAddress[address] = count > 1 ? count - 1 : nil
  }

  // MARK: Connections without an established session, the oldest first

  /// The client of `connection` has an established session: the connection keeps its place in a
  /// full table and may leave `sendBound` bytes unread. On the loop's thread.
  public func promote(_ connection: ConnectionId) {
    guard let slot = slot(of: connection), slot.pointee.state == .open else { return }
    unlist(slot)
    if !slot.pointee.isPromoted { uncountStranger(slot.pointee.address) }
    slot.pointee.isPromoted = true
    slot.pointee.threshold = threshold(slot)
  }

  /// The client of `connection` has proved to be an administrator: the connection keeps its place in
  /// a full table until its log-on is complete or its time is over. On the loop's thread.
  public func keepPlace(_ connection: ConnectionId) {
    guard let slot = slot(of: connection), slot.pointee.state == .open else { return }
    unlist(slot)
  }

  /// Closes the connection for whose log-on the server has waited for the longest.
  /// - Returns: `false` if there is none, or not for long enough.
  private func replaceStranger() -> Bool {
    guard oldestStranger >= 0 else { return false }
    return replace(slots[oldestStranger], after: Self.strangerTime)
  }

  /// Of the connections for whose log-ons the server has waited for the longest, closes the first one
  /// of the address that has the most of them, if it or the newcomer is local, or if these are more
  /// than all connections without a session of the newcomer's address, with the new one.
  /// - Returns: `false` if there is none, or not for long enough.
  private func replaceRecent(for newcomer: PeerAddress) -> Bool {
    var counts: [PeerAddress: Int] = [:]
    forEachOfTheOldest { counts[$0.pointee.address, default: 0] += 1 }
    guard let most = counts.values.max() else { return false }
    var first: UnsafeMutablePointer<ConnectionSlot>?
    forEachOfTheOldest { slot in
      if first == nil, counts[slot.pointee.address] == most { first = slot }
    }
    guard let first else { return false }
    let isLocal = newcomer.isLoopback || first.pointee.address.isLoopback
    guard isLocal || most > strangersByAddress[newcomer, default: 0] else { return false }
    return replace(first, after: Self.shortTime)
  }

  private func forEachOfTheOldest(_ body: (UnsafeMutablePointer<ConnectionSlot>) -> Void) {
    var next = oldestStranger
    for _ in 0..<Self.compared where next >= 0 {
      body(slots[next])
      next = slots[next].pointee.stranger.newer
    }
  }

  /// Closes a connection if the server has waited for its client for `milliseconds`.
  private func replace(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, after milliseconds: UInt64
  ) -> Bool {
    guard uv_now(loop) >= slot.pointee.stranger.since + milliseconds else { return false }
    counts.replaced += 1
    close(slot, .replaced)
    return true
  }

  /// Closes the last connection of the address of which the most wait for their handshake, if these
  /// are more than all connections without a session of `address`, with its newcomer.
  /// - Returns: `false` if there is none.
  private func replaceWaiting(for address: PeerAddress) -> Bool {
    let own = strangersByAddress[address, default: 0]
    guard let connection = handshakes.longest(above: own), let slot = slot(of: connection) else {
      return false
    }
    counts.replaced += 1
    close(slot, .replaced)
    return true
  }

  /// From now on the server waits for the client's next message, until it has logged on.
  func relist(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.state == .open, !slot.pointee.isPromoted else { return }
    unlist(slot)
    list(slot)
  }

  private func list(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    let index = slot.pointee.index
    slot.pointee.stranger = StrangerLink(
      isListed: true, older: newestStranger, since: uv_now(loop))
    if newestStranger >= 0 {
      slots[newestStranger].pointee.stranger.newer = index
    } else {
      oldestStranger = index
    }
    newestStranger = index
  }

  /// Removes a connection from the list; has no effect if it is not there.
  func unlist(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    let link = slot.pointee.stranger
    guard link.isListed else { return }
    slot.pointee.stranger = StrangerLink()
    if link.older >= 0 {
      slots[link.older].pointee.stranger.newer = link.newer
    } else {
      oldestStranger = link.newer
    }
    if link.newer >= 0 {
      slots[link.newer].pointee.stranger.older = link.older
    } else {
      newestStranger = link.older
    }
  }
}
