import ExchangeCore
import MarketModel

/// The exchange in this process, without sockets, journal or clock: for research and tests. The same
/// engine, the same events, seconds for a year.
struct InProcessVenue: Venue {
  /// An exchange that a copyable value can own.
  private final class Engine {
    var exchange = Exchange(capacity: .community)
  }

  /// Why a simulation stopped.
  struct Refused: Error, Equatable, CustomStringConvertible {
    /// The code of the refusal.
    var code: RejectCode
    /// The limit broken.
    var limit: Int64
    /// One line for a person.
    var description: String { "set-up refused: code \(code.rawValue), limit \(limit)" }
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

  /// What the exchange holds now.
  var totals: Exchange.AreaTotals? { engine.exchange.totals(of: CommunityPlan.area) }
  /// Invariants of the rules that do not hold: none in a healthy run.
  var violations: [String] { engine.exchange.invariantViolations() }
  /// Free and reserved cash of every account.
  var cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)] {
    engine.exchange.cash()
  }
  /// Hash over all events so far.
  var eventHash: UInt64 { engine.exchange.eventHash }
  var quote: (bid: Price?, ask: Price?, last: Price?) { recorder.quote }

  mutating func administer(_ bodies: [Command.Body]) throws(Refused) {
    // As a server does it for a new market.
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

  mutating func instruct(_ agents: [SetAgent]) throws(Refused) {
    for agent in agents { try apply(.order(.setAgent(agent)), from: plan.community.session) }
  }

  mutating func send(_ bodies: [Command.Body], from trader: Int) throws(Refused) {
    for body in bodies { run(body, from: plan.traders[trader].session) }
  }

  mutating func takeReports() throws(Refused) -> [(trader: Int, report: TraderReport)] {
    defer { reports.removeAll(keepingCapacity: true) }
    return reports
  }

  /// Applies a command that must not be refused.
  private mutating func apply(_ body: Command.Body, from session: SessionId) throws(Refused) {
    for case .rejected(let reject) in run(body, from: session)
    where reject.clientSequence == sequence {
      throw Refused(code: reject.code, limit: reject.limit)
    }
  }

  /// Applies a command, records it and hands its events to the traders they concern.
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

/// Keeps the events of one command.
struct EventList: EventSink {
  private(set) var list: [Event] = []
  mutating func emit(_ event: Event) { list.append(event) }
}
