// Sessions come and go (section 11): the gateway says so, and what was entered may be cancelled.

import MarketModel

extension Exchange {
  /// A session version begins or is resumed: a mark in the history, for its reports.
  mutating func begin(_ session: BeginSession, _ request: Request) {
    if let refusal = permission(request, []) ?? known(session.session) {
      return reject(refusal, request)
    }
    invariant(request.isExchange, "only the gateway begins a session")
    invariant(
      participants[sessions[session.session.rawValue].participant].exists,
      "a session's participant exists")
    emit(.session(.sessionBegan(session)))
  }

  /// Cancels what a lost session entered, position by position in order of their creation; orders of
  /// standing instructions live on without a session.
  mutating func end(_ session: EndSession, _ request: Request) {
    if let refusal = permission(request, []) ?? known(session.session) {
      return reject(refusal, request)
    }
    let participant = sessions[session.session.rawValue].participant
    invariant(participants[participant].exists, "a session's participant exists")
    invariant(request.isExchange, "only the gateway ends a session")
    var count: UInt32 = 0
    let before = orders.count
    for position in stride(from: 1, through: positionCount, by: 1)
    where accounts[positions[position].account].participant == participant {
      for side in [Side.sell, .buy] { count += cancelAll(position, side, of: session.session) }
    }
    invariant(orders.count &+ count == before, "as many are gone as were cancelled")
    emit(.session(.sessionEnded(SessionEnded(request: session, count: count))))
    drain()
  }

  func known(_ session: SessionId) -> Refusal? {
    session.rawValue >= 1 && session.rawValue <= capacity.sessions
      && sessions[session.rawValue].exists ? nil : Refusal(.unknownSession)
  }

  private mutating func cancelAll(
    _ position: UInt32, _ side: Side, of session: SessionId
  ) -> UInt32 {
    let owned = owned(position, side)
    if owned.pointee.head == 0 { return 0 }
    sortOwned(owned, side)
    let before = owned.pointee.count
    var count: UInt32 = 0
    var slot = owned.pointee.head
    while slot != 0 {
      let next = orders.places[slot].ownerNext
      let order = open(slot)
      invariant(order.pointee.position == position, "an owner's list holds its own orders")
      if order.pointee.session == session.rawValue, order.pointee.clientOrderId != 0 {
        remove(order, .disconnect)
        count += 1
      }
      slot = next
    }
    invariant(owned.pointee.count &+ count == before, "an owner's list has lost what was cancelled")
    return count
  }
}
