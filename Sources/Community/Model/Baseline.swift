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

  /// Adds `other` field by field.
  public static func += (totals: inout EnergyTotals, other: EnergyTotals) {
    totals.produced += other.produced
    totals.consumed += other.consumed
    totals.imported += other.imported
    totals.exported += other.exported
    totals.heldAtEnd += other.heldAtEnd
  }
}

/// The community without a market: the same customers, meters, storage caps and tariff.
///
/// In each interval a customer's production is stored up to the cap and the rest is exported; its
/// consumption is taken from the storage and the rest is imported (market rules 7).
public struct Baseline: Sendable {
  /// Totals of each customer over the run.
  public let customers: [EnergyTotals]
  /// Totals of the community for each interval; `heldAtEnd` is the energy at the end of the
  /// interval.
  public let intervals: [EnergyTotals]
  /// Payments to the grid minus receipts from it, for each customer.
  public let netCost: [Money]

  /// Totals of the community over the run.
  public var total: EnergyTotals { customers.reduce(into: EnergyTotals()) { $0 += $1 } }

  /// Computes the run of `model` without a market.
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

  /// Computes one customer and adds its intervals to the community's `intervals`.
  private static func alone(
    _ customer: Customer, cap: Int64, into intervals: inout [EnergyTotals]
  ) -> EnergyTotals {
    var total = EnergyTotals()
    var held: Int64 = 0
    for index in 0..<customer.consumption.count {
      var step = EnergyTotals()
      step.produced = customer.production[index].wattHours
      step.consumed = customer.consumption[index].wattHours
      // Market rules 7 apply production first, then the cap, then consumption.
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
