// Dates and times as they stand in files of meter readings:
//
//     2026-06-01T12:00:00Z   2026-06-01 12:00+02:00   2026-06-01 12:00   20260601 12:00   1780308000
//     01.06.2026 12:00   01.06.26 12.00 MESZ   01.06.2026 24:00   25.10.2026 02:15 B   01/06/2026 12:00

import MarketModel

/// A time of a file.
enum FileTime: Equatable {
  /// Seconds since 1970 in UTC: the text has an offset.
  case instant(Int64)
  /// Seconds since 1970-01-01T00:00 of the local clock.
  case local(Int64, HourPart?)
}

/// Which of the two hours a local time is in, where the clock is put back and the hour repeats.
enum HourPart: Equatable {
  case first, second
}

/// The order of a date with slashes or dashes whose year is not first.
public enum DateOrder: String, CaseIterable, Sendable {
  /// Day, month, year.
  case dayFirst = "dmy"
  /// Month, day, year.
  case monthFirst = "mdy"
}

/// Parses times.
struct TimeText {
  /// How dates with slashes are written; `nil`: such dates are refused.
  var order: DateOrder?

  private static let form = "write a time such as 2026-06-01T12:00:00Z or 01.06.2026 12:00"
  private static let latestYear = 2_500

  /// Parses a date and a time of day in one cell, or a time of day behind a date of another cell.
  /// - Parameters:
  ///   - date: The cell with the date, and with the time of day when `clock` is `nil`.
  ///   - clock: The cell with the time of day.
  /// - Throws: what is wrong, and what to write.
  func parse(_ date: Bytes, _ clock: Bytes? = nil) throws(TextFault) -> FileTime {
    if date.isEmpty { throw TextFault("the time is empty") }
    var cursor = ByteCursor(date)
    if clock == nil, let instant = Self.epoch(date) { return .instant(instant) }
    let days = try self.date(&cursor, date)
    if let clock {
      guard cursor.isAtEnd || Self.isMidnight(cursor) else {
        throw TextFault("'\(date.shown)' is no date; \(Self.form)")
      }
      var other = ByteCursor(clock)
      // The cell of the clock may have the whole time again.
      return try self.clock(&other, clock, days)
    }
    if cursor.isAtEnd { return .local(days * 86_400, nil) }
    guard cursor.skip(0x54) || cursor.skip(0x74) || cursor.skip(0x20) || cursor.skip(0x3A) else {
      throw TextFault("'\(date.shown)' is no time; \(Self.form)")
    }
    return try self.clock(&cursor, date, days)
  }

  /// Days since 1970 of the week `week` of `year` (ISO 8601) and its day, 1 to 7 from Monday.
  /// - Throws: what is wrong.
  static func day(year: Int, week: Bytes, day: Bytes) throws(TextFault) -> Int64 {
    guard let number = whole(week), let weekday = whole(day) else {
      throw TextFault("'\(week.shown)' and '\(day.shown)' are no week and day, such as 47 and 1")
    }
    // The week of 4 January is the first.
    let fourth = CalendarDate(year: year, month: 1, day: 4).daysSinceEpoch
    let monday = fourth - (fourth + 3) % 7
    let next = CalendarDate(year: year + 1, month: 1, day: 4).daysSinceEpoch
    let weeks = (next - (next + 3) % 7 - monday) / 7
    guard (1...weeks).contains(number) else {
      throw TextFault("\(year) has the weeks 1 to \(weeks), not \(number)")
    }
    guard (1...7).contains(weekday) else {
      throw TextFault("the day \(weekday) of a week is not from 1 to 7")
    }
    return Int64(monday + (number - 1) * 7 + weekday - 1)
  }

  /// The time of day in `text` on the day `days`.
  func time(_ text: Bytes, onDay days: Int64) throws(TextFault) -> FileTime {
    var cursor = ByteCursor(text)
    return try clock(&cursor, text, days)
  }

