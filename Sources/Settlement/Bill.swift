import MarketModel

/// An account's electricity bill in one area: the sources and uses of its energy, and their costs
/// and revenues.
public struct Bill: Sendable, Equatable {
  /// The items of a bill.
  public enum Item: String, Sendable, CaseIterable {
    case opening = "Stored at the start"
    case production = "Production"
    case losses = "Losses into storage"
    case bought = "Bought in the market"
    case boughtLocally = "From neighbours"
    case imported = "Imported from the grid"
    case received = "Received from others"
    case sold = "Sold in the market"
    case soldLocally = "To neighbours"
    case exported = "Exported to the grid"
    case sent = "Sent to others"
    case consumption = "Consumption"
    case otherPeriods = "Metered in other periods"
    case closing = "Stored at the end"
    case fees = "Trading fees"
    case total = "Total"
  }

  /// A line of a bill.
  public struct Line: Sendable, Equatable {
    /// The item.
    public var item: Item
    /// The energy in Wh; `nil` for a line without energy. It has 128 bits because the turnover of an
    /// account is unbounded. Below zero only where corrections take back more than was metered, and
    /// for what was metered in other periods: what was booked in this one for those, less what was
    /// booked in those for this one.
    public var wattHours: Int128?
    /// The amount that the account received, in 1e-8 of the currency; negative: the amount that it
    /// pays; `nil` for a line without money.
    public var units: Int128?

    /// The average price per kWh; `nil` when the line lacks energy or money.
    public var averagePrice: Price? {
      guard let wattHours, let units else { return nil }
      let isCost = item == .bought || item == .boughtLocally || item == .imported
      return Price.average(units: isCost ? -units : units, wattHours: wattHours)
    }
  }

  /// The account.
  public var account: AccountId
  /// The area.
  public var area: AreaId
  /// The currency of the area; `nil` when no money moved.
  public var currency: Currency?
  /// The period of the statement.
  public var period: Range<Timestamp>
  /// One line for each item, in the order of `Item`; for neighbours and other periods only where there
  /// is something to say.
  public var lines: [Line]
  /// The part of the imports' cost that is the network's, by price, ascending; of the tariff.
  public var network: [NetworkLine] = []
  /// Charges that are no trade; of the tariff.
  public var charges: [BillTerms.Charge] = []
  /// Wh imported in intervals for which the tariff has no network price.
  public var unpricedImports: Int128 = 0

  /// What of the imports costs a network price.
  public struct NetworkLine: Sendable, Equatable {
    /// The price.
    public var price: Price
    /// The imports, Wh.
    public var wattHours: Int128
    /// What the account pays for the network, 1e-8; a part of what it pays for imports.
    public var units: Int128 { Int128(price.ticks) * wattHours }
  }

  /// The line of `item`.
  public func line(_ item: Item) -> Line {
    lines.first { $0.item == item } ?? Line(item: item, wattHours: nil, units: nil)
  }

  /// The total that the account receives, in 1e-8 of the currency; negative: the total that it
  /// pays.
  public var total: Int128 { line(.total).units ?? 0 }

  /// The total less the charges that are no trade.
  public var balanceDue: Int128 { charges.reduce(total) { $0 - $1.units } }
}

extension Bill {
  /// The key that the transfers of one trade or of one reading share.
  private struct Occasion: Hashable {
    var sequence: SequenceNumber
    var reference: UInt64
    var isTrade: Bool

    init(_ transfer: LedgerTransfer) {
      sequence = transfer.tradeSequence
      (reference, isTrade) = (transfer.reference, transfer.code.isTrade)
    }
  }

  /// One bill for each area with energy in `balances`.
  /// - Parameters:
  ///   - metered: The entries that belong to the period.
  ///   - booked: The entries that were booked in it.
  static func all(
    account: AccountId, period: Range<Timestamp>, metered: [StatementEntry],
    booked: [StatementEntry], balances: [StatementBalance], terms: BillTerms?
  ) -> [Bill] {
    var areaOf: [Occasion: AreaId] = [:]
    for entry in metered {
      if let area = entry.transfer.unit.area { areaOf[Occasion(entry.transfer)] = area }
    }
    return balances.compactMap { balance in
      guard let area = balance.unit.area else { return nil }
      let own = metered.filter { areaOf[Occasion($0.transfer)] == area }
      var moved: Int128 = 0
      for entry in booked where entry.transfer.unit == balance.unit {
        moved += Int128(entry.amount)
      }
      for entry in own where entry.transfer.unit == balance.unit { moved -= Int128(entry.amount) }
      var bill = Bill(
        account: account, area: area, period: period, entries: own, stored: balance,
        otherPeriods: moved)
      if let terms, terms.area == area { bill.apply(terms, own) }
      return bill
    }
  }

