// Why a tool's log-on may succeed a moment later: another connection has the session, or the server's
// connections are all taken by others, of which those that do not log on soon give way.

import Foundation
import JoulebookClient
import MarketModel

/// An obstacle to a log-on for whose end a tool waits.
enum LogOnObstacle: Equatable {
  /// Another connection has the session, has negotiated it a moment later, or has logged on with a
  /// later time.
  case inUse
  /// The server closed the connection before the session was established: all are taken.
  case full

  /// - Returns: `nil` if it is useless to try again.
  init?(_ error: ClientError) {
    switch error {
    case .connectionLost: self = .full
    case .refused(let code, let limit) where Self.isInUse(code, limit): self = .inUse
    default: return nil
    }
  }

  /// How long it is worth waiting.
  var patience: Duration { self == .inUse ? .seconds(30) : .seconds(5) }

  /// What the user is told after a few attempts.
  func words(_ session: UInt32) -> String {
    let seconds = patience.components.seconds
    return switch self {
    case .inUse: "session \(session) is in use elsewhere; waiting for up to \(seconds) s"
    case .full:
      "the server closes the connection before the log-on, as when all connections are taken; trying "
        + "again for up to \(seconds) s"
    }
  }

  private static func isInUse(_ code: RejectCode, _ limit: Int64) -> Bool {
    switch code {
    case .alreadyEstablished, .unknownSessionVersion: return true
    case .timestampOutOfWindow: return limit == 0
    case .sessionVersionNotIncreasing:
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return limit <= (Int64(now.tv_sec) + 1) * 1_000_000_000
    default: return false
    }
  }
}
