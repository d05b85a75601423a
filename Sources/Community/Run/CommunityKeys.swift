import Crypto
import JoulebookClient
import MarketModel

/// The private keys of a run's sessions and meters. They are derived from the seed, so that a run
/// can be repeated, and are therefore unsuitable for any other server.
struct CommunityKeys: Sendable {
  private let sessions: [SessionId: Curve25519.Signing.PrivateKey]
  private let meters: [MeterId: Curve25519.Signing.PrivateKey]
  private let spare = Curve25519.Signing.PrivateKey()

  /// Derives the keys of every connection and meter of `plan` from `seed`.
  init(plan: CommunityPlan, seed: UInt64) {
    sessions = Dictionary(
      uniqueKeysWithValues: plan.connections.map {
        ($0.session, Self.key(seed, stream: 10_000 + UInt64($0.session.rawValue)))
      })
    meters = Dictionary(
      uniqueKeysWithValues: plan.model.customers.indices.map {
        let meter = MeterId(Population.account($0).rawValue)
        return (meter, Self.key(seed, stream: 100_000 + UInt64(meter.rawValue)))
      })
  }

  /// Private key of `meter`.
  func meter(_ meter: MeterId) -> Curve25519.Signing.PrivateKey { meters[meter] ?? spare }

  /// Credentials of `session`.
  func credentials(_ session: SessionId) -> Credentials {
    Credentials(session: session, privateKey: sessions[session] ?? spare)
  }

  private static func key(_ seed: UInt64, stream: UInt64) -> Curve25519.Signing.PrivateKey {
    var random = SeededRandom(seed: seed, stream: stream)
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    do {
      return try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    } catch {
      preconditionFailure("32 bytes are an Ed25519 key: \(error)")
    }
  }
}
