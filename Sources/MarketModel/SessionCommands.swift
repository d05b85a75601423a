// Sessions come and go: what of that the exchange must know, so that a replay does the same.

/// A client has established a session version (from the gateway). From here on the reports of the
/// identity are numbered in this version, if it is a new one.
public struct BeginSession: Sendable, BitwiseCopyable, Hashable {
  /// Never cancels on disconnect.
  public static let never = UInt32.max

  /// Who.
  public var session: SessionId
  /// Milliseconds between the loss of its connection and the cancel of its orders; `never`: they stand.
  public var cancelAfter: UInt32
  /// The version it negotiated; the last one, when it comes back to it.
  public var version: UInt64

  /// Begins or resumes `version` of `session`.
  @inlinable public init(session: SessionId, version: UInt64, cancelAfter: UInt32) {
    (self.session, self.version, self.cancelAfter) = (session, version, cancelAfter)
  }
}

/// A session's connection is gone and did not come back in time (from the gateway): every open order
/// that it entered is cancelled, those of its standing instructions excepted.
public struct EndSession: Sendable, BitwiseCopyable, Hashable {
  /// Whose orders.
  public var session: SessionId
  /// The version that was lost.
  public var version: UInt64

  /// Cancels what `session` entered.
  @inlinable public init(session: SessionId, version: UInt64) {
    (self.session, self.version) = (session, version)
  }
}
