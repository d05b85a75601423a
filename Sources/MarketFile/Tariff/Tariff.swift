// Tariffs as people write them: prices by kind of day and time of day, in the area's own time zone.
//
//     tariff file ── TariffFileReader ──▶ Tariff ── TariffPlan ──▶ changes of prices, UTC
//                                           │
//                                           └── charges of a period, network price of an interval

import Foundation
import MarketModel

/// The tariff of an area.
public struct Tariff: Sendable, Equatable {
  /// Kinds of days: Monday to Sunday, and holidays.
  public enum Day: Int, Sendable, CaseIterable {
    case monday, tuesday, wednesday, thursday, friday, saturday, sunday, holiday
  }

  /// Prices per kWh under one name.
  public struct Rate: Sendable, Equatable {
    /// Its name in the file.
    public var name: String
    /// What the grid pays for exports.
    public var feedIn: Price
    /// What the grid charges for imports, the network's part included.
    public var retail: Price
    /// The network's part of the retail price.
    public var network: Price
  }

  /// Charges per what.
  public enum Unit: String, Sendable, CaseIterable {
    case day, month
  }

  /// A charge that does not depend on energy.
  public struct Charge: Sendable, Equatable {
    /// What it is for.
    public var name: String
    /// The unit of time.
    public var unit: Unit
    /// The amount for one unit.
    public var amount: Money
  }

  /// A part of a day, in minutes since midnight on the wall clock, and its rate.
  public struct Part: Sendable, Equatable {
    /// The minutes.
    public var minutes: Range<Int>
    /// Index of the rate.
    public var rate: Int
  }

  /// What holds from one local date to the next period's.
  public struct Period: Sendable, Equatable {
    /// The first local day, in days since 1970-01-01.
    public var first: Int
    /// The rates.
    public var rates: [Rate]
    /// The parts of each kind of day, ascending and without gaps; by `Day`.
    public var days: [[Part]]
    /// The charges.
    public var charges: [Charge]
  }

  /// The area.
  public var area: AreaId
  /// The time zone of all dates and times.
  public var zone: TimeZone
  /// Local days that are holidays, in days since 1970-01-01.
  public var holidays: Set<Int>
  /// The periods, ascending; not empty.
  public var periods: [Period]
  /// The first local day after the last period; `nil`: it has no end.
  public var end: Int?

  /// The kind of a local day.
  public func kind(of day: Int) -> Day {
    if holidays.contains(day) { return .holiday }
    // 1970-01-01 was a Thursday.
    return Day(rawValue: ((day % 7) + 7 + 3) % 7) ?? .monday
  }

  /// The period of a local day; `nil` before the first and after the last one.
  public func period(of day: Int) -> Period? {
    if let end, day >= end { return nil }
    return periods.last { $0.first <= day }
  }

  /// Seconds by which local time is ahead of UTC at `seconds` since 1970.
  func offset(at seconds: Int) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
  }

  /// The rate for an interval that begins at `time`; `nil` outside the tariff's dates.
  public func rate(at time: Timestamp) -> Rate? {
    let seconds = Int(time.nanoseconds / 1_000_000_000)
    return rate(local: seconds + offset(at: seconds))
  }

  /// The rate at a local time, in seconds since 1970-01-01 on the wall clock.
  func rate(local: Int) -> Rate? {
    let day = Self.day(ofLocal: local)
    guard let period = period(of: day) else { return nil }
    let minute = (local - day * 86_400) / 60
    let part = period.days[kind(of: day).rawValue].first { $0.minutes.contains(minute) }
    return part.map { period.rates[$0.rate] }
  }

  /// The day of a local time.
  static func day(ofLocal local: Int) -> Int {
    local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }

  /// The moment at which a local day begins: the first one with that date, since a change of the clock
  /// at midnight may skip or repeat it. Seconds since 1970.
  func begin(ofDay day: Int) -> Int {
    let local = day * 86_400
    // Offsets are within 18 hours.
    var (low, high) = (local - 64_800, local + 64_800)
    while low < high {
      let middle = low + (high - low) / 2
      if Self.day(ofLocal: middle + offset(at: middle)) >= day {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low
  }
}

extension Tariff {
  /// The charges for the local days that begin in `period`: whole days; of a month, the part of its days.
  /// - Returns: One charge for each name and unit, in the order of the file, with the number of days, and
  ///   the amount (1e-8), rounded half up.
  public func charges(in span: Range<Timestamp>) -> [(charge: Charge, days: Int, units: Int128)] {
    var found: [(charge: Charge, days: Int, units: Int128)] = []
    var parts: [Int: Int] = [:]
    func add(_ charge: Charge, days: Int, units: Int128) {
      if let index = found.firstIndex(where: { $0.charge == charge }) {
        found[index].days += days
        found[index].units += units
      } else {
        found.append((charge, days, units))
      }
    }
    for day in days(beginningIn: span) {
      guard let period = period(of: day) else { continue }
      let date = CalendarDate(daysSinceEpoch: UInt32(day))
      let length = Self.length(ofMonth: date)
      for charge in period.charges {
        switch charge.unit {
        case .day: add(charge, days: 1, units: Int128(charge.amount.units))
        // Summed in parts of 1/length, and divided below.
        case .month:
          add(charge, days: 1, units: 0)
          if let index = found.firstIndex(where: { $0.charge == charge }) {
            parts[index << 8 | length, default: 0] += 1
          }
        }
      }
    }
    for (key, days) in parts.sorted(by: { $0.key < $1.key }) {
      let (index, length) = (key >> 8, Int128(key & 0xFF))
      let whole = Int128(found[index].charge.amount.units) * Int128(days)
      found[index].units += (2 * whole + length) / (2 * length)
    }
    return found
  }

  /// The local days whose begin is in `span`.
  private func days(beginningIn span: Range<Timestamp>) -> Range<Int> {
    func firstDay(from time: Timestamp) -> Int {
      // The nanoseconds beyond a whole second belong to the second before.
      let seconds = Int((time.nanoseconds + 999_999_999) / 1_000_000_000)
      let day = Self.day(ofLocal: seconds + offset(at: seconds))
      return begin(ofDay: day) >= seconds ? day : day + 1
    }
    let first = firstDay(from: span.lowerBound)
    return first..<max(first, firstDay(from: span.upperBound))
  }

  private static func length(ofMonth date: CalendarDate) -> Int {
    let first = CalendarDate(year: date.year, month: date.month, day: 1).daysSinceEpoch
    let isLast = date.month == 12
    let next = CalendarDate(
      year: isLast ? date.year + 1 : date.year, month: isLast ? 1 : date.month + 1, day: 1)
    return next.daysSinceEpoch - first
  }
}
