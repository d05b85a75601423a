import Crypto
import GatewayKit
import MarketModel
import Wire

/// Decides whether the sender of a Negotiate or Establish has proved to be the session's owner. Who
/// has not gets the same answer, after the same work, whether or not the session exists.
struct LogOnProof {
  /// Where the client connects from.
  let address: LogOnAddress?
  private let gateway: BinaryGateway
  private let frame: Frame
  private let session: SessionId
  private let signature: Signature
  private var doubted: LogOnFailure?

  /// A key whose private half nobody knows: signatures in the name of unknown sessions are verified
  /// against it, so that their refusal takes as long as that of others.
  private static let nobody = PublicKey(
    bytes: Curve25519.Signing.PrivateKey().publicKey.rawRepresentation)

  init(
    _ gateway: BinaryGateway, _ peer: Peer, _ frame: Frame, _ session: SessionId,
    _ signature: Signature
  ) {
    (self.gateway, self.frame, self.session, self.signature) = (gateway, frame, session, signature)
    address = gateway.configuration.address(gateway.transport, peer.connection)
  }

  /// Why the sender has not proved who it is; `nil` if it has. Takes about 60 us.
  mutating func doubt(_ purpose: SigningPurpose) -> Refusal? {
    guard frame.version >= LogOnChallenge.firstVersion else {
      doubted = .oldVersion
      return Refusal(.logOnVersion, limit: Int64(LogOnChallenge.firstVersion))
    }
    if let left = gateway.seat.logOns.timeLeft(address, at: gateway.now) {
      doubted = .tooMany
      return Refusal(.tooManyLogOns, limit: Int64(clamping: left))
    }
    let known = gateway.view.reference.session(session)
    let isActive = known.map { !$0.roles.isEmpty } ?? false
    guard let key = isActive ? known?.key : Self.nobody else {
      preconditionFailure("a key has 32 bytes")
    }
    let isValid = gateway.configuration.verify(signature, frame, purpose, key)
    if isActive, isValid { return nil }
    doubted = isActive ? .badSignature : .unknownSession
    return Refusal(.badSignature)
  }

  /// Why there is no place for the session, which has proved who it is; `nil` if there is one.
  mutating func lackOfPlace() -> Refusal? {
    let refusal = gateway.seat.places.refusal(of: session, in: gateway.view.reference)
    if refusal != nil { doubted = .noPlace }
    return refusal
  }

  /// What operators are told of the refusal.
  func failure(_ refusal: Refusal) -> LogOnFailure {
    doubted ?? (refusal.code == .timestampOutOfWindow ? .timestamp : .notAdmissible)
  }
}
