import MarketModel

/// Figures of a run of the demonstration. The report shows only these.
public struct DemoResult: Sendable {
  /// Data set, terms and population of the run.
  public var setting: Setting
  /// Counts and rates of the exchange.
  public var run: RunFigures
  /// Samples of the market: at the start of the run and at the end of each interval.
  public var samples: [MarketSample]
  /// Energy of the community with the market.
  public var energy: EnergyTotals
  /// The same customers without an exchange: alone, netted, with one shared battery.
  public var baselines: Baselines
  /// The order book at its largest overlap; `nil` when it never overlapped. Samples with live
  /// orders on both sides are preferred.
  public var deepestOverlap: BookPicture?
  /// Payments and energy of each customer.
  public var customers: [CustomerMoney]
  /// Payments of the battery's owner; `nil` without a battery.
  public var batteryOwner: CustomerMoney?
  /// Time from sending an order to its first report.
  public var latency: LatencyFigures
  /// Results of the checks after the run.
  public var proofs: [Proof]

  /// A result with the given figures.
  public init(
    setting: Setting, run: RunFigures, samples: [MarketSample], energy: EnergyTotals,
    baselines: Baselines, deepestOverlap: BookPicture?, customers: [CustomerMoney],
    batteryOwner: CustomerMoney?, latency: LatencyFigures, proofs: [Proof]
  ) {
    (self.setting, self.run, self.samples) = (setting, run, samples)
    (self.energy, self.baselines, self.deepestOverlap) = (energy, baselines, deepestOverlap)
    (self.customers, self.batteryOwner) = (customers, batteryOwner)
    (self.latency, self.proofs) = (latency, proofs)
  }

  /// Energy of the same customers, each one alone.
  public var alone: EnergyTotals { baselines.alone.total }

  /// Traded energy in Wh.
  public var tradedWattHours: Int64 { samples.reduce(0) { $0 + $1.traded } }
  /// Value of the traded energy.
  public var turnover: Money { Money(units: samples.reduce(0) { $0 + $1.turnover.units }) }
  /// Sum of the savings of all customers compared with each one alone. What the battery's owner
  /// earns is not a part of it.
  public var saved: Money { Money(units: customers.reduce(0) { $0 + $1.saving.units }) }
  /// Number of customers that pay more than alone.
  public var losers: Int { customers.count { $0.saving < .zero } }
  /// Fees of all trades.
  public var fees: Money {
    Money(units: customers.reduce(batteryOwner?.fees.units ?? 0) { $0 + $1.fees.units })
  }
  /// Whether there are checks and all passed.
  public var isProven: Bool { !proofs.isEmpty && proofs.allSatisfy(\.holds) }

  /// The household with the median net cost; `nil` without households.
  public var typicalHousehold: CustomerMoney? {
    let households = customers.filter { $0.kind == .household }.sorted { $0.net < $1.net }
    return households.isEmpty ? nil : households[households.count / 2]
  }
}

extension DemoResult {
  /// Data set, terms and population of a run.
  public struct Setting: Sendable {
    /// Name of the community.
    public var title: String
    /// A sentence that says which data are measured and which are computed.
    public var story: String
    /// Origin and licence of the data.
    public var attribution: String
    /// Start of the first interval.
    public var start: Timestamp
    /// Length of an interval in seconds.
    public var intervalSeconds: UInt64
    /// Number of simulated days.
    public var days: Int
    /// Seed of private values, roles and bots.
    public var seed: UInt64
    /// The terms of the area.
    public var terms: MarketTerms
    /// Number of customers; each has one meter.
    public var customers: Int
    /// Number of customers with solar production.
    public var roofs: Int
    /// Number of vehicles that charge at the station.
    public var vehicles: Int
    /// Sum of the storage caps of all customers.
    public var capacity: Energy
    /// Capacity of the battery, which is a part of `capacity`.
    public var battery: Energy
    /// Number of customers for each behaviour.
    public var behaviours: [Behaviour: Int]

    /// The setting of `model` with `population`.
    public init(model: CommunityModel, population: Population, seed: UInt64) {
      (title, story, attribution) = (model.title, model.story, model.attribution)
      (start, intervalSeconds, days) = (model.start, model.intervalSeconds, model.days)
      (self.seed, terms) = (seed, model.terms)
      (customers, vehicles) = (model.customers.count, model.vehicles)
      roofs = model.customers.count { $0.hasRoof }
      (capacity, battery) = (model.capacity, population.battery)
      behaviours = Dictionary(population.behaviours.map { ($0, 1) }, uniquingKeysWith: +)
    }
  }

