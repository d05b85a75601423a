import MarketModel

/// The three baselines that a run is compared with. All have the same readings and tariff, and the
/// first and the last one the same storage as the run.
public struct Baselines: Sendable {
  /// Each customer alone, with its roof and its storage.
  public let alone: Baseline
  /// The community netted in each interval, without storage.
  public let netted: Baseline
  /// The community with one shared battery of the capacity of all storage.
  public let shared: Baseline

  /// Computes the baselines of `model`.
  public init(of model: CommunityModel) {
    alone = Baseline(of: model)
    netted = Baseline(of: model, sharing: .zero)
    shared = Baseline(of: model, sharing: model.capacity)
  }
}

extension DemoResult {
  /// One way in which the community could have lived through the run, for a comparison.
  public struct Way: Sendable, Equatable {
    /// Name of the way, such as "each customer alone".
    public var name: String
    /// Energy of the community.
    public var energy: EnergyTotals
    /// What all pay together, also the owner of the battery. Fees are paid to the exchange and are
    /// a part of it.
    public var cost: Money
    /// What each customer pays less what it receives.
    public var customers: [Money]
    /// Number of customers that pay more than alone.
    public var losers: Int
  }

  /// The market between the baselines, by increasing self-sufficiency as a rule: alone, netted, the
  /// market, one shared battery.
  public var ways: [Way] {
    let alone = baselines.alone.netCost
    func way(_ name: String, _ energy: EnergyTotals, _ cost: Money, _ each: [Money]) -> Way {
      Way(
        name: name, energy: energy, cost: cost, customers: each,
        losers: zip(each, alone).count { $0 > $1 })
    }
    func way(_ name: String, _ baseline: Baseline) -> Way {
      way(name, baseline.total, baseline.cost, baseline.netCost)
    }
    let paid = customers.map(\.net)
    let together = paid.reduce(batteryOwner?.net.units ?? 0) { $0 + $1.units }
    return [
      way("each customer alone", baselines.alone),
      way("netted, without storage", baselines.netted),
      way("the market", energy, Money(units: together), paid),
      way("one shared battery", baselines.shared),
    ]
  }

  /// Self-sufficiency of the market as a share of that with one shared battery; 0 when that has
  /// none.
  public var shareOfShared: Double {
    let most = baselines.shared.total.selfSufficiency
    return most == 0 ? 0 : energy.selfSufficiency / most
  }
}
