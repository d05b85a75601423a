import Crypto
import JoulebookClient
import MarketModel
import Testing

/// What lists of a market must have, kept from the commands that were acknowledged.
private struct KnownMarket {
  /// The key of a row, with what must be equal.
  enum Row: Hashable {
    case participant(ParticipantId)
    case session(SessionId, of: ParticipantId)
    case account(AccountId, of: ParticipantId)
    case meter(MeterId, of: AccountId)
    case limit(AccountId, LimitKind)
    case block(AccountId)
  }

  var participants: Set<ParticipantId> = [ParticipantId(1)]
  var sessions: [SessionId: ParticipantId] = [SessionId(1): ParticipantId(1)]
  var accounts: [AccountId: ParticipantId] = [:]
  var meters: [MeterId: AccountId] = [:]
  var limits: [AccountId: Set<LimitKind>] = [:]
  var blocks: Set<AccountId> = []

  /// The rows of a list of everybody, or of one participant.
  func rows(_ kind: ListKind, of participant: ParticipantId?) -> Set<Row> {
    func isMeant(_ account: AccountId) -> Bool {
      participant == nil || accounts[account] == participant
    }
    switch kind {
    case .participants: return Set(participants.map { .participant($0) })
    case .sessions: return Set(sessions.map { .session($0, of: $1) })
    case .accounts: return Set(accounts.filter { isMeant($0.key) }.map { .account($0, of: $1) })
    case .meters: return Set(meters.filter { isMeant($1) }.map { .meter($0, of: $1) })
    case .limits:
      return Set(
        limits.filter { isMeant($0.key) }.flatMap { account, kinds in
          kinds.map { .limit(account, $0) }
        })
    case .blocks: return Set(blocks.filter(isMeant).map { .block($0) })
    default: return []
    }
  }

  static func row(_ row: ListRow) -> Row? {
    switch row {
    case .participant(let participant, _): .participant(participant)
    case .session(let session): .session(session.session, of: session.participant)
    case .account(let account, let participant, _, _): .account(account, of: participant)
    case .meter(let meter): .meter(meter.meter, of: meter.account)
    case .limit(let limit): .limit(limit.account, limit.kind)
    case .block(let block): .block(block.account)
    case .cash, .trade, .parameterChange, .meterChange, .quarantined, .gap, .reading: nil
    }
  }
}

/// A list that is read page by page.
private struct ListReading {
  let kind: ListKind
  let scope: ListScope
  var cursor: UInt64 = 0
  var seen: [KnownMarket.Row] = []
  var staying: Set<KnownMarket.Row>
}

@Suite("Lists by page, compared with what was done, on a real server", .serialized)
struct ListComparisonServerTests {
  private static let options = ["--set", "capacity.orders=4096"]
  private static let kinds: [ListKind] = [
    .participants, .sessions, .accounts, .meters, .limits, .blocks,
  ]

