import MarketModel

/// Everything a run of the demonstration found out. The report shows these figures and no others.
public struct DemoResult: Sendable {
  /// What was run.
  public var setting: Setting
  /// How much went through the exchange, and how fast.
  public var run: RunFigures
  /// The market at each moment: the start of the run and the end of every interval.
  public var samples: [MarketSample]
  /// Energy of the community with the market.
  public var energy: EnergyTotals
  /// Energy of the same customers without it.
  public var alone: EnergyTotals
  /// The book at the moment of its largest overlap, of those at which both sides had live orders if
  /// there was one; none if it never overlapped.
  public var deepestOverlap: BookPicture?
  /// What each customer paid and was paid.
  public var customers: [CustomerMoney]
  /// Time from an order's sending to its first report.
  public var latency: LatencyFigures
  /// What was checked after the run.
  public var proofs: [Proof]

  /// All fields, in order.
  public init(
    setting: Setting, run: RunFigures, samples: [MarketSample], energy: EnergyTotals,
    alone: EnergyTotals, deepestOverlap: BookPicture?, customers: [CustomerMoney],
    latency: LatencyFigures, proofs: [Proof]
  ) {
    (self.setting, self.run, self.samples) = (setting, run, samples)
    (self.energy, self.alone, self.deepestOverlap) = (energy, alone, deepestOverlap)
    (self.customers, self.latency, self.proofs) = (customers, latency, proofs)
  }

  /// Energy that changed hands, in Wh.
  public var tradedWattHours: Int64 { samples.reduce(0) { $0 + $1.traded } }
  /// What was paid for it.
  public var turnover: Money { Money(units: samples.reduce(0) { $0 + $1.turnover.units }) }
  /// What the customers together paid less because of the market.
  public var saved: Money { Money(units: customers.reduce(0) { $0 + $1.saving.units }) }
  /// Whether every check held.
  public var isProven: Bool { !proofs.isEmpty && proofs.allSatisfy(\.holds) }

  /// The household whose net cost is the median of all households'; none without a household.
  public var typicalHousehold: CustomerMoney? {
    let households = customers.filter { $0.kind == .household }.sorted { $0.net < $1.net }
    return households.isEmpty ? nil : households[households.count / 2]
  }
}

extension DemoResult {
  /// What was run.
  public struct Setting: Sendable {
    /// The community's name, story and attribution.
    public var title: String
    /// One sentence: what is real about it and what is not.
    public var story: String
    /// Origin and licence of the data.
    public var attribution: String
    /// Start of the first interval.
    public var start: Timestamp
    /// Length of an interval in seconds.
    public var intervalSeconds: UInt64
    /// How many days were run.
    public var days: Int
    /// What private values, roles and bots follow from.
    public var seed: UInt64
    /// The terms of the area.
    public var terms: MarketTerms
    /// How many customers, all meters included.
    public var customers: Int
    /// How many of them have a roof.
    public var roofs: Int
    /// Vehicles that charge at the station.
    public var vehicles: Int
    /// Sum of all caps.
    public var capacity: Energy
    /// How many customers behave in each way.
    public var behaviours: [Behaviour: Int]

    /// The setting of `model` with `population`.
    public init(model: CommunityModel, population: Population, seed: UInt64) {
      (title, story, attribution) = (model.title, model.story, model.attribution)
      (start, intervalSeconds, days) = (model.start, model.intervalSeconds, model.days)
      (self.seed, terms) = (seed, model.terms)
      (customers, vehicles) = (model.customers.count, model.vehicles)
      roofs = model.customers.count { $0.hasRoof }
      capacity = model.capacity
      behaviours = Dictionary(population.behaviours.map { ($0, 1) }, uniquingKeysWith: +)
    }
  }

  /// How much went through the exchange, and how fast.
  public struct RunFigures: Sendable, Equatable {
    /// Wall time of the simulated days, in seconds.
    public var seconds: Double = 0
    /// Commands in the journal.
    public var commands: Int = 0
    /// Signed meter readings.
    public var readings: Int = 0
    /// Orders entered over connections.
    public var orders: Int = 0
    /// Orders that standing instructions entered.
    public var instructedOrders: Int = 0
    /// Replaces and cancels over connections.
    public var changes: Int = 0
    /// Trades.
    public var trades: Int = 0
    /// Commands that were refused.
    public var rejects: Int = 0
    /// Times an order gained or lost cover.
    public var restatements: Int = 0
    /// Connections that traded.
    public var connections: Int = 0
    /// Commands a second at which the journal was replayed.
    public var replayCommandsPerSecond: Double = 0
    /// Settlement batches that the ledger applied.
    public var batches: Int = 0
    /// Transfers in the ledger.
    public var transfers: Int = 0

    /// Nothing yet.
    public init() {}
  }

  /// The market at one moment, and what happened since the moment before.
  public struct MarketSample: Sendable, Equatable {
    /// The moment.
    public var time: Timestamp
    /// Best bid and ask of all resting orders.
    public var publishedBid: Price?
    /// Best ask of all resting orders.
    public var publishedAsk: Price?
    /// Best executable bid.
    public var liveBid: Price?
    /// Best executable ask.
    public var liveAsk: Price?
    /// Wh traded.
    public var traded: Int64 = 0
    /// What was paid for it.
    public var turnover = Money.zero
    /// Trades.
    public var trades = 0
    /// Wh of asks that wait for energy.
    public var awaitingEnergy: Int64 = 0
    /// Wh of bids that wait for headroom.
    public var awaitingHeadroom: Int64 = 0
    /// Wh of executable asks.
    public var liveAsks: Int64 = 0
    /// Wh of executable bids.
    public var liveBids: Int64 = 0
    /// Wh that could trade if every resting order were covered.
    public var overlap: Int64 = 0
    /// Gross production, consumption, import and export since the moment before; what is held now.
    public var energy = EnergyTotals()
    /// The same without a market.
    public var alone = EnergyTotals()

