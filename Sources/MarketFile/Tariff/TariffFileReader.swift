// Reads a tariff file (YAML): docs/TARIFFS.md explains its fields.

import Foundation
import MarketModel
import Yams

extension Tariff {
  /// Reads the text of a tariff file.
  /// - Parameter name: The file's name, for messages.
  /// - Throws: All faults, each with file and line.
  public init(yaml: String, name: String) throws(MarketFileError) {
    var reader = TariffFileReader(name: name)
    let tariff = reader.read(yaml)
    guard let tariff, reader.base.faults.isEmpty else {
      throw MarketFileError(
        reader.base.faults.sorted { $0.line < $1.line }.map { "\(name):\($0.line): \($0.text)" })
    }
    self = tariff
  }
}

/// Collects all faults of a tariff file instead of ending with the first.
private struct TariffFileReader {
  var base: MarketFileReader
  /// The exchange's bound of a price, 1e-5 per kWh.
  private static let highestPrice: Int64 = 1 << 40
  private static let minutesOfDay = 1_440

  init(name: String) {
    base = MarketFileReader(name: name) { (_) throws(ValueError) in
      throw ValueError("a tariff names no keys")
    }
  }

  mutating func read(_ yaml: String) -> Tariff? {
    guard let root = base.compose(yaml) else { return nil }
    var fields = FileFields("the file", FileValue(node: root, line: 1), in: &base)
    let area = fields.required("area", &base) { (text) throws(ValueError) in
      AreaId(try Typed.number(text, in: 1...UInt16.max))
    }
    let zone = fields.required("time-zone", &base, Self.zone)
    let end = fields.optional("to", &base, Self.day)
    let holidays = days(fields.take("holidays"))
    let periods = periods(fields.take("tariffs"), line: fields.line)
    fields.finish(&base)
    if let end, let last = periods.last, end <= last.first {
      base.fault(1, "to is not after the begin of the last tariff")
    }
    guard let area, let zone, base.faults.isEmpty, !periods.isEmpty else { return nil }
    return Tariff(area: area, zone: zone, holidays: holidays, periods: periods, end: end)
  }

  private static func zone(_ text: String) throws(ValueError) -> TimeZone {
    // Foundation also takes abbreviations such as EST, which know no summer time.
    if text.contains("/") || text == "UTC", let zone = TimeZone(identifier: text) { return zone }
    throw ValueError(
      "there is no such time zone; write a name of the IANA's list, such as Europe/Zurich, or UTC")
  }

  private static func day(_ text: String) throws(ValueError) -> Int {
    let time = try Typed.time(text)
    guard text.utf8.count == 10, text.contains("-") else {
      throw ValueError("write a date such as 2026-06-01, without a time")
    }
    return Int(time.nanoseconds / 86_400_000_000_000)
  }

  private mutating func days(_ value: FileValue?) -> Set<Int> {
    var found: Set<Int> = []
    for (text, line) in list(value, "holidays") {
      do throws(ValueError) {
        let day = try Self.day(text)
        if !found.insert(day).inserted { base.fault(line, "holidays: \(text) stands twice") }
      } catch {
        base.fault(line, "holidays: '\(text)' cannot be used: \(error)")
      }
    }
    return found
  }

  /// The texts of a list.
  private mutating func list(_ value: FileValue?, _ what: String) -> [(text: String, line: Int)] {
    guard let value else { return [] }
    return nodes(value, what).compactMap { node in
      if let text = node.scalar?.string { return (text, node.mark?.line ?? value.line) }
      base.fault(node.mark?.line ?? value.line, "\(what) is a list of values")
      return nil
    }
  }

  private mutating func nodes(_ value: FileValue, _ what: String) -> [Node] {
    guard case .sequence(let sequence) = value.node else {
      base.fault(value.line, "\(what) must be a list")
      return []
    }
    return Array(sequence)
  }

  private mutating func periods(_ value: FileValue?, line: Int) -> [Tariff.Period] {
    guard let value else {
      base.fault(line, "the file: tariffs is missing")
      return []
    }
    var found: [Tariff.Period] = []
    for node in nodes(value, "tariffs") {
      let place = node.mark?.line ?? value.line
      guard let period = period(FileValue(node: node, line: place)) else { continue }
      if let last = found.last, period.first <= last.first {
        base.fault(place, "tariffs: each begins later than the one before")
      }
      found.append(period)
    }
    if found.isEmpty, base.faults.isEmpty { base.fault(value.line, "tariffs has no entry") }
    return found
  }

  private mutating func period(_ value: FileValue) -> Tariff.Period? {
    var fields = FileFields("tariff", value, in: &base)
    let first = fields.required("from", &base, Self.day)
    let rates = rates(fields.take("rates"), line: value.line)
    let days = table(fields.take("table"), rates, line: value.line)
    let charges = charges(fields.take("charges"))
    fields.finish(&base)
    guard fields.isWhole, let first, let days else { return nil }
    return Tariff.Period(first: first, rates: rates, days: days, charges: charges)
  }

  private mutating func rates(_ value: FileValue?, line: Int) -> [Tariff.Rate] {
    guard let value else {
      base.fault(line, "tariff: rates is missing")
      return []
    }
    return base.pairs(value.node, "rates").compactMap { name, value in
      var fields = FileFields("rate \(name)", value, in: &base)
      let feedIn = fields.required("feed-in", &base, Self.price)
      let retail = fields.required("retail", &base, Self.price)
      let network = fields.optional("network", &base, Self.price)
      fields.finish(&base)
      guard let feedIn, let retail else { return nil }
      if feedIn > retail {
        base.fault(value.line, "rate \(name): feed-in is at most the retail price")
      }
      return Tariff.Rate(name: name, feedIn: feedIn, retail: retail, network: network ?? .zero)
    }
  }

