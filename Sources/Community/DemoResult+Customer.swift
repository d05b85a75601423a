import MarketModel

// The bill of one customer.
extension DemoResult {
  /// Payments and energy of one customer over the run.
  public struct CustomerMoney: Sendable, Equatable {
    /// Name of the customer.
    public var name: String
    /// Household, business or charging station.
    public var kind: Customer.Kind
    /// Whether the customer has solar production.
    public var hasRoof: Bool
    /// How the customer takes part in the market.
    public var behaviour: Behaviour
    /// Energy produced, consumed, imported, exported, and stored at the end.
    public var energy = EnergyTotals()
    /// Energy bought from other customers, in Wh.
    public var bought: Int64 = 0
    /// Energy sold to other customers, in Wh.
    public var sold: Int64 = 0
    /// Payments for bought energy.
    public var paid = Money.zero
    /// Receipts for sold energy.
    public var received = Money.zero
    /// Trading fees.
    public var fees = Money.zero
    /// Payments to the grid for imports.
    public var importCost = Money.zero
    /// Receipts from the grid for exports.
    public var exportRevenue = Money.zero
    /// Net cost of the same customer alone.
    public var aloneNet = Money.zero

    /// A customer before the run.
    public init(name: String, kind: Customer.Kind, hasRoof: Bool, behaviour: Behaviour) {
      (self.name, self.kind, self.hasRoof, self.behaviour) = (name, kind, hasRoof, behaviour)
    }

    /// The battery's owner before the run. Alone it has nothing to store and pays nothing.
    static let batteryOwner = CustomerMoney(
      name: "Battery", kind: .business, hasRoof: false, behaviour: .lender)

    /// Payments and fees minus receipts; negative when the customer earned money.
    public var net: Money {
      Money(
        units: importCost.units + paid.units + fees.units - received.units - exportRevenue.units)
    }
    /// Net cost alone minus net cost with the market.
    public var saving: Money { Money(units: aloneNet.units - net.units) }
  }
}
