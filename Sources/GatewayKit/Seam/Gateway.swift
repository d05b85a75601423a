import MarketModel

/// Identifies one of a server's gateways.
public struct GatewayNumber: Hashable, Sendable, BitwiseCopyable {
  /// Its index, from 0.
  public let rawValue: UInt8

  /// The gateway with the given index.
  public init(_ rawValue: UInt8) { self.rawValue = rawValue }

  /// The binary gateway, which every server has.
  public static let first = GatewayNumber(0)
}

/// A protocol by which clients reach the exchange. A gateway turns messages into commands and
/// durable events into messages. It owns its sessions' protocol and encoding; it reaches the
/// exchange through an `ExchangePort`, and shares the `DurableView` with the other gateways.
///
///     clients ─▶ gateway ──submit, answer──▶ ExchangePort
///     clients ◀─ gateway ◀─deliver, endCommand, delivered── server (durable events)
///
/// All methods are called on the I/O thread. Per command the order is `begin`, `deliver` for each
/// event, `endCommand`; from time to time `delivered`. During recovery the commands of the journal
/// are delivered in the same way.
public protocol Gateway: AnyObject {
  /// The events of the command `sequence` follow; the view does not contain any of them yet.
  func begin(_ sequence: SequenceNumber)

  /// Delivers an event of a durable command; the view already contains it.
  /// - Parameters:
  ///   - event: Valid during the call.
  ///   - reports: Reports of the event, including those for other gateways' sessions; valid
  ///     during the call.
  func deliver(
    _ event: UnsafePointer<Event>, _ reports: UnsafeBufferPointer<Report>, _ time: Timestamp)

  /// Ends the current command.
  /// - Parameter messages: The market data that it published; valid during the call.
  func endCommand(_ messages: UnsafeBufferPointer<FeedMessage>, _ time: Timestamp)

  /// Every command up to `sequence` is durable and all its events were delivered. Answers that
  /// depend on no later command may be sent.
  func delivered(through sequence: SequenceNumber)

  /// The answer to a query of this gateway.
  /// - Parameter reports: In order; `nil` if the journal cannot be read.
  func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?)

  /// The answer to a request of this gateway for trades.
  func trades(_ request: TradesRequest, _ answer: TradesAnswer)

  /// The result of verifying a reading of this gateway, which now submits or rejects it.
  /// - Returns: `false` if the intake is full; the call is repeated at the end of the next turn.
  func checked(_ reading: SignedReading, isValid: Bool) -> Bool

  /// Called four times per second.
  func tick()

  /// Everything that had arrived by `moment` was read. The gateway ends sessions that have been
  /// silent for too long as of `moment`, not as of the present.
  func judgeSilence(at moment: SteadyTime)

  /// A turn of the loop ends and its events were delivered; what is sent now is flushed with it.
  func turnEnds()

  /// Called after `turnEnds` of all gateways: clients that were not read because of a full intake
  /// are read again.
  func resumeReading()

  /// The server ends, and everything is durable and delivered: the gateway ends its sessions and
  /// then their connections.
  func drain()

  /// Activity counters since the start.
  var counts: GatewayCounts { get }
  /// Number of clients that are not read now because the intake was full.
  var pausedCount: Int { get }
  /// Number of established sessions.
  var connectionCount: Int { get }
  /// Whether any connection is open, with or without a session. The loop ends after the last one.
  var hasConnections: Bool { get }
}

extension Gateway {
  /// The default: no answers wait.
  public func begin(_ sequence: SequenceNumber) {}
  /// The default: no answers wait.
  public func delivered(through sequence: SequenceNumber) {}
  /// The default, for gateways that do not ask for trades.
  public func trades(_ request: TradesRequest, _ answer: TradesAnswer) {}
  /// The default, for gateways without signed readings.
  public func checked(_ reading: SignedReading, isValid: Bool) -> Bool { true }
  /// The default: nothing is done periodically.
  public func tick() {}
  /// The default: sessions have no keep-alive.
  public func judgeSilence(at moment: SteadyTime) {}
  /// The default: nothing is done at the end of a turn.
  public func turnEnds() {}
  /// The default: reading is never paused.
  public func resumeReading() {}
  /// The default: reading is never paused.
  public var pausedCount: Int { 0 }
}

/// Activity of a gateway since the start.
public struct GatewayCounts: Sendable, Equatable {
  /// Sessions established.
  public var sessions = 0
  /// Commands submitted.
  public var commands = 0
  /// Messages answered with a reject by the gateway itself.
  public var rejects = 0
  /// Of these, messages of sessions that had used up their work (9007).
  public var overworked = 0
  /// Sessions terminated by the gateway with a code.
  public var terminations = 0
  /// Reports sent for the first time.
  public var reports = 0
  /// Reports sent on request of a client that missed them.
  public var retransmitted = 0
  /// Market-data messages sent.
  public var marketData = 0
  /// Established sessions whose connection was lost without Terminate from either side.
  public var lost = 0
  /// Number of times that reading from a client was paused because the intake was full.
  public var pauses = 0

  /// Creates counters that are all 0.
  public init() {}

  /// Adds the counters of another gateway.
  public static func += (a: inout GatewayCounts, b: GatewayCounts) {
    a.sessions += b.sessions
    a.commands += b.commands
    a.rejects += b.rejects
    a.overworked += b.overworked
    a.terminations += b.terminations
    a.reports += b.reports
    a.retransmitted += b.retransmitted
    a.marketData += b.marketData
    a.lost += b.lost
    a.pauses += b.pauses
  }
}

/// The objects that a server gives each of its gateways. All of them belong to the I/O thread.
public struct GatewaySeat {
  /// Number of the gateway.
  public let number: GatewayNumber
  /// Accepts commands and queries.
  public let exchange: any ExchangePort
  /// State that all gateways share.
  public let view: DurableView
  /// Cancels orders of sessions that lost their connection.
  public let lost: LostSessions
  /// Clock for intervals and timeouts.
  public let clock: ServingClock
  /// Limits log-ons that prove nothing.
  public let logOns: LogOnLimits
  /// Limits the sessions that are established at a time.
  public let places: SessionPlaces

  /// The context of gateway `number`.
  public init(
    _ number: GatewayNumber, _ exchange: any ExchangePort, _ view: DurableView,
    _ lost: LostSessions, _ clock: ServingClock, _ logOns: LogOnLimits = LogOnLimits(),
    _ places: SessionPlaces = SessionPlaces()
  ) {
    (self.number, self.exchange, self.view) = (number, exchange, view)
    (self.lost, self.clock, self.logOns, self.places) = (lost, clock, logOns, places)
  }

  /// Counts a refused log-on and reports it for the log and the metrics.
  public func noteRefused(
    _ session: SessionId, _ failure: LogOnFailure, from address: LogOnAddress?
  ) {
    logOns.refused(failure, from: address, at: clock.now)
    exchange.note(.logOnRefused(session, failure, from: address))
  }
}