  /// Makes, changes, limits or blocks something at random.
  private func change(
    _ desk: Client, _ known: inout KnownMarket, _ key: PublicKey, _ random: inout SeededRandom
  ) throws {
    func pick(_ range: ClosedRange<UInt32>) -> UInt32 { .random(in: range, using: &random) }
    func send(_ body: Command.Body) throws { try desk.settle(desk.submit(body)) }
    let account = known.accounts.keys.sorted { $0.rawValue < $1.rawValue }
      .randomElement(using: &random)
    switch (pick(0...9), account) {
    case (0, _):
      let new = ParticipantId(pick(2...60))
      if !known.participants.insert(new).inserted { return }
      try send(
        .reference(.createParticipant(CreateParticipant(participant: new, name: .empty))))
    case (1, _):
      let owner = try #require(
        known.participants.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random))
      let new = SessionId(pick(10...90))
      if known.sessions[new] != nil { return }
      known.sessions[new] = owner
      try send(
        .reference(
          .registerSession(
            RegisterSession(session: new, participant: owner, roles: .trading, publicKey: key))))
    case (2...4, _), (_, nil):
      let new = AccountId(pick(20...150))
      if known.accounts[new] != nil { return }
      let owner = ParticipantId(pick(2...3))
      known.accounts[new] = owner
      try send(.reference(.createAccount(CreateAccount(account: new, participant: owner))))
    case (5, let account?):
      let meter = MeterId(pick(2...80))
      if known.meters[meter] != nil { return }
      known.meters[meter] = account
      try send(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: meter, account: account, area: AreaId(1), publicKey: key, capacity: 0))))
    case (6...7, let account?):
      let kind = [LimitKind.orderQuantity, .openOrders, .dailyNotional, .cashAtRisk][
        Int(pick(0...3))]
      let ends = known.limits[account]?.contains(kind) == true
      if ends {
        known.limits[account]?.remove(kind)
      } else {
        known.limits[account, default: []].insert(kind)
      }
      try send(
        .reference(.setLimit(SetLimit(account: account, kind: kind, value: ends ? 0 : 1_000))))
    case (_, let account?):
      let releases = known.blocks.remove(account) != nil
      if !releases { known.blocks.insert(account) }
      try send(.reference(.setBlock(SetBlock(account: account, releases: releases))))
    }
  }

  /// Reads a page of random size.
  private func read(
    _ client: Client, _ list: inout ListReading, _ random: inout SeededRandom
  ) throws {
    let count = UInt32.random(in: 1...9, using: &random)
    let reference = try client.requestList(
      list.kind, scope: list.scope, cursor: list.cursor, count: count)
    var rows: [KnownMarket.Row] = []
    var all = 0
    list.cursor = try client.wait { event in
      switch event {
      case .listRow(let row, reference):
        if let row = KnownMarket.row(row) { rows.append(row) }
        all += 1
      case .balance(_, reference): all += 1
      case .listEnd(let end) where end.reference == reference:
        #expect(Int(end.rows) == all && all <= Int(count))
        return end.cursor
      case .rejected(let rejection): Issue.record("rejected with \(rejection.code)")
      default: break
      }
      return nil
    }
    list.seen += rows
  }

  @Test(
    "What stays is in exactly one page, and a trader sees only its own, over killed servers.",
    arguments: [UInt64(1), 2])
  func random(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    var known = KnownMarket()
    known.participants.formUnion([ParticipantId(2), ParticipantId(3)])
    known.sessions[SessionId(2)] = ParticipantId(2)
    known.sessions[SessionId(3)] = ParticipantId(3)
    known.accounts = [Village.ana: ParticipantId(2), Village.ben: ParticipantId(3)]
    known.meters = [MeterId(1): Village.ana]
    let key = PublicKey(village.key.publicKey)
    var (desk, ana) = (try village.operatorClient(server), try village.trader(2, server))
    var lists: [ListReading] = []
    var ended = 0
    for step in 1...500 {
      try change(desk, &known, key, &random)
      while lists.count < 5 {
        let kind = Self.kinds[Int.random(in: 0..<Self.kinds.count, using: &random)]
        let isOwn = !kind.isForOperators && Bool.random(using: &random)
        lists.append(
          ListReading(
            kind: kind, scope: isOwn ? .own : .all,
            staying: known.rows(kind, of: isOwn ? ParticipantId(2) : nil)))
      }
      for list in lists.indices {
        let of = lists[list].scope == .own ? ParticipantId(2) : nil
        lists[list].staying.formIntersection(known.rows(lists[list].kind, of: of))
      }
      if step % 180 == 0 {
        server.kill()
        server = try ServerProcess(data: server.data, options: Self.options)
        (desk, ana) = (try village.operatorClient(server), try village.trader(2, server))
      }
      let index = Int.random(in: 0..<lists.count, using: &random)
      let before = lists[index].seen.count
      try read(lists[index].scope == .own ? ana : desk, &lists[index], &random)
      let of = lists[index].scope == .own ? ParticipantId(2) : nil
      let now = known.rows(lists[index].kind, of: of)
      #expect(lists[index].seen[before...].allSatisfy(now.contains), "a stranger's row, or none")
      guard lists[index].cursor == 0 else { continue }
      let list = lists.remove(at: index)
      #expect(Set(list.seen).count == list.seen.count, "\(list.kind): twice")
      #expect(list.staying.subtracting(list.seen).isEmpty, "\(list.kind): skipped")
      ended += 1
    }
    #expect(ended > 15)
    ana.close()
    #expect(server.stop() == 0)
  }
}
