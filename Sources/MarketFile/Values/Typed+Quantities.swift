import MarketModel

extension Typed {
  /// A price in currency units per kWh with at most five decimals, such as "0.08" or "-0.05".
  public static func price(_ text: String) throws(ValueError) -> Price {
    let number = trimmed(text)
    try refuseUnit(number, "a price is in the area's currency per kWh, without a unit: 0.08")
    return Price(
      ticks: try DecimalText.explained(number, places: 5, "a price", example: "0.08"))
  }

  /// An amount in currency units with at most eight decimals, such as "100.50".
  public static func money(_ text: String) throws(ValueError) -> Money {
    let number = trimmed(text)
    try refuseUnit(number, "write the amount without its currency: 100.50")
    return Money(
      units: try DecimalText.explained(number, places: 8, "an amount", example: "100.50"))
  }

  /// A rate in per cent with at most four decimals: "0.5" or "0.5%".
  public static func rate(_ text: String) throws(ValueError) -> Rate {
    var number = trimmed(text)
    if number.hasSuffix("%") { number = trimmed(number.dropLast()) }
    let parts = try DecimalText.explained(number, places: 4, "a rate", example: "0.5%")
    guard let rate = UInt32(exactly: parts), rate <= Rate.highest.partsPerMillion else {
      throw ValueError("a rate is from 0 to 50 per cent, such as 0.5%")
    }
    return Rate(partsPerMillion: rate)
  }

  /// Energy with its unit: "5kWh", "2.5kWh", "500Wh" or "1MWh"; whole watt-hours.
  public static func energy(_ text: String) throws(ValueError) -> Energy {
    let word = trimmed(text)
    let unit = word.drop { "0123456789.,+-'_ \u{2212}".contains($0) }
    let number = trimmed(word.dropLast(unit.count))
    if unit.isEmpty {
      guard !number.isEmpty else { throw ValueError("it is empty; write energy such as 5kWh") }
      _ = try DecimalText.explained(number, places: 6, "energy", example: "5kWh")
      let other = number.contains(".") ? "" : " or \(number)Wh"
      throw ValueError("the unit is missing: write \(number)kWh\(other)")
    }
    guard let places = units[String(unit)] else { throw wrongUnit(String(unit), number) }
    let what = "energy in \(unit)"
    return Energy(
      wattHours: try DecimalText.explained(number, places: places, what, example: "5\(unit)"))
  }

  /// Names of units of energy, with the decimal places that make them whole watt-hours.
  private static let units = ["Wh": 0, "kWh": 3, "MWh": 6]

  private static func wrongUnit(_ unit: String, _ number: String) -> ValueError {
    if let right = units.keys.first(where: { $0.lowercased() == unit.lowercased() }) {
      return ValueError("the unit is written \(right): \(number)\(right)")
    }
    if ["w", "kw", "mw"].contains(unit.lowercased()) {
      return ValueError("\(unit) is a unit of power; energy is in kWh or Wh: \(number)kWh")
    }
    if number.isEmpty || !unit.allSatisfy({ $0.isLetter }) {
      return ValueError("it is no energy; write a number and its unit, such as 5kWh or 500Wh")
    }
    return ValueError("\(unit) is no unit of energy; write Wh, kWh or MWh, such as 5kWh")
  }

  /// Refuses a number with a unit or a currency beside it.
  private static func refuseUnit(_ number: String, _ advice: String) throws(ValueError) {
    let letters = number.drop { !$0.isLetter && $0 != "€" && $0 != "$" && $0 != "£" }
    let isExponent = letters.lowercased().hasPrefix("e") && Double(number) != nil
    let hasDigits = number.contains { $0.isNumber }
    if !letters.isEmpty, hasDigits, !isExponent { throw ValueError(advice) }
  }

  /// The text without spaces around it.
  static func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
