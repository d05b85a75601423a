// Lists by page of the limits and blocks in force.
//
//     cursor   subject << 40 | number << 8 | kind of limit      the first key not looked at
//              subject: participants, then sessions, then accounts
//
// A row keeps its key as long as its limit or block is in force.

import MarketModel

extension Exchange {
  /// A page of the limits or blocks. A query of one account has those of that account only.
  /// - Complexity: At most `steps * rowsOfStep` participants, sessions and accounts.
  func restrictionPage(_ query: ListQuery, _ bounds: PageBounds) -> ListPage {
    var rows: [ListPage.Row] = []
    var key = RestrictionKey(query.cursor)
    if query.account != .null { key.skip(to: .account, query.account.rawValue) }
    for _ in 0..<(bounds.steps * bounds.rowsOfStep) {
      while key.number > highest(key.subject, query) {
        guard key.moveToNextSubject() else { return ListPage(rows) }
      }
      for (kind, row) in restrictions(key, query) where kind >= key.kind {
        if rows.count == query.count {
          key.kind = kind
          return ListPage(rows, next: key.word)
        }
        rows.append(row)
      }
      key.moveToNextNumber()
    }
    return ListPage(rows, next: key.word)
  }

  /// The highest number of a subject that a page looks at.
  private func highest(_ subject: Blocked, _ query: ListQuery) -> UInt32 {
    switch subject {
    case .participant:
      min(capacity.participants, query.participant?.rawValue ?? query.lastParticipant)
    case .session: min(capacity.sessions, query.lastSession)
    case .account:
      query.account != .null
        ? min(query.account.rawValue, capacity.accounts)
        : min(restrictions.highestAccount, query.lastAccount)
    }
  }

  /// The rows of a participant, session or account, by kind of limit.
  private func restrictions(
    _ key: RestrictionKey, _ query: ListQuery
  ) -> [(kind: UInt8, row: ListPage.Row)] {
    let number = key.number
    let (owner, blocks): (UInt32, Blocks)
    switch key.subject {
    case .participant: (owner, blocks) = (number, restrictions.participants[number].blocks)
    case .session:
      (owner, blocks) = (
        reference.sessions[number].participant, restrictions.sessions[number].blocks
      )
    case .account:
      (owner, blocks) = (accounts[number].participant, restrictions.accounts[number].blocks)
    }
    if let participant = query.participant, participant.rawValue != owner { return [] }
    let account = key.subject == .account ? AccountId(number) : .null
    let session = key.subject == .session ? SessionId(number) : .exchange
    if query.kind == .blocks {
      guard blocks.isAny else { return [] }
      let block = ListedBlock(
        of: ParticipantId(owner), account: account, session: session,
        byOperator: blocks.isByOperator, byAdministrator: blocks.isByAdministrator)
      return [(0, .block(block))]
    }
    return limits(key.subject, number).compactMap { kind, pair in
      if pair.inForce == 0 { return nil }
      let limit = ListedLimit(
        kind, of: ParticipantId(owner), account: account, session: session,
        ofOperator: pair.ofOperator, ofAdministrator: pair.ofAdministrator)
      return (kind.rawValue, .limit(limit))
    }
  }

  /// The limits of a subject by ascending kind, whether they are set or not.
  private func limits(_ subject: Blocked, _ number: UInt32) -> [(LimitKind, LimitPair)] {
    switch subject {
    case .participant:
      let row = restrictions.participants[number]
      return [(.accounts, row.accounts), (.sessions, row.sessions)]
    case .session: return [(.messagesPerSecond, restrictions.sessions[number].messages)]
    case .account:
      let row = restrictions.accounts[number]
      return [
        (.orderQuantity, row.orderQuantity), (.openOrders, row.openOrders),
        (.dailyNotional, row.dailyNotional), (.cashAtRisk, row.cashAtRisk),
      ]
    }
  }
}

/// The place of a limit or block in the list.
private struct RestrictionKey {
  private static let order: [Blocked] = [.participant, .session, .account]
  private(set) var subject: Blocked
  private(set) var number: UInt32
  /// The first kind of limit that no page has looked at.
  var kind: UInt8

  /// A cursor's key. A cursor that no page has given is a place too.
  init(_ cursor: UInt64) {
    let index = min(Int(cursor >> 40), Self.order.count - 1)
    subject = Self.order[index]
    number = max(1, UInt32(truncatingIfNeeded: cursor >> 8))
    kind = UInt8(truncatingIfNeeded: cursor)
  }

  /// The cursor.
  var word: UInt64 {
    let index = Self.order.firstIndex(of: subject) ?? 0
    return UInt64(index) << 40 | UInt64(number) << 8 | UInt64(kind)
  }

  /// Goes to a number of a subject, unless it is there or behind it.
  mutating func skip(to subject: Blocked, _ number: UInt32) {
    if self.subject == subject, self.number >= number { return }
    (self.subject, self.number, kind) = (subject, number, 0)
  }

  mutating func moveToNextNumber() { (number, kind) = (number &+ 1, 0) }

  /// - Returns: `false` behind the last subject.
  mutating func moveToNextSubject() -> Bool {
    guard let index = Self.order.firstIndex(of: subject), index + 1 < Self.order.count else {
      return false
    }
    (subject, number, kind) = (Self.order[index + 1], 1, 0)
    return true
  }
}
