import JoulebookClient
import MarketModel
import Testing

@Suite("Rule 4: market prices", .serialized)
struct MarketPriceServerTests {
  private static let (eva, dee) = (AccountId(12), AccountId(13))

  /// Two further accounts: Eva's, with a meter, and Dee's, with cash and a cap of 0.
  private func addNeighbours(_ village: Village, _ desk: Client) throws {
    let key = PublicKey(village.meterKey.publicKey)
    let deposit = CashMovement(
      account: Self.dee, currency: .eur, amount: Money(units: 1_000_000_000), reference: 1)
    let commands: [Command.Body] = [
      .reference(.createAccount(CreateAccount(account: Self.eva, participant: ParticipantId(3)))),
      .reference(.createAccount(CreateAccount(account: Self.dee, participant: ParticipantId(2)))),
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(2), account: Self.eva, area: AreaId(1), publicKey: key, capacity: .max))),
      .reference(.setCap(SetCap(account: Self.dee, area: AreaId(1), cap: .zero))),
      .cash(.deposit(deposit)),
    ]
    for command in commands { try desk.settle(try desk.submit(command)) }
  }

  private func produce(
    _ kilowattHours: Int64, _ meter: UInt32, _ client: Client, _ village: Village
  )
    throws
  {
    let reading = MeterReading(
      meter: MeterId(meter), registerSequence: 1,
      intervalStart: Timestamp(nanoseconds: MeterTime.start),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + 900_000_000_000),
      produced: Energy(wattHours: kilowattHours * 1_000), consumed: .zero)
    try client.send(reading, key: village.meterKey)
    try client.wait { if case .metered = $0 { () } else { nil } }
  }

  private func enter(
    _ account: AccountId, _ side: Side, _ kilowattHours: Int64, at milli: Int64, _ client: Client
  ) throws {
    try client.enter(
      .limit(account, side, kilowattHours: kilowattHours, at: milli, id: 1))
    try client.wait { if case .accepted = $0 { () } else { nil } }
  }

  /// The prices as a subscriber of tops and one of levels are told.
  private func prices(_ client: Client) throws -> [MarketPrices] {
    try client.subscribe(to: AreaId(1), snapshot: .top)
    let top: TopReport = try client.wait { if case .top(let top) = $0 { top } else { nil } }
    try client.unsubscribe(from: AreaId(1))
    let levels = try client.subscribe(to: AreaId(1), snapshot: .levels)
    // What comes before belongs to the subscription of tops.
    try client.wait { if case .acknowledged(levels) = $0 { () } else { nil } }
    var book = LevelBook(area: AreaId(1))
    while !book.isComplete, let message = try client.poll(timeoutMilliseconds: 10_000) {
      _ = book.take(message)
    }
    return [top.prices, book.prices(of: InstrumentId(1))]
  }

  private static func prices(_ milli: (Int64, Int64, Int64, Int64)) -> MarketPrices {
    MarketPrices(
      buying: Price(ticks: milli.0 * 100), selling: Price(ticks: milli.1 * 100),
      liveAsk: Price(ticks: milli.2 * 100), liveBid: Price(ticks: milli.3 * 100))
  }

  @Test("The page's example: what is displayed, and what can trade.")
  func example() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=4096"])
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    try addNeighbours(village, desk)
    let (two, three) = (try village.trader(2, server), try village.trader(3, server))
    try produce(2, 1, two, village)
    try enter(Village.ana, .sell, 2, at: 120, two)
    try enter(Self.eva, .sell, 1, at: 100, three)
    try enter(Village.ben, .buy, 2, at: 90, three)
    try enter(Self.dee, .buy, 1, at: 110, two)
    let shown = Self.prices((100, 110, 120, 90))
    #expect(try prices(desk) == [shown, shown])
    func page() throws -> String {
      desk.close()
      let page = try Joulebook.run([
        "top", "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
      ])
      return page.output
    }
    let before = try page()
    #expect(
      before.contains("buying price 0.10 (live: 0.12)  selling price 0.11 (live: 0.09)"),
      "\(before)")
    // A market order buys what is live.
    var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 0, id: 2)
    (order.type, order.timeInForce) = (.market, .immediateOrCancel)
    try three.enter(order)
    let trade = try three.wait { if case .trade(let trade) = $0 { trade } else { nil } }
    #expect(trade.price == Price(ticks: 12_000) && trade.quantity == Energy(wattHours: 1_000))
    try produce(1, 2, three, village)
    let after = Self.prices((100, 110, 100, 90))
    #expect(try prices(two) == [after, after])
    #expect(server.stop() == 0)
  }
}
