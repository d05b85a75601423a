import MarketModel

extension Typed {
  /// A time: "2026-06-01", "2026-06-01T12:30Z", "2026-06-01T12:30:15.5+02:00", or nanoseconds since
  /// 1970. Without an offset it is in UTC.
  public static func time(_ text: String) throws(ValueError) -> Timestamp {
    let word = trimmed(text)
    if !word.isEmpty, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      guard let nanoseconds = UInt64(word) else {
        throw ValueError("it is beyond the last time, in the year 2554")
      }
      return Timestamp(nanoseconds: nanoseconds)
    }
    let parts = word.split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { "Tt ".contains($0) })
    let days = try day(parts.first ?? "")
    guard parts.count == 2 else { return try timestamp(days, 0, offset: 0) }
    let (clock, offset) = try splitOffset(parts[1])
    return try timestamp(days, try nanosecondsOfDay(clock), offset: offset)
  }

  private static let form = "write a time such as 2026-06-01T12:30:00Z or 2026-06-01T14:30+02:00"
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]

  /// Days since 1970 of a date such as "2026-06-01".
  private static func day(_ text: Substring) throws(ValueError) -> Int {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = whole(parts[0]), let month = whole(parts[1]),
      let day = whole(parts[2])
    else {
      if text.contains("/") || text.split(separator: ".").count == 3 {
        throw ValueError("a date is written year-month-day, such as 2026-06-01; \(form)")
      }
      throw ValueError("it is no time; \(form)")
    }
    guard (1970...2553).contains(year) else {
      throw ValueError("the year \(year) is not from 1970 to 2553; \(form)")
    }
    guard (1...12).contains(month) else {
      throw ValueError("the month \(month) is not from 1 to 12; a date is year-month-day")
    }
    let last = length(ofMonth: month, year)
    guard (1...last).contains(day) else {
      throw ValueError("\(months[month - 1]) \(year) has the days 1 to \(last), not \(day)")
    }
    return CalendarDate(year: year, month: month, day: day).daysSinceEpoch
  }

  private static func length(ofMonth month: Int, _ year: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Splits the offset to UTC off a time of day.
  /// - Returns: the time of day, and the seconds by which it is ahead of UTC.
  private static func splitOffset(
    _ text: Substring
  ) throws(ValueError) -> (clock: Substring, offset: Int) {
    if text.hasSuffix("Z") || text.hasSuffix("z") { return (text.dropLast(), 0) }
    guard let sign = text.firstIndex(where: { "+-".contains($0) }) else {
      if let zone = text.firstIndex(where: { $0.isLetter }) {
        throw ValueError(
          "\(text[zone...]) is no offset; write the hours ahead of UTC, such as +01:00, or Z for UTC"
        )
      }
      return (text, 0)
    }
    let digits = text[text.index(after: sign)...].filter { $0 != ":" }
    guard digits.utf8.count == 2 || digits.utf8.count == 4, let hours = whole(digits.prefix(2)),
      let minutes = digits.utf8.count == 2 ? 0 : whole(digits.suffix(2)), hours <= 14,
      minutes < 60
    else {
      throw ValueError("\(text[sign...]) is no offset to UTC; write one such as +01:00, or Z")
    }
    let seconds = hours * 3600 + minutes * 60
    return (text[..<sign], text[sign] == "-" ? -seconds : seconds)
  }

  /// Nanoseconds since midnight of a time such as "12:30" or "12:30:15.5".
  private static func nanosecondsOfDay(_ clock: Substring) throws(ValueError) -> UInt64 {
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let hour = whole(parts[0]), let minute = whole(parts[1])
    else { throw ValueError("\(clock) is no time of day; \(form)") }
    let second = parts.count == 3 ? DecimalText.units(parts[2], places: 9) : 0
    guard hour < 24 else { throw ValueError("the hour \(hour) is not from 0 to 23") }
    guard minute < 60 else { throw ValueError("the minute \(minute) is not from 0 to 59") }
    guard let second, (0..<60_000_000_000).contains(second) else {
      throw ValueError("the second \(parts[parts.count - 1]) is not from 0 to 59; \(form)")
    }
    return UInt64(hour * 3600 + minute * 60) * 1_000_000_000 + UInt64(second)
  }

  private static func timestamp(
    _ days: Int, _ nanoseconds: UInt64, offset: Int
  ) throws(ValueError) -> Timestamp {
    let seconds = days * 86_400 - offset
    guard seconds >= 0 || UInt64(-seconds) * 1_000_000_000 <= nanoseconds else {
      throw ValueError("it is before 1970 in UTC; \(form)")
    }
    let begin = Int128(seconds) * 1_000_000_000
    return Timestamp(nanoseconds: UInt64(begin + Int128(nanoseconds)))
  }

  /// A number of digits only.
  private static func whole(_ text: some StringProtocol) -> Int? {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }
}
