// Cancel on disconnect (section 2): the gateway says that a session was lost, and its orders are cancelled.

import MarketModel

extension Exchange {
  /// Cancels what a lost session entered, position by position in order of their creation; orders of
  /// standing instructions, and those that were entered to outlive it, stand on.
  mutating func endSession(_ session: EndSession, _ request: Request) {
    if let refusal = permission(request, []) ?? validateSession(session.session) {
      return reject(refusal, request)
    }
    let participant = reference.sessions[session.session.rawValue].participant
    invariant(reference.participants[participant].exists, "a session's participant exists")
    invariant(request.isExchange, "only the gateway ends a session")
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
    invariant(orders.count &+ count == before, "as many are gone as were cancelled")
    emit(.session(.sessionEnded(SessionEnded(request: session, count: count))))
    drain()
  }
}
