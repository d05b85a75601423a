// Trades, read back from the transfers that each has made. Ids ascend with time, so that a period is
// a range of ids, found by halving. The table of transfers has no other index, so a reader passes
// over the transfers of all accounts in the period, a bounded number for each page.
//
//     transfers   cashLeg energyLeg buyerFee sellerFee | mint ... | cashLeg energyLeg ...
//                 └─────────── trade 7 ─────────────┘             └── trade 8
//     key         id of the trade's first transfer << 1 | 0 buyer, 1 seller

import MarketModel

extension Ledger {
  /// Most transfers that a page of trades passes over.
  public static var transfersOfPage: Int { 4_096 }

  /// A page of the trades of a period, both sides of each. Logarithmic in the number of transfers
  /// for the begin of the period; then at most `transfersOfPage` transfers are read.
  /// - Returns: A page that may have fewer sides than asked for, or none, although others follow.
  /// - Throws: `.unavailable`, `.corrupt`.
  public func trades(_ query: TradesQuery) throws(LedgerError) -> TradesPage {
    try snapshot { () throws(LedgerError) in
      let head = try head()
      let through = min(head.last, query.through)
      let begin =
        query.cursor == 0
        ? try firstTransfer(notBefore: query.period.lowerBound, head.transfers) : query.cursor >> 1
      let transfers = try transfers(from: begin, most: Self.transfersOfPage)
      let hasMore = transfers.last.map { $0.id < head.transfers } ?? false
      var reader = TradeReader(query, through: through)
      for transfer in transfers {
        if let page = reader.take(transfer) { return page }
      }
      return reader.end(hasMore: hasMore)
    }
  }

  /// The id of the first transfer at or after a time; one more than the last when there is none.
  private func firstTransfer(
    notBefore time: Timestamp, _ count: UInt64
  ) throws(LedgerError) -> UInt64 {
    var (low, high) = (UInt64(1), count + 1)
    while low < high {
      let middle = low + (high - low) / 2
      guard let found = try self.time(ofTransfer: middle) else {
        throw .corrupt("transfer \(middle) is missing")
      }
      if found < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Makes a page from transfers in the order of their ids.
private struct TradeReader {
  private let query: TradesQuery
  private let through: SequenceNumber
  private var sides: [(key: UInt64, side: TradeSide)] = []
  /// The transfers of the trade that is being read.
  private var open: [LedgerTransfer] = []
  private var last: UInt64 = 0
  /// Number of transfers that were read.
  private var read = 0

  init(_ query: TradesQuery, through: SequenceNumber) {
    (self.query, self.through) = (query, through)
  }

  /// - Returns: the page, if it is full or the transfer is behind its end.
  mutating func take(_ transfer: LedgerTransfer) -> TradesPage? {
    last = transfer.id
    read += 1
    let isOfTrade = transfer.code.isTrade
    if let first = open.first, !isOfTrade || first.reference != transfer.reference {
      if let page = closeTrade() { return page }
    }
    if transfer.time >= query.period.upperBound || transfer.tradeSequence > through {
      return page(next: 0)
    }
    if isOfTrade { open.append(transfer) }
    return nil
  }

  /// The page of all transfers that were read. A trade whose transfers may go on behind them is left
  /// to the next page.
  mutating func end(hasMore: Bool) -> TradesPage {
    if hasMore {
      let next = open.first?.id ?? last + 1
      return page(next: next << 1)
    }
    return closeTrade() ?? page(next: 0)
  }

  private func page(next: UInt64) -> TradesPage {
    TradesPage(sides, next: next, through: through, read: read)
  }

  private mutating func closeTrade() -> TradesPage? {
    defer { open.removeAll(keepingCapacity: true) }
    guard let first = open.first else { return nil }
    for (index, side) in Self.sides(of: open).enumerated() {
      let key = first.id << 1 | UInt64(index)
      if key < query.cursor { continue }
      if sides.count == query.count { return page(next: key) }
      sides.append((key, side))
    }
    return nil
  }

  /// The buyer's side and the seller's. None without a transfer of energy, which every trade has.
  private static func sides(of transfers: [LedgerTransfer]) -> [TradeSide] {
    guard let energy = transfers.first(where: { $0.code == .energyLeg }),
      let area = energy.unit.area
    else { return [] }
    let currency = transfers.lazy.compactMap(\.unit.currency).first ?? Currency(0)
    func amount(_ code: TransferCode) -> Money {
      guard let leg = transfers.first(where: { $0.code == code }) else { return .zero }
      return Money(units: leg.flags.contains(.reversed) ? -leg.amount : leg.amount)
    }
    func side(_ account: AccountId, _ side: Side, _ fee: TransferCode) -> TradeSide {
      TradeSide(
        trade: TradeId(energy.reference), sequence: energy.tradeSequence, time: energy.time,
        account: account, side: side, area: area, currency: currency,
        quantity: Energy(wattHours: energy.amount), notional: amount(.cashLeg), fee: amount(fee),
        isLocal: energy.flags.contains(.local))
    }
    return [side(energy.credit, .buy, .buyerFee), side(energy.debit, .sell, .sellerFee)]
  }
}
