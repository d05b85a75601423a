import JoulebookClient
import MarketModel
import Testing

@Suite("Lists by page, on a real server", .serialized)
struct ListServerTests {
  private static let options = ["--set", "capacity.orders=4096"]

  private struct Page {
    var rows: [ClientEvent] = []
    var end: ListEnd
    var orders: [OrderReport] {
      rows.compactMap { if case .orderStatus(let order, _) = $0 { order } else { nil } }
    }
  }

  /// One page, or the reject of its request.
  private func page(
    _ client: Client, _ kind: ListKind, _ scope: ListScope = .own, of participant: UInt32 = 0,
    account: AccountId = .null, from cursor: UInt64 = 0, count: UInt32 = 100
  ) throws -> Result<Page, Refused> {
    let reference = try client.requestList(
      kind, scope: scope, participant: ParticipantId(participant), account: account,
      meter: kind == .gaps || kind == .readings ? MeterId(1) : MeterId(0), cursor: cursor,
      count: count)
    var rows: [ClientEvent] = []
    return try client.wait { event in
      switch event {
      case .listEnd(let end) where end.reference == reference:
        return .success(Page(rows: rows, end: end))
      case .rejected(let rejection) where rejection.reference == reference:
        return .failure(Refused(code: rejection.code))
      case .orderStatus(_, reference), .balance(_, reference), .agentSet(_, reference),
        .area(_, reference), .instrument(_, _, reference), .listRow(_, reference):
        rows.append(event)
        return nil
      default: return nil
      }
    }
  }

  private struct Refused: Error, Equatable { var code: RejectCode }

  private func bid(_ client: Client, _ account: AccountId, _ id: UInt64) throws -> OrderId {
    try client.enter(
      .limit(account, .buy, kilowattHours: 1, at: Int64(1 + id % 50), id: id))
    return try client.wait { event in
      if case .accepted(let order) = event, order.clientOrderId.rawValue == id {
        order.order
      } else {
        nil
      }
    }
  }

