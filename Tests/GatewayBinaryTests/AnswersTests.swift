import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("Questions and market data on the socket")
struct AnswersTests {
  private func rejection(_ client: Client) throws -> Rejection? {
    let message = try client.expect()
    #expect(message.sequence == 0, "outside the sequence, like the answer")
    guard case .rejected(let rejection) = message.event else { return nil }
    return rejection
  }

  @Test("Only its owner and operators can query an order's state and explanation.")
  func orderQuestions() throws {
    let world = try GatewayWorld()
    let state = Sample.order(GatewayWorld.bot)
    let blockers = (0..<70).map {
      OrderExplanation.Blocker(
        order: OrderId(UInt64($0)), clientOrderId: ClientOrderId(UInt64($0 + 1)),
        price: Price(ticks: $0 + 2), used: Energy(wattHours: $0 + 3))
    }
    let explanation = OrderExplanation(
      state: state,
      reasons: [.awaitingEnergy(blockers), .noCrossingPrice(best: Price(ticks: -4))])
    world.state.withLock {
      $0.orders[state.order] = state
      $0.explanations[state.order] = explanation
    }
    let owner = try world.client(GatewayWorld.secondBot)
    let desk = try world.client(GatewayWorld.operatorDesk)
    let stranger = try world.client(GatewayWorld.otherBot)
    for client in [owner, desk] {
      let reference = try client.requestOrderStatus(state.order, account: GatewayWorld.account)
      guard case .orderStatus(let report, reference) = try client.expect().event else {
        Issue.record("no status")
        return
      }
      #expect(report.order == state.order && report.waiting == state.waiting)
      #expect(report.waitReason == .awaitingEnergy && report.quantity == state.quantity)
      let question = try client.requestExplanation(state.order)
      guard case .explanation(let told) = try client.expect().event else {
        Issue.record("no explanation")
        return
      }
      #expect(told.reference == question && told.reason == 1 && told.waiting == state.waiting)
      #expect(told.bestOpposite == Price(ticks: -4) && told.hasMoreBlockers)
      #expect(told.blockers.map(\.used) == blockers.prefix(64).map(\.used))
    }
    try stranger.requestOrderStatus(state.order, account: GatewayWorld.account)
    #expect(try rejection(stranger)?.code == .unknownOrder)
    try stranger.requestExplanation(state.order, account: GatewayWorld.account)
    #expect(try rejection(stranger)?.code == .unknownOrder)
    try owner.requestOrderStatus(OrderId(1), account: GatewayWorld.account)
    #expect(try rejection(owner)?.order == OrderId(1))
  }

  @Test("An explanation names the strongest reason, its blockers and the best price opposite.")
  func strongestReason() throws {
    let world = try GatewayWorld()
    let state = Sample.order(GatewayWorld.bot)
    let own = OrderExplanation.Blocker(
      order: OrderId(5), clientOrderId: ClientOrderId(6), price: Price(ticks: 7),
      used: Energy(wattHours: 8))
    let best = Price(ticks: 9)
    let cases: [([OrderExplanation.Reason], UInt8, Price?, [OrderExplanation.Blocker])] = [
      ([.behind(Energy(wattHours: 1)), .noCrossingPrice(best: nil)], 0, nil, []),
      ([.noCrossingPrice(best: best)], 0, best, []),
      ([.awaitingHeadroom([own]), .noCrossingPrice(best: best)], 2, best, [own]),
      ([.awaitingEnergy([]), .ownOrder(own)], 1, own.price, []),
      ([.instrumentHalted], 3, nil, []),
      ([.behind(Energy(wattHours: 1)), .ownOrder(own)], 0, own.price, [own]),
      ([.ownOrder(own)], 5, own.price, [own]),
    ]
    let client = try world.client(GatewayWorld.secondBot)
    for (reasons, reason, best, blockers) in cases {
      world.state.withLock {
        $0.orders[state.order] = state
        $0.explanations[state.order] = OrderExplanation(state: state, reasons: reasons)
      }
      try client.requestExplanation(state.order)
      guard case .explanation(let told) = try client.expect().event else {
        Issue.record("no explanation")
        return
      }
      #expect(told.reason == reason && told.bestOpposite == best && !told.hasMoreBlockers)
      #expect(told.blockers == blockers)
      let isBehind = reasons.contains(.behind(Energy(wattHours: 1)))
      #expect(told.ahead == (isBehind ? Energy(wattHours: 1) : .zero) && !told.isAheadPartial)
      #expect(told.ownOrder == (reasons.contains(.ownOrder(own)) ? own.order : .null))
    }
  }

  @Test("Only its participant and operators can query an account's balance.")
  func balanceQuestions() throws {
    let world = try GatewayWorld()
    world.state.withLock { $0.balances[GatewayWorld.account] = Sample.balance }
    let (owner, desk) = (try world.client(), try world.client(GatewayWorld.operatorDesk))
    let stranger = try world.client(GatewayWorld.otherBot)
    for client in [owner, desk] {
      let reference = try client.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
      let message = try client.expect()
      guard case .balance(let balance, reference) = message.event else {
        Issue.record("no balance")
        return
      }
      #expect(balance == Sample.balance && message.sequence == 0)
    }
    try stranger.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
    #expect(try rejection(stranger)?.code == .foreignAccount)
    try desk.requestBalance(of: AccountId(999), in: GatewayWorld.area)
    #expect(try rejection(desk)?.code == .unknownAccount)
    try desk.requestBalance(of: GatewayWorld.account, in: AreaId(9))
    #expect(try rejection(desk)?.limit == 1)
  }

