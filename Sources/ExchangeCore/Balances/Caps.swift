// Individual caps of accounts (section 3).

import MarketModel

extension Exchange {
  mutating func setCap(_ cap: SetCap, _ request: Request) {
    var refusal = permission(request, .administration) ?? validateExistence(cap.account, cap.area)
    if refusal == nil, cap.cap.wattHours > Limit.cap {
      refusal = Refusal(.badDefinition, cap.cap.wattHours, .energyCap)
    }
    refusal = refusal ?? validatePositionCapacity(cap.account, Asset(energyOf: cap.area))
    if let refusal { return reject(refusal, request, account: cap.account) }
    let position = findOrMake(cap.account, Asset(energyOf: cap.area))
    balances.positions[position].hasOwnCap = cap.cap >= .zero
    balances.positions.row(position).setCeiling(
      cap.cap >= .zero
        ? cap.cap.wattHours : products.areas[UInt32(cap.area.rawValue)].defaultCap)
    invariant(
      balances.positions[position].ceiling >= 0
        && balances.positions[position].ceiling <= Limit.cap,
      "the cap is within its bounds")
    invariant(
      balances.positions[position].account == cap.account.rawValue
        && balances.positions[position].area == cap.area.rawValue,
      "the position is that of the account in the area")
    balances.positions[position].mustReport = true
    emit(.reference(.capSet(cap)))
    touch(position)
    drain()
    acknowledge(request)
  }
}
