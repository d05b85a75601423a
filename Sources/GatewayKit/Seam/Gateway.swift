import MarketModel

/// Names one of a server's gateways.
public struct GatewayNumber: Hashable, Sendable, BitwiseCopyable {
  /// Its place among them, from 0.
  public let rawValue: UInt8

  /// The gateway in that place.
  public init(_ rawValue: UInt8) { self.rawValue = rawValue }

  /// The binary gateway, which every server has.
  public static let first = GatewayNumber(0)
}

/// A way into the exchange for clients: it turns what they send into commands and tells them what comes of it.
/// It owns its sessions' protocol and their bytes; the exchange is behind its `ExchangePort`, what all gateways
/// know is in the `DurableView`.
///
///     clients ─▶ gateway ──submit, answer──▶ ExchangePort
///     clients ◀─ gateway ◀─deliver, endCommand, delivered── server (what is durable)
///
/// Every call is made on the I/O thread, in this order for a command: `begin`, `deliver` for each event,
/// `endCommand`; now and then `delivered`. While a server recovers, the commands of its journal come the same way.
public protocol Gateway: AnyObject {
  /// The events of the command `sequence` come next; nothing of it is in the view yet.
  func begin(_ sequence: SequenceNumber)

  /// Takes an event of a durable command, which is in the view.
  /// - Parameters:
  ///   - event: Stays where it is during the call.
  ///   - reports: What sessions are told of it, also of those that are not this gateway's; valid during the call.
  func deliver(
    _ event: UnsafePointer<Event>, _ reports: UnsafeBufferPointer<Report>, _ time: Timestamp)

  /// The command in hand is complete.
  /// - Parameter messages: The market data that it published; valid during the call.
  func endCommand(_ messages: UnsafeBufferPointer<FeedMessage>, _ time: Timestamp)

  /// Every command up to `sequence` is durable, and all its events were delivered: the answers to questions that
  /// were asked by then may leave.
  func delivered(through sequence: SequenceNumber)

  /// The answer to a query of this gateway.
  /// - Parameter reports: In order; `nil`: the journal cannot be read.
  func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?)

  /// A reading of this gateway was checked elsewhere: it is to be submitted, or rejected.
  /// - Returns: `false` when the intake is full: to be called again with the same at the end of the turn.
  func checked(_ reading: SignedReading, isValid: Bool) -> Bool

  /// Four times a second.
  func tick()

  /// Everything that had come by `moment` was read: who has been silent for too long is judged by it, however
  /// long the server was held up meanwhile.
  func judgeSilence(at moment: SteadyTime)

  /// A turn of the loop ends, and what it brought was delivered: what is sent now leaves with it.
  func turnEnds()

  /// After `turnEnds` of all gateways: clients that were not read for want of room are read again.
  func resumeReading()

  /// The server ends, and everything is durable and delivered: sessions end, and then their connections.
  func drain()

  /// Running counts since the start.
  var counts: GatewayCounts { get }
  /// Clients that are not read now, since the intake was full.
  var pausedCount: Int { get }
  /// Established sessions.
  var connectionCount: Int { get }
  /// Whether a connection is open, with a session or not: the loop ends behind the last one.
  var hasConnections: Bool { get }
}

extension Gateway {
  /// Has no answers that wait.
  public func begin(_ sequence: SequenceNumber) {}
  /// Has no answers that wait.
  public func delivered(through sequence: SequenceNumber) {}
  /// Takes no readings.
  public func checked(_ reading: SignedReading, isValid: Bool) -> Bool { true }
  /// Does nothing by the clock.
  public func tick() {}
  /// Nobody is silent for too long.
  public func judgeSilence(at moment: SteadyTime) {}
  /// Has nothing left to do.
  public func turnEnds() {}
  /// Reads always.
  public func resumeReading() {}
  /// None.
  public var pausedCount: Int { 0 }
}

/// What a gateway has done since the start.
public struct GatewayCounts: Sendable, Equatable {
  /// Sessions established.
  public var sessions = 0
  /// Commands submitted.
  public var commands = 0
  /// Messages answered with a reject by the gateway itself.
  public var rejects = 0
  /// Sessions ended by us with a code.
  public var terminations = 0
  /// Reports sent.
  public var reports = 0
  /// Reports sent again.
  public var retransmitted = 0
  /// Market-data messages sent.
  public var marketData = 0
  /// Established sessions whose connection went without a farewell of either side.
  public var lost = 0
  /// Times that reading paused, since the intake was full.
  public var pauses = 0

  /// Nothing happened.
  public init() {}

  /// Adds what another gateway has done.
  public static func += (a: inout GatewayCounts, b: GatewayCounts) {
    a.sessions += b.sessions
    a.commands += b.commands
    a.rejects += b.rejects
    a.terminations += b.terminations
    a.reports += b.reports
    a.retransmitted += b.retransmitted
    a.marketData += b.marketData
    a.lost += b.lost
    a.pauses += b.pauses
  }
}

/// What a server gives each of its gateways. All of it is the I/O thread's.
public struct GatewaySeat {
  /// Which gateway it is.
  public let number: GatewayNumber
  /// The exchange.
  public let exchange: any ExchangePort
  /// What all gateways know of it.
  public let view: DurableView
  /// Sessions that lost their connection.
  public let lost: LostSessions
  /// The clock of intervals.
  public let clock: ServingClock

  /// All fields.
  public init(
    _ number: GatewayNumber, _ exchange: any ExchangePort, _ view: DurableView,
    _ lost: LostSessions, _ clock: ServingClock
  ) {
    (self.number, self.exchange, self.view) = (number, exchange, view)
    (self.lost, self.clock) = (lost, clock)
  }
}
