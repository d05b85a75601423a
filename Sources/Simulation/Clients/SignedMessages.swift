import GatewayBinary
import MarketModel
import Wire

/// The signatures that the clients of a run made. They are recognised without a computation; all
/// others are verified like on a server. Owned by the thread of the run.
final class SignedMessages: @unchecked Sendable {
  private struct Entry: Hashable {
    let signature: Signature
    let message: [UInt8]
    let key: PublicKey
  }

  private var known: Set<Entry> = []

  /// Adds a signature that a client made.
  func note(_ signature: Signature, _ message: [UInt8], _ key: PublicKey) {
    known.insert(Entry(signature: signature, message: message, key: key))
  }

  /// Whether a signature is valid.
  func verify(
    _ signature: Signature, _ frame: Frame, _ purpose: SigningPurpose, _ key: PublicKey
  ) -> Bool {
    let entry = Entry(signature: signature, message: purpose.message(of: frame), key: key)
    return known.contains(entry)
      || SignatureCheck.isValid(signature, on: frame, purpose, key: key)
  }
}
