import MarketModel

/// The exchange that a community trades on: one in this process, or a server.
///
/// A call returns when all of its messages are answered.
protocol Venue {
  /// Error of a call: a lost connection, or a reject of a command that had to succeed.
  associatedtype Failure: Error

  /// Sends the operator's commands, in order.
  mutating func administer(_ bodies: [Command.Body]) throws(Failure)
  /// Advances the market's time.
  mutating func tick(to time: Timestamp) throws(Failure)
  /// Sends meter readings.
  mutating func meter(_ readings: [MeterReading]) throws(Failure)
  /// Sends the commands of trader number `trader`, in order.
  mutating func send(_ bodies: [Command.Body], from trader: Int) throws(Failure)
  /// Returns the reports since the last call, each with the number of its trader: all those of
  /// `trader`, which acts next.
  mutating func takeReports(
    before trader: Int
  ) throws(Failure) -> [(trader: Int, report: TraderReport)]
  /// Published best executable bid and ask, and price of the last trade.
  var quote: (bid: Price?, ask: Price?, last: Price?) { get }
}

/// Runs a community on a venue, interval by interval. Owned by one thread.
struct CommunityRun<Place: Venue>: ~Copyable {
  let plan: CommunityPlan
  private(set) var venue: Place
  private var traders: [any Trader]
  private var random: SeededRandom
  /// Number of the trader of each customer; `nil` without one.
  private let traderOfCustomer: [Int?]

  /// A run of `plan` on `venue`. `seed` determines in which order meters report and traders act.
  init(plan: CommunityPlan, venue: Place, seed: UInt64) {
    (self.plan, self.venue, traders) = (plan, venue, plan.population.traders)
    random = SeededRandom(seed: seed, stream: 2)
    traderOfCustomer = plan.model.customers.indices.map { plan.trader(of: $0) }
  }

  /// Sets the market up and runs all intervals.
  /// - Parameters:
  ///   - setup: The operator's commands.
  ///   - progress: Called after each interval with the number of intervals done and their total.
  mutating func play(
    setup: [Command.Body], progress: (_ done: Int, _ of: Int) -> Void
  ) throws(Place.Failure) {
    let model = plan.model
    try venue.tick(to: model.start)
    try venue.administer(setup)
    try act(at: 0)
    for interval in 0..<model.intervals {
      try venue.tick(to: model.time(of: interval + 1))
      let readings = self.readings(of: interval)
      try venue.meter(readings)
      tell(readings)
      if interval + 1 < model.intervals { try act(at: interval + 1) }
      progress(interval + 1, model.intervals)
    }
  }

  /// The readings of all meters for `interval`, in random order.
  private mutating func readings(of interval: Int) -> [MeterReading] {
    let model = plan.model
    return model.customers.indices.shuffled(using: &random).map { index in
      MeterReading(
        meter: MeterId(Population.account(index).rawValue),
        registerSequence: UInt64(interval) + 1, intervalStart: model.time(of: interval),
        intervalEnd: model.time(of: interval + 1),
        produced: model.customers[index].production[interval],
        consumed: model.customers[index].consumption[interval])
    }
  }

  /// Tells the traders what the meters of their own accounts have read.
  private mutating func tell(_ readings: [MeterReading]) {
    for reading in readings {
      // A meter has the number of its account.
      let account = AccountId(reading.meter.rawValue)
      guard let trader = traderOfCustomer[Int(account.rawValue) - 1] else { continue }
      traders[trader].receive(
        .reading(account, produced: reading.produced, consumed: reading.consumed))
    }
  }

  /// Lets every trader act once, in random order. Each trader sees the effects of the traders
  /// before it.
  private mutating func act(at interval: Int) throws(Place.Failure) {
    for trader in traders.indices.shuffled(using: &random) {
      for (recipient, report) in try venue.takeReports(before: trader) {
        traders[recipient].receive(report)
      }
      let quote = venue.quote
      let view = MarketView(
        interval: interval, intervalsPerDay: plan.model.intervalsPerDay, liveBid: quote.bid,
        liveAsk: quote.ask, last: quote.last)
      let commands = traders[trader].act(in: view)
      if !commands.isEmpty { try venue.send(commands, from: trader) }
    }
  }
}
