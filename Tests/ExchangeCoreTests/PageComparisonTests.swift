import MarketModel
import Testing

@testable import ExchangeCore

/// What a row of a list is about; a row keeps it as long as it exists.
private enum RowKey: Hashable {
  case order(OrderId)
  case account(AccountId)
  case cash(AccountId, Currency)
  case energy(AccountId, AreaId)
  case instruction(AccountId, InstrumentId)
  case house(AccountId)
  case limit(ModelSubject, LimitKind)
  case block(ModelSubject)
  case change(SetParameter)
  case meterChange(MeterId)

  /// Whether several rows may have it: two equal changes may be announced.
  var mayRepeat: Bool { if case .change = self { true } else { false } }
}

/// A list that is read page by page while the market changes.
private struct ListWalk {
  var query: ListQuery
  var seen: Set<RowKey> = []
  /// What existed at every moment since the first page was asked for.
  var staying: Set<RowKey>
  var pages = 0
  var faults: [String] = []

  /// Adds the rows of a page. A key comes once.
  mutating func add(_ keys: [RowKey]) {
    pages += 1
    for key in keys where !seen.insert(key).inserted && !key.mayRepeat {
      faults.append("\(key) comes twice")
    }
    if keys.count > query.count { faults.append("\(keys.count) rows of at most \(query.count)") }
  }
}

@Suite("Lists by page, compared with a model")
struct PageComparisonTests {
  private static let kinds: [ListKind] = [
    .orders, .accounts, .instructions, .house, .limits, .blocks, .changes,
  ]

  private func again(_ exchange: borrowing Exchange) throws -> Exchange {
    let bytes = StateBytes()
    exchange.write(to: bytes)
    guard let read = Exchange(capacity: exchange.capacity, reading: bytes) else {
      Issue.record("refused: \(bytes.rejected ?? "")")
      return Exchange(capacity: exchange.capacity)
    }
    return read
  }

  /// A list of random rows, and the bounds of its pages, which are often narrow.
  private func query(_ random: inout RandomMarket) -> ListQuery {
    var query = ListQuery(Self.kinds[Int(random.dice(UInt32(Self.kinds.count)))])
    if query.kind != .house, query.kind != .changes {
      switch random.dice(4) {
      case 0: query.participant = ParticipantId(1 + random.dice(3))
      case 1: query.account = AccountId(1 + random.dice(random.accounts))
      default: break
      }
    }
    return query
  }

  private func bounds(_ random: inout RandomMarket) -> PageBounds {
    var bounds = PageBounds()
    if random.dice(3) == 0 { return bounds }
    bounds.steps = Int(1 + random.dice(12))
    bounds.rowsOfStep = Int(1 + random.dice(3))
    bounds.shortList = Int(random.dice(6))
    return bounds
  }

  @Test(
    "A row that stays is in exactly one page, whatever happens between pages, and no other's row is.",
    arguments: UInt64(1)...24)
  func random(seed: UInt64) throws {
    var random = RandomMarket(seed: seed)
    var market = Market(capacity: random.capacity)
    var steps = random.world()
    var walks: [ListWalk] = []
    var (count, ended, longest) = (0, 0, 0)
    while count < 2_000 {
      if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
      let outcome = market.apply(steps[count], deep: false)
      try #require(outcome.differences.isEmpty, "step \(count): \(outcome.differences)")
      count += 1
      for index in walks.indices {
        walks[index].staying.formIntersection(market.model.keys(walks[index].query))
      }
      if random.dice(100) == 0 { market.exchange = try again(market.exchange) }
      if walks.count < 4 {
        let query = query(&random)
        walks.append(ListWalk(query: query, staying: market.model.keys(query)))
      }
      guard random.dice(3) == 0 else { continue }
      let index = Int(random.dice(UInt32(walks.count)))
      walks[index].query.count = Int(1 + random.dice(5))
      let page = market.exchange.page(walks[index].query, bounds: bounds(&random))
      let known = market.model.keys(walks[index].query)
      walks[index].add(try page.rows.map { try market.model.key($0, known) })
      walks[index].query.cursor = page.next
      try #require(walks[index].pages < 2_000, "step \(count): the list does not end")
      guard page.next == 0 else { continue }
      let walk = walks.remove(at: index)
      let missing = walk.staying.subtracting(walk.seen)
      let faults = walk.faults + missing.map { "\($0) is missing" }
      try #require(faults == [], "step \(count), \(walk.query.kind)")
      (ended, longest) = (ended + 1, max(longest, walk.pages))
    }
    // Otherwise nothing was compared.
    #expect(ended > 20 && longest > 3)
  }
}

