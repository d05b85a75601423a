// Compensations (section 17): an operator mends a difference between the ledger and the exchange. The exchange checks
// and journals what is to be posted; its own balances stay.

import MarketModel

/// The reference of the last compensation.
struct Compensations: ~Copyable, StateComponent {
  var last: UInt64 = 0

  struct Image: BitwiseCopyable {
    var lastCompensation: UInt64
  }

  init(capacity: Capacity) {}

  static func add(to layout: inout StateLayout) { layout.add(Image.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(Image(lastCompensation: exchange.compensations.last))
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.compensations.last = source.get(Image.self).lastCompensation
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if exchange.compensations.last != 0 { hash.fold(exchange.compensations.last) }
  }
}

extension Exchange {
  mutating func compensate(_ new: Compensate, _ request: Request) {
    if let refusal = validate(new, request) {
      return reject(refusal, request, account: new.account1)
    }
    compensations.last = new.reference
    emit(
      .cash(
        .compensated(
          Compensated(
            compensation: new, session: request.session, clientSequence: request.clientSequence))))
    acknowledge(request)
  }

  private func validate(_ new: Compensate, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    guard hasUnit(new) else { return Refusal(.unknownArea, capacity.areas) }
    if new.reference <= compensations.last {
      return Refusal(.referenceReplayed, compensations.last)
    }
    var (sum, legs) = (Int128(0), 0)
    for index in 0..<Compensate.mostLegs {
      let (account, amount) = new.leg(index)
      if amount == 0 { continue }
      if legs < index { return Refusal(.badDefinition, amount, .legs) }
      if amount > Limit.total || amount < -Limit.total {
        return Refusal(.badAmount, Limit.total)
      }
      guard isInLedger(account, new) else {
        return Refusal(.unknownAccount, capacity.accounts)
      }
      (sum, legs) = (sum + Int128(amount), legs + 1)
    }
    let difference = Int64(clamping: sum)
    return difference == 0 && legs > 1 ? nil : Refusal(.badDefinition, difference, .legs)
  }

  /// Whether the area exists; for cash, an area of the currency. Linear in the areas.
  private func hasUnit(_ new: Compensate) -> Bool {
    switch new.asset {
    case .energy: return exists(new.area)
    case .cash:
      for area in stride(from: 1, through: capacity.areas, by: 1)
      where products.areas[area].exists && products.areas[area].currency == new.currency.rawValue {
        return true
      }
      return false
    }
  }

  /// Whether the ledger has, or may have, an account in the unit: a participant's, that of the outside of the
  /// currency, a house account of an area of it, or for energy a source or sink of the area.
  private func isInLedger(_ account: AccountId, _ new: Compensate) -> Bool {
    if !account.isHouse { return exists(account) }
    if new.asset == .cash, account == .outside(new.currency) { return true }
    let area = AreaId(UInt16(truncatingIfNeeded: account.rawValue >> 8))
    let role = UInt8(truncatingIfNeeded: account.rawValue)
    guard exists(area), account.rawValue & 0x7F00_0000 == 0 else { return false }
    return switch new.asset {
    case .cash:
      HouseRole(rawValue: role) != nil
        && products.areas[UInt32(area.rawValue)].currency == new.currency.rawValue
    case .energy:
      area == new.area && (HouseRole(rawValue: role) != nil || (0xF1...0xF3).contains(role))
    }
  }
}
