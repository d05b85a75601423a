// The shares of the pools of orders and price levels that accounts and participants have (section
// 11, "Shares"), and the bounds of a share.
//
// A level counts for the account whose order opened it, until the level is gone. The counts follow
// from the open orders and the levels, so an image does not contain them. They are kept only while
// a share can be at a bound:
//
//     few orders and levels ── the least bound is in use ──▶ counted once, then kept
//                           ◀── half of it is in use ──────

import MarketModel

/// The share of an account: the open orders that it has and the price levels that count for it.
struct AccountShare: BitwiseCopyable {
  var orders: UInt32
  /// The number of levels, shifted by one; the lowest bit: whether its orders are in the index.
  private var levelsAndIndex: UInt32

  var levels: UInt32 {
    @inline(__always) get { levelsAndIndex &>> 1 }
    @inline(__always) set { levelsAndIndex = newValue &<< 1 | levelsAndIndex & 1 }
  }

  /// Whether the index by client order id has its orders (ClientOrderIndex.swift).
  var isIndexed: Bool {
    @inline(__always) get { levelsAndIndex & 1 != 0 }
    set { levelsAndIndex = levelsAndIndex & ~1 | (newValue ? 1 : 0) }
  }
}

/// The share of a participant: the sums over its accounts.
struct ParticipantShare: BitwiseCopyable {
  var orders: UInt32
  var levels: UInt32
}

/// The bounds of a participant's share of one pool.
struct ShareBounds: BitwiseCopyable {
  /// The most entries of a participant: half of the pool, rounded up.
  let half: UInt32
  /// The most entries of a participant that takes one of the last eighth of the pool: a 64th of the
  /// pool, rounded up.
  let small: UInt32
  /// The number of entries in use at which the last eighth of the pool begins.
  let lastEighth: UInt32

  init(of pool: UInt32) {
    half = pool / 2 + pool % 2
    small = pool / 64 + (pool % 64 == 0 ? 0 : 1)
    lastEighth = pool - pool / 8
  }

  /// The bound of a participant while `used` entries of the pool are in use.
  func bound(at used: UInt32) -> UInt32 { used >= lastEighth ? small : half }

  /// The least number of entries in use at which a participant can be at its bound.
  var least: UInt32 { min(half, lastEighth) }
}

/// The shares of all accounts and participants, by number.
struct Shares: ~Copyable, StateComponent {
  let accounts: Table<AccountShare>
  let participants: Table<ParticipantShare>
  let orderBounds: ShareBounds
  let levelBounds: ShareBounds
  /// While fewer orders are open and fewer levels in use, no share is at a bound.
  let leastOrders: UInt32
  let leastLevels: UInt32
  /// Whether all shares are counted.
  private(set) var isCounting = false
  /// Accounts whose orders are in the index; their numbers of orders are kept.
  private(set) var indexedAccounts: UInt32 = 0
  /// Whether any count is kept, so that an order that enters or ends changes one.
  private(set) var isActive = false
  /// The most open orders of an account among which an order is found by a walk; tests lower it.
  var walkLength: UInt32 = 64
  /// Slots of orders by account and client order id, of the accounts that use it.
  var clientOrders: IndexTable

  init(capacity: Capacity) {
    accounts = Table(capacity: Int(capacity.accounts) + 1)
    participants = Table(capacity: Int(capacity.participants) + 1)
    orderBounds = ShareBounds(of: capacity.orders)
    levelBounds = ShareBounds(of: capacity.priceLevels)
    leastOrders = min(capacity.accountOrders, orderBounds.least)
    leastLevels = min(capacity.accountLevels, levelBounds.least)
    clientOrders = IndexTable(capacity: capacity.orders)
  }

  static func add(to layout: inout StateLayout) {}

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {}

  /// Nothing is counted, and no account is indexed.
  static func read(_ exchange: inout Exchange, from source: any StateSource) {}

  fileprivate mutating func setCounting(_ isCounting: Bool) {
    self.isCounting = isCounting
    isActive = isCounting || indexedAccounts > 0
  }

  /// An account with `orders` open orders is indexed from now on.
  mutating func beginIndex(of account: UInt32, orders: UInt32) {
    accounts[account].orders = orders
    accounts[account].isIndexed = true
    indexedAccounts &+= 1  // At most the number of accounts.
    isActive = true
  }

