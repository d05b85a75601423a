// Positions: an account in an asset, found by both.
//
//     account ─▶ first ─▶ second ─▶ ... ─▶ eighth ─▶ further        a list, in order of creation
//                                                      ▲
//     (account, asset) ─▶ index ───────────────────────┘            of what stands behind the eighth
//
// Most accounts have one position or two, and the first is found without a search. One with hundreds (an account that
// trades every quarter hour of a week) finds its further ones in the index.

import MarketModel

/// An account in an asset: how much it has, between a floor and a ceiling. What is above the floor covers asks, what is
/// below the ceiling covers bids.
struct Position: BitwiseCopyable {
  /// What it has above its floor, Wh; below zero it is below the floor. (An order's way asks for this and for `span`, so
  /// that they are what is stored, and level and ceiling are counted from the floor.)
  fileprivate(set) var surplus: Int64
  /// From floor to ceiling, Wh.
  fileprivate(set) var span: Int64
  var account: UInt32
  var holding: UInt32
  /// Next position of the same account, in order of creation; of a free row the next free one.
  fileprivate(set) var next: UInt32
  /// Next position in the touched queue.
  var nextTouched: UInt32
  /// The area whose currency pays it.
  fileprivate(set) var area: UInt16
  var hasOwnCap: Bool
  var isTouched: Bool
  var mustRunAgent: Bool
  var mustReport: Bool
  /// Whether it has a standing instruction.
  var hasAgent: Bool
  /// The least that orders leave of it: 0 for energy, Wh.
  fileprivate(set) var floor: Int64
  /// What is held (Products/Assets.swift).
  fileprivate(set) var asset: UInt32
  /// The position of the same account before this one; 0: it is the first.
  fileprivate(set) var previous: UInt32
  /// Fills the line.
  private var unused: UInt64

  /// What it has: of energy what is stored, Wh.
  @inline(__always) var level: Int64 { floor + surplus }
  /// The most that it may have: of energy Bmax, Wh.
  var ceiling: Int64 { floor + span }
  /// What may still come.
  @inline(__always) var headroom: Int64 { max(0, span - surplus) }

  /// What can back orders of `side`: what is above the floor for asks, headroom for bids.
  func available(_ side: Side) -> Int64 { max(0, backing(side)) }

  /// The same, but below zero for asks where it is below the floor: enough to ask whether it is sufficient.
  @inline(__always) func backing(_ side: Side) -> Int64 {
    side.select(sell: surplus, buy: headroom)
  }
}

/// A position in its place.
typealias PositionRow = Row<Position>

// MARK: Nothing else changes what a position has and may have.

extension Row<Position> {
  /// Adds to what it has, or takes from it.
  @inline(__always) func move(_ amount: Int64) { address.pointee.surplus += amount }

  /// Sets the most that it may have. Who changes it touches the position.
  func setCeiling(_ ceiling: Int64) { address.pointee.span = ceiling - address.pointee.floor }

  /// Sets the least that orders leave of it. Who changes it touches the position.
  func setFloor(_ floor: Int64) {
    let higher = floor - address.pointee.floor
    address.pointee.surplus -= higher
    address.pointee.span -= higher
    address.pointee.floor = floor
  }
}

extension Exchange {
  /// Whether the account and the area exist.
  func validateExistence(_ account: AccountId, _ area: AreaId) -> Refusal? {
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return exists(area) ? nil : Refusal(.unknownArea, capacity.areas)
  }

  /// Whether the account, which exists, has a position in the asset or room for one.
  func validatePositionCapacity(_ account: AccountId, _ asset: Asset) -> Refusal? {
    find(account, asset) == 0 ? validatePositionCapacity() : nil
  }

  /// The position of an account in an asset; 0 without one. Constant time.
  @inline(__always) func find(_ account: AccountId, _ asset: Asset) -> UInt32 {
    let first = accounts[account.rawValue].firstPosition
    if first == 0 || balances.positions[first].asset == asset.number { return first }
    return findFurther(account, asset, behind: first)
  }

  private func findFurther(
    _ account: AccountId, _ asset: Asset, behind first: UInt32
  ) -> UInt32 {
    var position = balances.positions[first].next
    for _ in 1..<Balances.walkLength {
      if position == 0 || balances.positions[position].asset == asset.number { return position }
      position = balances.positions[position].next
    }
    return position == 0 ? 0 : balances.index.find(Balances.key(account.rawValue, asset.number))
  }

