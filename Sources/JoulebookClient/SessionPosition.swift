import MarketModel

/// Where a session stands: what it takes to come back to it after its connection was lost.
public struct SessionPosition: Equatable, Sendable {
  /// The session version.
  public var version: UInt64
  /// Number of the next message sent.
  public var nextSequence: UInt64
  /// Number of the first report that was not seen.
  public var nextReport: UInt64

  /// All fields.
  public init(version: UInt64, nextSequence: UInt64, nextReport: UInt64) {
    (self.version, self.nextSequence, self.nextReport) = (version, nextSequence, nextReport)
  }
}

/// What becomes of a session's orders when its connection is lost.
public enum OrdersOnDisconnect: Equatable, Sendable {
  /// They stand.
  case kept
  /// They are cancelled when the session has not come back in time; 60,000 ms at most.
  case canceled(afterMilliseconds: UInt32)

  /// As the wire says it.
  var cancelAfter: UInt32 {
    switch self {
    case .kept: BeginSession.never
    case .canceled(let milliseconds): milliseconds
    }
  }
}
