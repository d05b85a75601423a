import GatewayKit

/// How often sessions were told off since the start; lost ones are the gateway's count.
struct NoticeCounts: Sendable, Equatable {
  /// Clients cut because they did not read.
  var slowReaders = 0
  /// Keys locked after bad signatures.
  var keysLocked = 0
  /// Connections that sent more than they may.
  var throttled = 0

  mutating func count(_ notice: GatewayNotice) {
    switch notice {
    case .slowReader: slowReaders += 1
    case .keyLocked: keysLocked += 1
    case .throttled: throttled += 1
    case .disconnected: break
    }
  }
}
