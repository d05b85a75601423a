import MarketModel

/// What a bill shows of a tariff beside the transfers: which part of the retail price is the network's,
/// and charges that are no trade.
public struct BillTerms: Sendable {
  /// A charge for the period that does not depend on energy.
  public struct Charge: Sendable, Equatable {
    /// What it is for.
    public var name: String
    /// How many units of time are charged, such as "30 days".
    public var quantity: String
    /// What the account pays, 1e-8 of the area's currency.
    public var units: Int128

    /// A charge of `units` (1e-8).
    public init(name: String, quantity: String, units: Int128) {
      (self.name, self.quantity, self.units) = (name, quantity, units)
    }
  }

  /// The area of the tariff.
  public var area: AreaId
  /// The part of the retail price that is the network's, for an interval that begins at a time; `nil`
  /// where the tariff does not say.
  public var networkPrice: @Sendable (Timestamp) -> Price?
  /// The charges for the period.
  public var charges: [Charge]

  /// The terms of an area.
  public init(
    area: AreaId, networkPrice: @escaping @Sendable (Timestamp) -> Price?, charges: [Charge]
  ) {
    (self.area, self.networkPrice, self.charges) = (area, networkPrice, charges)
  }
}
