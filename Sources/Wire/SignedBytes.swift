// The signed bytes: an ASCII tag that names the purpose, then bytes exactly as in the frame.
//
//     Negotiate, Establish:  tag | SBE header (8) | block up to the signature
//     MeterReading:          tag | meter 4 | registerSequence 8 | intervalStart 8 | intervalEnd 8
//                                | produced 8 | consumed 8
//
// The tag prevents a signature made for one purpose from being used for another.

/// The purpose of a signature.
public enum SigningPurpose: Sendable, CaseIterable {
  case negotiate
  case establish
  case reading

  /// The ASCII tag before the signed bytes.
  public var tag: String {
    switch self {
    case .negotiate: "JOULEBOOK-NEGOTIATE-1"
    case .establish: "JOULEBOOK-ESTABLISH-1"
    case .reading: "JOULEBOOK-READING-1"
    }
  }

  /// The signed part of the frame.
  private var range: Range<Int> {
    switch self {
    case .negotiate: 4..<NegotiateEncoder.signatureOffset
    case .establish: 4..<EstablishEncoder.signatureOffset
    case .reading: MeterReadingEncoder.signatureOffset - 44..<MeterReadingEncoder.signatureOffset
    }
  }

  /// The message to sign or verify: the tag and the signed part of `frame`.
  /// - Precondition: `frame` is a message of this purpose, and was checked by a reader or just
  ///   encoded.
  public func message(of frame: Frame) -> [UInt8] {
    precondition(frame.length >= range.upperBound, "not the purpose's message")
    return Array(tag.utf8) + UnsafeRawBufferPointer(rebasing: frame.bytes[range])
  }
}
