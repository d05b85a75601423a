import MarketModel
import Testing

@testable import MeterImport

@Suite("Times of files")
struct TimeTests {
  private func parse(_ text: String, _ order: DateOrder? = nil) throws -> FileTime {
    try withBytes(text) { try TimeText(order: order).parse($0) }
  }

  /// 2026-06-01T12:00 in seconds since 1970.
  private static let noon: Int64 = 1_780_315_200

  @Test(
    "Times with an offset are moments.",
    arguments: [
      "2026-06-01T12:00:00Z", "2026-06-01T12:00Z", "2026-06-01 14:00+02:00",
      "2026-06-01t14:00:00+02",
      "2026-06-01T14:00:00.000+0200", "01.06.2026 14:00 MESZ", "1780315200", "1780315200000",
      "01.06.26 13:00 MEZ", "2026-05-31T22:00-14:00", "20260601 12:00Z",
    ])
  func instants(text: String) throws {
    #expect(try parse(text) == .instant(Self.noon))
  }

  @Test(
    "Times without one are of the local clock.",
    arguments: [
      "2026-06-01T12:00:00", "2026-06-01 12:00", "01.06.2026 12:00", "1.6.26 12.00",
      "01.06.2026:12:00", "2026/06/01 12:00:00",
    ])
  func local(text: String) throws {
    #expect(try parse(text) == .local(Self.noon, nil))
  }

  @Test("24:00 is the end of the day, and dates with slashes need their order.")
  func special() throws {
    #expect(try parse("31.05.2026 24:00") == .local(Self.noon - 43_200, nil))
    #expect(try parse("25.10.2026 02:15 B") == .local(1_792_894_500, .second))
    #expect(try parse("25.10.2026 2A:15") == .local(1_792_894_500, .first))
    #expect(try parse("01/06/2026 12:00", .dayFirst) == .local(Self.noon, nil))
    #expect(try parse("06/01/2026 12:00", .monthFirst) == .local(Self.noon, nil))
    let date = try withBytes("01.06.2026 00:00:00") { date in
      try withBytes("12:00") { try TimeText().parse(date, $0) }
    }
    #expect(date == .local(Self.noon, nil))
  }

  @Test(
    "What is no time says what is wrong.",
    arguments: [
      ("", "the time is empty"), ("yesterday", "'yesterday' is no time"),
      ("2026-02-29", "month 2 of 2026 has the days 1 to 28, not 29"),
      ("2026-13-01", "the month 13"), ("31.04.2026 00:00", "has the days 1 to 30, not 31"),
      ("2026-06-01T24:15", "the hour 24"), ("2026-06-01T12:60", "the minute 60"),
      ("2026-06-01T12:00:60", "the second 60"), ("2026-06-01T12:00:00.5Z", "fraction of a second"),
      ("1969-12-31T00:00", "the year 1969"), ("9999-01-01", "the year 9999"),
      ("01/06/2026 12:00", "give --date-order"), ("2026-06-01T12:00+15:00", "no offset to UTC"),
      ("2026-06-01T12:00 EST", "something behind the time"), ("2026-06-01T12", "no time of day"),
      ("1970-01-01T00:00+02:00", "before 1970 in UTC"), ("01.06.202 12:00", "is no time"),
      ("2026-06-01X12:00", "is no time"), ("2026-06", "is no time"),
    ])
  func faults(text: String, words: String) {
    let fault = #expect(throws: TextFault.self) { try parse(text) }
    #expect(fault?.text.contains(words) == true, "\(fault?.text ?? "")")
  }

  @Test("Weeks are those of ISO 8601.")
  func weeks() throws {
    func day(_ year: Int, _ week: String, _ day: String) throws -> String {
      try withBytes(week) { week in
        try withBytes(day) { day in
          ImportReport.time(try TimeText.day(year: year, week: week, day: day) * 86_400)
        }
      }
    }
    #expect(try day(2025, "w47", "1") == "2025-11-17T00:00:00Z")
    #expect(try day(2026, "1", "1") == "2025-12-29T00:00:00Z")
    #expect(try day(2026, "53", "7") == "2027-01-03T00:00:00Z")
    #expect(try day(2021, "1", "1") == "2021-01-04T00:00:00Z")
    for (week, weekday) in [("0", "1"), ("53", "1"), ("47", "8"), ("x", "1"), ("47", "")] {
      #expect(throws: TextFault.self) { try day(2025, week, weekday) }
    }
  }

  @Test("The offsets of a zone are those of its days.")
  func zone() throws {
    let berlin = try #require(TimeZoneRules("Europe/Berlin"))
    #expect(berlin.instants(ofLocal: Self.noon).first == Self.noon - 7_200)
    #expect(berlin.instants(ofLocal: Self.noon).second == nil)
    // 2026-03-29T02:30 does not exist, 2026-10-25T02:30 exists twice.
    let spring = berlin.instants(ofLocal: 1_774_751_400)
    #expect(spring.first == nil && spring.second == nil)
    let autumn = berlin.instants(ofLocal: 1_792_895_400)
    #expect(autumn.first == 1_792_888_200 && autumn.second == 1_792_891_800)
    let fixed = try #require(TimeZoneRules("+10:00"))
    #expect(fixed.instants(ofLocal: Self.noon).first == Self.noon - 36_000)
    #expect(TimeZoneRules("UTC")?.instants(ofLocal: 0).first == 0)
    for name in ["Berlin", "Europe/Nowhere", "+1", "+99:00", ""] {
      #expect(TimeZoneRules(name) == nil)
    }
  }

  @Test(
    "Every hour of some years has the moment that goes back to it.",
    arguments: [
      "Europe/Berlin", "Australia/Sydney", "Europe/London", "Asia/Kolkata",
    ])
  func thereAndBack(name: String) throws {
    let rules = try #require(TimeZoneRules(name))
    var hours = 0
    // Two years from 2025: each local hour of them is met at its moment.
    for hour in 0..<17_520 {
      let local = 1_735_689_600 + Int64(hour) * 3_600
      let (first, second) = rules.instants(ofLocal: local)
      hours += first == nil ? 0 : second == nil ? 1 : 2
      if let first, let second { #expect(second - first == 3_600) }
    }
    #expect(hours == 17_520, "as many hours are put in as are left out")
  }
}
