import MarketModel

/// State of session identities across connections and gateways: versions, expected sequence
/// numbers, and which gateway has established them. Owned by the I/O thread.
///
/// Versions of a session must increase, also across restarts. Versions that were established are in
/// the journal. Versions that were only negotiated are excluded after a restart by a floor, the
/// start time of the server in ns; this works for clients that use clock readings as versions.
public struct SessionIdentities: Sendable {
  private struct Identity {
    var lastVersion: UInt64
    /// The version established last, which a client may resume; 0 if none.
    var openVersion: UInt64 = 0
    /// Next sequence number expected from the client in `openVersion`.
    var nextIncoming: UInt64 = 1
    /// The gateway that has established it; `nil` if it is not established.
    var holder: GatewayNumber?
    /// Whether the operator has reset it and it has not begun since.
    var isReset = false
  }

  private let versionFloor: UInt64
  private var identities: [SessionId: Identity] = [:]

  /// Creates state without identities.
  /// - Parameter versionFloor: New versions must be greater.
  public init(versionFloor: UInt64) { self.versionFloor = versionFloor }

  /// The last version that `session` negotiated, at least the floor.
  public func lastVersion(_ session: SessionId) -> UInt64 {
    identities[session]?.lastVersion ?? versionFloor
  }

  /// The version that a client of `session` may resume; 0 if none.
  public func openVersion(_ session: SessionId) -> UInt64 {
    identities[session]?.openVersion ?? 0
  }

  /// Whether the operator has reset the last version of `session`, and no other one has begun since.
  public func isReset(_ session: SessionId) -> Bool {
    identities[session]?.isReset == true && openVersion(session) == 0
  }

  /// Next sequence number expected from the client in the open version.
  public func nextIncoming(_ session: SessionId) -> UInt64 {
    identities[session]?.nextIncoming ?? 1
  }

  /// Whether `session` is established on a connection.
  public func isEstablished(_ session: SessionId) -> Bool { holder(of: session) != nil }

  /// The gateway that has established `session`; `nil` if none has.
  public func holder(of session: SessionId) -> GatewayNumber? { identities[session]?.holder }

  /// Records the version that `session` negotiated.
  public mutating func negotiated(_ session: SessionId, version: UInt64) {
    update(session) { $0.lastVersion = version }
  }

  /// Marks the session as established, with `version`.
  /// - Parameter gateway: The gateway of the connection.
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

  /// Marks the session as not established after its connection ended.
  /// - Parameter nextIncoming: Next sequence number expected from its client.
  public mutating func release(_ session: SessionId, nextIncoming: UInt64) {
    update(session) { ($0.holder, $0.nextIncoming) = (nil, nextIncoming) }
  }

  /// Records that `version` began, as the journal says; a restarted server needs it.
  public mutating func began(_ session: SessionId, version: UInt64) {
    // Versions that this process negotiated itself are more recent than the journal.
    if let known = identities[session], known.lastVersion >= version { return }
    update(session) { identity in
      (identity.openVersion, identity.nextIncoming) = (version, 1)
      identity.lastVersion = version
    }
  }

  /// Records that the journal contains the client's message `sequence` in the open version.
  /// Gateways never accept the highest number, after which none could follow; the check is for
  /// journals.
  public mutating func applied(_ session: SessionId, sequence: UInt64) {
    let next = sequence == .max ? sequence : sequence + 1
    update(session) { $0.nextIncoming = max($0.nextIncoming, next) }
  }

  /// Records that an operator has reset the version of `session`: any version above 0 may follow.
  public mutating func reset(_ session: SessionId) {
    update(session) { identity in
      (identity.lastVersion, identity.openVersion, identity.nextIncoming) = (0, 0, 1)
      identity.isReset = true
    }
  }

  private mutating func update(_ session: SessionId, _ change: (inout Identity) -> Void) {
    change(&identities[session, default: Identity(lastVersion: versionFloor)])
  }
}

// MARK: - State image (DurableView.swift)

extension SessionIdentities {
  /// The durable state of one identity.
  struct Row: BitwiseCopyable, Equatable {
    var session: SessionId
    var lastVersion, openVersion, nextIncoming: UInt64
  }

  /// The durable state of every identity that began or was reset, by number. Of one that was reset
  /// and did not begin since, all numbers are 0.
  var rows: [Row] {
    identities.filter { $0.value.openVersion != 0 || $0.value.isReset }.map { session, identity in
      let hasBegun = identity.openVersion != 0
      return Row(
        session: session, lastVersion: hasBegun ? identity.lastVersion : 0,
        openVersion: identity.openVersion, nextIncoming: hasBegun ? identity.nextIncoming : 0)
    }.sorted { $0.session.rawValue < $1.session.rawValue }
  }

  /// Restores the state in a snapshot.
  mutating func restore(_ rows: [Row]) {
    for row in rows {
      if row.openVersion == 0 {
        reset(row.session)
        continue
      }
      update(row.session) { identity in
        identity.lastVersion = row.lastVersion
        (identity.openVersion, identity.nextIncoming) = (row.openVersion, row.nextIncoming)
      }
    }
  }
}
