import MarketModel

/// An account's statement for a period of market time, made from the ledger alone.
///
/// The entries are those that were booked in the period. A bill goes by what was metered in it: what a
/// reading caused belongs to the period in which its interval begins, whenever the reading or a
/// correction came, and everything else to the one in which it was booked.
public struct AccountStatement: Sendable, Equatable {
  /// The account.
  public var account: AccountId
  /// The period.
  public var period: Range<Timestamp>
  /// Opening and closing balances, ascending by unit.
  public var balances: [StatementBalance]
  /// The transfers that were booked in the period, in order.
  public var entries: [StatementEntry]
  /// The account's meters with intervals in the period, ascending by number.
  public var meters: [MeterSummary]
  /// The corrections of intervals in the period, in the order in which they came.
  public var corrections: [StatementCorrection]
  /// The electricity bill of each area in which the account moved energy, ascending by area.
  public var bills: [Bill]

  /// Makes the statement of `account` from `ledger`.
  ///
  /// A backend without an index by account reads all transfers.
  /// - Throws: `.unavailable`, `.corrupt`.
  public static func make(
    from ledger: any Ledger, account: AccountId, period: Range<Timestamp>, terms: BillTerms? = nil
  ) throws(LedgerError) -> AccountStatement {
    // What was metered in the period may be booked long after it.
    let ever = Timestamp(nanoseconds: 0)..<Timestamp.never
    return AccountStatement(
      account: account, period: period, history: try ledger.transfers(of: account, in: ever),
      readings: try ledger.readings(of: account), terms: terms)
  }

  /// Makes a statement from all transfers and readings of `account`, in order.
  /// - Parameters:
  ///   - account: The account.
  ///   - period: The metered period, ns since 1970; its end is not in it.
  ///   - history: All transfers of the account, in order of their commands.
  ///   - readings: All readings that are booked to it, in that order.
  ///   - terms: What the bill shows beside the transfers.
  public init(
    account: AccountId, period: Range<Timestamp>, history: [LedgerTransfer],
    readings: [LedgerReading] = [], terms: BillTerms? = nil
  ) {
    (self.account, self.period) = (account, period)
    var running: [LedgerUnit: StatementBalance] = [:]
    var metered: [StatementEntry] = []
    entries = []
    let causes = MeteredCauses(readings, of: history)
    for transfer in history {
      let amount = transfer.amount(for: account)
      let reading = causes.reading(of: transfer)
      let isBooked = period.contains(transfer.time)
      let isMetered = period.contains(reading?.start ?? transfer.time)
      guard transfer.time < period.upperBound || isMetered else { continue }
      var balance =
        running[transfer.unit] ?? StatementBalance(unit: transfer.unit, opening: 0, closing: 0)
      if transfer.time < period.upperBound { balance.closing += Int128(amount) }
      if transfer.time < period.lowerBound { balance.opening += Int128(amount) }
      running[transfer.unit] = balance
      let entry = StatementEntry(
        transfer: transfer, amount: amount, balance: balance.closing, reading: reading)
      if isBooked { entries.append(entry) }
      if isMetered { metered.append(entry) }
    }
    balances = running.values.sorted { $0.unit < $1.unit }
    meters = MeterSummary.all(readings, in: period)
    corrections = StatementCorrection.all(metered)
    bills = Bill.all(
      account: account, period: period, metered: metered, booked: entries, balances: balances,
      terms: terms)
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
  /// The reading that caused it, where the ledger keeps readings.
  public var reading: LedgerReading? = nil

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
