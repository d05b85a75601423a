// The exchange as bytes: every table's rows as they lie in memory, as many as are in use, free lists and
// all. So an exchange that was read goes on exactly like the one that was written.
//
//   layout      8       fingerprint of every row type; another one is refused
//   capacity            the same when it is read
//   counters            those of the exchange, of its pools and of its history
//   tables              each: rows (8), bytes
//   end         8       "EXCHANGE"
//
// Whoever adds a table or a counter to the exchange adds it here: `ImageTests` fails otherwise.

import MarketModel

extension Exchange {
  /// Counts changes of what rows mean that their fields do not show.
  private static let imageVersion: UInt64 = 1
  private static let end: UInt64 = 0x4547_4E41_4843_5845  // "EXCHANGE"

  /// What rows an image holds.
  private static let layout = layout(Counters.self, Holding.self, hasCirculation: true)

  /// What rows an image of a program held that knew version 1 of the rules only.
  private static let firstLayout = layout(
    First.Counters.self, First.Holding.self, hasCirculation: false)

  private static func layout<C: BitwiseCopyable, H: BitwiseCopyable>(
    _ counters: C.Type, _ holding: H.Type, hasCirculation: Bool
  ) -> StateLayout {
    var layout = StateLayout(version: imageVersion)
    layout.add(Capacity.Image.self)
    layout.add(counters)
    layout.add(Participant.self)
    layout.add(Session.self)
    layout.add(Account.self)
    layout.add(holding)
    layout.add(Position.self)
    layout.add(OwnedSide.self)
    layout.add(Agent.self)
    layout.add(Meter.self)
    layout.add(Area.self)
    layout.add(Instrument.self)
    layout.add(CurrencyTotal.self)
    if hasCirculation { layout.add(Circulation.self) }
    layout.add(BookSide.self)
    OrderPool.add(to: &layout)
    Ladder.add(to: &layout)
    ExpiryHeap.add(to: &layout)
    return layout
  }

  /// Rows as a program wrote them that knew version 1 of the rules only; the others are the same.
  private enum First {
    struct Counters: BitwiseCopyable {
      var holdings, positions: UInt32
      var trades, arrivals, settledBatch, settledSequence: UInt64
      var touchedHead, touchedTail: UInt32
      var isBehind: UInt64
      var now, lastSequence, eventHash: UInt64

      var today: Exchange.Counters {
        Exchange.Counters(
          holdings: holdings, positions: positions, trades: trades, arrivals: arrivals,
          settledBatch: settledBatch, settledSequence: settledSequence, touchedHead: touchedHead,
          touchedTail: touchedTail, isBehind: isBehind, rules: UInt64(RulesVersion.first),
          now: now, lastSequence: lastSequence, eventHash: eventHash)
      }
    }

    /// As long as today's, which has `owes` behind it.
    struct Holding: BitwiseCopyable {
      var free, reserved: Int64
      var account, next: UInt32
      var currency: UInt16
    }
  }

  /// What is in no table.
  private struct Counters: BitwiseCopyable {
    var holdings, positions: UInt32
    var trades, arrivals, settledBatch, settledSequence: UInt64
    var touchedHead, touchedTail: UInt32
    var isBehind: UInt64
    var rules: UInt64
    var now, lastSequence, eventHash: UInt64
  }

