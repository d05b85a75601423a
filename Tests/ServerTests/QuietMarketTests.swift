import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("What is due in a quiet market", .serialized)
struct QuietMarketTests {
  /// The number of ticks in the journal. The server is stopped.
  private func ticks(_ data: String) throws -> Int {
    try Joulebook.run(["journal", "inspect", data]).output.split(separator: "\n")
      .count { $0.hasSuffix(" tick") }
  }

  @Test(
    "An order expires, an announced change takes effect and is told; nothing else comes.",
    arguments: Configuration.Threading.allCases)
  func expiryAndChange(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    let options = ["--set", "settlement.nanoseconds=3600000000000"]
    let server = try ServerProcess(data: data, options: options, assembly: assembly)
    try village.setUp(on: server)
    let client = try village.trader(3, server)
    try client.subscribe(to: AreaId(1))
    // Enough for a slow machine to accept both before their moments.
    let moment = UInt64((Date().timeIntervalSince1970 + 3) * 1e9)
    var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 10, id: 1)
    order.timeInForce = .goodTillTime
    order.expireTime = Timestamp(nanoseconds: moment)
    try client.enter(order)
    _ = try client.wait { if case .accepted = $0 { true } else { nil } }
    let chief = try village.operatorClient(server)
    try chief.settle(
      chief.submit(
        .reference(
          .setParameter(
            SetParameter(
              subject: .area, number: 1, parameter: .retailPrice, value: 41_000,
              from: Timestamp(nanoseconds: moment + 1_000_000_000))))))
    chief.close()
    let canceled = try client.wait { if case .canceled(let report) = $0 { report } else { nil } }
    #expect(canceled.reason == .expired)
    let retail = try client.wait { event -> Price? in
      guard case .area(let area, _) = event else { return nil }
      return area.definition.retailPrice.ticks == 41_000 ? area.definition.retailPrice : nil
    }
    #expect(retail.ticks == 41_000)
    // Nothing is due any more, so nothing is journaled.
    usleep(2_500_000)
    client.drop()
    #expect(server.stop() == 0)
    #expect(try ticks(data) == 2)
    let replay = try Joulebook.run(["replay", data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
  }
}
