import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("Lists of trades, in the gateway")
struct TradeListTests {
  private func side(_ trade: UInt64, _ account: AccountId, _ side: Side) -> TradeSide {
    TradeSide(
      trade: TradeId(trade), sequence: SequenceNumber(trade), time: Timestamp(nanoseconds: trade),
      account: account, side: side, area: GatewayWorld.area, currency: .eur,
      quantity: Energy(wattHours: 1_000), notional: Money(units: 5_000), fee: Money(units: 1))
  }

  /// The request that the gateway has passed on.
  private func request(_ world: GatewayWorld) throws -> TradesRequest {
    #expect(world.waits { !$0.tradesRequests.isEmpty })
    return try #require(world.state.withLock { $0.tradesRequests.popLast() })
  }

  private func answer(
    _ world: GatewayWorld, _ request: TradesRequest, _ answer: TradesAnswer
  ) {
    world.state.withLock { $0.tradesAnswers.append((request, answer)) }
    world.wake.wake()
  }

  @Test(
    "Only sides of the participant's accounts are sent, and the next page begins at the first left."
  )
  func selection() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let period = Timestamp(nanoseconds: 5)..<Timestamp(nanoseconds: 9)
    let reference = try bot.requestList(.trades, period: period, cursor: 3, count: 1)
    try bot.flush()
    let asked = try request(world)
    #expect(asked.period == period && asked.query.cursor == 3 && asked.query.count == .max)
    let (own, foreign) = (GatewayWorld.account, AccountId(99))
    let sides = [
      side(5, foreign, .buy), side(5, own, .sell), side(6, foreign, .buy), side(6, foreign, .sell),
      side(7, own, .buy),
    ]
    answer(
      world, asked,
      .page(
        TradesPage(
          sides.enumerated().map { (key: UInt64($0) + 10, side: $1) }, next: 20,
          through: SequenceNumber(8), read: 40)))
    guard case .listRow(.trade(let row), reference) = try bot.expect().event,
      case .listEnd(let end) = try bot.expect().event
    else {
      Issue.record("no row and end")
      return
    }
    #expect(row.trade == TradeId(5) && row.side == .sell && row.account == own)
    #expect(end.cursor == 14 && end.rows == 1 && end.through == SequenceNumber(8))
  }

  @Test("Times of 0 are no bounds, as in a buffer of zeros.")
  func zeros() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let zero = Timestamp(nanoseconds: 0)
    try bot.requestList(.trades, period: zero..<zero)
    try bot.flush()
    #expect(try request(world).period == zero..<Timestamp.never)
  }

  @Test("A ledger that is away, and a server without one, are told.")
  func rejects() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    for (given, code) in [
      (TradesAnswer.unavailable, RejectCode.ledgerUnavailable), (.noLedger, .noLedger),
    ] {
      let reference = try bot.requestList(.trades)
      try bot.flush()
      answer(world, try request(world), given)
      guard case .rejected(let rejection) = try bot.expect().event else {
        Issue.record("not rejected")
        return
      }
      #expect(rejection.code == code && rejection.reference == reference)
    }
  }

  private var empty: TradesAnswer { .page(TradesPage([], next: 0, through: .none, read: 0)) }

  private func end(_ client: Client) throws -> UInt64? {
    if case .listEnd(let end) = try client.expect().event { end.reference } else { nil }
  }

  @Test("Answers for a connection that has ended are dropped.")
  func endedConnection() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    for _ in 0..<3 { try bot.requestList(.trades) }
    try bot.flush()
    #expect(world.waits { $0.tradesRequests.count == 3 })
    let asked = world.state.withLock { $0.tradesRequests }
    bot.close()
    let again = try world.client()
    for request in asked { answer(world, request, empty) }
    let reference = try again.requestList(.trades)
    try again.flush()
    #expect(world.waits { $0.tradesRequests.count == 4 })
    answer(world, try request(world), empty)
    #expect(try end(again) == reference)
  }

  @Test("At most 16 requests of a session are asked for; the others wait for their turn.")
  func turns() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    var references: [UInt64] = []
    for _ in 0..<40 { references.append(try bot.requestList(.trades)) }
    try bot.flush()
    for count in [16, 16, 8] {
      #expect(world.waits { $0.tradesRequests.count == count })
      let asked = world.state.withLock { state in
        defer { state.tradesRequests = [] }
        return state.tradesRequests
      }
      #expect(asked.map(\.reference) == Array(references.prefix(count)))
      for request in asked { answer(world, request, empty) }
      for request in asked { #expect(try end(bot) == request.reference) }
      references.removeFirst(count)
    }
  }
}
