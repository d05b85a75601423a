import MarketModel

/// An account's electricity bill in one area: where its energy came from, where it went, and what
/// that cost or earned.
public struct Bill: Sendable, Equatable {
  /// What a line of a bill is about.
  public enum Item: String, Sendable, CaseIterable {
    case opening = "Stored at the start"
    case production = "Production"
    case losses = "Losses into storage"
    case bought = "Bought in the market"
    case imported = "Imported from the grid"
    case received = "Received from others"
    case sold = "Sold in the market"
    case exported = "Exported to the grid"
    case sent = "Sent to others"
    case consumption = "Consumption"
    case closing = "Stored at the end"
    case fees = "Trading fees"
    case total = "Total"
  }

  /// One line.
  public struct Line: Sendable, Equatable {
    /// What it is about.
    public var item: Item
    /// How much energy in Wh, never negative; `nil` where the line has none. What is bought and sold to
    /// and fro has no bound: 64 bits do not hold it.
    public var wattHours: Int128?
    /// What the account received in 1e-8 of the currency; negative: what it pays; `nil` where the line has
    /// no money.
    public var units: Int128?

    /// What one kWh cost or earned on average; `nil` where that has no meaning.
    public var averagePrice: Price? {
      guard let wattHours, let units else { return nil }
      let isCost = item == .bought || item == .imported
      return Price.average(units: isCost ? -units : units, wattHours: wattHours)
    }
  }

  /// Whose.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// What the area is paid in; `nil` when no money moved.
  public var currency: Currency?
  /// When.
  public var period: Range<Timestamp>
  /// One line for each item, in the order of `Item`.
  public var lines: [Line]

  /// The line of `item`.
  public func line(_ item: Item) -> Line {
    lines.first { $0.item == item } ?? Line(item: item, wattHours: nil, units: nil)
  }

  /// What the account receives in all, in 1e-8 of the currency; negative: what it pays.
  public var total: Int128 { line(.total).units ?? 0 }
}

extension Bill {
  /// What ties the legs of one trade or of one reading together.
  private struct Occasion: Hashable {
    var sequence: SequenceNumber
    var reference: UInt64
    var isTrade: Bool

    init(_ transfer: LedgerTransfer) {
      sequence = transfer.tradeSequence
      (reference, isTrade) = (transfer.reference, transfer.code.isTrade)
    }
  }

  /// A bill for every area whose energy is among `entries` or `balances`.
  static func all(
    account: AccountId, period: Range<Timestamp>, entries: [StatementEntry],
    balances: [StatementBalance]
  ) -> [Bill] {
    var areaOf: [Occasion: AreaId] = [:]
    for entry in entries {
      if let area = entry.transfer.unit.area { areaOf[Occasion(entry.transfer)] = area }
    }
    return balances.compactMap { balance in
      guard let area = balance.unit.area else { return nil }
      let own = entries.filter { areaOf[Occasion($0.transfer)] == area }
      return Bill(account: account, area: area, period: period, entries: own, stored: balance)
    }
  }

  private init(
    account: AccountId, area: AreaId, period: Range<Timestamp>, entries: [StatementEntry],
    stored: StatementBalance
  ) {
    (self.account, self.area, self.period) = (account, area, period)
    var energy: [Item: Int128] = [.opening: stored.opening, .closing: stored.closing]
    var money: [Item: Int128] = [:]
    currency = nil
    for entry in entries {
      guard let item = Self.item(of: entry) else { continue }
      if let paid = entry.transfer.unit.currency {
        currency = paid
        money[item, default: 0] += Int128(entry.amount)
        money[.total, default: 0] += Int128(entry.amount)
      } else {
        energy[item, default: 0] += abs(Int128(entry.amount))
      }
    }
    lines = Item.allCases.map { item in
      Line(
        item: item, wattHours: item.hasEnergy ? energy[item, default: 0] : nil,
        units: item.hasMoney ? money[item, default: 0] : nil)
    }
  }

  /// The line an entry belongs to; `nil` for cash that has nothing to do with energy.
  private static func item(of entry: StatementEntry) -> Item? {
    switch entry.transfer.code {
    case .cashLeg, .energyLeg: entry.isPurchase ? .bought : .sold
    case .buyerFee, .sellerFee: .fees
    case .mint: .production
    case .loss: .losses
    case .burn: .consumption
    case .exportEnergy, .exportCash: .exported
    case .importEnergy, .importCash: .imported
    case .energyTransfer: entry.amount > 0 ? .received : .sent
    case .cashTransfer, .deposit, .withdrawal: nil
    }
  }
}

extension Bill.Item {
  /// Whether the line counts energy.
  fileprivate var hasEnergy: Bool { self != .fees && self != .total }

  /// Whether the line counts money.
  fileprivate var hasMoney: Bool {
    switch self {
    case .bought, .imported, .sold, .exported, .fees, .total: true
    case .opening, .production, .losses, .received, .sent, .consumption, .closing: false
    }
  }
}
