import Foundation
import MarketModel

/// Formats numbers for people: with few digits, a unit and separated thousands.
enum Format {
  /// Energy with a suitable unit: "4.22 MWh", "812 kWh", "1.40 kWh", "640 Wh".
  static func energy(_ wattHours: Int64) -> String {
    let size = abs(Double(wattHours))
    switch size {
    case ..<1_000: return "\(wattHours) Wh"
    case ..<10_000: return decimal(Double(wattHours) / 1_000, 2) + " kWh"
    case ..<100_000: return decimal(Double(wattHours) / 1_000, 1) + " kWh"
    case ..<1_000_000: return decimal(Double(wattHours) / 1_000, 0) + " kWh"
    case ..<1_000_000_000: return decimal(Double(wattHours) / 1_000_000, 2) + " MWh"
    case ..<1_000_000_000_000: return decimal(Double(wattHours) / 1_000_000_000, 2) + " GWh"
    default: return decimal(Double(wattHours) / 1_000_000_000_000, 2) + " TWh"
    }
  }

  /// An amount: "€12.34"; a minus sign comes before the currency sign.
  static func money(_ money: Money, _ sign: String, places: Int = 2) -> String {
    let text = sign + decimal(abs(Double(money.units)) / 100_000_000, places)
    return money.units < 0 ? "−" + text : text
  }

  /// A price in hundredths of the currency per kWh, without unit: "18.4".
  /// - Parameter ticks: The price in 1e-5 per kWh.
  static func cents(_ ticks: Double, places: Int = 1) -> String { decimal(ticks / 1_000, places) }

  /// A price in hundredths of the currency: "18.4 ct".
  static func price(_ price: Price, places: Int = 1) -> String {
    cents(Double(price.ticks), places: places) + " ct"
  }

  /// A share as a percentage: "63 %".
  static func percent(_ share: Double, places: Int = 0) -> String {
    decimal(share * 100, places) + " %"
  }

  /// A duration with a suitable unit: "84 µs", "1.32 ms", "2.1 s".
  static func duration(nanoseconds: Int64) -> String {
    let value = Double(nanoseconds)
    switch value {
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<1_000_000: return decimal(value / 1_000, value < 10_000 ? 1 : 0) + " µs"
    case ..<1_000_000_000: return decimal(value / 1_000_000, value < 100_000_000 ? 2 : 0) + " ms"
    default: return decimal(value / 1_000_000_000, 1) + " s"
    }
  }

  /// A whole number: "12,345".
  static func count(_ value: Int) -> String { decimal(Double(value), 0) }

  /// A number of things: "1 trade", "12,345 trades".
  static func count(_ value: Int, _ thing: String) -> String {
    "\(count(value)) \(thing)\(value == 1 ? "" : "s")"
  }

  /// `value` with `places` decimal places and commas between thousands.
  static func decimal(_ value: Double, _ places: Int) -> String {
    let text = String(format: "%.\(places)f", abs(value))
    let parts = text.split(separator: ".")
    var whole = ""
    for (index, digit) in parts[0].reversed().enumerated() {
      if index > 0 && index % 3 == 0 { whole.append(",") }
      whole.append(digit)
    }
    let fraction = parts.count > 1 ? "." + parts[1] : ""
    let zero = !text.contains { $0 != "0" && $0 != "." }
    return (value < 0 && !zero ? "−" : "") + String(whole.reversed()) + fraction
  }

  /// The day that contains `time` in UTC, such as "Mon" and "6 June".
  static func day(_ time: Timestamp) -> (weekday: String, date: String) {
    // 1970-01-01 was a Thursday.
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let date = time.date
    return (weekdays[date.daysSinceEpoch % 7], "\(date.day) \(monthNames[date.month - 1])")
  }

  /// A time in UTC: "Tue 14 June 05:15".
  static func moment(_ time: Timestamp) -> String {
    let (weekday, date) = day(time)
    return "\(weekday) \(date) \(timeOfDay(time))"
  }

  /// A time of day in UTC: "05:15", or "05:15:30".
  static func timeOfDay(_ time: Timestamp, withSeconds: Bool = false) -> String {
    let seconds = Int(time.nanoseconds / 1_000_000_000) % 86_400
    let minutes = String(format: "%02d:%02d", seconds / 3_600, seconds / 60 % 60)
    return withSeconds ? minutes + String(format: ":%02d", seconds % 60) : minutes
  }

  /// A day in UTC with three letters of its month: "6 Jun".
  static func shortDate(_ time: Timestamp) -> String {
    let date = time.date
    return "\(date.day) \(monthNames[date.month - 1].prefix(3))"
  }

  /// A day in UTC with its year: "6 June 2016".
  static func fullDate(_ time: Timestamp) -> String { "\(day(time).date) \(time.date.year)" }

  /// A value at an axis, with as many places as labels at this distance need.
  static func axis(_ value: Double, step: Double) -> String {
    let places = step > 0 && step < 1 ? Int((-log10(step)).rounded(.up)) : 0
    return decimal(value, min(3, places))
  }

  private static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
}
