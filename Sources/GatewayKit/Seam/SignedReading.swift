import MarketModel

/// A meter reading with its signature and everything needed to verify it on another thread. A plain
/// value that can cross a ring.
public struct SignedReading: BitwiseCopyable, Sendable {
  /// The reading.
  public let reading: MeterReading
  /// The meter's signature over the message.
  public let signature: Signature
  /// The meter's public key, as registered when the reading arrived.
  public let key: PublicKey
  /// The account of the meter.
  public let account: AccountId
  /// The session that sent the reading.
  public let session: SessionId
  /// Sequence number of the message in its session.
  public let clientSequence: UInt64
  /// Sending time, by the client's clock.
  public let sendingTime: Timestamp
  /// The gateway that received it.
  public let gateway: GatewayNumber
  /// The gateway's connection that received it. After that connection is closed, the client must
  /// send the reading again.
  public let connection: UInt64

  /// A reading with its signature, key and origin.
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

/// Where a reading's signature is verified.
public enum ReadingCheck: Sendable {
  /// By the gateway itself, synchronously.
  case here
  /// On another thread; the result is passed to `Gateway.checked`, in the order of the readings.
  case elsewhere
  /// On another thread, which has no capacity now. The gateway stops reading from this client and
  /// presents the reading again at the end of the turn.
  case full
}
