import GatewayBinary
import MarketModel
import Wire

/// What the clients of a run have signed: their signatures need no arithmetic to be known as right. Any
/// other is checked as a server does. Owned by the run's one thread.
final class SignedMessages: @unchecked Sendable {
  private struct Entry: Hashable {
    let signature: Signature
    let message: [UInt8]
    let key: PublicKey
  }

  private var known: Set<Entry> = []

  /// A client has signed.
  func note(_ signature: Signature, _ message: [UInt8], _ key: PublicKey) {
    known.insert(Entry(signature: signature, message: message, key: key))
  }

  /// Whether a signature is right.
  func verify(
    _ signature: Signature, _ frame: Frame, _ purpose: SigningPurpose, _ key: PublicKey
  ) -> Bool {
    let entry = Entry(signature: signature, message: purpose.message(of: frame), key: key)
    return known.contains(entry)
      || SignatureCheck.isValid(signature, on: frame, purpose, key: key)
  }
}
