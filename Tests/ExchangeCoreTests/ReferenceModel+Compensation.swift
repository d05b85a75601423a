// Section 17 of docs/MARKET-RULES.md: compensations of the ledger. Balances of the exchange stay.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  mutating func compensate(_ new: Compensate, _ command: Command) throws(Refusal) {
    let ofCurrency = areas.values.contains { $0.definition.currency == new.currency }
    try require(
      new.asset == .energy ? areas[new.area] != nil : ofCurrency, .unknownArea,
      Int64(capacity.areas))
    try require(
      new.reference > lastCompensation, .referenceReplayed, Int64(bitPattern: lastCompensation))
    let legs = (0..<3).map { new.leg($0) }
    let count = legs.prefix { $0.amount != 0 }.count
    for (index, leg) in legs.enumerated() where leg.amount != 0 {
      try requireLeg(index < count, leg.amount)
      try require(leg.amount.magnitude <= 1 << 61, .badAmount, 1 << 61)
      try require(isInLedger(leg.account, new), .unknownAccount, Int64(capacity.accounts))
    }
    let sum = legs.reduce(Int128(0)) { $0 + Int128($1.amount) }
    try requireLeg(count >= 2 && sum == 0, Int64(clamping: sum))
    lastCompensation = new.reference
    emit(
      .cash(
        .compensated(
          Compensated(
            compensation: new, session: command.session, clientSequence: command.clientSequence))))
    acknowledge(command)
  }

  private func requireLeg(_ condition: Bool, _ value: Int64) throws(Refusal) {
    if !condition { throw Refusal(.badDefinition, limit: value, field: .legs) }
  }

  private func isInLedger(_ account: AccountId, _ new: Compensate) -> Bool {
    if accounts[account] != nil { return true }
    if new.asset == .cash, account == .outside(new.currency) { return true }
    for (id, area) in areas {
      let isOfUnit = new.asset == .cash ? area.definition.currency == new.currency : id == new.area
      if !isOfUnit { continue }
      if HouseRole.allCases.contains(where: { account == .house(id, $0) }) { return true }
      let base = 0x8000_0000 + UInt32(id.rawValue) * 256
      if new.asset == .energy, (base + 0xF1...base + 0xF3).contains(account.rawValue) {
        return true
      }
    }
    return false
  }
}
