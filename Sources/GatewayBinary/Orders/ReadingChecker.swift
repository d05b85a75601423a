import GatewayKit
import MarketModel
import Wire

/// Verifies readings on its own thread. Owned by that thread.
public struct ReadingChecker: ~Copyable {
  private let frame = UnsafeMutableRawPointer.allocate(
    byteCount: MeterReadingEncoder.frameLength, alignment: 8)
  private let configuration: BinaryGateway.Configuration

  /// A checker that verifies as a gateway with `configuration` does.
  public init(_ configuration: BinaryGateway.Configuration) {
    self.configuration = configuration
  }

  deinit { frame.deallocate() }

  /// Whether the meter signed the reading.
  public func isValid(_ signed: SignedReading) -> Bool {
    CommandFrame.write(
      .meterReading(signed.reading), into: frame, seqNo: signed.clientSequence,
      sendingTime: signed.sendingTime, signature: signed.signature)
    return configuration.isValid(signed, Frame(finished: frame))
  }
}

extension BinaryGateway.Configuration {
  /// Whether the meter signed the reading in `frame` for this market, or for none where that is
  /// accepted; such a signature does not cover the quality, so the reading is a measured one.
  func isValid(_ signed: SignedReading, _ frame: Frame) -> Bool {
    verify(signed.signature, frame, .reading(market), signed.key)
      || acceptsUnboundReadings && signed.reading.quality == .measured
        && verify(signed.signature, frame, .unboundReading, signed.key)
  }
}