  @Test("The server's status is for all, its state hash for operators.")
  func status() throws {
    let world = try GatewayWorld()
    world.state.withLock {
      $0.status.tradeCount = 5
      $0.status.lastSequence = SequenceNumber(6)
    }
    let (bot, desk) = (try world.client(), try world.client(GatewayWorld.operatorDesk))
    for (client, withHash) in [(bot, false), (desk, true)] {
      let reference = try client.requestStatus(withStateHash: withHash)
      guard case .status(let report) = try client.expect().event else {
        Issue.record("no status")
        return
      }
      #expect(report.reference == reference && report.tradeCount == 5)
      #expect(report.connectionCount == 2 && report.stateHash == (withHash ? 77 : 0))
      #expect(report.lastSequence == SequenceNumber(6))
    }
    try bot.requestStatus(withStateHash: true)
    #expect(try rejection(bot)?.code == .notPermitted)
  }

  @Test("Reference data are complete, with tariff and state as they are now.")
  func referenceData() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    world.emit([
      .reference(
        .tariffSet(
          SetTariff(
            area: GatewayWorld.area, feedInPrice: Price(ticks: 1), retailPrice: Price(ticks: 2)))),
      .reference(
        .instrumentStateChanged(
          SetInstrumentState(instrument: GatewayWorld.instrument, state: .halted))),
    ])
    while world.state.withLock({ $0.delivered }) < 2 {}
    let reference = try bot.requestReferenceData()
    var definition = Sample.createArea
    (definition.feedInPrice, definition.retailPrice) = (Price(ticks: 1), Price(ticks: 2))
    let expected: [ClientEvent] = [
      .area(
        AreaState(definition: definition, defaultCap: Energy(wattHours: 2000)),
        reference: reference),
      .instrument(Sample.createInstrument, .halted, reference: reference),
      .referenceDataEnd(areas: 1, instruments: 1, reference: reference),
    ]
    for event in expected {
      #expect(String(describing: try bot.expect().event) == String(describing: event))
    }
    try bot.requestReferenceData(area: AreaId(5))
    guard case .referenceDataEnd(0, 0, _) = try bot.expect().event else {
      Issue.record("something of an unknown area")
      return
    }
  }

  @Test("A subscriber that joins late has, over the wire, the book that the events describe.")
  func marketData() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    var random = SeededRandom(seed: 7)
    var market = RandomMarket(instruments: 7...7)
    var book: [OrderId: BookOrder] = [:]
    var last: UInt64 = 0
    func emit(_ count: Int) {
      for _ in 0..<count { world.emit(market.command(&random)) }
      let total = 1 + emitted + count
      emitted += count
      while world.state.withLock({ $0.delivered }) < total {}
    }
    var emitted = 0
    emit(300)
    let reference = try bot.subscribe(to: GatewayWorld.area)
    while true {
      let message = try bot.expect()
      switch message.event {
      case .acknowledged(reference): continue
      case .bookAdd(let order): book[order.order] = order
      case .snapshotEnd(GatewayWorld.area, reference): last = message.sequence
      default: continue
      }
      if case .snapshotEnd = message.event { break }
    }
    emit(300)
    while let message = try bot.poll(timeoutMilliseconds: 100) {
      if message.isReport { continue }
      #expect(message.sequence == last + 1)
      last = message.sequence
      switch message.event {
      case .bookAdd(let order), .bookModify(let order): book[order.order] = order
      case .bookDelete(let order): #expect(book.removeValue(forKey: order.order) != nil)
      default: continue
      }
    }
    let expected = market.open.map { "\($0.order) \($0.price) \($0.leaves) \($0.covered)" }
    #expect(
      Set(book.values.map { "\($0.order) \($0.price) \($0.total) \($0.live)" }) == Set(expected))
    #expect(expected.count > 5 && last > 300)
  }

  @Test("A snapshot of levels has total, live and state; unsubscribing ends the updates.")
  func levels() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.otherBot)
    world.emit([.accepted(Sample.order(GatewayWorld.bot))])
    while world.state.withLock({ $0.delivered }) < 2 {}
    try bot.subscribe(to: GatewayWorld.area, snapshot: .levels)
    _ = try bot.expect()
    try bot.expectDefinitions()
    guard case .levels(let report) = try bot.expect().event else {
      Issue.record("no levels")
      return
    }
    #expect(report.instrument == GatewayWorld.instrument && report.state == .open)
    #expect(
      report.levels == [
        LevelsReport.Level(
          side: .sell, price: Price(ticks: 102), total: Energy(wattHours: 1000),
          live: Energy(wattHours: 700), orders: 1)
      ])
    guard case .snapshotEnd = try bot.expect().event else {
      Issue.record("no end")
      return
    }
    try bot.unsubscribe(from: GatewayWorld.area)
    guard case .acknowledged = try bot.expect().event else {
      Issue.record("no acknowledgement")
      return
    }
    world.emit([.restated(Sample.order(GatewayWorld.bot, waits: 100))])
    #expect(try bot.isQuiet())
    try bot.subscribe(to: AreaId(9))
    #expect(try rejection(bot)?.code == .unknownArea)
  }
}
