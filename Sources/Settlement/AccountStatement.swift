import MarketModel

/// An account's statement for a period of market time, made from the ledger alone.
public struct AccountStatement: Sendable, Equatable {
  /// The account.
  public var account: AccountId
  /// The period. A transfer belongs to it by the time of the command that caused the transfer.
  public var period: Range<Timestamp>
  /// Opening and closing balances, ascending by unit.
  public var balances: [StatementBalance]
  /// The transfers of the period, in order.
  public var entries: [StatementEntry]
  /// The electricity bill of each area in which the account moved energy, ascending by area.
  public var bills: [Bill]

  /// Makes the statement of `account` from `ledger`.
  ///
  /// A backend without an index by account reads all transfers.
  /// - Throws: `.unavailable`, `.corrupt`.
  public static func make(
    from ledger: any Ledger, account: AccountId, period: Range<Timestamp>
  ) throws(LedgerError) -> AccountStatement {
    let beginning = Timestamp(nanoseconds: 0)
    return AccountStatement(
      account: account, period: period,
      history: try ledger.transfers(of: account, in: beginning..<period.upperBound))
  }

  /// Makes a statement from all transfers of `account` before the end of `period`, in order.
  public init(account: AccountId, period: Range<Timestamp>, history: [LedgerTransfer]) {
    (self.account, self.period) = (account, period)
    var running: [LedgerUnit: StatementBalance] = [:]
    entries = []
    for transfer in history where transfer.time < period.upperBound {
      let amount = transfer.amount(for: account)
      let empty = StatementBalance(unit: transfer.unit, opening: 0, closing: 0)
      running[transfer.unit, default: empty].closing += Int128(amount)
      if transfer.time < period.lowerBound {
        running[transfer.unit, default: empty].opening += Int128(amount)
      } else {
        let balance = running[transfer.unit, default: empty].closing
        entries.append(StatementEntry(transfer: transfer, amount: amount, balance: balance))
      }
    }
    balances = running.values.sorted { $0.unit < $1.unit }
    bills = Bill.all(account: account, period: period, entries: entries, balances: balances)
  }
}

/// The opening and closing balance of an account in one unit.
public struct StatementBalance: Sendable, Equatable {
  /// The unit of both amounts.
  public var unit: LedgerUnit
  /// The balance at the start of the period.
  public var opening: Int128
  /// The balance at the end of the period.
  public var closing: Int128
}

/// One transfer in the statement of an account.
public struct StatementEntry: Sendable, Equatable {
  /// The transfer.
  public var transfer: LedgerTransfer
  /// The amount that the account received; negative: the amount that it gave.
  public var amount: Int64
  /// The account's balance in the unit after the transfer.
  public var balance: Int128

  /// The account on the other side of the transfer.
  public var counterparty: AccountId { amount < 0 ? transfer.credit : transfer.debit }

  /// Whether the account is the buyer in the trade of this leg.
  var isPurchase: Bool {
    let reversed = transfer.flags.contains(.reversed)
    let received = amount > 0
    return transfer.code == .energyLeg ? received : received == reversed
  }
}

extension LedgerTransfer {
  /// The amount that `account` receives; negative: the amount that it gives; 0: the transfer is
  /// between other accounts.
  public func amount(for account: AccountId) -> Int64 {
    account == credit ? amount : account == debit ? -amount : 0
  }
}
