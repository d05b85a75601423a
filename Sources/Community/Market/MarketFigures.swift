import MarketModel

/// The figures of a report on a market, over a period.
public struct MarketFigures: Sendable {
  /// Time of the first and of the last command with an order, a trade or a reading, and what came
  /// between them; `nil` when there was none.
  public internal(set) var first: Timestamp?, last: Timestamp?
  /// Length of an interval of the charts in s; 0 when nothing happened.
  public internal(set) var intervalSeconds: UInt64 = 0
  /// Number of commands.
  public internal(set) var commands = 0
  /// Number of orders entered over connections.
  public internal(set) var orders = 0
  /// Number of trades.
  public internal(set) var trades = 0
  /// Number of local trades, which are a part of `trades`: a reading's with an order, before the grid.
  public internal(set) var localTrades = 0
  /// Number of meter readings that took effect.
  public internal(set) var readings = 0
  /// Number of later versions of intervals that took effect.
  public internal(set) var corrections = 0
  /// Number of readings that were kept in quarantine.
  public internal(set) var quarantined = 0
  /// Number of rejected commands.
  public internal(set) var rejects = 0
  /// All areas, by number.
  public internal(set) var areas: [Area] = []
  /// Whether in every area produced + imported = held + consumed + exported + lost, since the first
  /// command of the journal.
  public internal(set) var isEnergyConserved = true
  /// Currencies in which deposits less withdrawals differ from the cash of all accounts.
  public internal(set) var unconserved: [Currency] = []

  /// No figures.
  public init() {}

  /// An area, with its terms at the end of the journal.
  public struct Area: Sendable {
    /// The area.
    public var definition: CreateArea
    /// Its energy by interval; of the market of its instruments these have nothing.
    public var samples: [DemoResult.MarketSample]
    /// Sum of the caps of all accounts, Wh.
    public var capacity: Int64
    /// Its instruments, by number.
    public var instruments: [Instrument]
    /// The accounts that traded or were metered, those with the largest turnover first.
    public var accounts: [Account]

    /// Production, consumption, import and export of the period, and what is stored at its end.
    public var energy: EnergyTotals {
      var sum = EnergyTotals()
      for sample in samples { sum += sample.energy }
      sum.heldAtEnd = samples.last?.energy.heldAtEnd ?? 0
      return sum
    }
    /// Traded energy of the period, Wh.
    public var traded: Int64 { instruments.reduce(0) { $0 + $1.traded } }
  }

  /// An instrument, with its terms at the end of the journal.
  public struct Instrument: Sendable {
    /// The instrument.
    public var definition: CreateInstrument
    /// Its market by interval.
    public var samples: [DemoResult.MarketSample]
    /// The published book at the end of the period.
    public var book: DemoResult.BookPicture

    /// Traded energy of the period, Wh.
    public var traded: Int64 { samples.reduce(0) { $0 + $1.traded } }
    /// Number of trades of the period.
    public var trades: Int { samples.reduce(0) { $0 + $1.trades } }
    /// Value of the trades of the period.
    public var turnover: Money { Money(units: samples.reduce(0) { $0 + $1.turnover.units }) }
  }

  /// Payments and energy of an account in an area over the period.
  public struct Account: Sendable {
    /// The account.
    public var account: AccountId
    /// Energy by meters, and what is stored at the end.
    public var energy = EnergyTotals()
    /// Energy bought and sold in the market, Wh.
    public var bought: Int64 = 0, sold: Int64 = 0
    /// The part of both that the account's readings traded locally, Wh.
    public var local: Int64 = 0
    /// What was paid and received for it.
    public var paid = Money.zero, received = Money.zero
    /// Trading fees.
    public var fees = Money.zero
    /// What was paid to the grid for imports, and received from it for exports.
    public var importCost = Money.zero, exportRevenue = Money.zero

    init(account: AccountId) { self.account = account }

    /// Receipts less payments and fees.
    public var net: Money {
      Money(
        units: received.units + exportRevenue.units - paid.units - fees.units - importCost.units)
    }

    mutating func buy(_ trade: Trade) {
      bought += trade.quantity.wattHours
      if trade.buyer.order == .null { local += trade.quantity.wattHours }
      paid.units += trade.notional.units
      fees.units += trade.buyer.fee.units
    }

    mutating func sell(_ trade: Trade) {
      sold += trade.quantity.wattHours
      if trade.seller.order == .null { local += trade.quantity.wattHours }
      received.units += trade.notional.units
      fees.units += trade.seller.fee.units
    }

    mutating func add(_ reading: Metered) {
      energy.add(reading)
      importCost.units += reading.importCost.units
      exportRevenue.units += reading.exportRevenue.units
    }

    mutating func add(_ correction: Corrected) {
      energy.add(correction)
      importCost.units += correction.importCash.units
      exportRevenue.units += correction.exportCash.units
    }

    mutating func add(_ other: Account) {
      energy += other.energy
      bought += other.bought
      sold += other.sold
      local += other.local
      paid.units += other.paid.units
      received.units += other.received.units
      fees.units += other.fees.units
      importCost.units += other.importCost.units
      exportRevenue.units += other.exportRevenue.units
    }
  }
}

extension EnergyTotals {
  /// Adds what a correction changes.
  mutating func add(_ corrected: Corrected) {
    produced += corrected.producedDifference.wattHours
    consumed += corrected.consumedDifference.wattHours
    imported += corrected.imported.wattHours - corrected.importsBack.wattHours
    exported += corrected.exported.wattHours - corrected.exportsBack.wattHours
  }

  /// Adds what a meter measured, as far as it counts.
  mutating func add(_ metered: Metered) {
    produced += metered.minted.wattHours
    consumed += metered.reading.consumed.wattHours
    imported += metered.imported.wattHours
    exported += metered.exported.wattHours
  }
}
