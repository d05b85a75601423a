import MarketModel

/// Why a transfer was made. Raw values are stored and hashed: never reused.
public enum TransferCode: UInt16, Sendable, CaseIterable, BitwiseCopyable {
  /// What a buyer pays a seller; the other way round at a negative price.
  case cashLeg = 1
  /// The energy a seller gives a buyer.
  case energyLeg = 2
  /// The buyer's trading fee.
  case buyerFee = 3
  /// The seller's trading fee.
  case sellerFee = 4
  /// Energy a meter says was produced.
  case mint = 5
  /// Produced energy lost on its way into the storage.
  case loss = 6
  /// Energy a meter says was consumed, whether from the account's balance or imported.
  case burn = 7
  /// Energy above the cap, sent to the grid.
  case exportEnergy = 8
  /// What the grid pays for it.
  case exportCash = 9
  /// Energy that the account lacked, taken from the grid; a `burn` follows at once.
  case importEnergy = 10
  /// What the grid charges for it.
  case importCash = 11
  /// A participant's transfer of cash.
  case cashTransfer = 12
  /// A participant's transfer of energy.
  case energyTransfer = 13
  /// Cash from outside.
  case deposit = 14
  /// Cash to outside.
  case withdrawal = 15

  /// Whether the transfer's reference is a trade's number.
  public var isTrade: Bool { rawValue <= TransferCode.sellerFee.rawValue }
}

/// What is special about a transfer. Stored and hashed.
public struct TransferFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits.
  public let rawValue: UInt16
  /// The flags with these bits.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// Debit and credit are exchanged, since the amount was negative: in a cash leg the seller pays.
  public static let reversed = TransferFlags(rawValue: 1)
}

/// One movement of an amount from one account to another, in one unit. An account's balance is its
/// credits less its debits.
public struct LedgerTransfer: Sendable, BitwiseCopyable, Hashable {
  /// 1, 2, 3 ... over the whole ledger, without gaps.
  public var id: UInt64
  /// The batch that brought it.
  public var batch: UInt64
  /// The account that gives.
  public var debit: AccountId
  /// The account that receives; never `debit`.
  public var credit: AccountId
  /// What is counted.
  public var unit: LedgerUnit
  /// How much, positive: 1e-8 of a currency, or Wh.
  public var amount: Int64
  /// Why.
  public var code: TransferCode
  /// What is special about it.
  public var flags: TransferFlags
  /// The command in the journal that caused it.
  public var tradeSequence: SequenceNumber
  /// When that command was sequenced.
  public var time: Timestamp
  /// What it settles: the trade's number, the meter's register sequence, the client order id of a
  /// participant's transfer, or the operator's reference of a deposit or withdrawal.
  public var reference: UInt64

  /// All fields, in order.
  public init(
    id: UInt64, batch: UInt64, debit: AccountId, credit: AccountId, unit: LedgerUnit,
    amount: Int64, code: TransferCode, flags: TransferFlags, tradeSequence: SequenceNumber,
    time: Timestamp, reference: UInt64
  ) {
    (self.id, self.batch, self.debit, self.credit) = (id, batch, debit, credit)
    (self.unit, self.amount, self.code, self.flags) = (unit, amount, code, flags)
    (self.tradeSequence, self.time, self.reference) = (tradeSequence, time, reference)
  }
}

/// All that a batch does to one account in one unit.
public struct NetChange: Sendable, BitwiseCopyable, Hashable {
  /// Whose.
  public var account: AccountId
  /// In what.
  public var unit: LedgerUnit
  /// Sum of the transfers that debit it: of a batch in which much goes to and fro it leaves 64 bits.
  public var debits: Int128
  /// Sum of the transfers that credit it.
  public var credits: Int128

  /// A change of `account` in `unit`.
  public init(account: AccountId, unit: LedgerUnit, debits: Int128, credits: Int128) {
    (self.account, self.unit, self.debits, self.credits) = (account, unit, debits, credits)
  }

  /// `unit << 32 | account`: ascending is the canonical order.
  public var key: UInt64 { UInt64(unit.rawValue) << 32 | UInt64(account.rawValue) }
}
