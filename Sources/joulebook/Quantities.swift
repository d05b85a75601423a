// Parsers of quantities on the command line. Decimal digits become integers without floating point.

import ArgumentParser
import MarketModel

/// Parser of decimal numbers with a fixed number of decimal places.
enum Decimal {
  /// The number as an integer scaled by ten to the power `places`: "0.125" with 5 places is 12500.
  /// - Returns: `nil` when `text` is not a number, has more decimal places, or exceeds 64 bits.
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
}

extension Price: ExpressibleByArgument {
  /// A price in currency units per kWh with at most five decimal places, such as "0.12".
  public init?(argument: String) {
    guard let ticks = Decimal.parse(argument, places: 5) else { return nil }
    self.init(ticks: ticks)
  }
}

extension Money: ExpressibleByArgument {
  /// An amount in currency units with at most eight decimal places, such as "100.50".
  public init?(argument: String) {
    guard let units = Decimal.parse(argument, places: 8) else { return nil }
    self.init(units: units)
  }
}

extension Energy: ExpressibleByArgument {
  /// "5kWh", "2.5kWh" or "500Wh"; a number without a unit is in Wh.
  public init?(argument: String) {
    let (number, places) =
      argument.hasSuffix("kWh")
      ? (argument.dropLast(3), 3)
      : (argument.hasSuffix("Wh") ? argument.dropLast(2) : argument[...], 0)
    guard let wattHours = Decimal.parse(number, places: places) else { return nil }
    self.init(wattHours: wattHours)
  }
}

extension Rate: ExpressibleByArgument {
  /// A rate in per cent with at most four decimal places: "0.5" or "0.5%".
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
  /// EUR, CHF, USD, GBP, or the number of a currency in ISO 4217 (1 to 999).
  public init?(argument: String) {
    if let known = Self.codes.first(where: { $0.0 == argument.uppercased() }) {
      self.init(known.1)
    } else if let number = UInt16(argument), number > 0, number < 1000 {
      self.init(number)
    } else {
      return nil
    }
  }

  /// The currency's letters, or its number when `codes` does not list it.
  public var defaultValueDescription: String {
    Self.codes.first { $0.1 == rawValue }?.0 ?? "\(rawValue)"
  }
}

extension Label: ExpressibleByArgument {
  /// A text of at most 16 printable ASCII characters.
  public init?(argument: String) { self.init(argument) }
}

extension AccountId: ExpressibleByArgument {
  /// An account number, 0 to 4,294,967,295.
  public init?(argument: String) {
    guard let number = UInt32(argument) else { return nil }
    self.init(number)
  }
}

extension Timestamp: ExpressibleByArgument {
  /// A time in UTC, "2026-06-01" or "2026-06-01T12:30:00Z", or in nanoseconds since 1970.
  public init?(argument: String) {
    if let nanoseconds = UInt64(argument) {
      self.init(nanoseconds: nanoseconds)
      return
    }
    let parts = argument.replacing("Z", with: "").split(separator: "T")
    let date = (parts.first ?? "").split(separator: "-").compactMap { Int($0) }
    let clock =
      parts.count == 2 ? parts[1].split(separator: ":").compactMap { UInt64($0) } : [0, 0]
    guard parts.count <= 2, date.count == 3, (2...3).contains(clock.count),
      Self.years.contains(date[0]),
      (1...12).contains(date[1]), (1...31).contains(date[2]), clock[0] < 24, clock[1] < 60,
      clock.count == 2 || clock[2] < 60
    else { return nil }
    let seconds = clock[0] * 3600 + clock[1] * 60 + (clock.count == 3 ? clock[2] : 0)
    let days = CalendarDate(year: date[0], month: date[1], day: date[2]).daysSinceEpoch
    self.init(nanoseconds: (UInt64(days) * 86_400 + seconds) * 1_000_000_000)
  }

  /// Years whose nanoseconds since 1970 all fit into 64 bits.
  private static let years: ClosedRange<Int> = 1970...2553
}
