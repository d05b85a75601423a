import TLS

/// Options of a load.
public struct LoadOptions: Sendable {
  /// Messages per second over all connections, at even intervals; 0: each connection sends as soon
  /// as one of its messages is answered.
  public var rate: UInt64 = 100_000
  /// Number of sessions that send, 1 to 20,000.
  public var connections = 4
  /// Most unanswered messages of a connection, 1 to 16,384. A message that is due while the window
  /// is full waits, and its latency counts from the time when it was due.
  public var outstanding = 64
  /// Shares of the kinds of messages.
  public var mix = OrderMix()
  /// Path of an order-flow file (OBFLOW01) that is sent instead of the mix; `nil`: the mix.
  public var flow: String?
  /// Time in which messages are sent and measured, in ms.
  public var durationMilliseconds: UInt64 = 10_000
  /// Time before it in which messages are sent and not measured, in ms.
  public var warmUpMilliseconds: UInt64 = 1_000
  /// Number of messages after which the load stops; 0: only the duration counts.
  public var messages: UInt64 = 0
  /// Sends one order at a time on one connection: the next one when the last is answered.
  public var isPingPong = false
  /// Number of meters, 0 to 100,000, that flood signed readings instead of orders, or beside them
  /// with `isPingPong`.
  public var meters = 0
  /// Number of further sessions, 0 to 50,000, that are connected and send nothing.
  public var idle = 0
  /// Polls without sleeping: messages are sent on time and answers are seen at once, at the cost of
  /// one busy core.
  public var spins = true
  /// Seed of orders and keys.
  public var seed: UInt64 = 1
  /// Lowest number of the load's participants, sessions, accounts, meters and instruments.
  public var base: UInt32 = 1_000
  /// Number of instruments that the mix trades, 1 to 10,000.
  public var instruments = 1
  /// Settings of TLS 1.3; `nil`: plain TCP.
  public var security: TLSContext?

  /// 100,000 messages per second on four connections for ten seconds.
  public init() {}

  /// The first option that is out of range, with its range; `nil` when all are valid.
  public var fault: String? {
    if connections < 1 || connections > 20_000 { return "connections: 1 to 20,000" }
    if outstanding < 1 || outstanding > 1 << 14 { return "outstanding: 1 to 16,384" }
    if instruments < 1 || instruments > 10_000 { return "instruments: 1 to 10,000" }
    if durationMilliseconds < 1 { return "duration: 1 ms or longer" }
    if idle < 0 || idle > 50_000 { return "idle: 0 to 50,000" }
    if meters < 0 || meters > 100_000 { return "meters: 0 to 100,000" }
    if base < 2 || base > 1 << 30 { return "base: 2 to 1,073,741,824" }
    return nil
  }
}

/// Shares of the kinds of messages. Only the ratio of the numbers counts.
public struct OrderMix: Sendable, Equatable {
  /// New orders that rest near the best price.
  public var new = 50
  /// Cancels of a random open order.
  public var cancel = 45
  /// Replaces of a random open order.
  public var replace = 0
  /// Immediate-or-cancel orders beyond the opposite best price.
  public var immediate = 5
  /// Iceberg orders that rest near the best price.
  public var iceberg = 0

  /// Half new orders, 45 % cancels, 5 % immediate.
  public init() {}

  /// Parses "new=50,cancel=45,replace=0,ioc=5,iceberg=0"; shares that are not named are 0.
  /// - Returns: `nil` when a name is unknown, a share is not a number from 0 to 1,000,000, or all
  ///   are 0.
  public init?(_ text: String) {
    (new, cancel, replace, immediate, iceberg) = (0, 0, 0, 0, 0)
    for part in text.split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, let share = Int(pair[1]), (0...1_000_000).contains(share) else {
        return nil
      }
      switch pair[0] {
      case "new": new = share
      case "cancel": cancel = share
      case "replace": replace = share
      case "ioc": immediate = share
      case "iceberg": iceberg = share
      default: return nil
      }
    }
    if total == 0 { return nil }
  }

  /// The sum of all shares.
  var total: Int { new + cancel + replace + immediate + iceberg }
}

/// Address of the exchange under load.
public struct LoadTarget: Sendable {
  /// Host name or address.
  public var host: String
  /// TCP port.
  public var port: UInt16

  /// A server at `host`:`port`.
  public init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }
}
