import MarketModel

// A ledger account is an `AccountId`. Three kinds exist in the market model: participants' accounts,
// the house accounts of an area, and the outside of a currency. Energy also needs somewhere to come
// from and to go to, or debits could not equal credits: these accounts exist in the ledger only.

/// Where energy comes from and goes to: accounts of an area that only the ledger knows. The grid, as
/// counterparty of import and export, is `HouseRole.grid`.
public enum EnergyTerminal: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Debited with all that meters say was produced.
  case production = 0xF1
  /// Credited with all that meters say was consumed.
  case consumption = 0xF2
  /// Credited with what was lost on its way into the storage.
  case losses = 0xF3
}

extension AccountId {
  /// The ledger-only account of `area` for `terminal`: `0x8000_0000 | area << 8 | terminal`.
  public static func terminal(_ area: AreaId, _ terminal: EnergyTerminal) -> AccountId {
    AccountId(0x8000_0000 | UInt32(area.rawValue) << 8 | UInt32(terminal.rawValue))
  }

  /// Whether the account is outside the exchange (deposits come from it, withdrawals go to it).
  public var isOutside: Bool { rawValue & 0xC000_0000 == 0xC000_0000 }

  /// The area of a house or terminal account; `nil` for any other.
  public var houseArea: AreaId? {
    guard isHouse, !isOutside else { return nil }
    return AreaId(UInt16(truncatingIfNeeded: rawValue >> 8))
  }

  /// Whether the account is one end of an area's energy: production, consumption, losses or grid.
  public var isEnergyTerminal: Bool {
    guard houseArea != nil else { return false }
    let role = UInt8(truncatingIfNeeded: rawValue)
    return EnergyTerminal(rawValue: role) != nil || role == HouseRole.grid.rawValue
  }
}
