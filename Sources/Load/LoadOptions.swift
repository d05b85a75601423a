import TLS

/// What load is put on an exchange, and how.
public struct LoadOptions: Sendable {
  /// Messages a second over all connections, at even intervals; 0: each connection sends as soon as one of
  /// its messages is answered.
  public var rate: UInt64 = 100_000
  /// Sessions that send.
  public var connections = 4
  /// Messages of a connection that may be unanswered. One that is due later waits, and its latency counts
  /// from when it was due.
  public var outstanding = 64
  /// Which messages.
  public var mix = OrderMix()
  /// An order-flow file (OBFLOW01) instead of the mix.
  public var flow: String?
  /// How long messages are sent and measured, in ms.
  public var durationMilliseconds: UInt64 = 10_000
  /// How long they are sent before that without being measured, in ms.
  public var warmUpMilliseconds: UInt64 = 1_000
  /// Ends when so many were sent, if that comes first; 0: no bound.
  public var messages: UInt64 = 0
  /// One order at a time on one connection: the next when the last is answered.
  public var isPingPong = false
  /// Meters that flood signed readings instead of orders, or beside one order at a time; 0: none.
  public var meters = 0
  /// Further sessions that are connected and say nothing.
  public var idle = 0
  /// Polls without sleeping: messages leave on time and answers are seen at once, one core is busy.
  public var spins = true
  /// What orders and keys follow from.
  public var seed: UInt64 = 1
  /// Lowest number that participants, sessions, accounts, meters and instruments of the load get.
  public var base: UInt32 = 1_000
  /// Instruments of the mix.
  public var instruments = 1
  /// Speaks TLS 1.3 with this; `nil`: plain TCP.
  public var security: TLSContext?

  /// 100,000 messages a second on four connections for ten seconds.
  public init() {}

  /// What cannot be meant.
  /// - Returns: `nil` when everything can.
  public var fault: String? {
    if connections < 1 || connections > 20_000 { return "connections: 1 to 20,000" }
    if outstanding < 1 || outstanding > 1 << 14 { return "outstanding: 1 to 16,384" }
    if instruments < 1 || instruments > 10_000 { return "instruments: 1 to 10,000" }
    if durationMilliseconds < 1 { return "duration: longer than nothing" }
    if idle < 0 || idle > 50_000 { return "idle: 0 to 50,000" }
    if meters < 0 || meters > 100_000 { return "meters: 0 to 100,000" }
    if base < 2 || base > 1 << 30 { return "base: 2 to 1,073,741,824" }
    return nil
  }
}

/// In which shares messages are sent; any numbers, only their ratio counts.
public struct OrderMix: Sendable, Equatable {
  /// Orders that rest near the touch.
  public var new = 50
  /// Cancels of a random open order.
  public var cancel = 45
  /// Replaces of a random open order.
  public var replace = 0
  /// Immediate-or-cancel orders through the touch.
  public var immediate = 5
  /// Icebergs that rest near the touch and show a part of themselves.
  public var iceberg = 0

  /// Half new orders, 45 % cancels, 5 % immediate.
  public init() {}

  /// "new=50,cancel=45,replace=0,ioc=5,iceberg=0"; what is not named is 0.
  /// - Returns: `nil` when a name is unknown, a share no number from 0 to 1,000,000, or all are 0.
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

/// Where the load goes.
public struct LoadTarget: Sendable {
  /// Address of the server.
  public var host: String
  /// Its port.
  public var port: UInt16

  /// A server at an address.
  public init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }
}