  /// Counts and rates of a run.
  public struct RunFigures: Sendable, Equatable {
    /// Wall time of the simulated days, in seconds.
    public var seconds: Double = 0
    /// Number of commands in the journal.
    public var commands: Int = 0
    /// Number of signed meter readings.
    public var readings: Int = 0
    /// Number of orders entered over connections.
    public var orders: Int = 0
    /// Number of standing instructions set.
    public var instructions: Int = 0
    /// Number of orders entered by standing instructions.
    public var instructedOrders: Int = 0
    /// Number of replaces and cancels over connections.
    public var changes: Int = 0
    /// Number of trades.
    public var trades: Int = 0
    /// Energy that readings bought or sold in the community before the grid, in Wh.
    public var localWattHours: Int64 = 0
    /// Number of rejected commands.
    public var rejects: Int = 0
    /// Number of changes of the cover of an order.
    public var restatements: Int = 0
    /// Number of connections that traded.
    public var connections: Int = 0
    /// Rate of the journal's replay in commands per second.
    public var replayCommandsPerSecond: Double = 0
    /// Number of settlement batches in the ledger.
    public var batches: Int = 0
    /// Number of transfers in the ledger.
    public var transfers: Int = 0

    /// All counts and rates are zero.
    public init() {}
  }

  /// State of the market at one time, and sums since the sample before.
  public struct MarketSample: Sendable, Equatable {
    /// Time of the sample.
    public var time: Timestamp
    /// The selling price: the highest displayed bid (market rules 4).
    public var publishedBid: Price?
    /// The buying price: the lowest displayed ask.
    public var publishedAsk: Price?
    /// Best executable bid.
    public var liveBid: Price?
    /// Best executable ask.
    public var liveAsk: Price?
    /// Traded energy in Wh.
    public var traded: Int64 = 0
    /// Value of the traded energy.
    public var turnover = Money.zero
    /// Number of trades.
    public var trades = 0
    /// Quantity (Wh) of asks that wait for energy.
    public var awaitingEnergy: Int64 = 0
    /// Quantity (Wh) of bids that wait for headroom.
    public var awaitingHeadroom: Int64 = 0
    /// Quantity (Wh) of executable asks.
    public var liveAsks: Int64 = 0
    /// Quantity (Wh) of executable bids.
    public var liveBids: Int64 = 0
    /// Quantity (Wh) that could trade if every resting order were covered.
    public var overlap: Int64 = 0
    /// Production, consumption, import and export since the sample before, and the energy stored
    /// now.
    public var energy = EnergyTotals()
    /// The same figures of the customers without a market.
    public var alone = EnergyTotals()

    /// A sample of an empty market.
    public init(time: Timestamp) { self.time = time }

    /// Average price of the trades, weighted by energy, in 1e-5 per kWh; `nil` without trades.
    public var averagePrice: Double? {
      traded == 0 ? nil : Double(turnover.units) / Double(traded)
    }
  }

  /// The order book at one time, aggregated by price.
  public struct BookPicture: Sendable, Equatable {
    /// Sums of all orders at one price.
    public struct Level: Sendable, Equatable {
      /// Price of the level.
      public var price: Price
      /// Quantity (Wh) of executable bids.
      public var liveBids: Int64 = 0
      /// Quantity (Wh) of bids that wait for headroom.
      public var waitingBids: Int64 = 0
      /// Quantity (Wh) of executable asks.
      public var liveAsks: Int64 = 0
      /// Quantity (Wh) of asks that wait for energy.
      public var waitingAsks: Int64 = 0

      /// A level without orders.
      public init(price: Price) { self.price = price }
    }

    /// Time of the book.
    public var time: Timestamp
    /// Price levels by increasing price.
    public var levels: [Level]

    /// The book with `levels`.
    public init(time: Timestamp, levels: [Level]) { (self.time, self.levels) = (time, levels) }

    /// Quantity (Wh) that could trade if every resting order were covered. For each price it is the
    /// smaller of the bids at or above and the asks at or below; the result is the maximum over all
    /// prices. Linear in the number of levels.
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

    /// The selling price, the highest displayed bid; `nil` without bids.
    public var publishedBid: Price? {
      levels.last { $0.liveBids + $0.waitingBids > 0 }?.price
    }
    /// The buying price, the lowest displayed ask; `nil` without asks.
    public var publishedAsk: Price? {
      levels.first { $0.liveAsks + $0.waitingAsks > 0 }?.price
    }
    /// Highest price of an executable bid; `nil` without one.
    public var liveBid: Price? { levels.last { $0.liveBids > 0 }?.price }
    /// Lowest price of an executable ask; `nil` without one.
    public var liveAsk: Price? { levels.first { $0.liveAsks > 0 }?.price }
  }

  /// Percentiles of the time from sending an order to its first report, in nanoseconds.
  public struct LatencyFigures: Sendable, Equatable {
    /// Number of measured orders.
    public var count: Int = 0
    /// Median.
    public var p50: Int64 = 0
    /// 90th percentile.
    public var p90: Int64 = 0
    /// 99th percentile.
    public var p99: Int64 = 0
    /// 99.9th percentile.
    public var p999: Int64 = 0
    /// Maximum.
    public var max: Int64 = 0

    /// No measured orders.
    public init() {}
  }

  /// Result of a check after the run.
  public struct Proof: Sendable, Equatable {
    /// The checked statement, such as "Energy is conserved".
    public var claim: String
    /// The compared numbers, such as "produced 5 + imported 2 = consumed 6 + held 1".
    public var evidence: String
    /// Whether the statement is true.
    public var holds: Bool

    /// The result of one check.
    public init(claim: String, evidence: String, holds: Bool) {
      (self.claim, self.evidence, self.holds) = (claim, evidence, holds)
    }
  }
}
