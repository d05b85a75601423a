// Trades of a period, as the ledger has them: pages by the number of their first entry.

/// One side of a trade that is settled.
public struct TradeSide: Hashable, Sendable, BitwiseCopyable {
  /// The trade; its two sides have the same number.
  public var trade: TradeId
  /// The command that traded.
  public var sequence: SequenceNumber
  /// When it traded.
  public var time: Timestamp
  /// Whose side.
  public var account: AccountId
  /// Bought or sold.
  public var side: Side
  /// Where the energy is.
  public var area: AreaId
  /// The currency of notional and fee; `Currency(0)` when no cash moved.
  public var currency: Currency
  /// The energy, Wh.
  public var quantity: Energy
  /// The price for the quantity, 1e-8: from the buyer to the seller, below zero the other way.
  public var notional: Money
  /// What this side paid, 1e-8; below zero: received.
  public var fee: Money
  /// Whether a meter's account was the taker, which had no order (market rules 7, "Local before
  /// grid").
  public var isLocal: Bool
  /// The price: a notional is the exact product of price and quantity.
  public var price: Price {
    quantity == .zero ? .zero : Price(ticks: notional.units / quantity.wattHours)
  }

  /// A side from its parts; of an ordinary trade unless `isLocal` is given.
  public init(
    trade: TradeId, sequence: SequenceNumber, time: Timestamp, account: AccountId, side: Side,
    area: AreaId, currency: Currency, quantity: Energy, notional: Money, fee: Money,
    isLocal: Bool = false
  ) {
    (self.trade, self.sequence, self.time) = (trade, sequence, time)
    (self.account, self.side, self.area, self.currency) = (account, side, area, currency)
    (self.quantity, self.notional, self.fee, self.isLocal) = (quantity, notional, fee, isLocal)
  }
}

/// Which trades of a ledger a page has.
public struct TradesQuery: Equatable, Sendable {
  /// Trades at or after `lowerBound` and before `upperBound`.
  public var period: Range<Timestamp>
  /// Where the page begins: the key of a side; 0: at the beginning of the period.
  public var cursor: UInt64
  /// Most sides of the page; at least 1.
  public var count: Int
  /// The last command whose trades are asked for.
  public var through: SequenceNumber

  /// A query of the first page, unless a cursor is given.
  public init(
    _ period: Range<Timestamp>, cursor: UInt64 = 0, count: Int,
    through: SequenceNumber = SequenceNumber(.max)
  ) {
    (self.period, self.cursor, self.count, self.through) = (period, cursor, count, through)
  }
}

/// A page of the trades of a ledger.
public struct TradesPage: Equatable, Sendable {
  /// The sides, each with its key, ascending. The buyer's side comes before the seller's.
  public var sides: [(key: UInt64, side: TradeSide)]
  /// Where the next page begins; 0: there is none.
  public var next: UInt64
  /// The last command whose trades the ledger has, as far as they were asked for.
  public var through: SequenceNumber
  /// Number of entries of the ledger that were read for it.
  public var read: Int

  /// A page.
  public init(
    _ sides: [(key: UInt64, side: TradeSide)], next: UInt64, through: SequenceNumber, read: Int
  ) {
    (self.sides, self.next, self.through, self.read) = (sides, next, through, read)
  }

  /// Whether two pages have the same sides with the same keys, and the same end. What was
  /// read does not count.
  public static func == (a: TradesPage, b: TradesPage) -> Bool {
    a.next == b.next && a.through == b.through
      && a.sides.elementsEqual(b.sides) { $0.key == $1.key && $0.side == $1.side }
  }
}