  /// An account is no longer indexed.
  mutating func endIndex(of account: UInt32) {
    accounts[account].isIndexed = false
    indexedAccounts &-= 1
    isActive = isCounting || indexedAccounts > 0
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.checkShares(&violations)
  }
}

// MARK: - Counting

extension Exchange {
  /// Adds an order that enters to its owner's list and to what is kept besides (`keepsMore`).
  @inline(never) mutating func addToAll(_ order: OpenOrder) {
    linkToDividedOwner(order, order.owned)
    if shares.isActive { countKept(order) }
  }

  /// Removes an order that ends from its owner's list and from what is kept besides.
  @inline(never) mutating func removeFromAll(_ order: OpenOrder) {
    unlinkFromDividedOwner(order, order.owned)
    if shares.isActive { uncountKept(order) }
  }

  /// Sets `keepsMore` after the counts, the index or the blocks began or ended.
  mutating func noteWhatIsKept() { keepsMore = shares.isActive || blocks.isActive }

  @inline(__always) private mutating func countKept(_ order: OpenOrder) {
    let (account, participant) = (order.owner.account, order.owner.participant)
    let isIndexed = shares.accounts[account].isIndexed
    // At most the capacity of the pool.
    if shares.isCounting || isIndexed { shares.accounts[account].orders &+= 1 }
    if shares.isCounting { shares.participants[participant].orders &+= 1 }
    if isIndexed { index(order) }
  }

  @inline(__always) private mutating func uncountKept(_ order: OpenOrder) {
    let (account, participant) = (order.owner.account, order.owner.participant)
    let isIndexed = shares.accounts[account].isIndexed
    if shares.isCounting || isIndexed { shares.accounts[account].orders &-= 1 }
    if shares.isCounting { shares.participants[participant].orders &-= 1 }
    if isIndexed { unindex(order) }
    if shares.isCounting, orders.count < shares.leastOrders / 2,
      books.ladder.levelCount < shares.leastLevels / 2
    {
      shares.setCounting(false)
      noteWhatIsKept()
    }
  }

  /// Notes who opens a level, and counts it for that account.
  @inline(__always) func countLevel(_ level: LevelRow, openedBy owner: PositionRow) {
    let (account, participant) = (owner.account, owner.participant)
    level.openedBy(account, of: participant)
    if shares.isCounting {
      shares.accounts[account].levels &+= 1
      shares.participants[participant].levels &+= 1
    }
  }

  /// Removes a level that ends from the counts.
  @inline(__always) func uncountLevel(_ level: LevelRow) {
    if shares.isCounting {
      shares.accounts[level.opener].levels &-= 1
      shares.participants[level.openerParticipant].levels &-= 1
    }
  }

  /// Counts all open orders and levels, unless the counts are kept. Takes time in proportion to
  /// them and to the capacity; afterwards as many orders as half of the least bound end before it
  /// can be necessary again.
  @inline(never) fileprivate mutating func countShares() {
    if shares.isCounting { return }
    for number in 0...capacity.accounts {
      (shares.accounts[number].orders, shares.accounts[number].levels) = (0, 0)
    }
    for number in 0...capacity.participants {
      (shares.participants[number].orders, shares.participants[number].levels) = (0, 0)
    }
    for slot in stride(from: 1, through: orders.used, by: 1) where orders[slot].marks.isOpen {
      let owner = open(slot).owner
      shares.accounts[owner.account].orders &+= 1
      shares.participants[owner.participant].orders &+= 1
    }
    invariant(orders.count <= orders.used, "open orders are within the pool")
    for number in stride(from: 1, through: books.ladder.usedLevels, by: 1)
    where books.ladder.levels[number].count > 0 {
      let level = books.ladder.levels[number]
      shares.accounts[level.opener].levels &+= 1
      shares.participants[level.openerParticipant].levels &+= 1
    }
    shares.setCounting(true)
    noteWhatIsKept()
  }

  /// Counts every level for the account of its first order instead of the one that opened it. The
  /// switch to version 3 calls it, so that the counts do not depend on how the state was restored:
  /// images of older programs do not say who opened a level.
  mutating func reassignLevels() {
    for number in stride(from: 1, through: books.ladder.usedLevels, by: 1)
    where books.ladder.levels[number].count > 0 {
      let level = books.ladder.levels.row(number)
      let first = level.liveHead != 0 ? level.liveHead : level.waitingHead
      invariant(first != 0, "a level has an order")
      uncountLevel(level)
      countLevel(level, openedBy: open(first).owner)
    }
  }
}

