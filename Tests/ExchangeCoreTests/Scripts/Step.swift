// One line of a script: a command that refers to orders by names instead of engine ids.
//
//   enter A1 ana ask 5kWh @ 0.10 in 1 gtt 60s stp older min 1kWh behalf 6 id 7 by 1
//   replace A1 3kWh @ 0.11        cancel A1        mass ana bids in 1
//   meter ana +4kWh -2kWh         send ana ben 2kWh        deposit ana 10.00
//   agent ana in 1 sell 0.10 above 6kWh buy 0.05 below 2kWh target 4kWh
//   cap ana 5kWh   halt 1   open 1   close 1   tick 60s   ... and the definitions
//   cancel A1 byid: by the order's client order id
//   cancel A1 after 60s: any line can advance the clock, here by a minute
//   setTariff area 1 feedInPrice 0.05 retailPrice 0.30: any other command, in its text form
//
// `Market` fills in what a line leaves out: client order ids, references and register sequences.

import MarketModel

/// A command without the ids of named orders, the time and the running numbers.
struct Step {
  /// The session that sends it.
  var session = SessionId(1)
  /// The command; order ids are null and times are seconds since the start of the script.
  var body: Command.Body
  /// The order's name: `enter` defines it, `replace` and `cancel` use it.
  var label: String?
  /// Whether `Market` fills in the running number.
  var countsUp = false
  /// Whether the times of a reading are ns since 1970.
  var isExact = false
  /// Seconds by which the step advances the clock.
  var advance: UInt64 = 0

  init(_ body: Command.Body, label: String? = nil, by session: UInt32 = 1, countsUp: Bool = false) {
    (self.body, self.label, self.countsUp) = (body, label, countsUp)
    self.session = SessionId(session)
  }
}

/// The error for a line that is no valid step.
struct ScriptError: Error, CustomStringConvertible {
  let description: String
}

/// The notation of numbers and names in scripts.
enum Notation {
  /// The names of accounts and meters 1, 2, 3 ...
  static let people = [
    "ana", "ben", "cy", "dee", "eva", "finn", "gus", "hal", "ida", "jon", "kim", "lea",
  ]

  /// The words of time in force: the usual abbreviation, or else the name of the case.
  static func word(_ timeInForce: TimeInForce) -> String {
    switch timeInForce {
    case .immediateOrCancel: "ioc"
    case .fillOrKill: "fok"
    case .goodTillTime: "gtt"
    default: "\(timeInForce)"
    }
  }

  /// The words of an order's flags: the usual abbreviation, or else the name of the field.
  static func word(ofFlag name: String) -> String { name == "postOnly" ? "post" : name }

  static func person(_ number: UInt32) -> String {
    (1...UInt32(people.count)).contains(number) ? people[Int(number) - 1] : "#\(number)"
  }

  static func person(_ text: String) throws(ScriptError) -> UInt32 {
    if let index = people.firstIndex(of: text) { return UInt32(index) + 1 }
    guard text.hasPrefix("#"), let number = UInt32(text.dropFirst()) else {
      throw ScriptError(description: "no such person: \(text)")
    }
    return number
  }

  static func energy(_ wattHours: Int64) -> String {
    wattHours % 1000 == 0 ? "\(wattHours / 1000)kWh" : "\(wattHours)Wh"
  }

  static func energy(_ energy: Energy) -> String { self.energy(energy.wattHours) }

  static func energy(_ text: String) throws(ScriptError) -> Energy {
    let isKilo = text.hasSuffix("kWh")
    guard text.hasSuffix("Wh"), let number = Int64(text.dropLast(isKilo ? 3 : 2)) else {
      throw ScriptError(description: "no energy: \(text)")
    }
    return Energy(wattHours: isKilo ? number * 1000 : number)
  }

  /// A decimal number with up to `digits` decimals, at least two of which are written.
  static func decimal(_ value: Int64, _ digits: Int) -> String {
    var text = String(value.magnitude)
    while text.count <= digits { text = "0" + text }
    var fraction = text.suffix(digits)
    while fraction.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
    return (value < 0 ? "-" : "") + text.dropLast(digits) + "." + fraction
  }

  static func decimal(_ text: String, _ digits: Int) throws(ScriptError) -> Int64 {
    let isNegative = text.hasPrefix("-")
    let parts = (isNegative ? text.dropFirst() : text[...]).split(
      separator: ".", omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    let padding = String(repeating: "0", count: max(0, digits - fraction.count))
    guard (1...2).contains(parts.count), fraction.count <= digits,
      let value = Int64((isNegative ? "-" : "") + parts[0] + fraction + padding)
    else { throw ScriptError(description: "no decimal with \(digits) digits: \(text)") }
    return value
  }

  static func price(_ price: Price) -> String { decimal(price.ticks, 5) }
  static func price(_ text: String) throws(ScriptError) -> Price {
    Price(ticks: try decimal(text, 5))
  }
  static func money(_ units: Int64) -> String { decimal(units, 8) }
  static func money(_ text: String) throws(ScriptError) -> Money {
    Money(units: try decimal(text, 8))
  }

  static func currency(_ currency: Currency) -> String { currency == .eur ? "EUR" : "CHF" }

  static func time(_ time: Timestamp) -> String {
    time == .never ? "never" : "\(time.nanoseconds)s"
  }
}