extension ReferenceModel {
  /// What a list has now, found by looking at everything.
  fileprivate func keys(_ query: ListQuery) -> Set<RowKey> {
    var keys: Set<RowKey> = []
    func isMeant(_ account: AccountId) -> Bool {
      if query.account != .null { return account == query.account }
      return query.participant.map { accounts[account]?.participant == $0 } ?? true
    }
    switch query.kind {
    case .orders:
      for order in orders.values where isMeant(order.account) { keys.insert(.order(order.id)) }
    case .accounts:
      for account in accounts.keys where isMeant(account) { keys.insert(.account(account)) }
      for key in cash.keys where isMeant(key.account) && accounts[key.account] != nil {
        keys.insert(.cash(key.account, key.currency))
      }
      for key in positions.map(\.key) where isMeant(key.account) {
        keys.insert(.energy(key.account, key.area))
      }
    case .instructions:
      for position in positions where isMeant(position.key.account) {
        guard let agent = position.agent else { continue }
        keys.insert(.instruction(position.key.account, agent.instruction.instrument))
      }
    case .house:
      for area in areas.keys {
        keys.formUnion([.house(.house(area, .fees)), .house(.house(area, .grid))])
      }
    case .limits:
      for limit in Set(limitsOfOperators.keys).union(limitsOfAdministrators.keys)
      where isOf(limit.subject, query) {
        keys.insert(.limit(limit.subject, limit.kind))
      }
    case .blocks:
      for subject in blockedByOperators.union(blockedByAdministrators)
      where isOf(subject, query) {
        keys.insert(.block(subject))
      }
    case .changes:
      for pending in pendingParameters { keys.insert(.change(pending.change)) }
      for (number, meter) in meters where announcedBefore(meter) != nil {
        keys.insert(.meterChange(number))
      }
    default: break
    }
    return keys
  }

  /// What a meter with an announced change is until then, without an account where it has none;
  /// `nil`: none is announced.
  private func announcedBefore(_ meter: ModelMeter) -> RegisterMeter? {
    guard meter.from > now else { return nil }
    if let before = meter.before, before.account != .null { return before }
    guard meter.definition.account != .null else { return nil }
    var before = meter.definition
    (before.account, before.ownReadings) = (.null, meter.before?.ownReadings ?? false)
    return before
  }

  private func isOf(_ subject: ModelSubject, _ query: ListQuery) -> Bool {
    if query.account != .null { return subject == .account(query.account) }
    guard let participant = query.participant else { return true }
    return switch subject {
    case .participant(let subject): subject == participant
    case .account(let account): accounts[account]?.participant == participant
    case .session(let session): sessions[session]?.participant == participant
    }
  }

  /// The key of a row, whose content is compared with the model.
  /// - Parameter known: What the list has now.
  fileprivate func key(_ row: ListPage.Row, _ known: Set<RowKey>) throws -> RowKey {
    let key: RowKey
    switch row {
    case .order(let state):
      key = .order(state.order)
      let order = try #require(orders[state.order])
      #expect(
        state.leaves.wattHours == order.leaves && state.price.ticks == order.price
          && state.account == order.account && state.covered.wattHours == order.covered)
    case .account(let account, let participant, let label, let isClosed):
      key = .account(account)
      let known = accounts[account]
      #expect(known?.participant == participant)
      #expect(known?.label == label && known?.isClosed == isClosed)
    case .cash(let account, let currency, let free, let reserved):
      key = account.isHouse ? .house(account) : .cash(account, currency)
      if !account.isHouse {
        let held = try #require(cash[CashKey(account, currency)])
        #expect(held.free == free.units && held.reserved == reserved.units)
      }
    case .balance(let balance):
      key = .energy(balance.account, balance.area)
      let position = position(PositionKey(account: balance.account, area: balance.area))
      #expect(position?.energy == balance.energy.wattHours)
    case .instruction(let agent):
      key = .instruction(agent.account, agent.instrument)
      #expect(positions.contains { $0.agent?.instruction == agent })
    case .limit(let limit):
      let subject = ModelSubject(limit.participant, limit.account, limit.session)
      key = .limit(subject, limit.kind)
      let named = ModelLimit(subject: subject, kind: limit.kind)
      #expect(limit.ofOperator == limitsOfOperators[named] ?? 0)
      #expect(limit.ofAdministrator == limitsOfAdministrators[named] ?? 0)
      #expect(limit.inForce > 0)
    case .block(let block):
      let subject = ModelSubject(block.participant, block.account, block.session)
      key = .block(subject)
      #expect(block.byOperator == blockedByOperators.contains(subject))
      #expect(block.byAdministrator == blockedByAdministrators.contains(subject))
    case .parameterChange(let listed):
      key = .change(listed.change)
      #expect(pendingParameters.contains { $0.command.session == listed.session })
    case .meterChange(let listed):
      key = .meterChange(listed.meter)
      let meter = try #require(meters[listed.meter])
      let before = try #require(announcedBefore(meter))
      #expect(listed.from == meter.from && listed.newAccount == meter.definition.account)
      #expect(listed.account == before.account && listed.area == before.area)
      #expect(listed.ownReadings == before.ownReadings)
      #expect(listed.newOwnReadings == meter.definition.ownReadings)
      #expect(listed.newAccount == .null || listed.newArea == meter.definition.area)
    case .quarantined, .gap, .reading:
      // Of readings; compared by ReadingPageTests.
      throw UnknownRow(row: row)
    }
    #expect(known.contains(key), "\(key) is not of the list")
    return key
  }
}

extension ModelSubject {
  /// What a row of limits or blocks names.
  fileprivate init(_ participant: ParticipantId, _ account: AccountId, _ session: SessionId) {
    self =
      account != .null
      ? .account(account) : session != .exchange ? .session(session) : .participant(participant)
  }
}

/// A row of another list than those that are compared here.
private struct UnknownRow: Error {
  let row: ListPage.Row
}
