// What every rule answers with: events, rejects, acknowledgements.

import MarketModel

/// Who sent the command being applied.
struct Request {
  var session: SessionId
  var clientSequence: UInt64

  init(session: SessionId, clientSequence: UInt64) {
    (self.session, self.clientSequence) = (session, clientSequence)
  }

  @inline(__always) init(_ command: UnsafePointer<Command>) {
    (session, clientSequence) = (command.pointee.session, command.pointee.clientSequence)
  }

  var isExchange: Bool { session == .exchange }
}

extension Exchange {
  /// Emits one of the rarer events and folds it into the history's hash; orders, trades and balances
  /// have their own (Book/OrderEvents.swift).
  mutating func emit(_ event: Event) {
    progress.history.fold(event)
    events.append(event)
  }

  mutating func reject(
    _ refusal: Refusal, _ request: Request, account: AccountId = .null,
    clientOrderId: ClientOrderId = .engine, order: OrderId = .null
  ) {
    emit(
      .rejected(
        Rejected(
          code: refusal.code, limit: refusal.limit, session: request.session,
          clientSequence: request.clientSequence, account: account, clientOrderId: clientOrderId,
          order: order)))
  }

  /// Tells the sender that its command took effect. The exchange itself needs no answer.
  mutating func acknowledge(_ request: Request) {
    if request.isExchange { return }
    invariant(
      request.session.rawValue <= capacity.sessions
        && reference.sessions[request.session.rawValue].exists,
      "only who is known is answered")
    emit(
      .control(
        .acknowledged(
          Acknowledged(session: request.session, clientSequence: request.clientSequence))))
  }
}