  /// A number of digits, perhaps behind a letter as in "w47".
  private static func whole(_ bytes: Bytes) -> Int? {
    var cursor = ByteCursor(bytes)
    if let first = bytes.first, first | 0x20 == 0x77 { _ = cursor.skip(first) }
    guard let number = cursor.digits(3), cursor.isAtEnd else { return nil }
    return number.value
  }

  /// Seconds since 1970 of 10 digits, or milliseconds of 13.
  private static func epoch(_ bytes: Bytes) -> Int64? {
    guard bytes.count == 10 || bytes.count == 13 else { return nil }
    var cursor = ByteCursor(bytes)
    guard let number = cursor.digits(13), cursor.isAtEnd else { return nil }
    if bytes.count == 10 { return Int64(number.value) }
    return number.value % 1_000 == 0 ? Int64(number.value / 1_000) : nil
  }

  /// Whether a cell with a date has 00:00 behind it, as spreadsheets write it.
  private static func isMidnight(_ cursor: ByteCursor) -> Bool {
    var rest = cursor
    guard rest.skip(0x20) || rest.skip(0x54) else { return false }
    return rest.rest.allSatisfy { $0 == 0x30 || $0 == 0x3A }
  }

  // MARK: Date

  private func date(_ cursor: inout ByteCursor, _ text: Bytes) throws(TextFault) -> Int64 {
    guard let first = cursor.digits(8) else {
      throw TextFault("'\(text.shown)' is no time; \(Self.form)")
    }
    if first.count == 8 {
      return try Self.day(first.value / 10_000, first.value / 100 % 100, first.value % 100)
    }
    guard let mark = cursor.peek, [0x2D, 0x2E, 0x2F].contains(mark), cursor.skip(mark),
      let second = cursor.digits(2), cursor.skip(mark), let third = cursor.digits(4)
    else { throw TextFault("'\(text.shown)' is no time; \(Self.form)") }
    if first.count == 4 { return try Self.day(first.value, second.value, third.value) }
    guard first.count <= 2, third.count == 2 || third.count == 4 else {
      throw TextFault("'\(text.shown)' is no time; \(Self.form)")
    }
    let year = third.count == 2 ? 2_000 + third.value : third.value
    if mark == 0x2E || order == .dayFirst { return try Self.day(year, second.value, first.value) }
    guard order == .monthFirst else {
      throw TextFault(
        "'\(text.shown)' may begin with the day or with the month: give --date-order dmy or mdy")
    }
    return try Self.day(year, first.value, second.value)
  }

  private static func day(_ year: Int, _ month: Int, _ day: Int) throws(TextFault) -> Int64 {
    guard (1970...latestYear).contains(year) else {
      throw TextFault("the year \(year) is not from 1970 to \(latestYear)")
    }
    guard (1...12).contains(month) else {
      throw TextFault("the month \(month) is not from 1 to 12")
    }
    let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
    let last = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    guard (1...last).contains(day) else {
      throw TextFault("month \(month) of \(year) has the days 1 to \(last), not \(day)")
    }
    return Int64(CalendarDate(year: year, month: month, day: day).daysSinceEpoch)
  }

  // MARK: Time of day

  private func clock(
    _ cursor: inout ByteCursor, _ text: Bytes, _ days: Int64
  ) throws(TextFault) -> FileTime {
    guard let hour = cursor.digits(2) else {
      throw TextFault("'\(text.shown)' is no time of day; \(Self.form)")
    }
    var part = Self.part(&cursor)
    guard cursor.skip(0x3A) || cursor.skip(0x2E), let minute = cursor.digits(2) else {
      throw TextFault("'\(text.shown)' is no time of day; \(Self.form)")
    }
    var second = 0
    if cursor.skip(0x3A) || cursor.skip(0x2E) {
      guard let seconds = cursor.digits(2) else {
        throw TextFault("'\(text.shown)' is no time of day; \(Self.form)")
      }
      second = seconds.value
      if cursor.skip(0x2E) || cursor.skip(0x2C) {
        guard let fraction = cursor.digits(9), fraction.value == 0 else {
          throw TextFault(
            "'\(text.shown)' has a fraction of a second; intervals have whole seconds")
        }
      }
    }
    guard hour.value < 24 || (hour.value == 24 && minute.value == 0 && second == 0) else {
      throw TextFault("the hour \(hour.value) is not from 0 to 23")
    }
    guard minute.value < 60 else {
      throw TextFault("the minute \(minute.value) is not from 0 to 59")
    }
    guard second < 60 else { throw TextFault("the second \(second) is not from 0 to 59") }
    let local = days * 86_400 + Int64(hour.value * 3_600 + minute.value * 60 + second)
    if let found = Self.part(&cursor) { part = found }
    if let offset = try Self.offset(&cursor, text) {
      guard local - offset >= 0 else { throw TextFault("'\(text.shown)' is before 1970 in UTC") }
      return .instant(local - offset)
    }
    guard cursor.isAtEnd else {
      throw TextFault("'\(text.shown)' has something behind the time; \(Self.form)")
    }
    return .local(local, part)
  }

