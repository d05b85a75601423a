// Positions: an account's holding of an asset, found by account and asset.
//
//     account ─▶ first ─▶ second ─▶ ... ─▶ eighth ─▶ further        a list, in order of creation
//                                                      ▲
//     (account, asset) ─▶ index ───────────────────────┘            positions behind the eighth
//
// Most accounts have one or two positions, and the first is found without a search. For an account
// with hundreds (one for each quarter hour of a week, say) the index finds those behind the eighth.

import MarketModel

/// An account's holding of an asset: its level lies between a floor and a ceiling. The amount above
/// the floor covers asks, the amount below the ceiling covers bids.
struct Position: BitwiseCopyable {
  /// Level less floor, Wh; negative when the level is below the floor. Orders read `surplus` and
  /// `span`, so these are stored, and level and ceiling are computed from them.
  fileprivate(set) var surplus: Int64
  /// Ceiling less floor, Wh.
  fileprivate(set) var span: Int64
  var account: UInt32
  var holding: UInt32
  /// Next position of the account, in order of creation; in a freed row the next freed one.
  fileprivate(set) var next: UInt32
  /// Next position in the queue of touched positions (Touched.swift).
  var nextTouched: UInt32
  /// The area of the asset; its currency pays for the asset.
  fileprivate(set) var area: UInt16
  var hasOwnCap: Bool
  var isTouched: Bool
  var mustRunAgent: Bool
  var mustReport: Bool
  /// Whether it has a standing instruction.
  var hasAgent: Bool
  /// The lowest level to which orders may bring the position, Wh; 0 for energy.
  fileprivate(set) var floor: Int64
  /// The asset held (Products/Assets.swift).
  fileprivate(set) var asset: UInt32
  /// Previous position of the account; 0: this is the first.
  fileprivate(set) var previous: UInt32
  /// The participant of the account.
  fileprivate(set) var participant: UInt32
  /// Padding to a cache line.
  private var unused: UInt32

  /// The amount held, Wh; for energy, the stored energy.
  @inline(__always) var level: Int64 { floor + surplus }
  /// The most that may be held, Wh; for energy, Bmax.
  var ceiling: Int64 { floor + span }
  /// The amount that may still be added, Wh; at least 0.
  @inline(__always) var headroom: Int64 { max(0, span - surplus) }

  /// The quantity that can cover orders of `side`, Wh: surplus for asks, headroom for bids; at
  /// least 0.
  func available(_ side: Side) -> Int64 { max(0, backing(side)) }

  /// `available` without the lower bound of 0, for comparisons that do not need it.
  @inline(__always) func backing(_ side: Side) -> Int64 {
    side.select(sell: surplus, buy: headroom)
  }
}

/// A position in its table.
typealias PositionRow = Row<Position>

// MARK: The only functions that change a position's level and bounds

extension Row<Position> {
  /// Changes the level by `amount` Wh.
  @inline(__always) func move(_ amount: Int64) { address.pointee.surplus += amount }

  /// Sets the ceiling, Wh. The caller touches the position.
  func setCeiling(_ ceiling: Int64) { address.pointee.span = ceiling - address.pointee.floor }

  /// Sets the floor, Wh. The caller touches the position.
  func setFloor(_ floor: Int64) {
    let higher = floor - address.pointee.floor
    address.pointee.surplus -= higher
    address.pointee.span -= higher
    address.pointee.floor = floor
  }
}

extension Exchange {
  /// Refuses unless the account and the area exist.
  func validateExistence(_ account: AccountId, _ area: AreaId) -> Refusal? {
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return exists(area) ? nil : Refusal(.unknownArea, capacity.areas)
  }

  /// Refuses when the account, which exists, has no position in the asset and none can be created.
  func validatePositionCapacity(_ account: AccountId, _ asset: Asset) -> Refusal? {
    find(account, asset) == 0 ? validatePositionCapacity() : nil
  }

  /// The position of an account in an asset; 0 when it has none. Constant time.
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

