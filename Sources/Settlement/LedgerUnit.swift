import MarketModel

/// What a transfer counts: a currency (1e-8 of it) or the energy of an area (Wh). A transfer never
/// crosses units, so in every unit debits equal credits.
///
/// Packed into 32 bits, as stored and hashed: `kind << 16 | number`, kind 1 a currency (ISO 4217
/// numeric), kind 2 the energy of an area.
public struct LedgerUnit: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// `kind << 16 | number`.
  public let rawValue: UInt32

  /// The unit with that packed value, as read from a ledger.
  /// - Returns: `nil` when the kind is unknown.
  public init?(rawValue: UInt32) {
    guard rawValue >> 16 == 1 || rawValue >> 16 == 2 else { return nil }
    self.rawValue = rawValue
  }

  private init(packed: UInt32) { rawValue = packed }

  /// Money of `currency`, in 1e-8.
  public static func currency(_ currency: Currency) -> LedgerUnit {
    LedgerUnit(packed: 1 << 16 | UInt32(currency.rawValue))
  }

  /// Spot energy of `area`, in Wh.
  public static func energy(_ area: AreaId) -> LedgerUnit {
    LedgerUnit(packed: 2 << 16 | UInt32(area.rawValue))
  }

  /// The currency, when this is one.
  public var currency: Currency? {
    rawValue >> 16 == 1 ? Currency(UInt16(truncatingIfNeeded: rawValue)) : nil
  }

  /// The area, when this is its energy.
  public var area: AreaId? {
    rawValue >> 16 == 2 ? AreaId(UInt16(truncatingIfNeeded: rawValue)) : nil
  }

  /// Orders currencies before energies, then by number: the canonical order of netted changes.
  public static func < (a: LedgerUnit, b: LedgerUnit) -> Bool { a.rawValue < b.rawValue }
}
