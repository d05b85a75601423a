import JoulebookClient
import MarketModel
import Testing

@Suite("Icebergs over the wire")
struct IcebergServerTests {
  /// A book or trade message to a subscriber as text, in Wh; `nil` for other messages.
  private func told(_ event: ClientEvent) -> String? {
    switch event {
    case .bookAdd(let order): "add \(order.live.wattHours)/\(order.total.wattHours)"
    case .bookModify(let order): "modify \(order.live.wattHours)/\(order.total.wattHours)"
    case .bookDelete: "delete"
    case .marketTrade(let trade): "trade \(trade.quantity.wattHours)"
    case .snapshotEnd: "end"
    default: nil
    }
  }

  /// The next `count` such messages to `client`.
  private func next(_ count: Int, _ client: Client) throws -> [String] {
    try (0..<count).map { _ in try client.wait(told) }
  }

  private func iceberg(_ kilowattHours: Int64, showing shown: Int64, id: UInt64) -> NewOrder {
    var order = NewOrder.limit(
      Village.ben, .buy, kilowattHours: kilowattHours, at: 100, id: id)
    order.displayQuantity = Energy(wattHours: shown * 1_000)
    return order
  }

  @Test("The market sees its parts only, also after a kill; its owner sees all of it.")
  func parts() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    var (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    try ana.send(
      MeterReading(
        meter: MeterId(1), registerSequence: 1,
        intervalStart: Timestamp(nanoseconds: MeterTime.start),
        intervalEnd: Timestamp(nanoseconds: MeterTime.start + 900_000_000_000),
        produced: Energy(wattHours: 10_000),
        consumed: .zero), key: village.meterKey)
    try ana.subscribe(to: AreaId(1))
    #expect(try next(1, ana) == ["end"])

    try ben.enter(iceberg(6, showing: 2, id: 1))
    let entered = try ben.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(entered.leaves == Energy(wattHours: 6_000))
    #expect(try next(1, ana) == ["add 2000/2000"])
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 100, id: 1))
    #expect(try next(2, ana) == ["trade 1000", "modify 1000/1000"])
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 100, id: 2))
    #expect(try next(3, ana) == ["trade 1000", "delete", "add 2000/2000"])
    let trades = try (0..<2).map { _ in
      try ben.wait { if case .trade(let report) = $0 { report.leaves.wattHours } else { nil } }
    }
    #expect(trades == [5_000, 4_000])

    server.kill()
    server = try ServerProcess(data: server.data)
    (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    try ana.subscribe(to: AreaId(1))
    #expect(try next(2, ana) == ["add 2000/2000", "end"])
    try ben.requestOrderStatus(entered.order, account: Village.ben)
    let status = try ben.wait { if case .orderStatus(let report, _) = $0 { report } else { nil } }
    #expect(status.leaves == Energy(wattHours: 4_000))

    let refused = try ben.enter(iceberg(2, showing: 3, id: 2))
    let reject = try ben.wait { if case .rejected(let rejection) = $0 { rejection } else { nil } }
    #expect(reject.reference == refused && reject.code == .displayQuantityInvalid)
    #expect(reject.limit == 2_000)
    ana.close()
    ben.close()
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
  }
}
