// What people and operators say of an account (section 2, "Accounts"): its label, and whether it is
// closed.
//
//     order ─▶ account row: marked? ── no ──▶ on
//                     └── yes ─▶ closed? (6016)  blocked? (6010)  limits

import MarketModel

/// The label of an account, and whether it is closed.
struct AccountTerm: BitwiseCopyable {
  var label: Label
  var isClosed: Bool
}

/// Labels and closed accounts, by number.
struct AccountTerms: ~Copyable, StateComponent {
  private let rows: Table<AccountTerm>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.accounts) + 1) }

  subscript(number: UInt32) -> AccountTerm {
    get { rows[number] }
    nonmutating set { rows[number] = newValue }
  }

  // MARK: Image, hash and invariants

  static func add(to layout: inout StateLayout) { layout.add(AccountTerm.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.accountTerms.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.accountTerms.rows.read(from: source)
  }

  /// Folds what was set only, so that states of older journals keep their hashes.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1) {
      let row = exchange.accountTerms[number]
      if !row.isClosed, row.label == .empty { continue }
      hash.fold(UInt64(number) << 1 | (row.isClosed ? 1 : 0))
      hash.fold(row.label.low)
      hash.fold(row.label.high)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1)
    where exchange.accountTerms[number].isClosed {
      if !exchange.accounts[number].exists {
        violations.append("account \(number) is closed and was never opened")
      } else if exchange.instructionCount(number) > 0 || exchange.balanceCount(number) > 0 {
        violations.append("account \(number) is closed and has an instruction or a balance")
      }
    }
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      let account = exchange.meters[number].account
      if account != 0, exchange.accountTerms[account].isClosed {
        violations.append("meter \(number) belongs to the closed account \(account)")
      }
    }
  }
}

extension Exchange {
  /// Refuses an account that exists and is closed.
  func validateOpen(_ account: AccountId) -> Refusal? {
    accountTerms[account.rawValue].isClosed ? Refusal(.accountClosed) : nil
  }

  /// The number of an account's standing instructions. Linear in its positions.
  func instructionCount(_ account: UInt32) -> UInt32 {
    var count: UInt32 = 0
    var position = accounts[account].firstPosition
    while position != 0 {
      if balances.positions[position].hasAgent { count &+= 1 }  // At most the positions.
      position = balances.positions[position].next
    }
    return count
  }

  /// The number of currencies in which an account has or owes cash, and of areas in which it has
  /// energy. Linear in its positions and holdings.
  func balanceCount(_ account: UInt32) -> UInt32 {
    var count: UInt32 = 0
    var holding = accounts[account].firstHolding
    while holding != 0 {
      let row = balances.holdings[holding]
      if row.free != 0 || row.reserved != 0 { count &+= 1 }  // At most the holdings.
      holding = row.next
    }
    var position = accounts[account].firstPosition
    while position != 0 {
      if balances.positions[position].level != 0 { count &+= 1 }  // At most the positions.
      position = balances.positions[position].next
    }
    return count
  }
}
