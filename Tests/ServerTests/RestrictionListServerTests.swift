import JoulebookClient
import MarketModel
import Testing

@Suite("Lists of limits and blocks, on a real server", .serialized)
struct RestrictionListServerTests {
  private static let administrator = SessionId(20)
  private static let options = ["--set", "capacity.orders=4096"]

  private func limits(
    _ client: Client, _ scope: ListScope = .own, account: AccountId = .null
  ) throws -> [ListedLimit] {
    var rows: [ListedLimit] = []
    try client.readList(.limits, scope: scope, account: account) {
      if case .listRow(.limit(let limit), _) = $0 { rows.append(limit) }
    }
    return rows
  }

  private func blocks(_ client: Client, _ scope: ListScope = .own) throws -> [ListedBlock] {
    var rows: [ListedBlock] = []
    try client.readList(.blocks, scope: scope) {
      if case .listRow(.block(let block), _) = $0 { rows.append(block) }
    }
    return rows
  }

  /// Limits and blocks of both participants, by the operator and by Ben's administrator.
  private func restrict(_ village: Village, _ server: ServerProcess) throws {
    try village.register(Self.administrator, of: 3, .participantAdministration, on: server)
    let (desk, firm) = (
      try village.operatorClient(server), try village.trader(Self.administrator.rawValue, server)
    )
    defer {
      desk.close()
      firm.close()
    }
    func set(_ client: Client, _ limit: SetLimit) throws {
      try client.settle(client.submit(.reference(.setLimit(limit))))
    }
    func block(_ client: Client, _ block: SetBlock) throws {
      try client.settle(client.submit(.reference(.setBlock(block))))
    }
    try set(desk, SetLimit(account: Village.ben, kind: .openOrders, value: 50))
    try set(firm, SetLimit(account: Village.ben, kind: .openOrders, value: 20))
    try set(firm, SetLimit(account: Village.ben, kind: .orderQuantity, value: 5_000))
    try set(desk, SetLimit(session: SessionId(3), kind: .messagesPerSecond, value: 700))
    try set(desk, SetLimit(participant: ParticipantId(3), kind: .accounts, value: 9))
    try set(desk, SetLimit(account: Village.ana, kind: .dailyNotional, value: 1_000_000_000))
    try block(desk, SetBlock(account: Village.ana))
    try block(firm, SetBlock(account: Village.ben))
    try block(desk, SetBlock(session: Self.administrator))
    try block(desk, SetBlock(participant: ParticipantId(3)))
  }

  @Test("The operator sees all, a participant its own, with who set them, over a killed server.")
  func contents() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try restrict(village, server)
    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let desk = try village.operatorClient(server)
    let (firm, session) = (ParticipantId(3), SessionId(3))
    let own = [
      ListedLimit(.accounts, of: firm, ofOperator: 9, ofAdministrator: 0),
      ListedLimit(
        .messagesPerSecond, of: firm, session: session, ofOperator: 700, ofAdministrator: 0),
      ListedLimit(
        .orderQuantity, of: firm, account: Village.ben, ofOperator: 0, ofAdministrator: 5_000),
      ListedLimit(
        .openOrders, of: firm, account: Village.ben, ofOperator: 50, ofAdministrator: 20),
    ]
    #expect(try limits(ben) == own && own[3].inForce == 20)
    #expect(try limits(desk, .all).count == 5)
    #expect(try limits(ana).map(\.account) == [Village.ana])
    #expect(try limits(desk, .all, account: Village.ben) == Array(own[2...]))
    let byFirm = ListedBlock(
      of: firm, account: Village.ben, byOperator: false, byAdministrator: true)
    #expect(
      try blocks(ben) == [
        ListedBlock(of: firm, byOperator: true, byAdministrator: false),
        ListedBlock(
          of: firm, session: Self.administrator, byOperator: true, byAdministrator: false),
        byFirm,
      ])
    #expect(try blocks(desk, .all).count == 4)
    // The operator's release ends both; a limit of 0 is none.
    try desk.settle(
      desk.submit(.reference(.setBlock(SetBlock(account: Village.ben, releases: true)))))
    try desk.settle(
      desk.submit(
        .reference(.setLimit(SetLimit(account: Village.ana, kind: .dailyNotional, value: 0)))))
    #expect(try !blocks(desk, .all).contains(byFirm))
    #expect(try limits(ana) == [])
    #expect(server.stop() == 0)
  }

  @Test("The command line lists them, and the export of the market has them.")
  func commandLine() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try restrict(village, server)
    func list(_ arguments: [String]) throws -> String {
      let result = try Joulebook.run(
        ["admin", "list"] + arguments
          + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
      #expect(result.status == 0, "\(result.errors)")
      return result.output
    }
    #expect(try list(["limits", "--csv"]).contains("3,,11,openOrders,20,50,20\n"))
    #expect(
      try list(["limits", "--csv", "--account", "11"]).contains(",orderQuantity,5.000,,5.000\n"))
    #expect(try list(["blocks", "--csv", "--participant", "3"]).contains("3,,11,no,yes\n"))
    #expect(try list(["blocks", "--json"]).contains("\"session\": null, \"account\": 10"))
    let export = try Joulebook.run(["market", "export", "--data", server.data])
    for words in [
      "# account 10 is blocked by the operator;",
      "# account 11 is blocked by its participant's administrator;",
      "# participant 3 is blocked by the operator;", "      open-orders: 50\n",
      "      messages-per-second: 700\n", "      accounts: 9\n", "      daily-notional: 10",
    ] {
      #expect(export.output.contains(words), "\(words): \(export.output)")
    }
    // The administrator's limits are its own matter.
    #expect(!export.output.contains("order-quantity"))
    #expect(server.stop() == 0)
  }
}