  /// Adds what the tariff says of the imports, and its charges.
  private mutating func apply(_ terms: BillTerms, _ entries: [StatementEntry]) {
    charges = terms.charges
    var imports: [Price: Int128] = [:]
    for entry in entries where entry.transfer.code == .importEnergy {
      let start = entry.reading?.start ?? entry.transfer.time
      if let price = terms.networkPrice(start) {
        imports[price, default: 0] += Int128(entry.amount)
      } else {
        unpricedImports += Int128(entry.amount)
      }
    }
    network = imports.sorted { $0.key < $1.key }.map {
      NetworkLine(price: $0.key, wattHours: $0.value)
    }
  }

  private init(
    account: AccountId, area: AreaId, period: Range<Timestamp>, entries: [StatementEntry],
    stored: StatementBalance, otherPeriods: Int128
  ) {
    (self.account, self.area, self.period) = (account, area, period)
    var energy: [Item: Int128] = [
      .opening: stored.opening, .closing: stored.closing, .otherPeriods: otherPeriods,
    ]
    var money: [Item: Int128] = [:]
    currency = nil
    for entry in entries {
      guard let item = Self.item(of: entry) else { continue }
      if let paid = entry.transfer.unit.currency {
        currency = paid
        money[item, default: 0] += Int128(entry.amount)
        money[.total, default: 0] += Int128(entry.amount)
      } else {
        energy[item, default: 0] += item.isInflow ? Int128(entry.amount) : -Int128(entry.amount)
      }
    }
    let items = Item.allCases.filter { !$0.isOptional || energy[$0, default: 0] != 0 }
    lines = items.map { item in
      Line(
        item: item, wattHours: item.hasEnergy ? energy[item, default: 0] : nil,
        units: item.hasMoney ? money[item, default: 0] : nil)
    }
  }

  /// The item of an entry; `nil` for cash transfers, deposits and withdrawals.
  private static func item(of entry: StatementEntry) -> Item? {
    switch entry.transfer.code {
    case .cashLeg, .energyLeg:
      if entry.transfer.flags.contains(.local) {
        entry.isPurchase ? .boughtLocally : .soldLocally
      } else {
        entry.isPurchase ? .bought : .sold
      }
    case .buyerFee, .sellerFee: .fees
    case .mint: .production
    case .loss: .losses
    case .burn: .consumption
    case .exportEnergy, .exportCash: .exported
    case .importEnergy, .importCash: .imported
    case .energyTransfer: entry.amount > 0 ? .received : .sent
    case .cashTransfer, .deposit, .withdrawal, .compensation: nil
    }
  }
}

extension Bill.Item {
  /// Whether the line has an amount of energy.
  fileprivate var hasEnergy: Bool { self != .fees && self != .total }

  /// Whether the line is left out when it has no energy.
  fileprivate var isOptional: Bool {
    self == .boughtLocally || self == .soldLocally || self == .otherPeriods
  }

  /// Whether energy of the item comes to the account, unless a correction takes it back.
  fileprivate var isInflow: Bool {
    switch self {
    case .production, .bought, .boughtLocally, .imported, .received: true
    case .opening, .losses, .sold, .soldLocally, .exported, .sent, .otherPeriods, .consumption,
      .closing, .fees, .total:
      false
    }
  }

  /// Whether the line has an amount of money.
  fileprivate var hasMoney: Bool {
    switch self {
    case .bought, .boughtLocally, .imported, .sold, .soldLocally, .exported, .fees, .total: true
    case .opening, .production, .losses, .received, .sent, .otherPeriods, .consumption, .closing:
      false
    }
  }
}
