import MarketModel

// Names and numbers for display. Amounts are exact; only average prices are rounded.

extension AccountId {
  /// The name of a ledger account: "17", "area 1 fees", "area 1 consumption", "outside EUR".
  public var ledgerName: String {
    if isOutside { return "outside \(Currency(UInt16(truncatingIfNeeded: rawValue)).name)" }
    guard let area = houseArea else { return "\(rawValue)" }
    let role = UInt8(truncatingIfNeeded: rawValue)
    let name =
      EnergyTerminal(rawValue: role).map { "\($0)" } ?? HouseRole(rawValue: role).map { "\($0)" }
    return "area \(area.rawValue) \(name ?? "role \(role)")"
  }
}

extension Currency {
  /// The ISO 4217 code, such as "EUR"; "currency" and the number for one that `named` lacks.
  public var name: String {
    Self.named.first { $0.currency == self }?.letters ?? "currency \(rawValue)"
  }
}

extension LedgerUnit {
  /// The name of a unit: "EUR", "energy of area 1".
  public var name: String {
    if let area { return "energy of area \(area.rawValue)" }
    return currency?.name ?? "unit \(rawValue)"
  }

  /// An amount in this unit, exact: "12.50" (currency), "1.250" (kWh).
  public func format(_ amount: some BinaryInteger) -> String {
    area != nil ? AmountText.kilowattHours(amount) : AmountText.money(amount)
  }
}

extension Energy {
  /// The energy in kWh with three decimals, exact: "1.250".
  public var kilowattHours: String { AmountText.kilowattHours(wattHours) }
}

extension Money {
  /// The amount in the currency with two to eight decimals, exact: "12.50", "0.00012345".
  public var decimal: String { AmountText.money(units) }
}

extension Price {
  /// The price per kWh with two to five decimals, exact: "0.12", "0.08125".
  public var decimal: String { DecimalText.format(ticks, decimals: 5, atLeast: 2) }

  /// `money / energy`, rounded to 1e-5 per kWh, half away from zero.
  /// - Returns: `nil` when the energy is 0.
  public static func average(_ money: Money, for energy: Energy) -> Price? {
    average(units: Int128(money.units), wattHours: Int128(energy.wattHours))
  }

  /// The average price of a sum of cash (1e-8 of the currency) and a sum of energy (Wh).
  /// - Returns: `nil` when the energy is 0 or the price exceeds 64 bits.
  static func average(units amount: Int128, wattHours weight: Int128) -> Price? {
    guard weight != 0 else { return nil }
    let half = weight.magnitude / 2
    let magnitude = (amount.magnitude + half) / weight.magnitude
    let isNegative = (amount < 0) != (weight < 0)
    return Int64(exactly: magnitude).map { Price(ticks: isNegative ? -$0 : $0) }
  }
}

/// Formats amounts and sums of amounts for display.
enum AmountText {
  /// Formats Wh as kWh: "1.250".
  static func kilowattHours(_ wattHours: some BinaryInteger) -> String {
    DecimalText.format(wattHours, decimals: 3, atLeast: 3)
  }

  /// Formats units of 1e-8 as currency: "12.50", "0.00012345".
  static func money(_ units: some BinaryInteger) -> String {
    DecimalText.format(units, decimals: 8, atLeast: 2)
  }
}

/// Formats integers as decimal fractions.
enum DecimalText {
  /// `value` x 10^-`decimals`, without trailing zeros beyond `atLeast` decimals.
  static func format(_ value: some BinaryInteger, decimals: Int, atLeast: Int) -> String {
    var digits = String(value.magnitude)
    while digits.utf8.count <= decimals { digits = "0" + digits }
    var fraction = digits.suffix(decimals)
    while fraction.utf8.count > atLeast, fraction.last == "0" { fraction.removeLast() }
    return "\(value < 0 ? "-" : "")\(digits.dropLast(decimals)).\(fraction)"
  }
}
