import MarketModel

/// The exchange as a gateway sees it. All methods are called on the I/O thread; none of them calls
/// a gateway.
public protocol ExchangePort: AnyObject {
  /// Submits a client's command, after the gateways' own queued commands. Its events are passed to
  /// `Gateway.deliver` when they are durable.
  ///
  /// For a Tick, `command.time` is the requested time: a server with a driven clock advances to it,
  /// one with the system clock stamps its own time. For all other commands it is 0.
  func submit(_ command: Command) -> SubmitResult

  /// Submits a gateway's own command, such as the begin or the end of a session. It is queued and
  /// retried until the intake accepts it; a server that is shutting down discards it.
  func submitOwn(_ body: Command.Body)

  /// Has a reading's signature verified. If that happens on another thread, the result is passed to
  /// `Gateway.checked`, which submits valid readings.
  func check(_ reading: SignedReading) -> ReadingCheck

  /// Answers a question after applying every command submitted before. The answer may be sent once
  /// `Gateway.delivered` has reached its `through`.
  /// - Returns: `nil` if commands submitted before wait for capacity; ask again at the end of the
  ///   turn.
  func answer(_ question: Question) -> Answer?

  /// Requests reports from the journal; the answer is passed to `Gateway.retransmit`.
  func retransmit(_ query: RetransmitQuery)

  /// Requests trades from the ledger; the answer is passed to `Gateway.trades`, after the events of
  /// every command up to its `through`.
  func readTrades(_ request: TradesRequest)

  /// Logs and counts something about a session.
  func note(_ notice: GatewayNotice)
}

extension ExchangePort {
  /// The default: the gateway verifies readings itself.
  public func check(_ reading: SignedReading) -> ReadingCheck { .here }
}
