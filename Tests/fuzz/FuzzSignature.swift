// Signatures that cost nothing: a hash of key, purpose and what is signed, eight times. Checking a real
// one takes as long as fifty inputs, and the library that does it is not what is looked for here.

import MarketModel
import Wire

/// A signature as only the owner of a key makes it, as long as nobody knows the hash.
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
    case .reading: MeterReadingEncoder.signatureOffset
    }
  }

  /// Wrapping is the arithmetic of the hash.
  private static func word(
    _ frame: Frame, _ purpose: SigningPurpose, _ key: PublicKey
  ) -> UInt64 {
    let end = signatureOffset(purpose)
    let start = purpose == .reading ? end - 44 : 4
    var hash = key.word0 ^ key.word1 &* 3 ^ key.word2 &* 5 ^ key.word3 &* 7 ^ UInt64(end)
    for offset in stride(from: start, to: end, by: 4) {
      hash =
        (hash ^ UInt64(frame.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        &* 0x100_0000_01B3
    }
    return hash
  }
}
