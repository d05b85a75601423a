import GatewayKit

/// Counts of misbehaving sessions since the start. Lost connections are counted by the gateways.
struct NoticeCounts: Sendable, Equatable {
  /// Clients terminated because they did not read.
  var slowReaders = 0
  /// Refused log-ons, by reason.
  var refusedLogOns: [LogOnFailure: Int] = [:]
  /// Connections that exceeded a rate limit.
  var throttled = 0

  mutating func count(_ notice: GatewayNotice) {
    switch notice {
    case .slowReader: slowReaders += 1
    case .logOnRefused(_, let failure, _): refusedLogOns[failure, default: 0] += 1
    case .throttled: throttled += 1
    case .disconnected, .ended, .brokeProtocol, .cutOff: break
    }
  }
}
