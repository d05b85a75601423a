// Who may do what (section 11, "All" and "Account of the client").

import MarketModel

extension Exchange {
  /// Whether the session may use one of `roles`.
  @inline(__always) func permission(_ request: Request, _ roles: Roles) -> Refusal? {
    if request.isExchange { return nil }
    let number = request.session.rawValue
    guard number <= capacity.sessions, sessions[number].exists, sessions[number].roles != 0 else {
      return Refusal(.unknownSession)
    }
    if sessions[number].roles & roles.rawValue != 0 { return nil }
    return Refusal(.notPermitted, UInt32(roles.rawValue))
  }

  /// Whether the session may trade for `account`.
  @inline(__always) func permission(_ request: Request, tradeFor account: AccountId) -> Refusal? {
    if let refusal = permission(request, .trading) { return refusal }
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return owns(request, account) ? nil : Refusal(.foreignAccount)
  }

  @inline(__always) func exists(_ account: AccountId) -> Bool {
    account.rawValue >= 1 && account.rawValue <= capacity.accounts
      && accounts[account.rawValue].exists
  }

  @inline(__always) func exists(_ instrument: InstrumentId) -> Bool {
    instrument.rawValue >= 1 && instrument.rawValue <= capacity.instruments
      && instruments[instrument.rawValue].exists
  }

  @inline(__always) func exists(_ area: AreaId) -> Bool {
    area.rawValue >= 1 && UInt32(area.rawValue) <= capacity.areas
      && areas[UInt32(area.rawValue)].exists
  }

  @inline(__always) func exists(_ participant: ParticipantId) -> Bool {
    participant.rawValue >= 1 && participant.rawValue <= capacity.participants
      && participants[participant.rawValue].exists
  }

  /// Whether the session's participant owns the account. The exchange itself acts for all.
  @inline(__always) func owns(_ request: Request, _ account: AccountId) -> Bool {
    request.isExchange
      || sessions[request.session.rawValue].participant == accounts[account.rawValue].participant
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
}