  @Test("Who asks for what belongs to others is refused, and so is a page of no rows or too many.")
  func permissions() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let (ana, desk) = (try village.trader(2, server), try village.operatorClient(server))
    func code(
      _ client: Client, _ kind: ListKind, _ scope: ListScope = .own, of participant: UInt32 = 0,
      account: AccountId = .null, count: UInt32 = 100
    ) throws -> RejectCode? {
      switch try page(client, kind, scope, of: participant, account: account, count: count) {
      case .success: nil
      case .failure(let refused): refused.code
      }
    }
    for kind in ListKind.allCases {
      #expect(try code(desk, kind, .all) == nil, "\(kind)")
      #expect(try code(ana, kind) == (kind.isForOperators ? .notPermitted : nil), "\(kind)")
      guard kind.isOfAccounts else { continue }
      // Ana's session has the role metering, which sees readings of all.
      let isReader = kind.isOfReadings
      #expect(try code(ana, kind, .all) == (isReader ? nil : .notPermitted))
      #expect(try code(ana, kind, .participant, of: 3) == (isReader ? nil : .notPermitted))
      #expect(try code(ana, kind, .participant, of: 2) == nil)
      #expect(try code(ana, kind, account: Village.ben) == (isReader ? nil : .foreignAccount))
      #expect(try code(ana, kind, account: AccountId(99)) == .unknownAccount)
      #expect(try code(desk, kind, account: Village.ben) == nil)
      #expect(try code(desk, kind, .participant, of: 9) == .unknownParticipant)
    }
    #expect(try code(ana, .orders, count: 0) == .badListCount)
    #expect(try code(ana, .orders, count: 101) == .badListCount)
    #expect(server.stop() == 0)
  }

  @Test(
    "Pages neither skip nor repeat an order while others change, also behind a kill.",
    arguments: [Int64(10), 400])
  func pages(orders: Int64) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    var ana = try village.trader(2, server)
    var open: [OrderId] = []
    for id in 1...UInt64(orders) { open.append(try bid(ana, Village.ana, id)) }
    var id = UInt64(orders)
    var seen: [OrderId] = []
    var staying = Set(open)
    var (cursor, number) = (UInt64(0), 0)
    repeat {
      let found = try page(ana, .orders, from: cursor, count: 7).get()
      #expect(found.end.rows == UInt32(found.orders.count) && found.orders.count <= 7)
      seen += found.orders.map(\.order)
      cursor = found.end.cursor
      // One leaves, and one comes.
      number += 1
      guard !open.isEmpty else { continue }
      let leaves = open.remove(at: (number * 7) % open.count)
      staying.remove(leaves)
      try ana.cancel(CancelOrder(account: Village.ana, order: leaves, clientOrderId: .engine))
      try ana.wait { if case .canceled = $0 { () } else { nil } }
      id += 1
      _ = try bid(ana, Village.ana, id)
      if number == 1 {
        server.kill()
        server = try ServerProcess(data: server.data, options: Self.options)
        ana = try village.trader(2, server)
      }
    } while cursor != 0
    #expect(Set(seen).count == seen.count, "no order twice")
    #expect(staying.isSubset(of: seen), "none that stayed is skipped")
    ana.close()
    #expect(server.stop() == 0)
  }

  @Test("An operator sees accounts, house accounts, participants, sessions and meters.")
  func contents() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let (ben, desk) = (try village.trader(3, server), try village.operatorClient(server))
    // Ben has cash and no position yet.
    try ben.requestBalance(of: Village.ben, in: AreaId(1))
    let balance = try ben.wait { if case .balance(let balance, _) = $0 { balance } else { nil } }
    #expect(balance.free == Money(units: 1_000_000_000_000) && balance.energy == .zero)
    #expect(balance.cap == Energy(wattHours: 20_000))
    var rows: [ListRow] = []
    for kind in [ListKind.accounts, .house, .participants, .sessions, .meters] {
      try desk.readList(kind, scope: .all) {
        if case .listRow(let row, _) = $0 { rows.append(row) }
      }
    }
    let cash = Money(units: 1_000_000_000_000)
    #expect(
      rows.contains(
        .account(Village.ben, of: ParticipantId(3), label: .empty, isClosed: false)))
    #expect(rows.contains(.cash(Village.ben, .eur, free: cash, reserved: .zero)))
    #expect(rows.contains(.cash(.house(AreaId(1), .grid), .eur, free: .zero, reserved: .zero)))
    #expect(
      rows.contains { if case .participant(ParticipantId(2), _) = $0 { true } else { false } })
    let meters = rows.compactMap { if case .meter(let meter) = $0 { meter } else { nil } }
    #expect(meters.map(\.account) == [Village.ana] && meters.map(\.capacity) == [.max])
    #expect(meters.map(\.ownReadings) == [false])
    let sessions = rows.compactMap { if case .session(let session) = $0 { session } else { nil } }
    #expect(sessions.map(\.session.rawValue) == [1, 2, 3])
    #expect(sessions.map { $0.connection != nil } == [true, false, true])
    #expect(sessions[2].connection?.address.contains("127.0.0.1") == true)
    #expect(server.stop() == 0)
  }

  @Test("The list of meters has rated power and who sends readings, also after a start.")
  func meterTerms() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    var said: [String] = []
    for words in [
      ["meter", "1", "--account", "11", "--area", "1", "--public-key", folder.path + "/m.pub"],
      ["meter", "2", "--account", "11", "--area", "1", "--capacity", "5000", "--own-readings"]
        + ["--public-key", String(repeating: "3c", count: 32)],
    ] {
      if said.isEmpty {
        _ = try Joulebook.run(["admin", "keygen", folder.path + "/m.key"])
      }
      let result = try Joulebook.run(
        ["admin"] + words
          + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
      #expect(result.status == 0, "\(result.errors)")
      said.append(result.output)
    }
    func list() throws -> [String] {
      let result = try Joulebook.run(
        ["admin", "list", "meters", "--csv", "--data", server.data]
          + ["--connect", "127.0.0.1:\(server.port)"])
      return result.output.split(separator: "\n").map(String.init)
    }
    // A change without a rated power keeps it.
    let rows = try list()
    #expect(rows.count == 3 && rows[1].hasPrefix("1,11,1,\(Int64.max)W,no,"), "\(rows)")
    #expect(rows.last?.hasPrefix("2,11,1,5000W,yes,device,,,3c3c") == true, "\(rows)")
    #expect(server.stop() == 0)
    server = try ServerProcess(data: server.data, options: Self.options)
    #expect(try list() == rows)
    #expect(server.stop() == 0)
  }

  @Test("A participant that asks for very many pages is told to wait (9007).")
  func cost() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: Self.options + ["--set", "client.work=1000"])
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    var refused = 0
    for _ in 0..<100 { try ana.requestList(.orders) }
    for _ in 0..<100 {
      let isRefused = try ana.wait { event -> Bool? in
        switch event {
        case .listEnd: return false
        case .rejected(let rejection): return rejection.code == .workLimit
        default: return nil
        }
      }
      if isRefused { refused += 1 }
    }
    #expect(refused > 0 && refused < 100)
    // Reading a whole list waits until it may.
    try ana.readList(.accounts) { _ in }
    #expect(server.stop() == 0)
  }

  @Test("The command line prints lists as a table, CSV and JSON.")
  func commandLine() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    _ = try bid(ana, Village.ana, 1)
    func list(_ arguments: [String]) throws -> Joulebook.Result {
      try Joulebook.run(
        arguments + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
    }
    for (arguments, words) in [
      (["orders"], "clientOrderId"), (["orders", "--account", "10", "--csv"], ",10,1,buy,"),
      (["accounts", "--participant", "3", "--json"], "\"account\": 11, \"participant\": 3"),
      (["balances"], "grid of area 1"), (["sessions"], "127.0.0.1"),
      (["participants", "--csv"], "2,trader"), (["meters"], "publicKey"),
      (["areas", "--csv"], "defaultCap,ownUse,localFirst,readingWindow,mintedQuality\n"),
      (["areas", "--csv"], ",3888000,substituted\n"),
      (["quarantine", "--csv"], "number,meter,account,"),
      (["gaps", "--meter", "1"], "length"), (["readings", "--meter", "1", "--json"], "[]"),
      (["areas"], "11XEXAMPLE"), (["instruments", "--csv"], ",makerFee,takerFee\n"),
      (["instruments"], "SPOT"), (["instructions", "--json"], "[]"),
    ] {
      let result = try list(["admin", "list"] + arguments)
      #expect(
        result.status == 0 && result.output.contains(words),
        "\(arguments) \(result.output) \(result.errors)")
    }
    let own = try list(["list", "areas"])
    #expect(own.status == 0 && own.output.contains("11XEXAMPLE"), "\(own.errors)")
    let unknown = try list(["admin", "list", "orders", "--account", "12"])
    #expect(unknown.status == 77, "\(unknown.errors)")
    #expect(
      unknown.errors.contains("there is no account 12; see `joulebook admin list accounts`"),
      "\(unknown.errors)")
    let misplaced = try list(["admin", "list", "areas", "--account", "1"])
    #expect(misplaced.status == 64, "\(misplaced.errors)")
    #expect(server.stop() == 0)
  }
}
