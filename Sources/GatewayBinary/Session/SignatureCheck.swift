import Crypto
import GatewayKit
import MarketModel
import Wire

/// Verifies Ed25519 signatures of frames; about 60 us and a few allocations each.
package enum SignatureCheck {
  /// Whether `signature` is that of `key`'s owner on the purpose's part of `frame`. A key that is no
  /// point of the curve verifies nothing.
  package static func isValid(
    _ signature: Signature, on frame: Frame, _ purpose: SigningPurpose, key: PublicKey
  ) -> Bool {
    do {
      return try Curve25519.Signing.PublicKey(rawRepresentation: key.bytes)
        .isValidSignature(signature.bytes, for: purpose.message(of: frame))
    } catch {
      return false
    }
  }
}
