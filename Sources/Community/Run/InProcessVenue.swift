import ExchangeCore
import MarketModel

/// An exchange in this process without sockets, journal or clock, for research and tests. It
/// produces the events that a server with this market would; a simulated year takes seconds.
struct InProcessVenue: Venue {
  /// Owns the exchange, which cannot be copied, for this copyable value.
  private final class Engine {
    var exchange = Exchange(capacity: .community)
  }

  /// The reject of a command that had to succeed.
  struct Refused: Error, Equatable, CustomStringConvertible {
    /// Code of the reject.
    var code: RejectCode
    /// The limit that the command exceeds.
    var limit: Int64
    /// The fault in one line.
    var description: String { "set-up rejected: code \(code.rawValue), limit \(limit)" }
  }

  private let engine = Engine()
  private let plan: CommunityPlan
  private let traderOfAccount: [AccountId: Int]
  private(set) var recorder: RunRecorder
  private var reports: [(trader: Int, report: TraderReport)] = []
  private var sequence: UInt64 = 0
  private var time = Timestamp(nanoseconds: 0)

  init(plan: CommunityPlan) {
    self.plan = plan
    recorder = RunRecorder(model: plan.model, population: plan.population)
    var traders: [AccountId: Int] = [:]
    for (index, trader) in plan.population.traders.enumerated() {
      for account in trader.accounts { traders[account] = index }
    }
    traderOfAccount = traders
  }

  /// Sums of the area; `nil` before it exists.
  var totals: Exchange.AreaTotals? { engine.exchange.totals(of: CommunityPlan.area) }
  /// Violated invariants of the rules; empty in a correct run.
  var violations: [String] { engine.exchange.invariantViolations() }
  /// Free and reserved cash of every account.
  var cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)] {
    engine.exchange.cash()
  }
  /// Hash over all events so far.
  var eventHash: UInt64 { engine.exchange.eventHash }
  var quote: (bid: Price?, ask: Price?, last: Price?) { recorder.quote }

  mutating func administer(_ bodies: [Command.Body]) throws(Refused) {
    // A server does this for a new market.
    if engine.exchange.rules < RulesVersion.newest {
      try apply(.control(.setRules(SetRules(version: RulesVersion.newest))), from: .exchange)
    }
    for body in bodies { try apply(body, from: .exchange) }
  }

  mutating func tick(to time: Timestamp) throws(Refused) {
    self.time = time
    try apply(.control(.tick), from: .exchange)
  }

  mutating func meter(_ readings: [MeterReading]) throws(Refused) {
    for reading in readings { try apply(.meterReading(reading), from: plan.metering.session) }
  }

  mutating func send(_ bodies: [Command.Body], from trader: Int) throws(Refused) {
    for body in bodies { run(body, from: plan.traders[trader].session) }
  }

  mutating func takeReports(
    before trader: Int
  ) throws(Refused) -> [(trader: Int, report: TraderReport)] {
    defer { reports.removeAll(keepingCapacity: true) }
    return reports
  }

  /// Applies a command.
  /// - Throws: `Refused` when the exchange rejects it.
  private mutating func apply(_ body: Command.Body, from session: SessionId) throws(Refused) {
    for case .rejected(let reject) in run(body, from: session)
    where reject.clientSequence == sequence {
      throw Refused(code: reject.code, limit: reject.limit)
    }
  }

  /// Applies a command, records its events and queues reports for the traders.
  @discardableResult
  private mutating func run(_ body: Command.Body, from session: SessionId) -> [Event] {
    sequence += 1
    let command = Command(
      session: session, clientSequence: sequence, body: body, sequence: SequenceNumber(sequence),
      time: time)
    var events = EventList()
    recorder.begin(command)
    engine.exchange.apply(command, into: &events)
    for event in events.list {
      recorder.emit(event)
      for report in TraderReport.reports(of: event) {
        guard let trader = traderOfAccount[report.account] else { continue }
        reports.append((trader, report))
      }
    }
    return events.list
  }

  mutating func finish() { recorder.finish() }
}

/// Collects the events of one command.
struct EventList: EventSink {
  private(set) var list: [Event] = []
  mutating func emit(_ event: Event) { list.append(event) }
}