    /// An empty sample.
    public init(time: Timestamp) { self.time = time }

    /// Average price of the trades, weighted by energy, in 1e-5 per kWh; none without a trade.
    public var averagePrice: Double? {
      traded == 0 ? nil : Double(turnover.units) / Double(traded)
    }
  }

  /// The book at one moment, best bids and asks first as in a published depth.
  public struct BookPicture: Sendable, Equatable {
    /// All orders at one price.
    public struct Level: Sendable, Equatable {
      /// The price.
      public var price: Price
      /// Wh of executable bids.
      public var liveBids: Int64 = 0
      /// Wh of bids that wait for headroom.
      public var waitingBids: Int64 = 0
      /// Wh of executable asks.
      public var liveAsks: Int64 = 0
      /// Wh of asks that wait for energy.
      public var waitingAsks: Int64 = 0

      /// A level without orders.
      public init(price: Price) { self.price = price }
    }

    /// The moment.
    public var time: Timestamp
    /// Levels by rising price.
    public var levels: [Level]

    /// The book with `levels`.
    public init(time: Timestamp, levels: [Level]) { (self.time, self.levels) = (time, levels) }

    /// Wh that could trade if every resting order were covered: the largest, over all prices, of the
    /// smaller of bids at or above and asks at or below that price.
    public var overlap: Int64 {
      var bidsAbove = levels.reduce(0) { $0 + $1.liveBids + $1.waitingBids }
      var asksBelow: Int64 = 0
      var best: Int64 = 0
      for level in levels {
        asksBelow += level.liveAsks + level.waitingAsks
        best = max(best, min(bidsAbove, asksBelow))
        bidsAbove -= level.liveBids + level.waitingBids
      }
      return best
    }

    /// Highest bid of all, if any.
    public var publishedBid: Price? {
      levels.last { $0.liveBids + $0.waitingBids > 0 }?.price
    }
    /// Lowest ask of all, if any.
    public var publishedAsk: Price? {
      levels.first { $0.liveAsks + $0.waitingAsks > 0 }?.price
    }
    /// Highest executable bid, if any.
    public var liveBid: Price? { levels.last { $0.liveBids > 0 }?.price }
    /// Lowest executable ask, if any.
    public var liveAsk: Price? { levels.first { $0.liveAsks > 0 }?.price }
  }

  /// Time from an order's sending to its first report, in nanoseconds.
  public struct LatencyFigures: Sendable, Equatable {
    /// How many orders were timed.
    public var count: Int = 0
    /// Half of them took no longer.
    public var p50: Int64 = 0
    /// 90 %.
    public var p90: Int64 = 0
    /// 99 %.
    public var p99: Int64 = 0
    /// 99.9 %.
    public var p999: Int64 = 0
    /// The slowest.
    public var max: Int64 = 0

    /// Nothing timed.
    public init() {}
  }

  /// Something that was checked after the run, and what was found on both sides of it.
  public struct Proof: Sendable, Equatable {
    /// What should hold: "Energy is conserved".
    public var claim: String
    /// The numbers: "produced + imported = held + burned + exported: ...".
    public var evidence: String
    /// Whether it does.
    public var holds: Bool

    /// A check and its outcome.
    public init(claim: String, evidence: String, holds: Bool) {
      (self.claim, self.evidence, self.holds) = (claim, evidence, holds)
    }
  }

  /// What one customer paid and was paid over the run. Amounts in 1e-8 currency, energy in Wh.
  public struct CustomerMoney: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What kind of customer it is.
    public var kind: Customer.Kind
    /// Whether it has a roof.
    public var hasRoof: Bool
    /// How it took part.
    public var behaviour: Behaviour
    /// Produced, consumed, imported, exported, held at the end.
    public var energy = EnergyTotals()
    /// Wh bought from others.
    public var bought: Int64 = 0
    /// Wh sold to others.
    public var sold: Int64 = 0
    /// Paid for what it bought.
    public var paid = Money.zero
    /// Received for what it sold.
    public var received = Money.zero
    /// Trading fees.
    public var fees = Money.zero
    /// Paid to the grid.
    public var importCost = Money.zero
    /// Received from the grid.
    public var exportRevenue = Money.zero
    /// Net cost of the same customer without a market.
    public var aloneNet = Money.zero

    /// A customer before the run.
    public init(name: String, kind: Customer.Kind, hasRoof: Bool, behaviour: Behaviour) {
      (self.name, self.kind, self.hasRoof, self.behaviour) = (name, kind, hasRoof, behaviour)
    }

    /// What it paid in all less what it received; negative: it earned.
    public var net: Money {
      Money(
        units: importCost.units + paid.units + fees.units - received.units - exportRevenue.units)
    }
    /// What the market saved it.
    public var saving: Money { Money(units: aloneNet.units - net.units) }
  }
}
