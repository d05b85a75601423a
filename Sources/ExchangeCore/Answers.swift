// Events, rejects and acknowledgements: the answers that every rule gives.

import MarketModel

/// The sender of the command being applied, and the sequence number that the sender gave it.
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
  /// Appends an infrequent event and folds it into the event hash. Orders, trades and balances have
  /// faster functions (Book/OrderEvents.swift, Balances/BalanceEvents.swift).
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
          order: order, field: refusal.field)))
  }

  /// Tells the sender that its command took effect. Commands of the exchange itself get no answer.
  mutating func acknowledge(_ request: Request) {
    if request.isExchange { return }
    invariant(
      request.session.rawValue <= capacity.sessions
        && reference.sessions[request.session.rawValue].exists,
      "only a registered session gets an acknowledgement")
    emit(
      .control(
        .acknowledged(
          Acknowledged(session: request.session, clientSequence: request.clientSequence))))
  }
}
