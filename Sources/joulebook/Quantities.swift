// Quantities as people write them. Decimal digits are read as integers: no floating point.

import ArgumentParser
import MarketModel

/// A decimal number with a fixed number of digits behind the point, as an integer.
enum Decimal {
  /// "0.125" with 5 places is 12500.
  /// - Returns: `nil` when it is no number, has more places, or does not fit.
  static func parse(_ text: some StringProtocol, places: Int) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let parts = text.drop(while: { $0 == "-" || $0 == "+" })
      .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard text.count - parts.joined(separator: ".").count <= 1, let whole = parts.first else {
      return nil
    }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.count <= places, !whole.isEmpty || !fraction.isEmpty else { return nil }
    let digits = whole + fraction + String(repeating: "0", count: places - fraction.count)
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int64((isNegative ? "-" : "") + digits)
  }

  /// 12500 with 5 places is "0.125"; at least `shown` places are kept.
  static func format(_ value: Int64, places: Int, shown: Int) -> String {
    var digits = String(value.magnitude)
    while digits.count <= places { digits = "0" + digits }
    var fraction = digits.suffix(places)
    while fraction.count > shown, fraction.last == "0" { fraction.removeLast() }
    let sign = value < 0 ? "-" : ""
    let whole = digits.dropLast(places)
    return fraction.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(fraction)"
  }
}

extension Price: ExpressibleByArgument {
  /// Currency per kWh: "0.12".
  public init?(argument: String) {
    guard let ticks = Decimal.parse(argument, places: 5) else { return nil }
    self.init(ticks: ticks)
  }
  /// "0.12".
  var text: String { Decimal.format(ticks, places: 5, shown: 2) }
}

extension Money: ExpressibleByArgument {
  /// Currency: "100.50".
  public init?(argument: String) {
    guard let units = Decimal.parse(argument, places: 8) else { return nil }
    self.init(units: units)
  }
  /// "100.50".
  var text: String { Decimal.format(units, places: 8, shown: 2) }
}

extension Energy: ExpressibleByArgument {
  /// "5kWh", "2.5kWh", "500Wh"; a bare number is Wh.
  public init?(argument: String) {
    let (number, places) =
      argument.hasSuffix("kWh")
      ? (argument.dropLast(3), 3)
      : (argument.hasSuffix("Wh") ? argument.dropLast(2) : argument[...], 0)
    guard let wattHours = Decimal.parse(number, places: places) else { return nil }
    self.init(wattHours: wattHours)
  }
  /// "2.5 kWh".
  var text: String { Decimal.format(wattHours, places: 3, shown: 0) + " kWh" }
}

extension Rate: ExpressibleByArgument {
  /// Per cent: "0.5" or "0.5%".
  public init?(argument: String) {
    let number = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
    guard let value = Decimal.parse(number, places: 4), let parts = UInt32(exactly: value) else {
      return nil
    }
    self.init(partsPerMillion: parts)
  }
}

extension Currency: ExpressibleByArgument {
  private static let codes: [(String, UInt16)] = [
    ("EUR", 978), ("CHF", 756), ("USD", 840), ("GBP", 826),
  ]
  /// EUR, CHF, USD, GBP, or an ISO 4217 number.
  public init?(argument: String) {
    if let known = Self.codes.first(where: { $0.0 == argument.uppercased() }) {
      self.init(known.1)
    } else if let number = UInt16(argument), number > 0, number < 1000 {
      self.init(number)
    } else {
      return nil
    }
  }
  /// "EUR", or the number.
  var text: String { Self.codes.first { $0.1 == rawValue }?.0 ?? String(rawValue) }
}

extension Label: ExpressibleByArgument {
  /// Up to 16 printable ASCII characters.
  public init?(argument: String) { self.init(argument) }
}

extension AccountId: ExpressibleByArgument {
  /// A number.
  public init?(argument: String) {
    guard let number = UInt32(argument) else { return nil }
    self.init(number)
  }
}
