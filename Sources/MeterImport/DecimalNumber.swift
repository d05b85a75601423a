// Energy from decimal text, exactly: no floating point, and rounding to whole watt-hours is counted.

/// The unit of a value.
public enum ValueUnit: String, CaseIterable, Sendable {
  /// Watt-hours.
  case wattHours = "Wh"
  /// Kilowatt-hours.
  case kilowattHours = "kWh"
  /// Megawatt-hours.
  case megawattHours = "MWh"
  /// Average power of the interval in watts.
  case watts = "W"
  /// Average power of the interval in kilowatts.
  case kilowatts = "kW"
  /// Average power of the interval in megawatts.
  case megawatts = "MW"

  /// The unit of a name in any case; `nil` when there is none.
  public init?(anyCase text: some StringProtocol) {
    let word = text.lowercased()
    guard let unit = Self.allCases.first(where: { $0.rawValue.lowercased() == word }) else {
      return nil
    }
    self = unit
  }

  /// Wh, or W, of one unit.
  var factor: Int64 {
    switch self {
    case .wattHours, .watts: 1
    case .kilowattHours, .kilowatts: 1_000
    case .megawattHours, .megawatts: 1_000_000
    }
  }

  /// Whether it is a unit of power.
  var isPower: Bool {
    switch self {
    case .watts, .kilowatts, .megawatts: true
    case .wattHours, .kilowattHours, .megawattHours: false
    }
  }
}

/// A decimal number as it stands in a file: `digits` x 10 to the power of `-places`.
struct DecimalNumber: Equatable {
  /// All digits, with the sign; at most 18.
  var digits: Int64
  /// Digits after the decimal mark; at most 12.
  var places: Int

  /// Most digits after the decimal mark.
  static let mostPlaces = 12
  /// Most digits in all.
  static let mostDigits = 18
  private static let powers: [Int64] = {
    var powers: [Int64] = [1]
    for place in 0..<mostPlaces { powers.append(powers[place] * 10) }
    return powers
  }()

  /// Parses a number. With a decimal comma, points may separate thousands where the comma shows that
  /// they do.
  /// - Throws: what is wrong, and what to write.
  init(_ bytes: Bytes, mark: UInt8) throws(TextFault) {
    var rest = bytes[...]
    let isNegative = rest.first == 0x2D
    if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
    (digits, places) = (0, 0)
    var (whole, count, isFraction, isGrouped, group) = (0, 0, false, false, -1)
    for byte in rest {
      if (0x30...0x39).contains(byte) {
        if count > 0 || byte != 0x30 { count += 1 }
        guard count <= Self.mostDigits else { throw Self.fault(bytes, mark) }
        digits = digits * 10 + Int64(byte & 15)
        if isFraction { places += 1 } else { whole += 1 }
        if group >= 0 { group += 1 }
      } else if byte == mark, !isFraction, group < 0 || group == 3 {
        (isFraction, group) = (true, -1)
      } else if byte == 0x2E, mark == 0x2C, !isFraction, whole > 0,
        group == 3 || (group < 0 && whole <= 3)
      {
        (group, isGrouped) = (0, true)
      } else {
        throw Self.fault(bytes, mark)
      }
    }
    guard whole + places > 0, places <= Self.mostPlaces, isFraction || !isGrouped else {
      throw Self.fault(bytes, mark)
    }
    if isNegative { digits = -digits }
  }

  /// The energy of this number of `unit` in an interval of `seconds`, rounded to whole Wh, halves
  /// away from zero.
  /// - Returns: Wh, and what rounding added in 1e-9 Wh; `nil` when it exceeds 2^62 Wh.
  /// - Precondition: `seconds` is positive and at most 2^32.
  func energy(in unit: ValueUnit, seconds: Int64) -> (wattHours: Int64, rounded: Int64)? {
    let numerator = Int128(digits) * Int128(unit.factor) * (unit.isPower ? Int128(seconds) : 1)
    let denominator = Int128(Self.powers[places]) * (unit.isPower ? 3_600 : 1)
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
    if remainder == 0 {
      return abs(quotient) <= 1 << 62 ? (Int64(quotient), 0) : nil
    }
    let isUp = abs(remainder) * 2 >= denominator
    let whole = isUp ? quotient + (numerator < 0 ? -1 : 1) : quotient
    guard abs(whole) <= 1 << 62 else { return nil }
    let added = (whole * denominator - numerator) * 1_000_000_000 / denominator
    return (Int64(whole), Int64(added))
  }

  /// Why `bytes` is no number, with what to write.
  private static func fault(_ bytes: Bytes, _ mark: UInt8) -> TextFault {
    let text = bytes.shown
    let example = mark == 0x2C ? "0,125" : "0.125"
    if bytes.isEmpty { return TextFault("it is empty") }
    let isNumeric = bytes.allSatisfy {
      (0x30...0x39).contains($0) || [0x2B, 0x2C, 0x2D, 0x2E].contains($0)
    }
    let marks = bytes.filter { $0 == mark }.count
    let other = bytes.filter { $0 == (mark == 0x2C ? 0x2E : 0x2C) }.count
    if isNumeric, other == 1, marks == 0 {
      return TextFault(
        "'\(text)' has a decimal \(mark == 0x2C ? "point" : "comma"), and numbers of this file have "
          + "a \(mark == 0x2C ? "comma" : "point"): give --decimal \(mark == 0x2C ? "point" : "comma")"
      )
    }
    if isNumeric, marks <= 1, other == 0, bytes.contains(where: { (0x30...0x39).contains($0) }),
      bytes.dropFirst().allSatisfy({ $0 != 0x2B && $0 != 0x2D })
    {
      return TextFault(
        "'\(text)' has too many digits: a value has at most \(mostDigits), \(mostPlaces) of them "
          + "decimals")
    }
    if bytes.contains(where: { $0 | 0x20 == 0x65 }), bytes.first.map({ $0 < 0x3A }) == true {
      return TextFault("'\(text)' has an exponent; write it like \(example)")
    }
    return TextFault("'\(text)' is not a number; it is written like \(example)")
  }
}
