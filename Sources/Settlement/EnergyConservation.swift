import MarketModel

/// The energy of one area from the ledger's balances alone: minted + imported = held + burned +
/// exported + losses (market rules 7). All in Wh.
public struct EnergyConservation: Sendable, Hashable {
  /// Where.
  public var area: AreaId
  /// What meters said was produced.
  public var minted: Int128 = 0
  /// What came from the grid.
  public var imported: Int128 = 0
  /// What accounts hold now.
  public var held: Int128 = 0
  /// What meters said was consumed, imports included.
  public var burned: Int128 = 0
  /// What went to the grid.
  public var exported: Int128 = 0
  /// What was lost on its way into the storage.
  public var losses: Int128 = 0

  /// Nothing yet in `area`.
  public init(area: AreaId) { self.area = area }

  /// Whether the equation holds.
  public var isConserved: Bool {
    minted + imported == held + burned + exported + losses
  }

  /// The equation's terms for every area that `balances` know, ascending by area.
  public static func ofAreas(in balances: [LedgerBalance]) -> [EnergyConservation] {
    var areas: [EnergyConservation] = []
    for balance in balances.sorted(by: { $0.unit < $1.unit }) {
      guard let area = balance.unit.area else { continue }
      if areas.last?.area != area { areas.append(EnergyConservation(area: area)) }
      areas[areas.count - 1].add(balance)
    }
    return areas
  }

  private mutating func add(_ balance: LedgerBalance) {
    switch balance.account {
    case .terminal(area, .production): minted += balance.debits - balance.credits
    case .terminal(area, .consumption): burned += balance.amount
    case .terminal(area, .losses): losses += balance.amount
    case .house(area, .grid):
      imported += balance.debits
      exported += balance.credits
    default: held += balance.amount
    }
  }
}
