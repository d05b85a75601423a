import MarketModel

/// One customer of the community: a meter, an account and a share of the storage.
public struct Customer: Sendable {
  /// What kind of customer it is.
  public enum Kind: String, Sendable, CaseIterable {
    /// People live there.
    case household
    /// A shop, a farm or a workshop.
    case business
    /// Charges the community's vehicles.
    case chargingStation
  }

  /// What to call it: "House 12".
  public var name: String
  /// Household, business or charging station.
  public var kind: Kind
  /// Gross consumption in each interval of the run.
  public var consumption: EnergySeries
  /// Gross production in each interval of the run.
  public var production: EnergySeries
  /// Consumption and production of the day before the run: what forecasts may look at.
  public var dayBefore: (consumption: EnergySeries, production: EnergySeries)
  /// Rated power of its roof in W; 0 without one.
  public var roofWatts: Int64
  /// Capacity that it owns beside the share everybody has, in Wh.
  public var ownStorage: Energy
  /// Where it stands, in degrees, when known.
  public var place: (longitude: Double, latitude: Double)?

  /// Whether it has a roof that produces.
  public var hasRoof: Bool { roofWatts > 0 }

  /// A customer.
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
