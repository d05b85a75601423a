import MarketModel

/// What connections of one session identity share: its last version, its bad signatures, whether it
/// is established. Owned by the I/O thread.
///
/// A session version must increase, also over restarts of the server. The process remembers the last
/// of each identity; what was negotiated before it started is kept out by a floor that the server
/// gives: the moment of its start in ns, when clients use clock readings as versions (ours do). A
/// recorded Negotiate of an earlier run is older than that and refused.
public struct SessionIdentities: Sendable {
  /// How many bad signatures within `badSignatureWindow` lock a key.
  public static let badSignatureLimit = 5
  /// The time in which bad signatures are counted, and for which the key is then locked; ns.
  public static let badSignatureWindow: UInt64 = 60_000_000_000

  private struct Identity {
    var lastVersion: UInt64
    var isEstablished = false
    /// Times of the last bad signatures, oldest first; at most `badSignatureLimit`.
    var badSignatures: [UInt64] = []
    var lockedUntil: UInt64 = 0
  }

  private let versionFloor: UInt64
  private var identities: [SessionId: Identity] = [:]

  /// No identity seen yet.
  /// - Parameter versionFloor: Versions must be above it.
  public init(versionFloor: UInt64) { self.versionFloor = versionFloor }

  /// The last version that `session` negotiated, or the floor.
  public func lastVersion(_ session: SessionId) -> UInt64 {
    identities[session]?.lastVersion ?? versionFloor
  }

  /// Whether a connection of `session` is established.
  public func isEstablished(_ session: SessionId) -> Bool {
    identities[session]?.isEstablished ?? false
  }

  /// Until when the key is locked.
  /// - Returns: `nil` when it is not.
  public func lockedUntil(_ session: SessionId, now: Timestamp) -> Timestamp? {
    guard let until = identities[session]?.lockedUntil, until > now.nanoseconds else { return nil }
    return Timestamp(nanoseconds: until)
  }

  /// Counts a bad signature; the fifth within a minute locks the key for a minute.
  public mutating func badSignature(_ session: SessionId, now: Timestamp) {
    update(session) { identity in
      let window = Self.badSignatureWindow
      identity.badSignatures.removeAll { $0 + window <= now.nanoseconds }
      identity.badSignatures.append(now.nanoseconds)
      if identity.badSignatures.count >= Self.badSignatureLimit {
        identity.lockedUntil = now.nanoseconds + window
        identity.badSignatures.removeAll(keepingCapacity: true)
      }
    }
  }

  /// Remembers the version that `session` has negotiated.
  public mutating func negotiated(_ session: SessionId, version: UInt64) {
    update(session) { $0.lastVersion = version }
  }

  /// Claims the identity for one connection.
  /// - Returns: `false` when another has it.
  public mutating func establish(_ session: SessionId) -> Bool {
    guard !isEstablished(session) else { return false }
    update(session) { $0.isEstablished = true }
    return true
  }

  /// Gives the identity back: its established connection is gone.
  public mutating func release(_ session: SessionId) {
    update(session) { $0.isEstablished = false }
  }

  private mutating func update(_ session: SessionId, _ change: (inout Identity) -> Void) {
    change(&identities[session, default: Identity(lastVersion: versionFloor)])
  }
}
