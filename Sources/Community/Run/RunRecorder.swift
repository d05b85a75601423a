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

  /// The community without an exchange.
  let baselines: Baselines
  private(set) var run = DemoResult.RunFigures()
  private(set) var samples: [DemoResult.MarketSample] = []
  /// The customers, then the battery's owner where there is a battery.
  private var parties: [DemoResult.CustomerMoney]
  /// Number of customers.
  private let count: Int
  private(set) var deepestOverlap: DemoResult.BookPicture?
  private(set) var last: Price?
  private var open: [OrderId: OpenOrder] = [:]
  private var energy: [Int64]

  /// A recorder for a run of `model` with `population`.
  init(model: CommunityModel, population: Population) {
    baselines = Baselines(of: model)
    count = model.customers.count
    parties = zip(model.customers, population.behaviours).map {
      DemoResult.CustomerMoney(
        name: $0.name, kind: $0.kind, hasRoof: $0.hasRoof, behaviour: $1)
    }
    for index in parties.indices { parties[index].aloneNet = baselines.alone.netCost[index] }
    if population.battery > .zero { parties.append(.batteryOwner) }
    energy = Array(repeating: 0, count: parties.count)
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
    case .order(.setAgent): run.instructions += 1
    default: break
    }
  }

  /// Ends the last sample.
  mutating func finish() {
    closeSample()
    for index in parties.indices { parties[index].energy.heldAtEnd = energy[index] }
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
    parties.reduce(into: EnergyTotals()) { $0 += $1.energy }
  }

  /// Payments and energy of each customer.
  var customers: [DemoResult.CustomerMoney] { Array(parties.prefix(count)) }
  /// Payments of the battery's owner; `nil` without a battery.
  var batteryOwner: DemoResult.CustomerMoney? { parties.count > count ? parties[count] : nil }

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

  /// Index of the party of `account`; `nil` for the area's own accounts.
  private func index(of account: AccountId) -> Int? {
    guard !account.isHouse, account != .null else { return nil }
    let index = Int(account.rawValue) - 1
    return parties.indices.contains(index) ? index : nil
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
    if trade.isLocal { run.localWattHours += trade.quantity.wattHours }
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
      parties[buyer].bought += trade.quantity.wattHours
      parties[buyer].paid.units += trade.notional.units
      parties[buyer].fees.units += trade.buyer.fee.units
    }
    if let seller = index(of: trade.seller.account) {
      parties[seller].sold += trade.quantity.wattHours
      parties[seller].received.units += trade.notional.units
      parties[seller].fees.units += trade.seller.fee.units
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
    parties[index].energy += step
    parties[index].importCost.units += metered.importCost.units
    parties[index].exportRevenue.units += metered.exportRevenue.units
  }

  /// Adds the order book to the last sample and ends it.
  private mutating func closeSample() {
    guard let last = samples.indices.last else { return }
    let picture = book(at: samples[last].time)
    var sample = samples[last]
    sample.enter(picture)
    sample.energy.heldAtEnd = energy.reduce(0, +)
    // Sample k is at the end of interval k - 1; sample 0 is at the start of the run.
    if baselines.alone.intervals.indices.contains(last - 1) {
      sample.alone = baselines.alone.intervals[last - 1]
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
