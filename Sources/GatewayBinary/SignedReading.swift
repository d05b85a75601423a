import MarketModel
import Transport
import Wire

/// A reading that came with a signature, and all that it takes to check the one by the other elsewhere
/// than on the I/O thread: a plain value, which crosses a ring.
public struct SignedReading: BitwiseCopyable, Sendable {
  /// What was read.
  public let reading: MeterReading
  let signature: Signature
  /// The meter's key as the directory had it when the reading came.
  let key: PublicKey
  /// The meter's account.
  let account: AccountId
  let session: SessionId
  let clientSequence: UInt64
  let sendingTime: Timestamp
  /// Where it came from; once that is closed the reading is its client's to send again.
  let connection: ConnectionId
}

/// Where a reading's signature is checked.
public enum ReadingCheck: Sendable {
  /// On this thread, at once.
  case here
  /// Elsewhere; the answer comes through `BinaryGateway.checked`, in the order of the readings.
  case elsewhere
  /// Elsewhere, but there is no room now: the gateway stops reading from this client and shows the reading
  /// again at the end of the turn.
  case full
}

/// Checks readings on a thread of its own. Owned by that thread.
public struct ReadingChecker: ~Copyable {
  private let frame = UnsafeMutableRawPointer.allocate(
    byteCount: MeterReadingEncoder.frameLength, alignment: 8)
  private let verify: @Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool

  /// A checker that trusts what a gateway with `configuration` does.
  public init(_ configuration: BinaryGateway.Configuration) { verify = configuration.verify }

  deinit { frame.deallocate() }

  /// Whether the meter has signed its reading.
  public func isValid(_ signed: SignedReading) -> Bool {
    CommandFrame.write(
      .meterReading(signed.reading), into: frame, seqNo: signed.clientSequence,
      sendingTime: signed.sendingTime, signature: signed.signature)
    return verify(signed.signature, Frame(finished: frame), .reading, signed.key)
  }
}
