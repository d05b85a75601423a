import MarketModel

/// What happened to an account in a period of market time, from the ledger alone.
public struct AccountStatement: Sendable, Equatable {
  /// Whose.
  public var account: AccountId
  /// From (inclusive) and until (exclusive) when, by the time of the command that caused it.
  public var period: Range<Timestamp>
  /// What the account had before and after, ascending by unit.
  public var balances: [StatementBalance]
  /// Every transfer of the period, in order.
  public var entries: [StatementEntry]
  /// The electricity bill of each area in which the account moved energy, ascending by area.
  public var bills: [Bill]

  /// Reads `ledger` and makes the statement of `account`.
  ///
  /// Reads every transfer on a backend without an index per account.
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

/// What an account has in one unit before and after a period.
public struct StatementBalance: Sendable, Equatable {
  /// In what.
  public var unit: LedgerUnit
  /// Before the period.
  public var opening: Int128
  /// After it.
  public var closing: Int128
}

/// One transfer as its account sees it.
public struct StatementEntry: Sendable, Equatable {
  /// The transfer.
  public var transfer: LedgerTransfer
  /// What the account received; negative: what it gave.
  public var amount: Int64
  /// What it had in that unit afterwards.
  public var balance: Int128

  /// The other side.
  public var counterparty: AccountId { amount < 0 ? transfer.credit : transfer.debit }

  /// Whether the account bought in the trade that this leg belongs to.
  var isPurchase: Bool {
    let reversed = transfer.flags.contains(.reversed)
    let received = amount > 0
    return transfer.code == .energyLeg ? received : received == reversed
  }
}

extension LedgerTransfer {
  /// What `account` receives by it; negative: what it gives; 0: it is not concerned.
  public func amount(for account: AccountId) -> Int64 {
    account == credit ? amount : account == debit ? -amount : 0
  }
}
