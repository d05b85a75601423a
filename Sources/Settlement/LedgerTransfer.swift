import MarketModel

/// The kind of a transfer. Raw values are stored and hashed, so they are never reused.
public enum TransferCode: UInt16, Sendable, CaseIterable, BitwiseCopyable {
  /// The cash that a buyer pays to a seller; at a negative price the seller pays.
  case cashLeg = 1
  /// The energy that a seller delivers to a buyer.
  case energyLeg = 2
  /// The buyer's trading fee.
  case buyerFee = 3
  /// The seller's trading fee.
  case sellerFee = 4
  /// Production according to a meter.
  case mint = 5
  /// Energy lost between production and storage.
  case loss = 6
  /// Consumption according to a meter, from the account's balance and from imports.
  case burn = 7
  /// Energy above the cap, exported to the grid.
  case exportEnergy = 8
  /// The cash that the grid pays for an export.
  case exportCash = 9
  /// Energy that the account lacked, imported from the grid; a `burn` follows.
  case importEnergy = 10
  /// The cash that the grid charges for an import.
  case importCash = 11
  /// A participant's transfer of cash.
  case cashTransfer = 12
  /// A participant's transfer of energy.
  case energyTransfer = 13
  /// Cash deposited from outside the exchange.
  case deposit = 14
  /// Cash withdrawn to outside the exchange.
  case withdrawal = 15
  /// A part of an operator's compensation (market rules 17).
  case compensation = 16

  /// Whether the transfer's reference is a trade's number.
  public var isTrade: Bool { rawValue <= TransferCode.sellerFee.rawValue }
}

/// Flags of a transfer. They are stored and hashed.
public struct TransferFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits.
  public let rawValue: UInt16
  /// The flags with these bits.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// Debit and credit are exchanged because the amount was negative: in a cash leg, the seller
  /// pays.
  public static let reversed = TransferFlags(rawValue: 1)
  /// A leg of a trade whose taker is a meter's account that had no order (market rules 7, "Local
  /// before grid").
  public static let local = TransferFlags(rawValue: 2)
  /// Takes back what the version of a reading before booked, in the opposite direction (market rules
  /// 7, "Late readings and versions").
  public static let reversal = TransferFlags(rawValue: 4)
  /// Booked by a later version of a reading.
  public static let correction = TransferFlags(rawValue: 8)
}

/// A transfer of an amount from one account to another, in one unit. An account's balance is its
/// credits less its debits.
public struct LedgerTransfer: Sendable, BitwiseCopyable, Hashable {
  /// The number of the transfer: 1, 2, 3 ... over the whole ledger, without gaps.
  public var id: UInt64
  /// The batch of the transfer.
  public var batch: UInt64
  /// The account that gives.
  public var debit: AccountId
  /// The account that receives; different from `debit`.
  public var credit: AccountId
  /// The unit of the amount.
  public var unit: LedgerUnit
  /// The amount, positive: 1e-8 of a currency, or Wh.
  public var amount: Int64
  /// The kind of the transfer.
  public var code: TransferCode
  /// The flags of the transfer.
  public var flags: TransferFlags
  /// The command in the journal that caused the transfer.
  public var tradeSequence: SequenceNumber
  /// The time at which that command was sequenced.
  public var time: Timestamp
  /// The source: the trade's number, the meter's register sequence, the client order id of a
  /// participant's transfer, or the operator's reference of a deposit, withdrawal or compensation.
  public var reference: UInt64

  /// A transfer from its parts; `amount` is positive.
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

/// The netted change of one account in one unit by a batch.
public struct NetChange: Sendable, BitwiseCopyable, Hashable {
  /// The account.
  public var account: AccountId
  /// The unit of both sums.
  public var unit: LedgerUnit
  /// The sum of the batch's debits. It can exceed 64 bits.
  public var debits: Int128
  /// The sum of the batch's credits.
  public var credits: Int128

  /// A change from its sums of debits and credits.
  public init(account: AccountId, unit: LedgerUnit, debits: Int128, credits: Int128) {
    (self.account, self.unit, self.debits, self.credits) = (account, unit, debits, credits)
  }

  /// `unit << 32 | account`; changes are sorted by it in canonical order.
  public var key: UInt64 { UInt64(unit.rawValue) << 32 | UInt64(account.rawValue) }
}