  /// The letter A or B, which marks the first and the second hour where the clock is put back.
  private static func part(_ cursor: inout ByteCursor) -> HourPart? {
    var ahead = cursor
    _ = ahead.skip(0x20)
    guard let letter = ahead.peek, letter == 0x41 || letter == 0x42, ahead.skip(letter),
      ahead.isAtEnd || ahead.peek == 0x3A || ahead.peek == 0x2E
    else { return nil }
    cursor = ahead
    return letter == 0x41 ? .first : .second
  }

  /// Seconds ahead of UTC: Z, +02:00, +0200, +02, or the name of a Central European time.
  private static func offset(
    _ cursor: inout ByteCursor, _ text: Bytes
  ) throws(TextFault) -> Int64? {
    if cursor.isAtEnd { return nil }
    if cursor.skip(0x5A), cursor.isAtEnd { return 0 }
    _ = cursor.skip(0x20)
    if let sign = cursor.peek, sign == 0x2B || sign == 0x2D {
      _ = cursor.skip(sign)
      guard let first = cursor.digits(4), first.count == 2 || first.count == 4 else {
        throw TextFault("'\(text.shown)' has no offset to UTC such as +02:00")
      }
      var minutes = first.count == 4 ? first.value / 100 * 60 + first.value % 100 : first.value * 60
      if first.count == 2, cursor.skip(0x3A) {
        guard let more = cursor.digits(2), more.count == 2 else {
          throw TextFault("'\(text.shown)' has no offset to UTC such as +02:00")
        }
        minutes += more.value
      }
      guard minutes <= 14 * 60, cursor.isAtEnd else {
        throw TextFault("'\(text.shown)' has no offset to UTC such as +02:00")
      }
      return Int64(sign == 0x2D ? -minutes : minutes) * 60
    }
    let names: [(String, Int64)] = [
      ("Z", 0), ("z", 0), ("UTC", 0), ("MEZ", 3_600), ("CET", 3_600), ("MESZ", 7_200),
      ("CEST", 7_200),
    ]
    guard let found = names.first(where: { cursor.rest.elementsEqual($0.0.utf8) }) else {
      return nil
    }
    cursor.end()
    return found.1
  }
}

/// Reads a cell from left to right.
struct ByteCursor {
  private let bytes: Bytes
  private var at = 0

  init(_ bytes: Bytes) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }
  var peek: UInt8? { at < bytes.count ? bytes[at] : nil }
  var rest: Slice<Bytes> { bytes[at...] }

  /// Passes over everything.
  mutating func end() { at = bytes.count }

  /// Passes over `byte` if it is next.
  mutating func skip(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  /// Reads a number of at most `most` digits, of which there is at least one.
  /// - Precondition: `most` is at most 18.
  mutating func digits(_ most: Int) -> (value: Int, count: Int)? {
    var (value, count) = (0, 0)
    while count < most, at < bytes.count, (0x30...0x39).contains(bytes[at]) {
      value = value * 10 + Int(bytes[at] & 15)
      (at, count) = (at + 1, count + 1)
    }
    return count == 0 ? nil : (value, count)
  }
}
