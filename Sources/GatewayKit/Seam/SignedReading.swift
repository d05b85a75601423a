import MarketModel

/// A reading that came with a signature, and all that it takes to check the one by the other elsewhere
/// than on the I/O thread: a plain value, which crosses a ring.
public struct SignedReading: BitwiseCopyable, Sendable {
  /// What was read.
  public let reading: MeterReading
  /// What came with it.
  public let signature: Signature
  /// The meter's key as it was registered when the reading came.
  public let key: PublicKey
  /// The meter's account.
  public let account: AccountId
  /// Who sent it.
  public let session: SessionId
  /// Its number among the session's messages.
  public let clientSequence: UInt64
  /// When the sender says that it sent it.
  public let sendingTime: Timestamp
  /// By which gateway it came.
  public let gateway: GatewayNumber
  /// Of its connections: once that is closed the reading is its client's to send again.
  public let connection: UInt64

  /// All fields.
  public init(
    _ reading: MeterReading, signature: Signature, key: PublicKey, account: AccountId,
    session: SessionId, clientSequence: UInt64, sendingTime: Timestamp,
    gateway: GatewayNumber = .first, connection: UInt64
  ) {
    (self.reading, self.signature, self.key, self.account) = (reading, signature, key, account)
    (self.session, self.clientSequence, self.sendingTime) = (session, clientSequence, sendingTime)
    (self.gateway, self.connection) = (gateway, connection)
  }
}

/// Where a reading's signature is checked.
public enum ReadingCheck: Sendable {
  /// On this thread, at once.
  case here
  /// Elsewhere; the verdict comes through `Gateway.checked`, in the order of the readings.
  case elsewhere
  /// Elsewhere, but there is no room now: the gateway stops reading from this client and shows the reading
  /// again at the end of the turn.
  case full
}
