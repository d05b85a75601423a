import MarketModel

/// What a client said about an order, as the ledger keeps it beside the transfers. Notes move nothing
/// and are not part of a batch's hash, so a ledger may leave them out.
public struct LedgerNote: Sendable, BitwiseCopyable, Hashable {
  /// The command that entered or replaced the order.
  public var sequence: SequenceNumber
  /// The time of that command.
  public var time: Timestamp
  /// The order.
  public var order: OrderId
  /// The client order id that it had then.
  public var clientOrderId: ClientOrderId
  /// Its owner.
  public var account: AccountId
  /// What was said.
  public var text: NoteText

  /// The note of the command `sequence`.
  public init(
    sequence: SequenceNumber, time: Timestamp, order: OrderId, clientOrderId: ClientOrderId,
    account: AccountId, text: NoteText
  ) {
    (self.sequence, self.time, self.order) = (sequence, time, order)
    (self.clientOrderId, self.account, self.text) = (clientOrderId, account, text)
  }
}