  /// Writes the whole state, between two commands. Linear in what is in use.
  public func write(to sink: any StateSink) {
    invariant(
      orders.count <= orders.used && orders.used <= capacity.orders, "orders within the pool")
    invariant(expiries.count <= orders.count, "only open orders expire")
    invariant(positionCount <= capacity.positions, "positions within their table")
    sink.put(Exchange.layout.fingerprint)
    sink.put(capacity.image)
    sink.put(
      Counters(
        holdings: holdingCount, positions: positionCount, trades: tradeCount,
        arrivals: arrivalCount, settledBatch: settledBatch, settledSequence: settledSequence,
        touchedHead: touchedHead, touchedTail: touchedTail, isBehind: isBehind ? 1 : 0,
        rules: UInt64(rules), now: now,
        lastSequence: lastSequence.rawValue, eventHash: history.value))
    participants.write(to: sink)
    sessions.write(to: sink)
    accounts.write(to: sink)
    holdings.write(to: sink, used: Int(holdingCount) + 1)
    positions.write(to: sink, used: Int(positionCount) + 1)
    owned.write(to: sink, used: (Int(positionCount) + 1) * 2)
    agents.write(to: sink, used: Int(positionCount) + 1)
    meters.write(to: sink)
    areas.write(to: sink)
    instruments.write(to: sink)
    currencies.write(to: sink)
    circulation.write(to: sink)
    debts.write(to: sink, used: Int(holdingCount) + 1)
    books.write(to: sink)
    orders.write(to: sink)
    ladder.write(to: sink)
    expiries.write(to: sink, orders: orders.used)
    sink.put(Exchange.end)
  }

  /// The exchange that `write` wrote.
  /// - Returns: `nil` when the source ends early, or another program or another capacity wrote it.
  public init?(capacity: Capacity, reading source: any StateSource) {
    self.init(capacity: capacity)
    let isFirst = source.expect(Exchange.layout, or: Exchange.firstLayout)
    if source.isWhole, source.get(Capacity.Image.self) != capacity.image {
      source.reject("written with another capacity")
    }
    let counters =
      isFirst ? source.get(First.Counters.self).today : source.get(Counters.self)
    (holdingCount, positionCount) = (counters.holdings, counters.positions)
    (tradeCount, arrivalCount) = (counters.trades, counters.arrivals)
    (settledBatch, settledSequence) = (counters.settledBatch, counters.settledSequence)
    (touchedHead, touchedTail) = (counters.touchedHead, counters.touchedTail)
    isBehind = counters.isBehind != 0
    rules = UInt32(truncatingIfNeeded: counters.rules)
    now = counters.now
    lastSequence = SequenceNumber(counters.lastSequence)
    history = EventHash(value: counters.eventHash)
    participants.read(from: source)
    sessions.read(from: source)
    accounts.read(from: source)
    holdings.read(from: source)
    positions.read(from: source)
    owned.read(from: source)
    agents.read(from: source)
    meters.read(from: source)
    areas.read(from: source)
    instruments.read(from: source)
    currencies.read(from: source)
    if isFirst {
      if source.isWhole { countCirculation() }
    } else {
      circulation.read(from: source)
      debts.read(from: source)
    }
    books.read(from: source)
    orders.read(from: source)
    ladder.read(from: source)
    expiries.read(from: source)
    if source.isWhole, source.get(UInt64.self) != Exchange.end {
      source.reject("no exchange ends here")
    }
    if !source.isWhole { return nil }
  }
}

extension Exchange {
  /// What there is of each currency, counted from the rows: of an image that does not hold it.
  private mutating func countCirculation() {
    for row in 0..<UInt32(Exchange.currencyCapacity) where currencies[row].isUsed {
      circulation[UInt32(currencies[row].currency)].supply = Int128(currencies[row].supply)
    }
    for number in stride(from: 1, through: capacity.areas, by: 1) where areas[number].exists {
      circulation[UInt32(areas[number].currency)].grid += Int128(areas[number].grid)
    }
    for number in stride(from: 1, through: holdingCount, by: 1) { holdings[number].owes = false }
    countDebts()
  }
}

extension Capacity {
  /// A capacity as it is written.
  struct Image: BitwiseCopyable, Equatable {
    var participants, sessions, accounts, areas, instruments, meters: UInt32
    var positions, orders, priceLevels, cascadeSteps: UInt32
  }

  var image: Image {
    Image(
      participants: participants, sessions: sessions, accounts: accounts, areas: areas,
      instruments: instruments, meters: meters, positions: positions, orders: orders,
      priceLevels: priceLevels, cascadeSteps: cascadeSteps)
  }
}
