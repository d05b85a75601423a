import JoulebookClient
import MarketModel
import Testing

@Suite("Orders on behalf of another session, over the wire")
struct OnBehalfServerTests {
  /// Of Ana's firm.
  private static let desk = SessionId(4)

  private func bid(_ id: UInt64, behalf: UInt32, showing shown: Int64 = 0) -> NewOrder {
    var order = NewOrder.limit(Village.ana, .buy, kilowattHours: 3, at: 100, id: id)
    (order.onBehalfOf, order.displayQuantity) = (SessionId(behalf), Energy(wattHours: shown))
    return order
  }

  @Test("A desk enters for a bot: the bot has the reports, also of the time when it was away.")
  func desk() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.found(on: server)
    try village.register(Self.desk, of: 2, .trading, on: server)
    var ana = try village.trader(2, server)
    let position = ana.position
    ana.drop()

    var desk = try village.trader(Self.desk.rawValue, server)
    let entered = try desk.enter(bid(1, behalf: 2, showing: 1_000))
    try desk.settle(entered)
    let ben = try village.trader(3, server)
    try ben.requestBalance(of: Village.ben, in: AreaId(1))
    _ = try ben.wait { if case .balance = $0 { () } else { nil } }

    // Another firm's session, one that does not exist, one that may not trade.
    for (id, session) in [(UInt64(2), UInt32(3)), (3, 99), (4, 1)] {
      let refused = try desk.enter(bid(id, behalf: session))
      let reject = try desk.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
      #expect(reject.reference == refused && reject.code == .foreignSession)
      #expect(reject.clientOrderId == ClientOrderId(id) && reject.account == Village.ana)
    }
    // Sent again it is not entered again.
    try desk.enter(bid(1, behalf: 2))
    let again = try desk.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
    #expect(again.code == .duplicateClientOrderId && again.limit == 1)

    server.kill()
    server = try ServerProcess(data: server.data)
    ana = try village.trader(2, server, resume: position)
    let accepted = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(accepted.clientOrderId == ClientOrderId(1) && accepted.account == Village.ana)
    #expect(accepted.leaves == Energy(wattHours: 3_000))

    // The desk may cancel what it entered; the report of it is the bot's.
    desk = try village.trader(Self.desk.rawValue, server)
    try desk.cancel(CancelOrder(account: Village.ana, order: accepted.order))
    try desk.flush()
    let canceled = try ana.wait { if case .canceled(let report) = $0 { report } else { nil } }
    #expect(canceled.order == accepted.order && canceled.leaves == .zero)
    for client in [ana, desk] { client.close() }
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
    let export = try Joulebook.run(["journal", "inspect", server.data])
    #expect(export.output.contains(" onBehalfOf "), "\(export.output)")
  }
}
