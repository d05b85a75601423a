/// One key of the configuration file: how it is written, parsed and described.
public struct Setting {
  /// Dotted name: `capacity.orders` is `orders` under `capacity`.
  public let key: String
  /// Its description, for the commented default file and the help.
  public let text: String
  /// Returns its value as written in the file.
  public let value: (Configuration) -> String
  /// Parses and sets a value as written in the file.
  /// - Throws: if the value is invalid.
  public let assign: (inout Configuration, String) throws(ConfigurationError) -> Void

  static func text(
    _ key: String, _ path: WritableKeyPath<Configuration, String>, _ text: String
  ) -> Setting {
    Setting(key: key, text: text, value: { $0[keyPath: path] }) { configuration, value in
      configuration[keyPath: path] = value
    }
  }

  static func flag(
    _ key: String, _ path: WritableKeyPath<Configuration, Bool>, _ text: String
  ) -> Setting {
    Setting(key: key, text: text, value: { "\($0[keyPath: path])" }) {
      (configuration, value) throws(ConfigurationError) in
      guard let isOn = Bool(value) else {
        throw ConfigurationError("\(key): \(value) is neither true nor false")
      }
      configuration[keyPath: path] = isOn
    }
  }

  static func number<Value: FixedWidthInteger>(
    _ key: String, _ path: WritableKeyPath<Configuration, Value>, _ range: ClosedRange<Value>,
    _ text: String
  ) -> Setting {
    Setting(key: key, text: text, value: { "\($0[keyPath: path])" }) {
      (configuration, value) throws(ConfigurationError) in
      guard let number = Self.parse(value, as: Value.self), range.contains(number) else {
        throw ConfigurationError(
          "\(key): \(value) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      configuration[keyPath: path] = number
    }
  }

  static func choice<Value: RawRepresentable & CaseIterable>(
    _ key: String, _ path: WritableKeyPath<Configuration, Value>, _ text: String
  ) -> Setting where Value.RawValue == String {
    Setting(key: key, text: text, value: { $0[keyPath: path].rawValue }) {
      (configuration, value) throws(ConfigurationError) in
      guard let chosen = Value(rawValue: value) else {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw ConfigurationError("\(key): \(value) is none of \(names)")
      }
      configuration[keyPath: path] = chosen
    }
  }

  /// Parses a whole number; `_` groups digits, and `KiB`, `MiB` and `GiB` multiply.
  private static func parse<Value: FixedWidthInteger>(_ text: String, as: Value.Type) -> Value? {
    let units: [(String, Value)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
    var digits = text.filter { $0 != "_" && $0 != " " }
    var factor: Value = 1
    if let (suffix, value) = units.first(where: { digits.hasSuffix($0.0) }) {
      digits.removeLast(suffix.count)
      factor = value
    }
    guard let number = Value(digits) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}
