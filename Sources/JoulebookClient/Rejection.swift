import MarketModel

/// A message of this client that was rejected and changed nothing, with the reason.
public struct Rejection: Equatable, Sendable {
  /// Reject code; see the page of reject codes.
  public var code: RejectCode
  /// The violated limit, in the unit that the code defines; 0 if there is none.
  public var limit: Int64
  /// The field whose value is not allowed, if the code alone does not say which; `nil`: none, or one
  /// that this client does not know.
  public var field: RejectField?
  /// Sequence number of the message; 0 if the exchange generated the order (standing instruction).
  public var reference: UInt64
  /// The account in the message; null if none.
  public var account: AccountId
  /// The client order id in the message; null if none.
  public var clientOrderId: ClientOrderId
  /// The order in the message; null if none.
  public var order: OrderId
}
