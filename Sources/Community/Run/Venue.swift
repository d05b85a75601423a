import MarketModel

/// Where a community trades: the exchange in this process, or a server at the end of connections.
///
/// A call returns when everything it asked has been answered.
protocol Venue {
  /// What went wrong with the world: sockets, the server, an answer that cannot be.
  associatedtype Failure: Error

  /// Carries out the operator's commands, in order.
  mutating func administer(_ bodies: [Command.Body]) throws(Failure)
  /// Moves the market's time.
  mutating func tick(to time: Timestamp) throws(Failure)
  /// Hands in what the meters read.
  mutating func meter(_ readings: [MeterReading]) throws(Failure)
  /// Leaves the standing instructions.
  mutating func instruct(_ agents: [SetAgent]) throws(Failure)
  /// Sends what trader `trader` asks, in order.
  mutating func send(_ bodies: [Command.Body], from trader: Int) throws(Failure)
  /// Reports that arrived for traders since the last call, each with its trader.
  mutating func takeReports() throws(Failure) -> [(trader: Int, report: TraderReport)]
  /// Best executable bid and ask and the last price, as published.
  var quote: (bid: Price?, ask: Price?, last: Price?) { get }
}

/// Runs a community at a venue, interval by interval. Owned by one thread.
struct CommunityRun<Place: Venue>: ~Copyable {
  let plan: CommunityPlan
  private(set) var venue: Place
  private var traders: [any Trader]
  private var random: SeededRandom

  /// A run of `plan` at `venue`; the order in which meters report in an interval follows `seed`.
  init(plan: CommunityPlan, venue: Place, seed: UInt64) {
    (self.plan, self.venue, traders) = (plan, venue, plan.population.traders)
    random = SeededRandom(seed: seed, stream: 2)
  }

  /// Sets up, then plays every interval; `progress` hears how many are done.
  mutating func play(
    setup: [Command.Body], progress: (_ done: Int, _ of: Int) -> Void
  ) throws(Place.Failure) {
    let model = plan.model
    try venue.tick(to: model.start)
    try venue.administer(setup)
    try venue.instruct(plan.population.instructions)
    try act(at: 0)
    for interval in 0..<model.intervals {
      try venue.tick(to: model.time(of: interval + 1))
      try venue.meter(readings(of: interval))
      if interval + 1 < model.intervals { try act(at: interval + 1) }
      progress(interval + 1, model.intervals)
    }
  }

  /// What every meter read in `interval`, in an order that no customer can rely on.
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

  /// Every trader acts once, in an order that changes; each sees what the ones before it did.
  private mutating func act(at interval: Int) throws(Place.Failure) {
    for trader in traders.indices.shuffled(using: &random) {
      for (hearer, report) in try venue.takeReports() { traders[hearer].hear(report) }
      let quote = venue.quote
      let view = MarketView(
        interval: interval, intervalsPerDay: plan.model.intervalsPerDay, liveBid: quote.bid,
        liveAsk: quote.ask, last: quote.last)
      let asked = traders[trader].act(in: view)
      if !asked.isEmpty { try venue.send(asked, from: trader) }
    }
  }
}