  /// The position of an account in an asset; creates it when there is none.
  mutating func findOrMake(_ account: AccountId, _ asset: Asset) -> UInt32 {
    let found = find(account, asset)
    if found != 0 { return found }
    let definition = products.areas[UInt32(asset.area.rawValue)]
    let holding = findOrMakeHolding(account, Currency(definition.currency))
    let position = balances.allocatePosition()
    let last = accounts[account.rawValue].lastPosition
    balances.begin(
      position, account.rawValue, asset, participant: accounts[account.rawValue].participant,
      holding: holding, ceiling: definition.defaultCap, behind: last)
    if last == 0 { accounts[account.rawValue].firstPosition = position }
    accounts[account.rawValue].lastPosition = position
    invariant(find(account, asset) == position, "the created position is found")
    invariant(
      balances.holdings[holding].currency == definition.currency,
      "the holding of a position is in its area's currency")
    return position
  }

  /// Frees an empty position without orders and instruction, after its asset has ended.
  mutating func free(_ position: UInt32) {
    let row = balances.positions[position]
    invariant(
      row.level == 0 && !row.isTouched && !row.hasAgent && owned(position, .sell).count == 0
        && owned(position, .buy).count == 0, "a freed position is empty")
    if row.previous == 0 { accounts[row.account].firstPosition = row.next }
    if row.next == 0 { accounts[row.account].lastPosition = row.previous }
    balances.end(position)
    invariant(
      find(AccountId(row.account), Asset(number: row.asset)) == 0,
      "a freed position is no longer found")
  }

  /// Refuses when no further position, with the holding that it may need, can be created.
  func validatePositionCapacity() -> Refusal? {
    balances.hasFreePosition && balances.holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }
}

extension Balances {
  /// Number of an account's positions that are found by walking its list; the index has the others.
  static var walkLength: Int { 8 }

  /// The key of a position in the index.
  static func key(_ account: UInt32, _ asset: UInt32) -> UInt64 {
    UInt64(account) << 32 | UInt64(asset)
  }

  /// Whether a row is free.
  var hasFreePosition: Bool { freePosition != 0 || Int(positionCount) < positions.capacity - 1 }

  /// Takes a freed row, or else one that was never used.
  fileprivate mutating func allocatePosition() -> UInt32 {
    invariant(hasFreePosition, "the table has a free row")
    let position: UInt32
    if freePosition != 0 {
      position = freePosition
      freePosition = positions[position].next
    } else {
      positionCount += 1
      position = positionCount
    }
    invariant(positions[position].account == 0, "a free row has no account")
    return position
  }

  /// Fills a row and appends it to the account's list.
  fileprivate mutating func begin(
    _ position: UInt32, _ account: UInt32, _ asset: Asset, participant: UInt32, holding: UInt32,
    ceiling: Int64, behind last: UInt32
  ) {
    positions[position].participant = participant
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

  /// Unlinks and clears a row and adds it to the list of freed rows.
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

  /// Whether the index has the position: it stands behind the first `walkLength` of its account.
  private func isIndexed(_ position: UInt32) -> Bool {
    var before = positions[position].previous
    for _ in 0..<Balances.walkLength {
      if before == 0 { return false }
      before = positions[before].previous
    }
    return true
  }

  /// Fills the empty index, the backward links and the participants after an image was read. The
  /// image has no index, and images of older programs lack the links and the participants.
  mutating func index(_ accounts: borrowing Accounts) {
    for number in stride(from: 1, through: positionCount, by: 1)
    where positions[number].account != 0
      && accounts[positions[number].account].firstPosition == number
    {
      var (position, before, count) = (number, UInt32(0), 0)
      while position != 0, count <= Int(positionCount) {
        positions[position].previous = before
        positions[position].participant = accounts[positions[position].account].participant
        if count >= Balances.walkLength {
          index.insert(
            Balances.key(positions[position].account, positions[position].asset), position)
        }
        (before, position, count) = (position, positions[position].next, count + 1)
      }
    }
  }

  /// Sets the assets of positions from an older image, in which the area implied the asset.
  mutating func assignAssets() {
    for number in stride(from: 1, through: positionCount, by: 1) {
      positions[number].asset = UInt32(positions[number].area)
    }
  }
}

extension Position {
  /// An empty row.
  fileprivate static var none: Position {
    Position(
      surplus: 0, span: 0, account: 0, holding: 0, next: 0, nextTouched: 0, area: 0,
      hasOwnCap: false, isTouched: false, mustRunAgent: false, mustReport: false, hasAgent: false,
      floor: 0, asset: 0, previous: 0, participant: 0, unused: 0)
  }
}
