// Finding and making holdings and positions. An account has few of each, so both are short lists.

import MarketModel

extension Exchange {
  /// The position of an account in an area; 0 without one.
  @inline(__always) func find(_ account: AccountId, _ area: AreaId) -> UInt32 {
    var position = accounts[account.rawValue].firstPosition
    while position != 0, positions[position].area != area.rawValue {
      position = positions[position].next
    }
    return position
  }

  /// The position of an account in an area, made when there is none.
  mutating func findOrMake(_ account: AccountId, _ area: AreaId) -> UInt32 {
    let found = find(account, area)
    if found != 0 { return found }
    let definition = areas[UInt32(area.rawValue)]
    invariant(positionCount < capacity.positions, "room for a position was checked")
    positionCount += 1
    let position = positionCount
    invariant(positions[position].account == 0, "a new position is nobody's")
    positions[position].account = account.rawValue
    positions[position].area = area.rawValue
    positions[position].cap = definition.defaultCap
    positions[position].holding = findOrMakeHolding(account, Currency(definition.currency))
    let last = accounts[account.rawValue].lastPosition
    if last == 0 {
      accounts[account.rawValue].firstPosition = position
    } else {
      positions[last].next = position
    }
    accounts[account.rawValue].lastPosition = position
    invariant(positions[position].next == 0, "the last position ends the list")
    invariant(find(account, area) == position, "what was made is found")
    invariant(
      holdings[positions[position].holding].currency == definition.currency,
      "a position is paid in its area's currency")
    return position
  }

  /// The cash of an account in a currency; 0 without any.
  func findHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    var holding = accounts[account.rawValue].firstHolding
    while holding != 0, holdings[holding].currency != currency.rawValue {
      holding = holdings[holding].next
    }
    invariant(
      holding == 0 || holdings[holding].account == account.rawValue, "an account links its own cash"
    )
    return holding
  }

  /// The cash of an account in a currency, made when there is none.
  mutating func findOrMakeHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    let found = findHolding(account, currency)
    if found != 0 { return found }
    invariant(holdingCount < capacity.positions, "room for a holding was checked")
    holdingCount += 1
    invariant(holdings[holdingCount].account == 0, "a new holding is nobody's")
    holdings[holdingCount] = Holding(
      free: 0, reserved: 0, account: account.rawValue,
      next: accounts[account.rawValue].firstHolding, currency: currency.rawValue, owes: false)
    accounts[account.rawValue].firstHolding = holdingCount
    invariant(findHolding(account, currency) == holdingCount, "what was made is found")
    return holdingCount
  }

  /// Whether one more position, and the holding it may need, can be made.
  func roomForPosition() -> Refusal? {
    positionCount < capacity.positions && holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }

  /// Whether the account has a holding in the currency or can get one.
  func roomForHolding(_ account: AccountId, _ currency: Currency) -> Refusal? {
    findHolding(account, currency) != 0 || holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }
}