  private static func price(_ text: String) throws(ValueError) -> Price {
    let price = try Typed.price(text)
    guard (-highestPrice...highestPrice).contains(price.ticks) else {
      throw ValueError("the exchange takes prices within +-10995116.27776")
    }
    return price
  }

  private mutating func charges(_ value: FileValue?) -> [Tariff.Charge] {
    guard let value else { return [] }
    return nodes(value, "charges").compactMap { node in
      let line = node.mark?.line ?? value.line
      var fields = FileFields("charge", FileValue(node: node, line: line), in: &base)
      let name = fields.required("name", &base) { (text) throws(ValueError) in
        guard !text.isEmpty, text.utf8.count <= 60 else {
          throw ValueError("write 1 to 60 characters")
        }
        return text
      }
      let unit = fields.required("per", &base) { (text) throws(ValueError) in
        guard let unit = Tariff.Unit(rawValue: text) else { throw ValueError("write day or month") }
        return unit
      }
      let amount = fields.required("amount", &base, Typed.money)
      fields.finish(&base)
      guard let name, let unit, let amount else { return nil }
      return Tariff.Charge(name: name, unit: unit, amount: amount)
    }
  }

  // MARK: The table

  /// A row of the table for one kind of day.
  private struct Row {
    var part: Tariff.Part
    var line: Int
  }

  private mutating func table(
    _ value: FileValue?, _ rates: [Tariff.Rate], line: Int
  ) -> [[Tariff.Part]]? {
    guard let value else {
      base.fault(line, "tariff: table is missing")
      return nil
    }
    var rows = [[Row]](repeating: [], count: Tariff.Day.allCases.count)
    for node in nodes(value, "table") {
      let place = node.mark?.line ?? value.line
      var fields = FileFields("row", FileValue(node: node, line: place), in: &base)
      let days = fields.required("days", &base, Self.kinds)
      let from = fields.optional("from", &base, Self.minute)
      let to = fields.optional("to", &base, Self.minute)
      let rate = fields.required("rate", &base) { (text) throws(ValueError) in
        guard let index = rates.firstIndex(where: { $0.name == text }) else {
          throw ValueError("it is none of the rates")
        }
        return index
      }
      fields.finish(&base)
      guard let days, let rate else { continue }
      for minutes in Self.spans(from ?? 0, to ?? Self.minutesOfDay) {
        let row = Row(part: Tariff.Part(minutes: minutes, rate: rate), line: place)
        for day in days { rows[day.rawValue].append(row) }
      }
    }
    if rows[Tariff.Day.holiday.rawValue].isEmpty {
      rows[Tariff.Day.holiday.rawValue] = rows[Tariff.Day.sunday.rawValue]
    }
    for day in Tariff.Day.allCases { check(&rows[day.rawValue], day, line: value.line) }
    return rows.map { $0.map(\.part) }
  }

  /// Sorts the rows of a kind of day, and notes what is covered twice or not at all.
  private mutating func check(_ rows: inout [Row], _ day: Tariff.Day, line: Int) {
    rows.sort { $0.part.minutes.lowerBound < $1.part.minutes.lowerBound }
    var end = 0
    var last: Row?
    func words(_ minutes: Range<Int>) -> String {
      "\(day) \(Tariff.clock(minutes.lowerBound)) to \(Tariff.clock(minutes.upperBound))"
    }
    for row in rows {
      let minutes = row.part.minutes
      if minutes.lowerBound > end {
        base.fault(row.line, "table: no row has \(words(end..<minutes.lowerBound))")
      } else if minutes.lowerBound < end, let last {
        let both = minutes.lowerBound..<min(end, minutes.upperBound)
        base.fault(row.line, "table: \(words(both)) is in the row of line \(last.line) too")
      }
      if minutes.upperBound > end { (end, last) = (minutes.upperBound, row) }
    }
    if end < Self.minutesOfDay {
      base.fault(line, "table: no row has \(words(end..<Self.minutesOfDay))")
    }
  }

  /// The minutes of a row; one that ends before it begins is the evening and the morning of its days.
  private static func spans(_ from: Int, _ to: Int) -> [Range<Int>] {
    from < to ? [from..<to] : [0..<to, from..<minutesOfDay].filter { !$0.isEmpty }
  }

  private static func minute(_ text: String) throws(ValueError) -> Int {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = UInt8(parts[0]),
      let minute = UInt8(parts[1]), minute < 60, hour < 24 || (hour == 24 && minute == 0)
    else { throw ValueError("write a time of day from 00:00 to 24:00") }
    return Int(hour) * 60 + Int(minute)
  }

  /// Kinds of days by words: their names, weekday, weekend, all.
  private static func kinds(_ text: String) throws(ValueError) -> [Tariff.Day] {
    var found: [Tariff.Day] = []
    for word in text.split(whereSeparator: { "+, ".contains($0) }) {
      switch word {
      case "all": found += Tariff.Day.allCases
      case "weekday": found += [.monday, .tuesday, .wednesday, .thursday, .friday]
      case "weekend": found += [.saturday, .sunday]
      default:
        guard let day = Tariff.Day.allCases.first(where: { "\($0)" == word }) else {
          throw ValueError(
            "\(word) is no kind of day; write all, weekday, weekend, holiday, or monday to sunday")
        }
        found.append(day)
      }
    }
    if found.isEmpty { throw ValueError("it names no days") }
    guard Set(found).count == found.count else { throw ValueError("it names a day twice") }
    return found
  }
}
