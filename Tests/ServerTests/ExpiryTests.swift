import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("Orders that expire", .serialized)
struct ExpiryTests {
  @Test("An order that falls due in an idle market leaves the journal's checkpoints right.")
  func dueAtTheEnd() throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    var server = try ServerProcess(data: data)
    try village.setUp(on: server)
    let client = try village.trader(3, server)
    var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 10, id: 1)
    order.timeInForce = .goodTillTime
    let due = UInt64((Date().timeIntervalSince1970 + 1) * 1e9)
    order.expireTime = Timestamp(nanoseconds: due)
    try client.enter(order)
    let answer = try client.wait { event -> RejectCode?? in
      switch event {
      case .accepted: .some(.none)
      case .rejected(let rejection): .some(rejection.code)
      default: nil
      }
    }
    // On a very slow machine the order arrives too late to test anything.
    #expect(answer == nil || answer == .badExpireTime)
    client.close()
    while UInt64(Date().timeIntervalSince1970 * 1e9) <= due { usleep(10_000) }
    #expect(server.stop() == 0)
    #expect(!server.log.contains("ALARM"), "\(server.log)")

    let replay = try Joulebook.run(["replay", data, "--ledger"])
    #expect(replay.status == 0, "\(replay.errors)")
    server = try ServerProcess(data: data)
    #expect(try village.status(server).openOrderCount == 0)
    #expect(server.stop() == 0 && !server.log.contains("ALARM"), "\(server.log)")
  }
}
