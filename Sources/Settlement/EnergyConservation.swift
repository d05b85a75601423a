import MarketModel

/// The energy totals of one area, computed from the ledger's balances: minted + imported = held +
/// burned + exported + losses (market rules 7). All in Wh.
public struct EnergyConservation: Sendable, Hashable {
  /// The area.
  public var area: AreaId
  /// Production according to meters.
  public var minted: Int128 = 0
  /// Energy imported from the grid, and exports that corrections took back.
  public var imported: Int128 = 0
  /// Energy that accounts hold now.
  public var held: Int128 = 0
  /// Consumption according to meters, including imports.
  public var burned: Int128 = 0
  /// Energy exported to the grid, and imports that corrections gave back.
  public var exported: Int128 = 0
  /// Energy lost between production and storage.
  public var losses: Int128 = 0

  /// Totals of 0 for `area`.
  public init(area: AreaId) { self.area = area }

  /// Whether minted + imported equals held + burned + exported + losses.
  public var isConserved: Bool {
    minted + imported == held + burned + exported + losses
  }

  /// The totals of every area with energy in `balances`, ascending by area.
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
