// What compensations of the ledger are made of (market rules 17).

/// A compensation is to be posted to the ledger.
public struct Compensated: Sendable, BitwiseCopyable, Equatable {
  /// The compensation.
  public var compensation: Compensate
  /// The session that sent it.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The event of a compensation that `session` sent.
  @inlinable public init(compensation: Compensate, session: SessionId, clientSequence: UInt64) {
    (self.compensation, self.session, self.clientSequence) = (
      compensation, session, clientSequence
    )
  }
}

extension Compensate {
  /// The most accounts of a compensation.
  @inlinable public static var mostLegs: Int { 3 }

  /// What an account gets, 1e-8 of the currency or Wh; negative: it gives. Amount 0: there is none.
  /// - Precondition: `index` is 0 ..< `mostLegs`.
  @inlinable public func leg(_ index: Int) -> (account: AccountId, amount: Int64) {
    switch index {
    case 0: (account1, amount1)
    case 1: (account2, amount2)
    default: (account3, amount3)
    }
  }
}
