import JoulebookClient
import MarketModel
import Testing

@Suite("Orders on behalf of another session, over the wire")
struct OnBehalfServerTests {
  /// Another session of Ana's participant.
  private static let broker = SessionId(4)

  private func bid(_ id: UInt64, behalf: UInt32, showing shown: Int64 = 0) -> NewOrder {
    var order = NewOrder.limit(Village.ana, .buy, kilowattHours: 3, at: 100, id: id)
    (order.onBehalfOf, order.displayQuantity) = (SessionId(behalf), Energy(wattHours: shown))
    return order
  }

  @Test("A session enters for a bot: the bot receives the reports, including those it missed.")
  func broker() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    try village.register(Self.broker, of: 2, .trading, on: server)
    var ana = try village.trader(2, server)
    let position = ana.position
    ana.drop()

    var broker = try village.trader(Self.broker.rawValue, server)
    let entered = try broker.enter(bid(1, behalf: 2, showing: 1_000))
    try broker.settle(entered)
    let ben = try village.trader(3, server)
    try ben.requestBalance(of: Village.ben, in: AreaId(1))
    _ = try ben.wait { if case .balance = $0 { () } else { nil } }

    // A session of another participant, one that does not exist, and one without the trading role.
    for (id, session) in [(UInt64(2), UInt32(3)), (3, 99), (4, 1)] {
      let refused = try broker.enter(bid(id, behalf: session))
      let reject = try broker.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
      #expect(reject.reference == refused && reject.code == .foreignSession)
      #expect(reject.clientOrderId == ClientOrderId(id) && reject.account == Village.ana)
    }
    // Sent again, it is rejected as a duplicate.
    try broker.enter(bid(1, behalf: 2))
    let again = try broker.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
    #expect(again.code == .duplicateClientOrderId && again.limit == 1)

    server.kill()
    server = try ServerProcess(data: server.data)
    ana = try village.trader(2, server, resume: position)
    let accepted = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(accepted.clientOrderId == ClientOrderId(1) && accepted.account == Village.ana)
    #expect(accepted.leaves == Energy(wattHours: 3_000))

    // This session may cancel what it entered; the report goes to the bot's session, and it is
    // told that the cancel took effect.
    broker = try village.trader(Self.broker.rawValue, server)
    let cancel = try broker.cancel(CancelOrder(account: Village.ana, order: accepted.order))
    try broker.settle(cancel)
    let canceled = try ana.wait { if case .canceled(let report) = $0 { report } else { nil } }
    #expect(canceled.order == accepted.order && canceled.leaves == .zero)
    for client in [ana, broker] { client.close() }
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
    let export = try Joulebook.run(["journal", "inspect", server.data])
    #expect(export.output.contains(" onBehalfOf "), "\(export.output)")
  }
}
