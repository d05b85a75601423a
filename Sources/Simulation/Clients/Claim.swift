import MarketModel

/// An acknowledged effect: the journal must contain it exactly once.
enum Claim: Hashable, Comparable {
  /// An order was accepted.
  case order(AccountId, ClientOrderId)
  /// An order was changed.
  case change(AccountId, ClientOrderId)
  /// Cash or energy moved.
  case transfer(AccountId, ClientOrderId)
  /// Cash was deposited.
  case deposit(AccountId, UInt64)
  /// Cash was withdrawn.
  case withdrawal(AccountId, UInt64)
  /// A meter reading was applied.
  case reading(MeterId, UInt64)

  /// The effect in an event; `nil` for events that may occur several times.
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
    case .metering(.corrected(let corrected)):
      self = .reading(corrected.reading.meter, corrected.reading.registerSequence)
    default: return nil
    }
  }
}

/// The content of an answer to a question. The replay of the journal must confirm it, so an answer
/// that a power cut undid is detected.
enum Observation: Hashable {
  /// The exchange had this event hash after this command.
  case status(SequenceNumber, eventHash: UInt64)
  /// An order was entered or replaced with this client order id.
  case order(AccountId, ClientOrderId)
  /// An account had this balance at some time.
  case balance(AccountId, free: Money, reserved: Money, energy: Energy)

  /// The observation of a balance.
  init(_ balance: Balance) {
    self = .balance(
      balance.account, free: balance.free, reserved: balance.reserved, energy: balance.energy)
  }
}
