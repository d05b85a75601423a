import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("A real server over TCP", .serialized)
struct EndToEndTests {
  @Test(
    "An ask waits for its meter, trades at the resting bid, and a restart changes nothing.",
    arguments: Configuration.Threading.allCases)
  func askWaitsForItsMeter(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", assembly: assembly)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 5, at: 100, id: 1))
    let ask = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(ask.covered == .zero && ask.waiting == Energy(wattHours: 5_000))
    #expect(ask.waitReason == .awaitingEnergy)
    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 5, at: 120, id: 1))
    let bid = try ben.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(bid.covered == Energy(wattHours: 5_000))

    let reading = MeterReading(
      meter: MeterId(1), registerSequence: 1,
      intervalStart: Timestamp(nanoseconds: MeterTime.start),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + 900_000_000_000),
      produced: Energy(wattHours: 5_000),
      consumed: .zero)
    try ana.send(reading, key: village.meterKey)
    let trade = try ana.wait { if case .trade(let report) = $0 { report } else { nil } }
    #expect(trade.price == Price(ticks: 12_000) && trade.quantity == Energy(wattHours: 5_000))

    // A repeated reading is rejected and changes nothing.
    let before = try village.status(server)
    try ana.send(reading, key: village.meterKey)
    let refused = try ana.wait { if case .rejected(let rejection) = $0 { rejection } else { nil } }
    #expect(refused.code == .readingReplayed && refused.limit == 1)
    let after = try village.status(server)
    #expect(after.stateHash == before.stateHash && after.tradeCount == 1)
    ana.close()
    ben.close()

    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0 && replay.output.contains("ledger      equals the engine"))
    let again = try ServerProcess(data: server.data, assembly: assembly)
    #expect(try village.status(again).tradeCount == 1)
    #expect(again.stop() == 0)
  }

  /// The balance that answers a request, and how many were reported before it.
  private func balance(_ client: Client, _ account: AccountId) throws -> (Balance, reported: Int) {
    let request = try client.requestBalance(of: account, in: AreaId(1))
    var reported = 0
    return try client.wait { event in
      guard case .balance(let balance, let reference) = event else { return nil }
      if reference == request { return (balance, reported) }
      reported += 1
      return nil
    }
  }

  @Test(
    "A balance is reported when cash or energy changes, and not when an order reserves cash or returns it."
  )
  func reportedBalances() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 5, at: 120, id: 1))
    let bid = try ben.wait { if case .accepted(let report) = $0 { report } else { nil } }
    let entered = try balance(ben, Village.ben)
    #expect(entered.0.reserved > .zero && entered.reported == 0)
    try ben.cancel(CancelOrder(account: Village.ben, order: bid.order))
    let canceled = try balance(ben, Village.ben)
    #expect(canceled.0.reserved == .zero && canceled.reported == 0)

    let reading = MeterReading(
      meter: MeterId(1), registerSequence: 1,
      intervalStart: Timestamp(nanoseconds: MeterTime.start),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + 900_000_000_000),
      produced: Energy(wattHours: 5_000),
      consumed: .zero)
    try ana.send(reading, key: village.meterKey)
    #expect(try balance(ana, Village.ana).reported == 1)
    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 5, at: 120, id: 2))
    #expect(try balance(ben, Village.ben).reported == 0)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 5, at: 100, id: 1))
    #expect(try balance(ana, Village.ana).reported == 1)
    #expect(try balance(ben, Village.ben).reported == 1)
    #expect(server.stop() == 0)
  }
}
