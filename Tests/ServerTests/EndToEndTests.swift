import JoulebookClient
import MarketModel
import Testing

@Suite("A real server over TCP", .serialized)
struct EndToEndTests {
  @Test("An ask waits for its meter, trades at the resting bid, and a restart changes nothing.")
  func askWaitsForItsMeter() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.found(on: server)
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

    // The same reading again is refused and changes nothing.
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
    let again = try ServerProcess(data: server.data)
    #expect(try village.status(again).tradeCount == 1)
    #expect(again.stop() == 0)
  }

  @Test(
    "A bad order is refused with its code and its limit, and changes nothing.",
    arguments: [
      BadOrder(.offTick, limit: 100) { $0.price = Price(ticks: 12_345) },
      BadOrder(.offLot, limit: 1_000) { $0.quantity = Energy(wattHours: 1_500) },
      BadOrder(.priceOutOfBand, limit: 100_000) { $0.price = Price(ticks: 100_100) },
      BadOrder(.quantityNotPositive, limit: 0) { $0.quantity = .zero },
      BadOrder(.insufficientCash, limit: 1_000_000_000_000) {
        ($0.price, $0.quantity) = (Price(ticks: 100_000), Energy(wattHours: 100_000_000))
      },
      BadOrder(.unknownInstrument, limit: nil) { $0.instrument = InstrumentId(9) },
      BadOrder(.unknownAccount, limit: nil) { $0.account = AccountId(99) },
      BadOrder(.foreignAccount, limit: nil) { $0.account = Village.ana },
    ])
  func badOrders(bad: BadOrder) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.found(on: server)
    let ben = try village.trader(3, server)
    defer { ben.close() }
    let before = try village.status(server)
    var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 120, id: 1)
    bad.spoil(&order)
    try ben.enter(order)
    let refused = try ben.wait { if case .rejected(let rejection) = $0 { rejection } else { nil } }
    #expect(refused.code == bad.code)
    if let limit = bad.limit { #expect(refused.limit == limit) }
    #expect(try village.status(server).stateHash == before.stateHash)
  }
}

/// A way to spoil an order, and how it is refused.
struct BadOrder: Sendable, CustomTestStringConvertible {
  let code: RejectCode
  let limit: Int64?
  let spoil: @Sendable (inout NewOrder) -> Void

  init(_ code: RejectCode, limit: Int64?, _ spoil: @escaping @Sendable (inout NewOrder) -> Void) {
    (self.code, self.limit, self.spoil) = (code, limit, spoil)
  }

  var testDescription: String { "code \(code.rawValue)" }
}
