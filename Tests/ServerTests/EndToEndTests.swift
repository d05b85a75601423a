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
      meter: MeterId(1), registerSequence: 1, intervalStart: Timestamp(nanoseconds: 0),
      intervalEnd: Timestamp(nanoseconds: 900_000_000_000), produced: Energy(wattHours: 5_000),
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
}
