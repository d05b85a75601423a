import MarketModel

/// A message of this client that changed nothing, and why.
public struct Rejection: Equatable, Sendable {
  /// Why; see the list of reject codes.
  public var code: RejectCode
  /// The limit broken, in the unit that the code names; 0 where there is none.
  public var limit: Int64
  /// Sequence number of the message; 0: the exchange made the order (standing instruction).
  public var reference: UInt64
  /// The account named, if any.
  public var account: AccountId
  /// The client order id named, if any.
  public var clientOrderId: ClientOrderId
  /// The order named, if any.
  public var order: OrderId
}