  /// The position of an account in an asset, made when there is none.
  mutating func findOrMake(_ account: AccountId, _ asset: Asset) -> UInt32 {
    let found = find(account, asset)
    if found != 0 { return found }
    let definition = products.areas[UInt32(asset.area.rawValue)]
    let holding = findOrMakeHolding(account, Currency(definition.currency))
    let position = balances.allocatePosition()
    let last = accounts[account.rawValue].lastPosition
    balances.begin(
      position, account.rawValue, asset, holding: holding, ceiling: definition.defaultCap,
      behind: last)
    if last == 0 { accounts[account.rawValue].firstPosition = position }
    accounts[account.rawValue].lastPosition = position
    invariant(find(account, asset) == position, "what was made is found")
    invariant(
      balances.holdings[holding].currency == definition.currency,
      "a position is paid in its area's currency")
    return position
  }

  /// Gives back a position in which nothing is and nothing stands: its asset has ended.
  mutating func free(_ position: UInt32) {
    let row = balances.positions[position]
    invariant(
      row.level == 0 && !row.isTouched && !row.hasAgent && owned(position, .sell).count == 0
        && owned(position, .buy).count == 0, "only what is empty is given back")
    if row.previous == 0 { accounts[row.account].firstPosition = row.next }
    if row.next == 0 { accounts[row.account].lastPosition = row.previous }
    balances.end(position)
    invariant(
      find(AccountId(row.account), Asset(number: row.asset)) == 0, "what was given back is gone")
  }

  /// Whether one more position, and the holding it may need, can be made.
  func validatePositionCapacity() -> Refusal? {
    balances.hasFreePosition && balances.holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }
}

extension Balances {
  /// So many of an account's positions are found by walking; the further ones are in the index.
  static var walkLength: Int { 8 }

  /// Under which an index has a position.
  static func key(_ account: UInt32, _ asset: UInt32) -> UInt64 {
    UInt64(account) << 32 | UInt64(asset)
  }

  /// Whether a row is left.
  var hasFreePosition: Bool { freePosition != 0 || Int(positionCount) < positions.capacity - 1 }

  /// Takes a row: one that was given back, or one that was never used.
  fileprivate mutating func allocatePosition() -> UInt32 {
    invariant(hasFreePosition, "room for a position was checked")
    let position: UInt32
    if freePosition != 0 {
      position = freePosition
      freePosition = positions[position].next
    } else {
      positionCount += 1
      position = positionCount
    }
    invariant(positions[position].account == 0, "a new position is nobody's")
    return position
  }

  /// Fills a row and links it behind the account's last.
  fileprivate mutating func begin(
    _ position: UInt32, _ account: UInt32, _ asset: Asset, holding: UInt32, ceiling: Int64,
    behind last: UInt32
  ) {
    positions[position].account = account
    positions[position].area = asset.area.rawValue
    positions[position].asset = asset.number
    positions.row(position).setCeiling(ceiling)
    positions[position].holding = holding
    positions[position].previous = last
    positions[position].next = 0
    if last != 0 { positions[last].next = position }
    if isIndexed(position) { index.insert(Balances.key(account, asset.number), position) }
  }

  /// Unlinks a row, empties it and keeps it for the next.
  fileprivate mutating func end(_ position: UInt32) {
    let row = positions[position]
    index.remove(Balances.key(row.account, row.asset))
    if row.previous != 0 { positions[row.previous].next = row.next }
    if row.next != 0 { positions[row.next].previous = row.previous }
    for side in [UInt32(0), 1] { owned[position << 1 | side] = PositionSide.none }
    positions[position] = Position.none
    positions[position].next = freePosition
    freePosition = position
  }

  /// Whether a position stands behind those that are found by walking.
  private func isIndexed(_ position: UInt32) -> Bool {
    var before = positions[position].previous
    for _ in 0..<Balances.walkLength {
      if before == 0 { return false }
      before = positions[before].previous
    }
    return true
  }

  /// Enters the further positions of all accounts into an empty index, and the links backwards: of an image, which
  /// has neither. An account's positions are met in the order of its list.
  mutating func index(_ accounts: borrowing Accounts) {
    for number in stride(from: 1, through: positionCount, by: 1)
    where positions[number].account != 0
      && accounts[positions[number].account].firstPosition == number
    {
      var (position, before, count) = (number, UInt32(0), 0)
      while position != 0, count <= Int(positionCount) {
        positions[position].previous = before
        if count >= Balances.walkLength {
          index.insert(
            Balances.key(positions[position].account, positions[position].asset), position)
        }
        (before, position, count) = (position, positions[position].next, count + 1)
      }
    }
  }

  /// Gives positions of the version before, which were an account in an area, their asset.
  mutating func assignAssets() {
    for number in stride(from: 1, through: positionCount, by: 1) {
      positions[number].asset = UInt32(positions[number].area)
    }
  }
}

extension Position {
  /// A row without a position.
  fileprivate static var none: Position {
    Position(
      surplus: 0, span: 0, account: 0, holding: 0, next: 0, nextTouched: 0, area: 0,
      hasOwnCap: false, isTouched: false, mustRunAgent: false, mustReport: false, hasAgent: false,
      floor: 0, asset: 0, previous: 0, unused: 0)
  }
}
