import MarketModel

/// What an acknowledgement says for ever: the exchange did this, once.
enum Claim: Hashable, Comparable {
  /// An order was accepted.
  case order(AccountId, ClientOrderId)
  /// An order was changed.
  case change(AccountId, ClientOrderId)
  /// Cash or energy moved.
  case transfer(AccountId, ClientOrderId)
  /// Cash came.
  case deposit(AccountId, UInt64)
  /// Cash went.
  case withdrawal(AccountId, UInt64)
  /// A meter was read.
  case reading(MeterId, UInt64)

  /// What an event claims; `nil`: nothing that happens once only.
  init?(_ event: Event) {
    switch event {
    case .accepted(let state) where state.clientOrderId != .engine:
      self = .order(state.account, state.clientOrderId)
    case .replaced(let state): self = .change(state.account, state.clientOrderId)
    case .cash(.transferred(let done)):
      self = .transfer(done.transfer.from, done.transfer.clientOrderId)
    case .cash(.deposited(let moved)):
      self = .deposit(moved.movement.account, moved.movement.reference)
    case .cash(.withdrawn(let moved)):
      self = .withdrawal(moved.movement.account, moved.movement.reference)
    case .metered(let metered):
      self = .reading(metered.reading.meter, metered.reading.registerSequence)
    default: return nil
    }
  }
}

/// What an answer to a question said, which must be true of the journal for ever: a power cut that undoes it
/// is noticed.
enum Sight: Hashable {
  /// The exchange stood there after that command.
  case status(SequenceNumber, eventHash: UInt64)
  /// An order was entered, or changed, with that number of its client's.
  case order(AccountId, ClientOrderId)
  /// An account had so much, at some time.
  case balance(AccountId, free: Money, reserved: Money, energy: Energy)

  /// What is seen of a balance.
  init(_ balance: Balance) {
    self = .balance(
      balance.account, free: balance.free, reserved: balance.reserved, energy: balance.energy)
  }
}
