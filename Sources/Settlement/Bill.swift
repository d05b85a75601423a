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
    case closing = "Stored at the end"
    case fees = "Trading fees"
    case total = "Total"
  }

  /// A line of a bill.
  public struct Line: Sendable, Equatable {
    /// The item.
    public var item: Item
    /// The energy in Wh, at least 0; `nil` for a line without energy. It has 128 bits because the
    /// turnover of an account is unbounded.
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
  /// One line for each item, in the order of `Item`; for neighbours only where there were trades with
  /// them.
  public var lines: [Line]

  /// The line of `item`.
  public func line(_ item: Item) -> Line {
    lines.first { $0.item == item } ?? Line(item: item, wattHours: nil, units: nil)
  }

  /// The total that the account receives, in 1e-8 of the currency; negative: the total that it
  /// pays.
  public var total: Int128 { line(.total).units ?? 0 }
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
    let items = Item.allCases.filter {
      ($0 != .boughtLocally && $0 != .soldLocally) || energy[$0, default: 0] != 0
    }
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

  /// Whether the line has an amount of money.
  fileprivate var hasMoney: Bool {
    switch self {
    case .bought, .boughtLocally, .imported, .sold, .soldLocally, .exported, .fees, .total: true
    case .opening, .production, .losses, .received, .sent, .consumption, .closing: false
    }
  }
}
