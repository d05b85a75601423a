// The signed bytes: an ASCII tag that names the purpose, what the signature is bound to, then bytes
// exactly as in the frame.
//
//     Negotiate, Establish:  tag | market id 16 | nonce 32 | SBE header 8 | block up to the signature
//     MeterReading:          tag | market id 16 | meter 4 | registerSequence 8 | intervalStart 8
//                                | intervalEnd 8 | produced 8 | consumed 8 | quality 1
//
// The quality of a measured reading is left out, and the tag is then another one: meters that know no
// other sign as they always did.
//
// The tag prevents a signature made for one purpose from being used for another, the market id from
// being used on another market, and the nonce from being used on another connection.

import MarketModel

/// What the server sends on a new connection, to be signed by its client.
public struct LogOnChallenge: Hashable, Sendable, BitwiseCopyable {
  /// The market that the server runs.
  public var market: MarketId
  /// The server's random number for this connection.
  public var nonce: Nonce

  /// A challenge on a connection to `market`.
  public init(market: MarketId, nonce: Nonce) { (self.market, self.nonce) = (market, nonce) }

  /// The challenge in a message of the server.
  public init(_ message: ChallengeDecoder) {
    self.init(market: message.marketId, nonce: message.nonce)
  }

  /// The first version of the schema whose Negotiate and Establish are signed over a challenge.
  public static let firstVersion: UInt16 = 7
}

/// The purpose of a signature, with what the signature is bound to.
public enum SigningPurpose: Hashable, Sendable {
  /// Negotiate, on the connection of the challenge.
  case negotiate(LogOnChallenge)
  /// Establish, on the connection of the challenge.
  case establish(LogOnChallenge)
  /// A meter reading for one market.
  case reading(MarketId)
  /// A meter reading as it was signed until schema version 6: valid on every market that has
  /// registered the meter's key.
  case unboundReading

  /// The ASCII tag before the signed bytes.
  public var tag: String {
    switch self {
    case .negotiate: "JOULEBOOK-NEGOTIATE-2"
    case .establish: "JOULEBOOK-ESTABLISH-2"
    case .reading: Self.measuredTag
    case .unboundReading: "JOULEBOOK-READING-1"
    }
  }

  /// The tag of a measured reading, and that of any other.
  private static let (measuredTag, unmeasuredTag) = ("JOULEBOOK-READING-2", "JOULEBOOK-READING-3")

  /// The bytes between the tag and the frame's.
  private var binding: [UInt8] {
    switch self {
    case .negotiate(let challenge), .establish(let challenge):
      challenge.market.bytes + challenge.nonce.bytes
    case .reading(let market): market.bytes
    case .unboundReading: []
    }
  }

  /// The signed part of the frame.
  private var range: Range<Int> {
    switch self {
    case .negotiate: 4..<NegotiateEncoder.signatureOffset
    case .establish: 4..<EstablishEncoder.signatureOffset
    case .reading, .unboundReading:
      MeterReadingEncoder.signatureOffset - 44..<MeterReadingEncoder.signatureOffset
    }
  }

  /// The message to sign or verify: the tag, the binding and the signed part of `frame`.
  /// - Precondition: `frame` is a message of this purpose, and was checked by a reader or just
  ///   encoded.
  public func message(of frame: Frame) -> [UInt8] {
    precondition(frame.length >= range.upperBound, "not the purpose's message")
    if case .reading = self, let quality = Self.quality(of: frame) {
      return Array(Self.unmeasuredTag.utf8) + binding
        + UnsafeRawBufferPointer(rebasing: frame.bytes[range]) + [quality]
    }
    return Array(tag.utf8) + binding + UnsafeRawBufferPointer(rebasing: frame.bytes[range])
  }

  /// The byte of a reading's quality; `nil`: it is measured.
  private static func quality(of frame: Frame) -> UInt8? {
    let offset = MeterReadingEncoder.signatureOffset + 64
    guard frame.length > offset, frame.bytes[offset] != 0 else { return nil }
    return frame.bytes[offset]
  }
}
