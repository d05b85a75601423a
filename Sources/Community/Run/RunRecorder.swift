import MarketModel

/// Computes the figures of the report from the events of a run. The demonstration feeds it by
/// replaying the journal, so all figures come from what the exchange recorded.
struct RunRecorder: EventSink {
  /// An open order; quantities in Wh.
  private struct OpenOrder {
    var side: Side
    var price: Price
    var leaves: Int64
    var covered: Int64
  }

  private let model: CommunityModel
  private let baseline: Baseline
  private(set) var run = DemoResult.RunFigures()
  private(set) var samples: [DemoResult.MarketSample] = []
  private(set) var customers: [DemoResult.CustomerMoney]
  private(set) var deepestOverlap: DemoResult.BookPicture?
  private(set) var last: Price?
  private var open: [OrderId: OpenOrder] = [:]
  private var energy: [Int64]

  /// A recorder for a run of `model` with `population`.
  init(model: CommunityModel, population: Population) {
    self.model = model
    baseline = Baseline(of: model)
    energy = Array(repeating: 0, count: model.customers.count)
    customers = zip(model.customers, population.behaviours).map {
      DemoResult.CustomerMoney(
        name: $0.name, kind: $0.kind, hasRoof: $0.hasRoof, behaviour: $1)
    }
    for index in customers.indices { customers[index].aloneNet = baseline.netCost[index] }
  }

  /// Counts `command`, whose events follow. A tick ends the present sample and starts the next one.
  mutating func begin(_ command: Command) {
    run.commands += 1
    switch command.body {
    case .control(.tick):
      closeSample()
      samples.append(DemoResult.MarketSample(time: command.time))
    case .meterReading: run.readings += 1
    case .enter: run.orders += 1
    case .replace, .cancel, .order(.massCancel): run.changes += 1
    default: break
    }
  }

  /// Ends the last sample.
  mutating func finish() {
    closeSample()
    for index in customers.indices { customers[index].energy.heldAtEnd = energy[index] }
  }

  /// Best executable bid and ask, and the price of the last trade.
  var quote: (bid: Price?, ask: Price?, last: Price?) {
    var (bid, ask): (Price?, Price?)
    for order in open.values where order.covered > 0 {
      switch order.side {
      case .buy: bid = max(bid ?? order.price, order.price)
      case .sell: ask = min(ask ?? order.price, order.price)
      }
    }
    return (bid, ask, last)
  }

  /// Energy of the community over the run so far.
  var total: EnergyTotals {
    customers.reduce(into: EnergyTotals()) { $0 += $1.energy }
  }

  /// Totals of the same customers without a market.
  var alone: EnergyTotals { baseline.total }

  mutating func emit(_ event: Event) {
    switch event {
    case .accepted(let state):
      if state.clientOrderId == .engine { run.instructedOrders += 1 }
      keep(state)
    case .replaced(let state): keep(state)
    case .restated(let state):
      run.restatements += 1
      keep(state)
    case .canceled(let canceled): keep(canceled.state)
    case .trade(let trade): record(trade)
    case .metered(let metered): record(metered)
    case .balance(let balance):
      if let index = index(of: balance.account) { energy[index] = balance.energy.wattHours }
    case .rejected: run.rejects += 1
    default: break
    }
  }

  /// Index of the customer of `account`; `nil` for the area's own accounts.
  private func index(of account: AccountId) -> Int? {
    guard !account.isHouse, account != .null else { return nil }
    let index = Int(account.rawValue) - 1
    return customers.indices.contains(index) ? index : nil
  }

  private mutating func keep(_ state: OrderState) {
    guard state.leaves > .zero else {
      open[state.order] = nil
      return
    }
    open[state.order] = OpenOrder(
      side: state.side, price: state.price, leaves: state.leaves.wattHours,
      covered: state.covered.wattHours)
  }

  private mutating func record(_ trade: Trade) {
    run.trades += 1
    last = trade.price
    for party in [trade.buyer, trade.seller] {
      open[party.order]?.leaves = party.leaves.wattHours
      open[party.order]?.covered = party.covered.wattHours
      if party.leaves == .zero { open[party.order] = nil }
    }
    if let last = samples.indices.last {
      samples[last].traded += trade.quantity.wattHours
      samples[last].turnover.units += trade.notional.units
      samples[last].trades += 1
    }
    if let buyer = index(of: trade.buyer.account) {
      customers[buyer].bought += trade.quantity.wattHours
      customers[buyer].paid.units += trade.notional.units
      customers[buyer].fees.units += trade.buyer.fee.units
    }
    if let seller = index(of: trade.seller.account) {
      customers[seller].sold += trade.quantity.wattHours
      customers[seller].received.units += trade.notional.units
      customers[seller].fees.units += trade.seller.fee.units
    }
  }

  private mutating func record(_ metered: Metered) {
    var step = EnergyTotals()
    step.produced = metered.reading.produced.wattHours
    step.consumed = metered.reading.consumed.wattHours
    step.imported = metered.imported.wattHours
    step.exported = metered.exported.wattHours
    if let last = samples.indices.last { samples[last].energy += step }
    guard let index = index(of: metered.account) else { return }
    customers[index].energy += step
    customers[index].importCost.units += metered.importCost.units
    customers[index].exportRevenue.units += metered.exportRevenue.units
  }

  /// Adds the order book to the last sample and ends it.
  private mutating func closeSample() {
    guard let last = samples.indices.last else { return }
    let picture = book(at: samples[last].time)
    var sample = samples[last]
    sample.enter(picture)
    sample.energy.heldAtEnd = energy.reduce(0, +)
    // Sample k is at the end of interval k - 1; sample 0 is at the start of the run.
    if baseline.intervals.indices.contains(last - 1) {
      sample.alone = baseline.intervals[last - 1]
    }
    samples[last] = sample
    keepDeepest(picture)
  }

  /// Keeps the book with the largest overlap. Books with live orders on both sides are preferred,
  /// because they show live and waiting orders of each side.
  private mutating func keepDeepest(_ picture: DemoResult.BookPicture) {
    let (overlap, deepest) = (picture.overlap, deepestOverlap?.overlap ?? 0)
    let isTwoSided = picture.liveBid != nil && picture.liveAsk != nil
    let wasTwoSided = deepestOverlap?.liveBid != nil && deepestOverlap?.liveAsk != nil
    guard overlap > 0 else { return }
    if isTwoSided == wasTwoSided ? overlap > deepest : isTwoSided { deepestOverlap = picture }
  }

  private func book(at time: Timestamp) -> DemoResult.BookPicture {
    var levels: [Price: DemoResult.BookPicture.Level] = [:]
    for order in open.values {
      let waiting = order.leaves - order.covered
      var level = levels[order.price] ?? DemoResult.BookPicture.Level(price: order.price)
      switch order.side {
      case .buy:
        level.liveBids += order.covered
        level.waitingBids += waiting
      case .sell:
        level.liveAsks += order.covered
        level.waitingAsks += waiting
      }
      levels[order.price] = level
    }
    return DemoResult.BookPicture(
      time: time, levels: levels.values.sorted { $0.price < $1.price })
  }
}
