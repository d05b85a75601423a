import ExchangeCore
import JoulebookServer
import MarketModel

/// Computes the figures of a report on any market, from the replay of its journal. Owned by the
/// thread of the replay.
public final class MarketRecorder: ReplayObserver {
  private struct AccountOfArea: Hashable { var account: AccountId, area: AreaId }
  private struct AccountOfInstrument: Hashable { var account: AccountId, instrument: InstrumentId }

  private let period: Range<Timestamp>
  private var line: Timeline?
  private var orders: [OrderId: OpenOrder] = [:]
  private var books: [InstrumentId: OpenBook] = [:]
  private var markets: [InstrumentId: SampleSeries] = [:]
  private var meters: [AreaId: SampleSeries] = [:]
  private var held: [AreaId: Int64] = [:]
  private var energy: [AccountOfArea: Int64] = [:]
  private var caps: [AccountOfArea: Int64] = [:]
  private var traded: [AccountOfInstrument: MarketFigures.Account] = [:]
  private var metered: [AccountOfArea: MarketFigures.Account] = [:]
  /// Number of readings by the length of their interval in s.
  private var readingLengths: [UInt64: Int] = [:]
  private var figures = MarketFigures()
  private var now = Timestamp(nanoseconds: 0)
  /// Times of the first and of the last command of the replay; `nil` when there was none.
  public private(set) var span: (first: Timestamp, last: Timestamp)?

  /// A recorder of what happens in `period`; what is before it counts for the state at its start.
  public init(period: Range<Timestamp>) { self.period = period }

  // MARK: The replay

  /// Takes the state from which the replay starts.
  public func begin(_ exchange: borrowing Exchange) {
    for state in exchange.openOrders() { keep(state) }
    for balance in exchange.allBalances() { note(balance) }
  }

  /// Takes a command and its events.
  public func take(_ command: borrowing Command, _ events: UnsafeBufferPointer<Event>) {
    now = command.time
    span = (span?.first ?? now, now)
    guard now < period.upperBound else { return }
    let isInside = now >= period.lowerBound
    if isInside {
      figures.commands += 1
      if events.contains(where: Self.isActivity) { advance() }
      if case .enter = command.body { figures.orders += 1 }
    }
    for event in events {
      switch event {
      case .accepted(let state), .replaced(let state), .restated(let state): keep(state)
      case .canceled(let canceled): keep(canceled.state)
      case .trade(let trade): take(trade, isInside)
      case .metered(let reading): if isInside { take(reading) }
      case .metering(.corrected(let correction)): if isInside { take(correction) }
      case .metering(.quarantined): if isInside { figures.quarantined += 1 }
      case .balance(let balance): note(balance)
      case .rejected: if isInside { figures.rejects += 1 }
      default: break
      }
    }
  }

  /// Ends the last interval, and checks the sums of energy and money.
  public func end(
    _ exchange: borrowing Exchange, areas: [CreateArea], instruments: [CreateInstrument]
  ) {
    joinToReadings()
    if let line, let last = figures.last { close(line.place(of: last.nanoseconds) + 1, on: line) }
    figures.intervalSeconds = line?.seconds ?? 0
    for area in areas {
      guard let totals = exchange.totals(of: area.area) else { continue }
      figures.isEnergyConserved = figures.isEnergyConserved && totals.isConserved
      figures.areas.append(
        MarketFigures.Area(
          definition: area, samples: samples(meters[area.area]),
          capacity: caps.reduce(0) { $0 + ($1.key.area == area.area ? $1.value : 0) },
          instruments: instruments.filter { $0.area == area.area }.map(market),
          accounts: accounts(of: area.area, instruments)))
    }
    for currency in Set(areas.map(\.currency)) where !isConserved(currency, exchange, areas) {
      figures.unconserved.append(currency)
    }
  }

  /// The result, after the replay.
  public var result: MarketFigures { figures }

  // MARK: Time

  /// Whether a chart shows the effect of the event: a market that rests has no intervals at its end.
  private static func isActivity(_ event: Event) -> Bool {
    switch event {
    case .accepted, .replaced, .restated, .canceled, .trade, .metered, .balance: true
    case .metering(.corrected): true
    default: false
    }
  }

  /// Ends the intervals before the present command.
  private func advance() {
    let old = line ?? Timeline(from: now.nanoseconds)
    let new = old.covering(now.nanoseconds)
    join(from: old, to: new)
    if figures.first == nil { figures.first = now }
    figures.last = now
    close(new.place(of: now.nanoseconds), on: new)
  }

  /// Joins intervals that are shorter than those of most readings, of which they would show the
  /// moments at which they came.
  private func joinToReadings() {
    guard let line, let last = figures.last,
      let usual = readingLengths.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key
    else { return }
    let span = (last.nanoseconds - line.start) / 1_000_000_000
    let length = Timeline.lengths.first { $0 >= usual }
    guard let length, length > line.seconds, length <= span / 8 else { return }
    join(from: line, to: Timeline(from: line.start, seconds: length))
  }

  private func join(from old: Timeline, to new: Timeline) {
    line = new
    if old == new { return }
    for key in Array(markets.keys) { markets[key]?.join(from: old, to: new) }
    for key in Array(meters.keys) { meters[key]?.join(from: old, to: new) }
  }