// MARK: - Validation

extension Exchange {
  /// Refuses an order of an account whose share, or whose participant's share, is at a bound.
  @inline(__always) mutating func validateShares(_ order: NewOrderRow, _ entry: Entry) -> Refusal? {
    if orders.count < shares.leastOrders && !mayBeAtLevelBound { return nil }
    return rules < 3 ? nil : validateShare(order, entry)
  }

  /// Whether enough levels are in use for a share to be at a bound of levels.
  @inline(__always) var mayBeAtLevelBound: Bool {
    books.ladder.levelCount >= shares.leastLevels
  }

  @inline(never) private mutating func validateShare(
    _ order: NewOrderRow, _ entry: Entry
  ) -> Refusal? {
    countShares()
    let account = order.account.rawValue
    let participant = accounts[account].participant
    invariant(participant <= capacity.participants, "the participant is within the table")
    if shares.accounts[account].orders >= capacity.accountOrders {
      return Refusal(.orderShare, capacity.accountOrders)
    }
    let bound = shares.orderBounds.bound(at: orders.count)
    if shares.participants[participant].orders >= bound { return Refusal(.orderShare, bound) }
    if order.timeInForce.isImmediate { return nil }
    return validateLevelShare(account, order.instrument.rawValue, order.side, entry.price)
  }

  /// Refuses an order at `price` that would open a level when the share of its account or
  /// participant is at its bound of levels.
  @inline(never) mutating func validateLevelShare(
    _ account: UInt32, _ instrument: UInt32, _ side: Side, _ price: Int64
  ) -> Refusal? {
    countShares()
    let participant = accounts[account].participant
    let bound = shares.levelBounds.bound(at: books.ladder.levelCount)
    let isOwnBound = shares.accounts[account].levels >= capacity.accountLevels
    if !isOwnBound, shares.participants[participant].levels < bound { return nil }
    let key = products.instruments[instrument].key(price, side)
    if books.ladder.contains(key, in: books.sides[bookIndex(instrument, side)]) { return nil }
    invariant(bound > 0, "a bound is positive")
    return Refusal(.orderShare, isOwnBound ? capacity.accountLevels : bound)
  }
}

// MARK: - Its invariants

extension Exchange {
  /// Checks the counts against the open orders and the levels.
  fileprivate func checkShares(_ violations: inout [String]) {
    var counted: [UInt32: (orders: UInt32, levels: UInt32)] = [:]
    var ofParticipants: [UInt32: (orders: UInt32, levels: UInt32)] = [:]
    for slot in stride(from: 1, through: orders.used, by: 1) where orders[slot].marks.isOpen {
      let owner = open(slot).owner
      counted[owner.account, default: (0, 0)].orders += 1
      ofParticipants[owner.participant, default: (0, 0)].orders += 1
      checkIndex(slot, &violations)
    }
    for number in stride(from: 1, through: books.ladder.usedLevels, by: 1)
    where books.ladder.levels[number].count > 0 {
      counted[books.ladder.levels[number].opener, default: (0, 0)].levels += 1
      ofParticipants[books.ladder.levels[number].openerParticipant, default: (0, 0)].levels += 1
    }
    for number in 0...capacity.accounts {
      let (share, expected) = (shares.accounts[number], counted[number] ?? (0, 0))
      let isWrong =
        shares.isCounting
        ? (share.orders, share.levels) != expected
        : share.isIndexed && share.orders != expected.orders
      if isWrong { violations.append("account \(number): share \(share) differs from \(expected)") }
      if share.isIndexed, share.orders == 0 {
        violations.append("account \(number): indexed without an order")
      }
    }
    let indexed = (0...capacity.accounts).count { shares.accounts[$0].isIndexed }
    if indexed != shares.indexedAccounts || shares.isActive != (shares.isCounting || indexed > 0) {
      violations.append("\(indexed) accounts are indexed, not \(shares.indexedAccounts)")
    }
    if keepsMore != (shares.isActive || blocks.isActive) {
      violations.append("what is kept beside the lists of orders is not noted: \(keepsMore)")
    }
    if !shares.isCounting { return }
    for number in 0...capacity.participants {
      let (share, expected) = (shares.participants[number], ofParticipants[number] ?? (0, 0))
      if (share.orders, share.levels) != expected {
        violations.append("participant \(number): share \(share) differs from \(expected)")
      }
    }
  }
}
