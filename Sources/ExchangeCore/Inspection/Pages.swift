// Lists by page (docs/PROTOCOL.md, "Lists"). A page changes nothing and is not journaled.
//
//     cursor   account << 32 | place in the account     the first key that no page has looked at
//              place: slot of an order | 0, currency, area of an account's rows
//              (house accounts: area << 1 | role)
//
// A row keeps its key as long as it exists: an order its slot, also when it is replaced. A page ends
// after a bounded number of steps, whether or not it found rows.

import MarketModel

extension Exchange {
  /// A page of the open orders, accounts, instructions, house accounts, limits or blocks.
  /// - Returns: An empty last page for a kind that the exchange does not list.
  /// - Complexity: At most `bounds.steps` steps, the positions of one account, and the rows.
  package func page(_ query: ListQuery, bounds: PageBounds = PageBounds()) -> ListPage {
    if query.kind == .house { return housePage(query) }
    if query.kind == .limits || query.kind == .blocks { return restrictionPage(query, bounds) }
    if query.kind == .changes { return changePage(query, bounds) }
    if query.kind.isOfReadings { return readingPage(query, bounds) }
    guard [.orders, .accounts, .instructions].contains(query.kind) else { return ListPage() }
    var walk = PageWalk(query, bounds)
    while let account = nextAccount(&walk) {
      switch query.kind {
      case .orders: listOrders(account, &walk)
      default: listAccount(account, &walk)
      }
      if walk.isFull { break }
    }
    return ListPage(walk.rows, next: walk.next)
  }

  /// The next account of the query at or after the cursor; `nil` at the end of the list or the page.
  private func nextAccount(_ walk: inout PageWalk) -> UInt32? {
    let query = walk.query
    var (number, looked) = (max(1, walk.account), 0)
    if query.account != .null {
      guard number <= query.account.rawValue else { return walk.end() }
      if number < query.account.rawValue { walk.move(to: query.account.rawValue) }
      number = query.account.rawValue
    }
    while number <= min(capacity.accounts, query.lastAccount) {
      let row = accounts[number]
      if row.exists, query.participant.map({ $0.rawValue == row.participant }) ?? true {
        if number != walk.account { walk.move(to: number) }
        return number
      }
      if query.account != .null { return walk.end() }
      number += 1
      looked += 1
      if looked % walk.bounds.rowsOfStep == 0 {
        walk.steps -= 1
        if walk.steps <= 0 {
          walk.move(to: number)
          return nil
        }
      }
    }
    return walk.end()
  }

  // MARK: Orders

  private func listOrders(_ account: UInt32, _ walk: inout PageWalk) {
    guard let slots = shortListOfOrders(account, &walk) else {
      return scanOrders(account, &walk)
    }
    for slot in slots.sorted() where slot >= walk.place {
      if walk.rows.count == walk.query.count { return walk.stay(at: slot) }
      walk.rows.append(.order(state(open(slot))))
    }
    walk.move(to: account + 1)
  }

  /// The slots of an account's open orders, in any order; `nil`: it has many.
  private func shortListOfOrders(_ account: UInt32, _ walk: inout PageWalk) -> [UInt32]? {
    let most = walk.bounds.shortList
    var slots: [UInt32] = []
    var (position, positions) = (accounts[account].firstPosition, 0)
    while position != 0 {
      positions += 1
      if positions > most { return nil }
      for side in [Side.sell, .buy] {
        let owned = owned(position, side)
        if slots.count + Int(owned.count) > most { return nil }
        var slot = owned.head
        while slot != 0 {
          slots.append(slot)
          slot = orders.links[slot].ownerNext
        }
      }
      position = balances.positions[position].next
    }
    walk.steps -= slots.count + positions
    return slots
  }

  private func scanOrders(_ account: UInt32, _ walk: inout PageWalk) {
    var (slot, looked) = (max(1, walk.place), 0)
    while slot <= orders.used {
      if walk.rows.count == walk.query.count || walk.steps <= 0 { return walk.stay(at: slot) }
      let row = orders[slot]
      if row.marks.isOpen, balances.positions[row.position].account == account {
        walk.rows.append(.order(state(open(slot))))
      }
      slot += 1
      looked += 1
      if looked % max(1, walk.bounds.rowsOfStep / 2) == 0 { walk.steps -= 1 }
    }
    walk.move(to: account + 1)
  }

  // MARK: Accounts and instructions

  /// The place of an account's cash in a currency.
  private static func place(_ currency: UInt16) -> UInt32 { 1 << 16 | UInt32(currency) }
  /// The place of an account's position in an asset.
  private static func place(asset: UInt32) -> UInt32 { 1 << 17 + asset }

