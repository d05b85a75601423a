import MarketModel

/// Energy of one customer or of a community over a run, in Wh.
///
/// Conserved: produced + imported = consumed + exported + heldAtEnd (nothing is held at the start).
public struct EnergyTotals: Sendable, Equatable {
  /// Gross production.
  public var produced: Int64 = 0
  /// Gross consumption.
  public var consumed: Int64 = 0
  /// Bought from the surrounding grid.
  public var imported: Int64 = 0
  /// Sold to the surrounding grid.
  public var exported: Int64 = 0
  /// In the storage at the end.
  public var heldAtEnd: Int64 = 0

  /// No energy.
  public init() {}

  /// The part of consumption that did not come from the surrounding grid, 0...1; 0 without any.
  public var selfSufficiency: Double {
    consumed == 0 ? 0 : 1 - Double(imported) / Double(consumed)
  }

  /// Whether nothing was lost or invented.
  public var isConserved: Bool { produced + imported == consumed + exported + heldAtEnd }

  /// Adds `other` field by field.
  public static func += (totals: inout EnergyTotals, other: EnergyTotals) {
    totals.produced += other.produced
    totals.consumed += other.consumed
    totals.imported += other.imported
    totals.exported += other.exported
    totals.heldAtEnd += other.heldAtEnd
  }
}

/// The same customers, meters, storage shares and tariff without a market: each one alone.
///
/// In each interval a customer's production fills its own storage share, its consumption empties it;
/// what is above the cap is exported and what it lacks is imported, as in market rules 7.
public struct Baseline: Sendable {
  /// Totals of each customer over the run.
  public let customers: [EnergyTotals]
  /// Totals of the community interval by interval; `heldAtEnd` at the end of each interval.
  public let intervals: [EnergyTotals]
  /// What each customer paid the grid less what the grid paid it, in 1e-8 currency.
  public let netCost: [Money]

  /// Totals of the community over the run.
  public var total: EnergyTotals { customers.reduce(into: EnergyTotals()) { $0 += $1 } }

  /// The run of `model` without a market.
  public init(of model: CommunityModel) {
    var customers: [EnergyTotals] = []
    var intervals = Array(repeating: EnergyTotals(), count: model.intervals)
    for index in model.customers.indices {
      let alone = Self.alone(
        model.customers[index], cap: model.cap(of: index).wattHours, into: &intervals)
      customers.append(alone)
    }
    self.customers = customers
    self.intervals = intervals
    let terms = model.terms
    netCost = customers.map {
      Money(units: $0.imported * terms.retail.ticks - $0.exported * terms.feedIn.ticks)
    }
  }

  /// One customer alone, added to the community's `intervals` too.
  private static func alone(
    _ customer: Customer, cap: Int64, into intervals: inout [EnergyTotals]
  ) -> EnergyTotals {
    var total = EnergyTotals()
    var held: Int64 = 0
    for index in 0..<customer.consumption.count {
      var step = EnergyTotals()
      step.produced = customer.production[index].wattHours
      step.consumed = customer.consumption[index].wattHours
      // Production comes first, then the cap, then consumption: the order of market rules 7.
      held += step.produced
      step.exported = max(0, held - cap)
      held -= step.exported
      step.imported = max(0, step.consumed - held)
      held = max(0, held - step.consumed)
      step.heldAtEnd = held
      intervals[index] += step
      step.heldAtEnd = 0
      total += step
    }
    total.heldAtEnd = held
    return total
  }
}
