import MarketModel

/// The unit of an amount: a currency (in 1e-8) or the energy of an area (in Wh). A transfer has one
/// unit, so in every unit debits equal credits.
///
/// The stored and hashed form has 32 bits: `kind << 16 | number`. Kind 1 is a currency (ISO 4217
/// numeric), kind 2 the energy of an area.
public struct LedgerUnit: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// `kind << 16 | number`.
  public let rawValue: UInt32

  /// The unit with a packed value that was read from a ledger.
  /// - Returns: `nil` when the kind is unknown.
  public init?(rawValue: UInt32) {
    guard rawValue >> 16 == 1 || rawValue >> 16 == 2 else { return nil }
    self.rawValue = rawValue
  }

  private init(packed: UInt32) { rawValue = packed }

  /// The unit 1e-8 of `currency`.
  public static func currency(_ currency: Currency) -> LedgerUnit {
    LedgerUnit(packed: 1 << 16 | UInt32(currency.rawValue))
  }

  /// The unit Wh of the energy of `area`.
  public static func energy(_ area: AreaId) -> LedgerUnit {
    LedgerUnit(packed: 2 << 16 | UInt32(area.rawValue))
  }

  /// The currency; `nil` for energy.
  public var currency: Currency? {
    rawValue >> 16 == 1 ? Currency(UInt16(truncatingIfNeeded: rawValue)) : nil
  }

  /// The area of an energy unit; `nil` for a currency.
  public var area: AreaId? {
    rawValue >> 16 == 2 ? AreaId(UInt16(truncatingIfNeeded: rawValue)) : nil
  }

  /// Orders currencies before energy, then by number. This is the canonical order of netted
  /// changes.
  public static func < (a: LedgerUnit, b: LedgerUnit) -> Bool { a.rawValue < b.rawValue }
}

extension Compensate {
  /// The unit of its amounts.
  public var ledgerUnit: LedgerUnit {
    switch asset {
    case .cash: .currency(currency)
    case .energy: .energy(area)
    }
  }
}