  private func listAccount(_ account: UInt32, _ walk: inout PageWalk) {
    let isBrief = walk.query.kind == .instructions
    var found: [(place: UInt32, row: ListPage.Row)] = []
    if !isBrief {
      let owner = ParticipantId(accounts[account].participant)
      let term = accountTerms[account]
      found.append(
        (0, .account(AccountId(account), owner, label: term.label, isClosed: term.isClosed)))
      addCash(account, to: &found)
    }
    var position = accounts[account].firstPosition
    while position != 0 {
      walk.steps -= 1
      let place = Self.place(asset: balances.positions[position].asset)
      if place >= walk.place {
        if !isBrief {
          found.append((place, .balance(balance(position))))
        } else if balances.positions[position].hasAgent {
          found.append((place, .instruction(instruction(position))))
        }
      }
      position = balances.positions[position].next
    }
    found.sort { $0.place < $1.place }
    for (place, row) in found where place >= walk.place {
      if walk.rows.count == walk.query.count { return walk.stay(at: place) }
      walk.rows.append(row)
    }
    walk.steps -= 1
    walk.move(to: account + 1)
  }

  private func addCash(
    _ account: UInt32, to found: inout [(place: UInt32, row: ListPage.Row)]
  ) {
    var holding = accounts[account].firstHolding
    while holding != 0 {
      let row = balances.holdings[holding]
      found.append(
        (
          Self.place(row.currency),
          .cash(
            AccountId(account), Currency(row.currency), free: Money(units: row.free),
            reserved: Money(units: row.reserved))
        ))
      holding = row.next
    }
  }

  // MARK: House accounts and single balances

  /// The cursor is the area's number << 1 | 1 for the grid.
  private func housePage(_ query: ListQuery) -> ListPage {
    var rows: [ListPage.Row] = []
    var place = UInt32(clamping: max(2, query.cursor))
    while place >> 1 <= capacity.areas {
      let row = products.areas[place >> 1]
      if row.exists {
        if rows.count == query.count { return ListPage(rows, next: UInt64(place)) }
        let (area, isGrid) = (AreaId(UInt16(place >> 1)), place & 1 == 1)
        rows.append(
          .cash(
            .house(area, isGrid ? .grid : .fees), Currency(row.currency),
            free: Money(units: isGrid ? row.grid : row.fees), reserved: .zero))
      }
      place += 1
    }
    return ListPage(rows)
  }

  /// An account's balances in an area; without a position there, its cash in the area's currency and
  /// the area's default cap. A house account has its cash.
  /// - Returns: `nil` when there is no such account or area.
  package func balanceOrCash(of account: AccountId, in area: AreaId) -> Balance? {
    if let balance = balance(of: account, in: area) { return balance }
    guard exists(area) else { return nil }
    let row = products.areas[UInt32(area.rawValue)]
    var (free, reserved) = (Int64(0), Int64(0))
    if account == .house(area, .fees) {
      free = row.fees
    } else if account == .house(area, .grid) {
      free = row.grid
    } else if exists(account) {
      let holding = findHolding(account, Currency(row.currency))
      if holding != 0 {
        (free, reserved) = (balances.holdings[holding].free, balances.holdings[holding].reserved)
      }
    } else if !account.isHouse {
      return nil
    }
    return Balance(
      account: account, area: area, currency: Currency(row.currency), free: Money(units: free),
      reserved: Money(units: reserved), energy: .zero, cap: Energy(wattHours: row.defaultCap),
      coveredAsks: .zero, coveredBids: .zero, openAsks: .zero, openBids: .zero)
  }
}

/// What bounds the work of a page; less than usual only in tests.
package struct PageBounds {
  /// Most steps of a page: orders and positions visited in no order of memory.
  package var steps = 1_024
  /// Rows of a table, visited one after another, that take as long as a step.
  package var rowsOfStep = 8
  /// Most open orders of an account that are found by its lists; those of more by their slots.
  package var shortList = 256

  /// The usual bounds.
  package init() {}
}

/// The page being made, and the place at which it continues.
private struct PageWalk {
  let query: ListQuery
  let bounds: PageBounds
  var rows: [ListPage.Row] = []
  /// Steps that may still be made.
  var steps: Int
  /// The next account to look at, and the first place of it.
  private(set) var account: UInt32
  private(set) var place: UInt32
  private var isEnded = false
  private var isStopped = false

  init(_ query: ListQuery, _ bounds: PageBounds) {
    (self.query, self.bounds, steps) = (query, bounds, bounds.steps)
    account = UInt32(truncatingIfNeeded: query.cursor >> 32)
    place = UInt32(truncatingIfNeeded: query.cursor)
  }

  /// Whether the page ends here.
  var isFull: Bool { isStopped || rows.count >= query.count || steps <= 0 }
  /// The cursor of the next page; 0 at the end of the list.
  var next: UInt64 { isEnded ? 0 : UInt64(account) << 32 | UInt64(place) }

  /// Goes on with the first place of another account.
  mutating func move(to account: UInt32) { (self.account, place) = (account, 0) }

  /// Ends the page before a place of the present account.
  mutating func stay(at place: UInt32) { (self.place, isStopped) = (place, true) }

  /// Ends the list.
  mutating func end() -> UInt32? {
    isEnded = true
    return nil
  }
}
