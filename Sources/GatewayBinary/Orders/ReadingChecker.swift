import GatewayKit
import MarketModel
import Wire

/// Verifies readings on its own thread. Owned by that thread.
public struct ReadingChecker: ~Copyable {
  private let frame = UnsafeMutableRawPointer.allocate(
    byteCount: MeterReadingEncoder.frameLength, alignment: 8)
  private let verify: @Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool

  /// A checker that verifies as a gateway with `configuration` does.
  public init(_ configuration: BinaryGateway.Configuration) { verify = configuration.verify }

  deinit { frame.deallocate() }

  /// Whether the meter signed the reading.
  public func isValid(_ signed: SignedReading) -> Bool {
    CommandFrame.write(
      .meterReading(signed.reading), into: frame, seqNo: signed.clientSequence,
      sendingTime: signed.sendingTime, signature: signed.signature)
    return verify(signed.signature, Frame(finished: frame), .reading, signed.key)
  }
}
