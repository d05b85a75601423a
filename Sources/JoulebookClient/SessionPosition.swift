import MarketModel

/// The state needed to resume a session after its connection was lost.
public struct SessionPosition: Equatable, Sendable {
  /// The session version.
  public var version: UInt64
  /// Sequence number of the next message to send.
  public var nextSequence: UInt64
  /// Number of the first report not yet received.
  public var nextReport: UInt64

  /// The position of session version `version`.
  public init(version: UInt64, nextSequence: UInt64, nextReport: UInt64) {
    (self.version, self.nextSequence, self.nextReport) = (version, nextSequence, nextReport)
  }
}

/// What happens to a session's orders when its connection is lost.
public enum OrdersOnDisconnect: Equatable, Sendable {
  /// The orders stay open.
  case kept
  /// The orders are cancelled unless the session returns within this time, at most 60,000 ms.
  case canceled(afterMilliseconds: UInt32)

  /// The value in the Establish message.
  var cancelAfter: UInt32 {
    switch self {
    case .kept: BeginSession.never
    case .canceled(let milliseconds): milliseconds
    }
  }
}
