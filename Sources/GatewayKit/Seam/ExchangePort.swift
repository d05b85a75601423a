import MarketModel

/// The exchange as a gateway sees it. Every call is made on the I/O thread; none leads back into a gateway.
public protocol ExchangePort: AnyObject {
  /// Takes a client's command in, behind those of the gateways' own. What it led to comes through
  /// `Gateway.deliver` when it is durable.
  ///
  /// Of a Tick message `command.time` is the time asked for: a server on driven time moves its clock
  /// there, one on the real clock stamps its own. Of every other command it is 0.
  func submit(_ command: Command) -> SubmitResult

  /// Takes in what a gateway has to say itself: a session that began, one whose orders go. It is kept and tried
  /// again until the intake has room for it; one that ends takes nothing more.
  func submitOwn(_ body: Command.Body)

  /// Has a reading's signature checked; the verdict comes through `Gateway.checked`. What is valid comes back
  /// to be submitted.
  func check(_ reading: SignedReading) -> ReadingCheck

  /// Asks the exchange, at the question's place: behind every command submitted before, with all of them
  /// applied. The answer may leave when `Gateway.delivered` has said that its number was reached.
  /// - Returns: `nil` when commands submitted before wait for room: to be asked again when the turn ends.
  func answer(_ question: Question) -> Answer?

  /// Reads reports from the journal; the answer comes through `Gateway.retransmit`.
  func retransmit(_ query: RetransmitQuery)

  /// Something that an operator may want to know; for the log.
  func note(_ notice: GatewayNotice)
}

extension ExchangePort {
  /// By the gateway itself.
  public func check(_ reading: SignedReading) -> ReadingCheck { .here }
}
