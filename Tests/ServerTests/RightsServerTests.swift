import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Blocks, limits and administrators, on a real server", .serialized)
struct RightsServerTests {
  private static let administrator = SessionId(20)
  private static let watcher = SessionId(21)
  private static let options = ["--set", "capacity.orders=4096"]

  private func bid(_ id: UInt64) -> NewOrder {
    .limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id % 40) + 1, id: id)
  }

  /// Sends a command as the operator and waits for its acknowledgement.
  private func operate(
    _ village: Village, _ server: ServerProcess, _ body: Command.Body
  ) throws {
    let client = try village.operatorClient(server)
    defer { client.close() }
    try client.settle(client.submit(body))
  }

  /// The reject of a command.
  private func reject(_ client: Client, _ body: Command.Body) throws -> Rejection {
    let reference = try client.submit(body)
    return try client.wait {
      if case .rejected(let rejection) = $0, rejection.reference == reference {
        rejection
      } else {
        nil
      }
    }
  }

  /// The sessions that a client may list.
  private func sessions(of client: Client) throws(ClientError) -> [ListedSession] {
    var found: [ListedSession] = []
    try client.readList(.sessions) {
      if case .listRow(.session(let session), _) = $0 { found.append(session) }
    }
    return found
  }

  private func entersOrder(_ client: Client, _ id: UInt64) throws -> RejectCode? {
    try client.enter(bid(id))
    return try client.wait { event -> RejectCode?? in
      switch event {
      case .accepted: .some(nil)
      case .rejected(let rejection): .some(rejection.code)
      default: nil
      }
    }
  }

  @Test(
    "A block ends what a customer does until it is released, over a killed server.",
    arguments: Configuration.Threading.allCases)
  func block(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    var ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 1) == nil)
    try ben.setAgent(SetAgent(account: Village.ben, instrument: InstrumentId(1), sells: true))
    try ben.wait { if case .agentSet = $0 { () } else { nil } }
    try operate(
      village, server, .reference(.setBlock(SetBlock(participant: ParticipantId(3)))))
    let reason: CancelReason = try ben.wait {
      if case .canceled(let report) = $0 { report.reason } else { nil }
    }
    #expect(reason == .blocked)
    let removed: (SetAgent, UInt64) = try ben.wait {
      if case .agentSet(let agent, let reference) = $0 { (agent, reference) } else { nil }
    }
    #expect(removed.0.account == Village.ben && !removed.0.sells && removed.1 == 0)
    let refused = try reject(ben, .enter(bid(2)))
    #expect(refused.code == .blocked && refused.limit == 1)
    ben.close()

    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 3) == .blocked)
    try operate(
      village, server,
      .reference(.setBlock(SetBlock(participant: ParticipantId(3), releases: true))))
    #expect(try entersOrder(ben, 4) == nil)
  }

  @Test(
    "A session that is cut gets Terminate with its code, and may come back.",
    arguments: Configuration.Threading.allCases)
  func cut(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    let ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 1) == nil)
    try operate(village, server, .session(.cutSession(CutSession(session: SessionId(3)))))
    var end: ClientError?
    do throws(ClientError) {
      while try ben.poll(timeoutMilliseconds: 10_000) != nil {}
    } catch {
      end = error
    }
    #expect(end == .terminated(code: .sessionCut, limit: 0))
    let again = try village.trader(3, server)
    #expect(try entersOrder(again, 2) == nil)
    // One that is not connected, and one that there is not.
    again.close()
    try operate(village, server, .session(.cutSession(CutSession(session: SessionId(2)))))
    let client = try village.operatorClient(server)
    let refused = try reject(client, .session(.cutSession(CutSession(session: SessionId(99)))))
    #expect(refused.code == .unknownSession)
  }

  @Test("A session's own limit of messages holds at once, for cancels not, and after a restart.")
  func messages() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    var ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 1) == nil)
    let limit = SetLimit(session: SessionId(3), kind: .messagesPerSecond, value: 20)
    try operate(village, server, .reference(.setLimit(limit)))
    for start in [UInt64(100), 1_000] {
      // All must arrive within one second of the server's clock, or more are accepted.
      for id in start..<start + 60 { try ben.enter(bid(id)) }
      try ben.massCancel(MassCancel(account: Village.ben))
      var rejected = 0
      let _: MassCancelReport = try ben.wait { event in
        if case .rejected(let rejection) = event {
          #expect(rejection.code == .tooManyMessages && rejection.limit == 20)
          rejected += 1
        }
        return if case .massCanceled(let report) = event { report } else { nil }
      }
      #expect(rejected > 0)
      ben.close()
      server.kill()
      server = try ServerProcess(data: server.data, options: Self.options)
      ben = try village.trader(3, server)
    }
  }

  @Test("A participant's administrator does for its own what the operator does, and nothing else.")
  func administrator() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try village.register(Self.administrator, of: 3, .participantAdministration, on: server)
    let ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 1) == nil)
    let firm = try village.trader(Self.administrator.rawValue, server)
    let own = ParticipantId(3)
    let key = PublicKey(village.key.publicKey)
    func session(_ number: UInt32, _ participant: UInt32, _ roles: Roles) -> Command.Body {
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(number), participant: ParticipantId(participant), roles: roles,
            publicKey: key)))
    }
    func account(_ number: UInt32, _ participant: UInt32) -> Command.Body {
      .reference(
        .createAccount(
          CreateAccount(
            account: AccountId(number), participant: ParticipantId(participant))))
    }
    try firm.settle(firm.submit(account(30, 3)))
    try firm.settle(firm.submit(session(22, 3, [.trading, .dropCopy])))
    try firm.settle(
      firm.submit(
        .reference(.setLimit(SetLimit(account: Village.ben, kind: .openOrders, value: 1)))))
    #expect(try entersOrder(ben, 2) == .openOrderLimit)
    try firm.settle(firm.submit(.order(.cancelOrders(CancelOrders(participant: own)))))
    #expect(try entersOrder(ben, 3) == nil)
    let rejects: [(Command.Body, RejectCode, Int64)] = [
      (account(31, 2), .foreignParticipant, 0),
      (account(30, 3), .alreadyExists, 0),
      (session(23, 2, .trading), .foreignParticipant, 0),
      (session(2, 3, .trading), .foreignSession, 0),
      (session(23, 3, .administration), .roleNotGrantable, 9),
      (session(23, 3, .metering), .roleNotGrantable, 9),
      (session(20, 3, []), .roleNotGrantable, 9),
      (.reference(.setBlock(SetBlock(account: Village.ana))), .foreignAccount, 0),
      (.reference(.setBlock(SetBlock(participant: ParticipantId(2)))), .foreignParticipant, 0),
      (.session(.cutSession(CutSession(session: SessionId(2)))), .foreignSession, 0),
      (
        .order(.cancelOrders(CancelOrders(participant: ParticipantId(2)))), .foreignParticipant, 0
      ),
      (
        .reference(.setLimit(SetLimit(participant: own, kind: .accounts, value: 9))),
        .notPermitted, 4
      ),
      (
        .reference(.createParticipant(CreateParticipant(participant: own, name: .empty))),
        .notPermitted, 4
      ),
    ]
    for (body, code, limit) in rejects {
      let refused = try reject(firm, body)
      #expect(refused.code == code && refused.limit == limit, "\(body)")
    }
    #expect(try sessions(of: firm).map(\.session.rawValue) == [3, 20, 22])
    #expect(try sessions(of: firm).map { $0.connection != nil } == [true, true, false])
    let error = #expect(throws: ClientError.self) { try sessions(of: ben) }
    if case .rejected(let rejection) = error {
      #expect(rejection.code == .notPermitted && rejection.limit == 36)
    } else {
      Issue.record("\(String(describing: error))")
    }
    let label = try #require(Label("Flat 3"))
    let closed = SetAccount(account: AccountId(30), label: label, state: .closed)
    try firm.settle(firm.submit(.reference(.setAccount(closed))))
    var accounts: [ListRow] = []
    try firm.readList(.accounts) { if case .listRow(let row, _) = $0 { accounts.append(row) } }
    #expect(accounts.contains(.account(AccountId(30), of: own, label: label, isClosed: true)))
    try operate(village, server, .reference(.setBlock(SetBlock(account: Village.ben))))
    let release = SetBlock(account: Village.ben, releases: true)
    #expect(try reject(firm, .reference(.setBlock(release))).code == .setByOperator)
  }

  /// A village in `folder` with a session that has the role surveillance, logged on.
  private func watched(_ folder: TemporaryFolder) throws -> (Village, ServerProcess, Client) {
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try village.register(Self.watcher, of: 2, .surveillance, on: server)
    return (village, server, try village.trader(Self.watcher.rawValue, server))
  }

  @Test("Surveillance gets copies of the reports of everybody's sessions.")
  func surveillance() throws {
    let folder = try TemporaryFolder()
    let (village, server, watcher) = try watched(folder)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    try ben.enter(bid(1))
    try ben.wait { if case .accepted = $0 { () } else { nil } }
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 3, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    var found: [SessionId] = []
    while found.count < 2 {
      let origin: SessionId = try watcher.wait {
        if case .copied(let session, _, _) = $0 { session } else { nil }
      }
      try watcher.wait { if case .accepted = $0 { () } else { nil } }
      found.append(origin)
    }
    #expect(found == [SessionId(3), SessionId(2)])
  }

  @Test("Surveillance begins with the open orders and accounts of all; other lists are refused.")
  func surveillanceLists() throws {
    let folder = try TemporaryFolder()
    let (village, server, watcher) = try watched(folder)
    let ben = try village.trader(3, server)
    #expect(try entersOrder(ben, 1) == nil)
    func rows(
      _ kind: ListKind, _ scope: ListScope, of participant: UInt32 = 0,
      account: AccountId = .null
    ) throws(ClientError) -> Int {
      var count = 0
      try watcher.readList(
        kind, scope: scope, participant: ParticipantId(participant), account: account,
        meter: kind.isOfReadings ? MeterId(1) : MeterId(0)
      ) { if case .listRow = $0 { count += 1 } else if case .orderStatus = $0 { count += 1 } }
      return count
    }
    #expect(try rows(.orders, .all) == 1)
    #expect(try rows(.orders, .participant, of: 3) == 1)
    #expect(try rows(.orders, .own) == 0)
    #expect(try rows(.orders, .own, account: Village.ben) == 1)
    #expect(try rows(.accounts, .all) > rows(.accounts, .own))
    for kind in ListKind.allCases where kind.isOfAccounts && kind != .orders && kind != .accounts {
      var code: RejectCode?
      do throws(ClientError) {
        _ = try rows(kind, .all)
      } catch {
        if case .rejected(let rejection) = error { code = rejection.code }
      }
      #expect(code == .notPermitted, "\(kind)")
    }
  }
}
