import MarketModel

/// One customer of the community: a meter, an account and a share of the storage.
public struct Customer: Sendable {
  /// Kind of customer.
  public enum Kind: String, Sendable, CaseIterable {
    /// A home.
    case household
    /// A shop, a farm or a workshop.
    case business
    /// Charges the community's vehicles.
    case chargingStation
  }

  /// Name in the report, such as "House 12".
  public var name: String
  /// Household, business or charging station.
  public var kind: Kind
  /// Gross consumption in each interval of the run.
  public var consumption: EnergySeries
  /// Gross production in each interval of the run.
  public var production: EnergySeries
  /// Consumption and production of the day before the run, which forecasts use.
  public var dayBefore: (consumption: EnergySeries, production: EnergySeries)
  /// Rated power of the solar roof in W; 0 without one.
  public var roofWatts: Int64
  /// Storage capacity in addition to the default cap.
  public var ownStorage: Energy
  /// Position in degrees; `nil` when unknown.
  public var place: (longitude: Double, latitude: Double)?

  /// Whether the customer has solar production.
  public var hasRoof: Bool { roofWatts > 0 }

  /// A customer with the given series.
  /// - Precondition: `consumption` and `production` have the same number of intervals.
  public init(
    name: String, kind: Kind, consumption: EnergySeries, production: EnergySeries,
    dayBefore: (consumption: EnergySeries, production: EnergySeries), roofWatts: Int64 = 0,
    ownStorage: Energy = .zero, place: (longitude: Double, latitude: Double)? = nil
  ) {
    precondition(consumption.count == production.count, "series of different lengths")
    (self.name, self.kind, self.consumption) = (name, kind, consumption)
    (self.production, self.dayBefore, self.roofWatts) = (production, dayBefore, roofWatts)
    (self.ownStorage, self.place) = (ownStorage, place)
  }
}
