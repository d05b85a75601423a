import Crypto
import GatewayKit
import MarketModel
import Wire

/// Verification of Ed25519 signatures of frames; about 60 us and a few allocations each.
package enum SignatureCheck {
  /// Whether `signature` by the owner of `key` covers the part of `frame` that belongs to
  /// `purpose`. Always `false` if the key is not a point of the curve, or one of small order.
  package static func isValid(
    _ signature: Signature, on frame: Frame, _ purpose: SigningPurpose, key: PublicKey
  ) -> Bool {
    if key.isOfSmallOrder { return false }
    do {
      return try Curve25519.Signing.PublicKey(rawRepresentation: key.bytes)
        .isValidSignature(signature.bytes, for: purpose.message(of: frame))
    } catch {
      return false
    }
  }
}
