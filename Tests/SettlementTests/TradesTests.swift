import MarketModel
import Settlement
import Testing

@Suite("Trades of a period, read from a ledger")
struct TradesTests {
  private let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  /// A script of trades among accounts 2 to 6 and of other events, and both sides of its trades.
  private func script(_ count: Int, _ random: inout SeededRandom) -> (EventScript, [TradeSide]) {
    var script = EventScript()
    var sides: [TradeSide] = []
    var trade: UInt64 = 0
    for _ in 0..<count {
      if Int.random(in: 0..<4, using: &random) == 0 {
        script.meter(UInt32.random(in: 2...6, using: &random), produced: 700, lost: 10)
        continue
      }
      let buyer = UInt32.random(in: 2...6, using: &random)
      let seller = 2 + (buyer - 1) % 5
      let energy = Int64.random(in: 1...5_000, using: &random)
      let price = Int64.random(in: -3...9, using: &random) * 100
      let (buyerFee, sellerFee) = (
        Int64.random(in: 0...2, using: &random), Int64.random(in: 0...2, using: &random)
      )
      let area = UInt32.random(in: 1...2, using: &random)
      trade += 1
      let (time, sequence) = (script.time, UInt64(script.steps.count) + 1)
      script.trade(
        buyer, seller, energy: energy, price: price, buyerFee: buyerFee, sellerFee: sellerFee,
        area: area)
      let hasCash = price != 0 || buyerFee != 0 || sellerFee != 0
      for (account, side, fee) in [(buyer, Side.buy, buyerFee), (seller, .sell, sellerFee)] {
        sides.append(
          TradeSide(
            trade: TradeId(trade), sequence: SequenceNumber(sequence),
            time: Timestamp(nanoseconds: time), account: AccountId(account), side: side,
            area: AreaId(UInt16(area)),
            currency: !hasCash ? Currency(0) : area == 1 ? .eur : Currency(756),
            quantity: Energy(wattHours: energy), notional: Money(units: price * energy),
            fee: Money(units: fee)))
        if let last = sides.last { #expect(last.price.ticks == price) }
      }
    }
    script.checkpoint()
    return (script, sides)
  }

  private func ledger(_ backend: LedgerBackend, _ script: EventScript) throws -> any Ledger {
    let ledger = try backend.place().open(genesis)
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    return ledger
  }

  /// The sides of all pages, and the number of pages.
  private func read(
    _ ledger: any Ledger, _ query: TradesQuery, count: () -> Int
  ) throws -> (sides: [TradeSide], pages: Int) {
    var (query, sides, pages) = (query, [TradeSide](), 0)
    var lastKey: UInt64 = 0
    repeat {
      query.count = count()
      let page = try ledger.trades(query)
      #expect(page.sides.count <= query.count && page.read <= type(of: ledger).transfersOfPage)
      for (key, side) in page.sides {
        #expect(key > lastKey)
        lastKey = key
        sides.append(side)
      }
      query.cursor = page.next
      pages += 1
    } while query.cursor != 0
    return (sides, pages)
  }

  @Test(
    "Pages of any size have each side of a period once, in order.",
    arguments: LedgerBackend.allCases)
  func pages(_ backend: LedgerBackend) throws {
    var random = SeededRandom(seed: 7)
    let (script, sides) = script(300, &random)
    let ledger = try ledger(backend, script)
    let times = script.steps.map(\.time)
    for _ in 0..<40 {
      let (a, b) = (times[Int.random(in: 0..<times.count, using: &random)].nanoseconds, times[0])
      let from = Timestamp(nanoseconds: a - UInt64.random(in: 0...1, using: &random))
      let to = Timestamp(
        nanoseconds: max(
          from.nanoseconds, b.nanoseconds + UInt64.random(in: 0...320_000_000_000, using: &random)))
      let bound = SequenceNumber(UInt64.random(in: 1...400, using: &random))
      let expected = sides.filter { $0.time >= from && $0.time < to && $0.sequence <= bound }
      let found = try read(ledger, TradesQuery(from..<to, count: 1, through: bound)) {
        Int.random(in: 1...7, using: &random)
      }
      #expect(found.sides == expected)
    }
    let all = try read(ledger, TradesQuery(ListQuery.always, count: 1)) { 1 }
    #expect(all.sides == sides && all.pages >= sides.count)
    #expect(
      try ledger.trades(TradesQuery(ListQuery.always, count: 1)).through == ledger.head().last)
    try ledger.close()
  }

  @Test(
    "A page passes over a bounded number of transfers, and no trade is lost where one ends.",
    arguments: LedgerBackend.allCases)
  func bounds(_ backend: LedgerBackend) throws {
    var random = SeededRandom(seed: 8)
    let (script, sides) = script(3_500, &random)
    let ledger = try ledger(backend, script)
    let found = try read(ledger, TradesQuery(ListQuery.always, count: 1)) { .max }
    #expect(found.sides == sides)
    #expect(found.pages > 1)
    try ledger.close()
  }

  @Test(
    "A ledger without transfers, or a period without trades, gives an empty last page.",
    arguments: LedgerBackend.allCases)
  func empty(_ backend: LedgerBackend) throws {
    let none = try backend.place().open(genesis)
    #expect(
      try none.trades(TradesQuery(ListQuery.always, count: 1))
        == TradesPage([], next: 0, through: .none, read: 0))
    #expect(try none.transfers(from: 1, most: 5) == [])
    var random = SeededRandom(seed: 9)
    let (script, _) = script(20, &random)
    let ledger = try ledger(backend, script)
    let late = Timestamp(nanoseconds: script.time)..<Timestamp.never
    #expect(try ledger.trades(TradesQuery(late, count: 1)).sides.isEmpty)
    #expect(try ledger.transfers(from: 3, most: 2).map(\.id) == [3, 4])
    // A cursor that no page has given is a place as well.
    let strange = TradesQuery(ListQuery.always, cursor: .max, count: 1)
    #expect(try ledger.trades(strange).next == 0)
    try ledger.close()
    try none.close()
  }
}
