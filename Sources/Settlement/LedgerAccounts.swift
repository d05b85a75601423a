import MarketModel

// A ledger account is an `AccountId`. The market model has three kinds: participants' accounts, the
// house accounts of an area, and one account for the outside of each currency. The ledger adds
// accounts for the sources and sinks of energy, because each debit needs a credit.

/// The sources and sinks of energy: accounts of an area that exist in the ledger only. The
/// counterparty of imports and exports is `HouseRole.grid`.
public enum EnergyTerminal: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Debited with the production according to meters.
  case production = 0xF1
  /// Credited with the consumption according to meters.
  case consumption = 0xF2
  /// Credited with the losses between production and storage.
  case losses = 0xF3
}

extension AccountId {
  /// The ledger-only account of `area` for `terminal`: `0x8000_0000 | area << 8 | terminal`.
  public static func terminal(_ area: AreaId, _ terminal: EnergyTerminal) -> AccountId {
    AccountId(0x8000_0000 | UInt32(area.rawValue) << 8 | UInt32(terminal.rawValue))
  }

  /// Whether the account stands for the outside of a currency: it is debited with deposits and
  /// credited with withdrawals.
  public var isOutside: Bool { rawValue & 0xC000_0000 == 0xC000_0000 }

  /// The area of a house or terminal account; `nil` for any other.
  public var houseArea: AreaId? {
    guard isHouse, !isOutside else { return nil }
    return AreaId(UInt16(truncatingIfNeeded: rawValue >> 8))
  }

  /// Whether the account is a source or sink of an area's energy: production, consumption, losses
  /// or grid.
  public var isEnergyTerminal: Bool {
    guard houseArea != nil else { return false }
    let role = UInt8(truncatingIfNeeded: rawValue)
    return EnergyTerminal(rawValue: role) != nil || role == HouseRole.grid.rawValue
  }
}