  private func close(_ place: UInt64, on line: Timeline) {
    for key in Array(markets.keys) {
      markets[key]?.advance(to: place, on: line) { books[key, default: OpenBook()].enter(&$0) }
    }
    for key in Array(meters.keys) {
      meters[key]?.advance(to: place, on: line) { $0.energy.heldAtEnd = held[key, default: 0] }
    }
  }

  /// The series of a new instrument or area, with the intervals that have ended.
  private func newSeries() -> SampleSeries {
    var series = SampleSeries()
    if let line { series.advance(to: line.place(of: now.nanoseconds), on: line) { _ in } }
    return series
  }

  // MARK: Events

  private func keep(_ state: OrderState) {
    change(state.order, to: OpenOrder(state), in: state.instrument)
  }

  private func change(_ id: OrderId, to order: OpenOrder?, in instrument: InstrumentId) {
    if markets[instrument] == nil { markets[instrument] = newSeries() }
    if let before = orders[id] { books[instrument, default: OpenBook()].add(before, sign: -1) }
    if let order { books[instrument, default: OpenBook()].add(order) }
    orders[id] = order
  }

  private func take(_ trade: Trade, _ isInside: Bool) {
    for party in [trade.buyer, trade.seller] {
      var order = orders[party.order]
      order?.leaves = party.leaves.wattHours
      order?.covered = party.covered.wattHours
      change(party.order, to: party.leaves == .zero ? nil : order, in: trade.instrument)
    }
    guard isInside else { return }
    figures.trades += 1
    if trade.isLocal { figures.localTrades += 1 }
    markets[trade.instrument]?.present.traded += trade.quantity.wattHours
    markets[trade.instrument]?.present.turnover.units += trade.notional.units
    markets[trade.instrument]?.present.trades += 1
    let buyer = AccountOfInstrument(account: trade.buyer.account, instrument: trade.instrument)
    let seller = AccountOfInstrument(account: trade.seller.account, instrument: trade.instrument)
    traded[buyer, default: .init(account: trade.buyer.account)].buy(trade)
    traded[seller, default: .init(account: trade.seller.account)].sell(trade)
  }

  private func take(_ reading: Metered) {
    figures.readings += 1
    let (begin, end) = (reading.reading.intervalStart, reading.reading.intervalEnd)
    if end > begin {
      readingLengths[(end.nanoseconds - begin.nanoseconds) / 1_000_000_000, default: 0] += 1
    }
    if meters[reading.area] == nil { meters[reading.area] = newSeries() }
    meters[reading.area]?.present.energy.add(reading)
    let key = AccountOfArea(account: reading.account, area: reading.area)
    metered[key, default: .init(account: reading.account)].add(reading)
  }

  private func take(_ correction: Corrected) {
    figures.corrections += 1
    if meters[correction.area] == nil { meters[correction.area] = newSeries() }
    meters[correction.area]?.present.energy.add(correction)
    let key = AccountOfArea(account: correction.account, area: correction.area)
    metered[key, default: .init(account: correction.account)].add(correction)
  }

  private func note(_ balance: Balance) {
    let key = AccountOfArea(account: balance.account, area: balance.area)
    held[balance.area, default: 0] += balance.energy.wattHours - energy[key, default: 0]
    (energy[key], caps[key]) = (balance.energy.wattHours, balance.cap.wattHours)
    if meters[balance.area] == nil { meters[balance.area] = newSeries() }
  }

  // MARK: The end

  private func samples(_ series: SampleSeries?) -> [DemoResult.MarketSample] {
    series?.samples ?? []
  }

  private func market(_ instrument: CreateInstrument) -> MarketFigures.Instrument {
    var book = books[instrument.instrument] ?? OpenBook()
    return MarketFigures.Instrument(
      definition: instrument, samples: samples(markets[instrument.instrument]),
      book: book.picture(at: figures.last ?? now))
  }

  /// The accounts of an area, those with the largest turnover first.
  private func accounts(
    of area: AreaId, _ instruments: [CreateInstrument]
  ) -> [MarketFigures.Account] {
    let own = Set(instruments.filter { $0.area == area }.map(\.instrument))
    var accounts: [AccountId: MarketFigures.Account] = [:]
    for (key, figures) in metered where key.area == area {
      accounts[key.account, default: .init(account: key.account)].add(figures)
    }
    for (key, figures) in traded where own.contains(key.instrument) {
      accounts[key.account, default: .init(account: key.account)].add(figures)
    }
    for (key, wattHours) in energy where key.area == area {
      accounts[key.account]?.energy.heldAtEnd = wattHours
    }
    return accounts.values.sorted {
      ($1.paid.units + $1.received.units, $0.account) < (
        $0.paid.units + $0.received.units, $1.account
      )
    }
  }

  private func isConserved(
    _ currency: Currency, _ exchange: borrowing Exchange, _ areas: [CreateArea]
  ) -> Bool {
    var sum = Int128(0)
    for cash in exchange.cash() where cash.currency == currency {
      sum += Int128(cash.free.units) + Int128(cash.reserved.units)
    }
    for area in areas where area.currency == currency {
      guard let totals = exchange.totals(of: area.area) else { continue }
      sum += Int128(totals.fees.units) + Int128(totals.grid.units)
    }
    return sum == Int128(exchange.supply(of: currency).units)
  }
}
