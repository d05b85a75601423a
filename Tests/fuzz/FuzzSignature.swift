// Cheap signatures: eight hashes of key, purpose and message. Verifying a real signature takes as long as fifty
// inputs, and the cryptographic library is not under test.

import MarketModel
import Wire

/// The replacement of Ed25519 signatures in a fuzzed gateway.
enum FuzzSignature {
  static func isValid(
    _ signature: Signature, _ frame: Frame, _ purpose: SigningPurpose, _ key: PublicKey
  ) -> Bool {
    let right = word(frame, purpose, key)
    return signature.word0 == right && signature.word7 == right
  }

  /// Signs the frame in `block`.
  static func sign(_ block: borrowing ExactBlock, _ purpose: SigningPurpose, _ key: PublicKey) {
    guard let start = block.bytes.baseAddress else { return }
    let right = word(Frame(start: start, length: block.bytes.count), purpose, key)
    let offset = signatureOffset(purpose)
    for place in 0..<8 { block.set(right, at: offset + place * 8) }
  }

  private static func signatureOffset(_ purpose: SigningPurpose) -> Int {
    switch purpose {
    case .negotiate: NegotiateEncoder.signatureOffset
    case .establish: EstablishEncoder.signatureOffset
    case .reading, .unboundReading: MeterReadingEncoder.signatureOffset
    }
  }

  /// The hash is defined with wrapping arithmetic.
  private static func word(
    _ frame: Frame, _ purpose: SigningPurpose, _ key: PublicKey
  ) -> UInt64 {
    let end = signatureOffset(purpose)
    let start: Int
    var hash = key.word0 ^ key.word1 &* 3 ^ key.word2 &* 5 ^ key.word3 &* 7 ^ UInt64(end)
    switch purpose {
    case .negotiate(let challenge), .establish(let challenge):
      start = 4
      hash ^= challenge.nonce.word0
    case .reading, .unboundReading: start = end - 44
    }
    for offset in stride(from: start, to: end, by: 4) {
      hash =
        (hash ^ UInt64(frame.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        &* 0x100_0000_01B3
    }
    return hash
  }
}
