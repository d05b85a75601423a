import MarketModel

/// Energy of one customer or of a community over a time, in Wh.
///
/// When nothing is stored at the start: produced + imported = consumed + exported + heldAtEnd.
public struct EnergyTotals: Sendable, Equatable {
  /// Gross production.
  public var produced: Int64 = 0
  /// Gross consumption.
  public var consumed: Int64 = 0
  /// Bought from the surrounding grid.
  public var imported: Int64 = 0
  /// Sold to the surrounding grid.
  public var exported: Int64 = 0
  /// Energy stored at the end.
  public var heldAtEnd: Int64 = 0

  /// All sums are zero.
  public init() {}

  /// Share of the consumption that was not imported, 0...1; 0 without consumption.
  public var selfSufficiency: Double {
    consumed == 0 ? 0 : 1 - Double(imported) / Double(consumed)
  }

  /// Whether the energy balance is exact.
  public var isConserved: Bool { produced + imported == consumed + exported + heldAtEnd }

  /// What the grid charges for the imports less what it pays for the exports.
  public func gridCost(_ terms: MarketTerms) -> Money {
    Money(units: imported * terms.retail.ticks - exported * terms.feedIn.ticks)
  }

  /// Adds `other` field by field.
  public static func += (totals: inout EnergyTotals, other: EnergyTotals) {
    totals.produced += other.produced
    totals.consumed += other.consumed
    totals.imported += other.imported
    totals.exported += other.exported
    totals.heldAtEnd += other.heldAtEnd
  }
}
