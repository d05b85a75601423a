import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("From the exchange's event to the clients' reports")
struct ReportWriterTests {
  /// The decoded event as text; sequence number and time are checked here.
  private func report(_ client: Client, _ sequence: UInt64) throws -> String {
    let message = try client.expect()
    #expect(message.sequence == sequence)
    #expect(message.time == GatewayWorld.time)
    #expect(message.isReport)
    return String(describing: message.event)
  }

  private func text(_ event: ClientEvent) -> String { String(describing: event) }

  private func expected(_ state: OrderState) -> OrderReport {
    OrderReport(
      order: state.order, clientOrderId: state.clientOrderId, account: state.account,
      instrument: state.instrument, side: state.side, type: state.type,
      timeInForce: state.timeInForce, waitReason: state.waitReason, price: state.price,
      quantity: state.quantity, leaves: state.leaves, covered: state.covered)
  }

  @Test("Orders: accepted, replaced, restated and cancelled reach the session that entered them.")
  func orders() throws {
    let world = try GatewayWorld()
    let (bot, second) = (try world.client(), try world.client(GatewayWorld.secondBot))
    let state = Sample.order(GatewayWorld.bot)
    var smaller = state
    (smaller.leaves, smaller.covered) = (Energy(wattHours: 400), Energy(wattHours: 100))
    let canceled = OrderCanceled(
      state: smaller, quantity: Energy(wattHours: 600), reason: .selfTrade)
    world.emit([.accepted(state), .replaced(smaller)])
    world.emit([.restated(smaller), .canceled(canceled)])
    #expect(try report(bot, 1) == text(.accepted(expected(state))))
    #expect(try report(bot, 2) == text(.replaced(expected(smaller))))
    var restated = expected(smaller)
    (restated.quantity, restated.timeInForce) = (.zero, .goodTillCancel)
    #expect(try report(bot, 3) == text(.restated(restated)))
    #expect(
      try report(bot, 4)
        == text(
          .canceled(
            CancelReport(
              order: state.order, clientOrderId: state.clientOrderId, account: state.account,
              instrument: state.instrument, side: .sell, quantity: Energy(wattHours: 600),
              leaves: Energy(wattHours: 400), covered: Energy(wattHours: 100),
              reason: .selfTrade, waitReason: .awaitingEnergy))))
    #expect(try second.isQuiet())
  }

  @Test("A trade is reported to each side, as maker and as taker.")
  func trades() throws {
    let world = try GatewayWorld()
    let (bot, other) = (try world.client(), try world.client(GatewayWorld.otherBot))
    let trade = Trade(
      trade: TradeId(5), instrument: GatewayWorld.instrument, aggressor: .sell,
      price: Price(ticks: 6), quantity: Energy(wattHours: 7), notional: Money(units: 42),
      buyer: Sample.party(GatewayWorld.bot, 500), seller: Sample.party(GatewayWorld.otherBot, 600))
    func side(_ party: TradeParty, _ side: Side, isTaker: Bool) -> String {
      text(
        .trade(
          TradeReport(
            trade: TradeId(5), order: party.order, clientOrderId: party.clientOrderId,
            account: party.account, instrument: GatewayWorld.instrument, side: side,
            isTaker: isTaker, price: Price(ticks: 6), quantity: Energy(wattHours: 7),
            fee: party.fee, leaves: party.leaves)))
    }
    // The market feed must know the orders of a trade.
    var (bid, ask) = (Sample.order(GatewayWorld.meterBox), Sample.order(GatewayWorld.meterBox))
    (bid.order, ask.order) = (trade.buyer.order, trade.seller.order)
    world.emit([.accepted(bid), .accepted(ask), .trade(trade)])
    #expect(try report(bot, 1) == side(trade.buyer, .buy, isTaker: false))
    #expect(try report(other, 1) == side(trade.seller, .sell, isTaker: true))
  }

  @Test("Answers to commands reach their sender with the sequence number of its message.")
  func answers() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let session = GatewayWorld.bot
    let rejected = Rejected(
      code: .offTick, limit: 10, session: session, clientSequence: 3, account: AccountId(4),
      clientOrderId: ClientOrderId(5), order: OrderId(6))
    let mass = MassCancel(
      account: GatewayWorld.account, instrument: GatewayWorld.instrument, sides: .buy)
    world.emit([
      .rejected(rejected),
      .order(
        .massCanceled(
          MassCanceled(session: session, clientSequence: 4, request: mass, count: 9))),
      .cash(
        .transferred(
          Transferred(transfer: Sample.transfer, session: session, clientSequence: 5))),
      .order(.agentSet(SetAgentDone(agent: Sample.agent, session: session, clientSequence: 6))),
      .control(.acknowledged(Acknowledged(session: session, clientSequence: 7))),
      .metered(Sample.metered(session, reference: 8)),
    ])
    #expect(
      try report(bot, 1)
        == text(
          .rejected(
            Rejection(
              code: .offTick, limit: 10, reference: 3, account: AccountId(4),
              clientOrderId: ClientOrderId(5), order: OrderId(6)))))
    #expect(
      try report(bot, 2)
        == text(.massCanceled(MassCancelReport(reference: 4, request: mass, count: 9))))
    #expect(try report(bot, 3) == text(.transferred(Sample.transfer, reference: 5)))
    #expect(try report(bot, 4) == text(.agentSet(Sample.agent, reference: 6)))
    #expect(try report(bot, 5) == text(.acknowledged(reference: 7)))
    let metered = Sample.metered(session, reference: 8)
    #expect(
      try report(bot, 6)
        == text(
          .metered(
            MeterReport(
              reference: 8, meter: GatewayWorld.meter, registerSequence: 81,
              account: GatewayWorld.account, area: GatewayWorld.area,
              produced: Energy(wattHours: 84), consumed: Energy(wattHours: 85),
              lost: metered.lost, exported: metered.exported,
              exportRevenue: metered.exportRevenue, burned: metered.burned,
              imported: metered.imported, importCost: metered.importCost, own: metered.own,
              boughtLocally: metered.boughtLocally, localCost: metered.localCost,
              soldLocally: metered.soldLocally, localRevenue: metered.localRevenue,
              intervalStart: Timestamp(nanoseconds: 82), intervalEnd: Timestamp(nanoseconds: 83)))))
  }

  @Test("A later version, a reading in quarantine and one that is released reach its sender only.")
  func readings() throws {
    let world = try GatewayWorld()
    let (box, bot) = (try world.client(GatewayWorld.meterBox), try world.client())
    var later = Sample.reading
    (later.registerSequence, later.quality) = (90, .estimated)
    func corrected(_ reference: UInt64, counts: Bool) -> Corrected {
      var done = Corrected(
        reading: later, session: GatewayWorld.meterBox, clientSequence: reference,
        account: GatewayWorld.account, area: GatewayWorld.area,
        previous: (81, Energy(wattHours: 80), Energy(wattHours: 90)), usesOwn: true,
        countsProduction: counts, lost: Energy(wattHours: -3),
        prices: (Price(ticks: -5), Price(ticks: 7)))
      (done.exportsBack, done.exported) = (Energy(wattHours: 11), Energy(wattHours: 12))
      (done.importsBack, done.imported) = (Energy(wattHours: 13), Energy(wattHours: 14))
      return done
    }
    let kept = Quarantined(
      number: 17, reading: later, session: GatewayWorld.meterBox, code: .intervalInFuture,
      time: GatewayWorld.time)
    let released = Sample.metered(GatewayWorld.meterBox, reference: 0)
    let decided = ReadingDecided(
      decision: DecideReading(number: 17, releases: true), meter: later.meter,
      session: GatewayWorld.operatorDesk, clientSequence: 5)
    world.emit([
      .metering(.corrected(corrected(4, counts: true))), .metering(.quarantined(kept)),
      .metering(.corrected(corrected(0, counts: false))), .metered(released),
      .metering(.readingDecided(decided)),
    ])
    func expected(_ reference: UInt64, counts: Bool) -> CorrectionReport {
      CorrectionReport(
        reference: reference, reading: later, previousSequence: 81, account: GatewayWorld.account,
        area: GatewayWorld.area, isUncounted: !counts,
        producedDifference: Energy(wattHours: counts ? 4 : -80),
        consumedDifference: Energy(wattHours: -5),
        ownDifference: Energy(wattHours: counts ? 4 : -80), lostDifference: Energy(wattHours: -3),
        exportsBack: Energy(wattHours: 11), exported: Energy(wattHours: 12),
        importsBack: Energy(wattHours: 13), imported: Energy(wattHours: 14),
        feedInPrice: Price(ticks: -5), retailPrice: Price(ticks: 7),
        exportRevenue: Money(units: -5), importCost: Money(units: 7))
    }
    #expect(try report(box, 1) == text(.corrected(expected(4, counts: true))))
    #expect(
      try report(box, 2)
        == text(
          .quarantined(
            QuarantineReport(
              number: 17, reading: later, session: GatewayWorld.meterBox, code: .intervalInFuture)))
    )
    #expect(try report(box, 3) == text(.corrected(expected(0, counts: false))))
    let metered = try box.expect()
    guard case .metered(let report) = metered.event else {
      Issue.record("\(metered.event)")
      return
    }
    #expect(metered.sequence == 4 && report.reference == 0 && report.registerSequence == 81)
    #expect(try box.isQuiet())
    #expect(try bot.isQuiet())
  }

  @Test("The side of a reading's trade goes to who gets the account's balances, not to its sender.")
  func localTrade() throws {
    let world = try GatewayWorld()
    let (bot, second) = (try world.client(), try world.client(GatewayWorld.secondBot))
    let (other, meterBox) = (
      try world.client(GatewayWorld.otherBot), try world.client(GatewayWorld.meterBox)
    )
    let taker = TradeParty(
      order: .null, account: GatewayWorld.account, session: .exchange, clientOrderId: .engine,
      fee: Money(units: 7), leaves: .zero, covered: .zero)
    let resting = Sample.order(GatewayWorld.otherBot)
    var maker = Sample.party(GatewayWorld.otherBot, 300)
    maker.order = resting.order
    world.emit([.accepted(resting)])
    #expect(try other.expect().sequence == 1)
    let trade = Trade(
      trade: TradeId(9), instrument: GatewayWorld.instrument, aggressor: .buy,
      price: Price(ticks: 10_000), quantity: Energy(wattHours: 1_500),
      notional: Money(units: 15_000_000), buyer: taker, seller: maker)
    world.emit([.trade(trade)])
    func side(_ party: TradeParty, _ side: Side) -> ClientEvent {
      .trade(
        TradeReport(
          trade: TradeId(9), order: party.order, clientOrderId: party.clientOrderId,
          account: party.account, instrument: GatewayWorld.instrument, side: side,
          isTaker: side == .buy, price: trade.price, quantity: trade.quantity, fee: party.fee,
          leaves: party.leaves, isLocal: true))
    }
    for client in [bot, second] { #expect(try report(client, 1) == text(side(taker, .buy))) }
    #expect(try report(other, 2) == text(side(maker, .sell)))
    #expect(try meterBox.isQuiet())
  }

  @Test("A balance goes to every trading session of the account's participant, to no other.")
  func balances() throws {
    let world = try GatewayWorld()
    let (bot, second) = (try world.client(), try world.client(GatewayWorld.secondBot))
    let strangers = [
      try world.client(GatewayWorld.otherBot), try world.client(GatewayWorld.meterBox),
      try world.client(GatewayWorld.operatorDesk),
    ]
    world.emit([.balance(Sample.balance)])
    for client in [bot, second] {
      #expect(try report(client, 1) == text(.balance(Sample.balance, reference: 0)))
    }
    for stranger in strangers { #expect(try stranger.isQuiet()) }
  }

  @Test("Reports to a session that is not connected use no number; the next one starts at 1.")
  func notConnected() throws {
    let world = try GatewayWorld()
    let other = try world.client(GatewayWorld.otherBot)
    world.emit([.accepted(Sample.order(GatewayWorld.bot))])
    world.emit([
      .control(.acknowledged(Acknowledged(session: GatewayWorld.otherBot, clientSequence: 1)))
    ])
    _ = try report(other, 1)
    let bot = try world.client()
    world.emit([.accepted(Sample.order(GatewayWorld.bot))])
    _ = try report(bot, 1)
  }
}
