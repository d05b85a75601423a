// Dates: UTC, the Gregorian calendar, from 1970 on. The arithmetic is Hinnant's "chrono-compatible
// low-level date algorithms": years begin in March, so that a leap day is the last of its year, and
// 400 of them repeat.

/// A date of the Gregorian calendar, not before 1970.
public struct CalendarDate: Hashable, Sendable {
  /// The year, from 1970.
  public var year: Int
  /// The month, 1 to 12.
  public var month: Int
  /// The day of the month, from 1.
  public var day: Int

  /// A date. The initialiser does not check that the month has the day.
  public init(year: Int, month: Int, day: Int) {
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The date `daysSinceEpoch` days after 1970-01-01.
  public init(daysSinceEpoch: UInt32) {
    let shifted = Int(daysSinceEpoch) + 719_468
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }

  /// Days since 1970-01-01. A day beyond the end of its month counts into the next month.
  /// - Precondition: The year is 1970 to 1,000,000, the month 1 to 12 and the day at most 31.
  public var daysSinceEpoch: Int {
    precondition(
      (1970...1_000_000).contains(year) && (1...12).contains(month) && (1...31).contains(day),
      "no date from 1970 on")
    let (era, yearOfEra) = (month > 2 ? year : year - 1).quotientAndRemainder(dividingBy: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The date as text: "2026-06-01".
  public var iso8601: String { "\(year)-\(twoDigits(month))-\(twoDigits(day))" }
}

extension Timestamp {
  /// The date, UTC.
  public var date: CalendarDate {
    CalendarDate(daysSinceEpoch: UInt32(nanoseconds / 86_400_000_000_000))
  }

  /// The time as text in UTC, without fractions of a second: "2026-06-01T12:00:00Z".
  public var iso8601: String { "\(wholeSeconds)Z" }

  /// The time as text in UTC with milliseconds: "2026-06-01T12:00:00.125Z".
  public var iso8601Milliseconds: String {
    let milliseconds = String(1_000 + nanoseconds / 1_000_000 % 1_000).dropFirst()
    return "\(wholeSeconds).\(milliseconds)Z"
  }

  private var wholeSeconds: String {
    let seconds = Int(nanoseconds / 1_000_000_000 % 86_400)
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60)
    return "\(date.iso8601)T\(twoDigits(hour)):\(twoDigits(minute)):\(twoDigits(second))"
  }
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
