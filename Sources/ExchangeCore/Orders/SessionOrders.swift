// Cancel on disconnect (section 2): the gateway reports a lost session, and the session's orders
// are cancelled.

import MarketModel

extension Exchange {
  /// Cancels the orders of a lost session, by position in order of creation. Orders of standing
  /// instructions and orders entered to outlive the session stay open.
  mutating func endSession(_ session: EndSession, _ request: Request) {
    if let refusal = permission(request, []) ?? validateSession(session.session) {
      return reject(refusal, request)
    }
    let participant = reference.sessions[session.session.rawValue].participant
    invariant(reference.participants[participant].exists, "a session's participant exists")
    invariant(request.isExchange, "only the gateway ends a session")
    reference.sessions[session.session.rawValue].hasNote = false
    var count: UInt32 = 0
    let before = orders.count
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where accounts[balances.positions[position].account].participant == participant {
      for side in [Side.sell, .buy] {
        count += cancelAll(position, side, .disconnect) {
          $0.session == session.session.rawValue && $0.clientOrderId != 0
            && !$0.marks.outlivesSession
        }
      }
    }
    invariant(
      orders.count &+ count == before, "the count of open orders fell by the cancelled ones")
    emit(.session(.sessionEnded(SessionEnded(request: session, count: count))))
    drain()
  }
}
