import MarketFile
import MarketModel
import Settlement

/// The limit of a reject in the units that people type.
enum LimitText {
  /// The text of a limit, such as "free cash: 12.50".
  /// - Parameters:
  ///   - meaning: Meaning and unit as the list of reject codes has them.
  ///   - limit: The value in the reject.
  /// - Returns: `nil` when the limit says nothing.
  static func text(_ meaning: String, _ limit: Int64) -> String? {
    if meaning.isEmpty || Int(meaning) != nil { return nil }
    if let choice = choice(meaning, limit) { return choice }
    // No moment, where a code has one in some of its cases only.
    if limit == 0, meaning.hasSuffix(moment) { return nil }
    for (unit, form) in units where meaning.hasSuffix(unit) {
      return "\(meaning.dropLast(unit.count)): \(form(limit))"
    }
    return "\(meaning): \(limit)"
  }

  private static let moment = " in ns since the epoch"

  /// Ends of meanings, with the form of the value; longer ends come first.
  private static let units: [(String, @Sendable (Int64) -> String)] = [
    (" in 1e-8", { Money(units: $0).decimal }),
    (" in 1e-5 per kWh", { Price(ticks: $0).decimal + " per kWh" }),
    (" in Wh", { Energy(wattHours: $0).kilowattHours + " kWh" }),
    (moment, { Timestamp(nanoseconds: UInt64(bitPattern: $0)).iso8601 }),
    (" in ns", { seconds($0) }),
    (
      " (bits)",
      {
        Typed.names(of: Roles(rawValue: UInt8(truncatingIfNeeded: $0))).joined(separator: ", ")
      }
    ),
  ]

  /// The words of the value in a meaning that lists its values: "1 the participant; 2 the account".
  private static func choice(_ meaning: String, _ limit: Int64) -> String? {
    let parts = meaning.split(separator: "; ").map { $0.split(separator: " ", maxSplits: 1) }
    guard parts.allSatisfy({ $0.count == 2 && Int64($0[0]) != nil }) else { return nil }
    return parts.first { Int64($0[0]) == limit }.map { String($0[1]) }
  }

  /// Nanoseconds as seconds, without trailing zeros: "2.5 s".
  private static func seconds(_ nanoseconds: Int64) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var fraction = String(String(rest.magnitude + 1_000_000_000).dropFirst())
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return fraction.isEmpty ? "\(whole) s" : "\(whole).\(fraction) s"
  }
}
