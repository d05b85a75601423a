import MarketModel

/// What connections of one session identity share: its versions, how far its client's messages came,
/// its bad signatures, whether it is established. Owned by the I/O thread.
///
/// A session version must increase, also over restarts of the server. Versions that were established
/// are in the journal; one that was only negotiated is kept out after a restart by a floor that the
/// server gives: the moment of its start in ns, when clients use clock readings as versions (ours do).
public struct SessionIdentities: Sendable {
  /// How many bad signatures within `badSignatureWindow` lock a key.
  public static let badSignatureLimit = 5
  /// The time in which bad signatures are counted, and for which the key is then locked; ns.
  public static let badSignatureWindow: UInt64 = 60_000_000_000

  private struct Identity {
    var lastVersion: UInt64
    /// The version established last, to which a client may come back; 0: none.
    var openVersion: UInt64 = 0
    /// Next sequence number expected from the client in `openVersion`.
    var nextIncoming: UInt64 = 1
    /// The gateway by which it is established; `nil`: it is not.
    var holder: GatewayNumber?
    /// Times of the last bad signatures, oldest first; at most `badSignatureLimit`.
    var badSignatures: [SteadyTime] = []
    var lockedAt: SteadyTime?
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

  /// The version to which a client of `session` may come back; 0: none.
  public func openVersion(_ session: SessionId) -> UInt64 {
    identities[session]?.openVersion ?? 0
  }

  /// Next sequence number expected from the client in the open version.
  public func nextIncoming(_ session: SessionId) -> UInt64 {
    identities[session]?.nextIncoming ?? 1
  }

  /// Whether a connection of `session` is established.
  public func isEstablished(_ session: SessionId) -> Bool { holder(of: session) != nil }

  /// The gateway by which `session` is established; `nil`: it is not.
  public func holder(of session: SessionId) -> GatewayNumber? { identities[session]?.holder }

  /// How much longer the key is locked, in ns.
  /// - Returns: `nil` when it is not.
  public func lockLeft(_ session: SessionId, now: SteadyTime) -> UInt64? {
    guard let start = identities[session]?.lockedAt else { return nil }
    let passed = now.since(start)
    return passed < Self.badSignatureWindow ? Self.badSignatureWindow - passed : nil
  }

  /// Counts a bad signature; the fifth within a minute locks the key for a minute.
  /// - Returns: Whether this one locked it.
  @discardableResult public mutating func badSignature(
    _ session: SessionId, now: SteadyTime
  ) -> Bool {
    var isLocked = false
    update(session) { identity in
      identity.badSignatures.removeAll { now.since($0) >= Self.badSignatureWindow }
      identity.badSignatures.append(now)
      if identity.badSignatures.count >= Self.badSignatureLimit {
        identity.lockedAt = now
        identity.badSignatures.removeAll(keepingCapacity: true)
        isLocked = true
      }
    }
    return isLocked
  }

  /// Remembers the version that `session` has negotiated.
  public mutating func negotiated(_ session: SessionId, version: UInt64) {
    update(session) { $0.lastVersion = version }
  }

  /// Claims the identity for one connection, on which `version` is established.
  /// - Parameter gateway: By which it came.
  public mutating func establish(
    _ session: SessionId, version: UInt64, by gateway: GatewayNumber = .first
  ) {
    update(session) { identity in
      if identity.openVersion != version {
        (identity.openVersion, identity.nextIncoming) = (version, 1)
      }
      identity.holder = gateway
    }
  }

  /// Gives the identity back: its established connection is gone.
  /// - Parameter nextIncoming: What was expected next from its client.
  public mutating func release(_ session: SessionId, nextIncoming: UInt64) {
    update(session) { ($0.holder, $0.nextIncoming) = (nil, nextIncoming) }
  }

  /// The journal says that `version` began: what a restarted server must remember.
  public mutating func began(_ session: SessionId, version: UInt64) {
    // Of what this process has negotiated itself it knows more than the journal.
    if let known = identities[session], known.lastVersion >= version { return }
    update(session) { identity in
      (identity.openVersion, identity.nextIncoming) = (version, 1)
      identity.lastVersion = version
    }
  }

  /// The journal holds the client's message `sequence` in the open version. No gateway takes one with the
  /// highest number, behind which none could be expected; a journal that has it is read all the same.
  public mutating func applied(_ session: SessionId, sequence: UInt64) {
    let next = sequence == .max ? sequence : sequence + 1
    update(session) { $0.nextIncoming = max($0.nextIncoming, next) }
  }

  private mutating func update(_ session: SessionId, _ change: (inout Identity) -> Void) {
    change(&identities[session, default: Identity(lastVersion: versionFloor)])
  }
}

// MARK: - Its image (DurableView.swift)

extension SessionIdentities {
  /// What the journal says of one identity.
  struct Row: BitwiseCopyable, Equatable {
    var session: SessionId
    var lastVersion, openVersion, nextIncoming: UInt64
  }

  /// What the journal says of every identity that began, by number.
  var rows: [Row] {
    identities.filter { $0.value.openVersion != 0 }.map {
      Row(
        session: $0.key, lastVersion: $0.value.lastVersion, openVersion: $0.value.openVersion,
        nextIncoming: $0.value.nextIncoming)
    }.sorted { $0.session.rawValue < $1.session.rawValue }
  }

  /// Takes over what a snapshot of the journal says.
  mutating func restore(_ rows: [Row]) {
    for row in rows {
      update(row.session) { identity in
        identity.lastVersion = row.lastVersion
        (identity.openVersion, identity.nextIncoming) = (row.openVersion, row.nextIncoming)
      }
    }
  }
}
